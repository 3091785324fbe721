// The one comment of a pull request: what was found, for people, and the tokens of the plans, for the merge.
import { MistakeError } from '../../terminal/mistake.ts';

/** What became of one manifest. */
export interface Outcome {
  readonly file: string;
  /** `wrong`: the check or the plan failed. */
  readonly state: 'changes' | 'nothing' | 'wrong' | 'gone' | 'checked';
  readonly before?: string;
  readonly token?: string;
  /** What the command printed. */
  readonly text: string;
}

/** Of every comment that this action writes; its first line. */
export const MARKER = '<!-- penstock:plan -->';

/** GitHub refuses a longer body: "body is too long (maximum is 65536 characters)". */
export const MAX_COMMENT = 65_536;

const SAYS: Readonly<Record<Outcome['state'], string>> = {
  changes: 'changes',
  nothing: 'nothing to do',
  wrong: '**not well**',
  gone: 'deleted: the pipeline stays until `penstock retire`',
  checked: 'checked',
};

/** @throws MistakeError where the tokens alone are too long */
export function commentOf(outcomes: readonly Outcome[], head: string): string {
  const tokens = Object.fromEntries(
    outcomes.flatMap(({ file, token }) => (token === undefined ? [] : [[file, token] as const])),
  );
  const front = [
    MARKER,
    `<!-- penstock:tokens ${hidden({ head, tokens })} -->`,
    '### Penstock',
    '',
    ...(outcomes.length === 0 ? ['No manifest is changed.'] : ['| Manifest | Plan |', '| --- | --- |']),
    ...outcomes.map(
      ({ file, state, before }) =>
        `| ${escaped(file)}${before === undefined ? '' : ` (was ${escaped(before)})`} | ${SAYS[state]} |`,
    ),
    '',
    `Of commit ${escaped(head)}.`,
  ].join('\n');
  const rest = '\n\nNot everything fits in here: the log of the job has the rest.';
  if (front.length + rest.length > MAX_COMMENT)
    throw new MistakeError(
      'TOO_MANY_FILES',
      `${outcomes.length} changed manifests do not fit in one comment`,
      'Split the pull request.',
    );
  let body = front;
  // What is wrong is read first, so it must not be what is left out.
  const ordered = outcomes.toSorted((a, b) => Number(b.state === 'wrong') - Number(a.state === 'wrong'));
  for (const { file, text } of ordered) {
    if (text === '') continue;
    const part = `\n\n<details><summary>${escaped(file)}</summary>\n\n<pre>\n${escaped(text.trimEnd())}\n</pre>\n</details>`;
    if (body.length + part.length + rest.length > MAX_COMMENT) return body + rest;
    body += part;
  }
  return body;
}

/** The tokens by file; `undefined` where a body is no comment of this action. */
export function tokensIn(body: string): Readonly<Record<string, string>> | undefined {
  if (!body.startsWith(MARKER)) return undefined;
  const text = /^<!-- penstock:tokens (.*) -->\r?$/m.exec(body)?.[1];
  try {
    const { tokens } = JSON.parse(text ?? '') as { tokens?: Record<string, unknown> };
    return Object.fromEntries(
      Object.entries(tokens ?? {}).filter((one): one is [string, string] => typeof one[1] === 'string'),
    );
  } catch {
    return {};
  }
}

/** JSON that cannot end the comment that hides it. */
function hidden(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>@[\]-]|[^\x20-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** As Markdown and HTML show it literally: no link, no mention, no picture, no end of a cell. */
function escaped(text: string): string {
  return text.replace(/[&<>|@#`*_[\]\\~:]/g, (one) => `&#${one.charCodeAt(0)};`);
}
