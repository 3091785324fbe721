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
        `| ${code(file)}${before === undefined ? '' : ` (was ${code(before)})`} | ${SAYS[state]} |`,
    ),
    '',
    `Of commit ${escaped(head)}.`,
  ].join('\n');
  if (front.length + REST.length > MAX_COMMENT)
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
    const room = MAX_COMMENT - REST.length - body.length;
    const { part, isWhole } = partOf(file, text, room);
    body += part;
    if (!isWhole) return body + REST;
  }
  return body;
}

const REST = '\n\nNot everything fits in here: the log of the job has the rest.';

/** What was printed of a manifest, as many of its lines as there is room for. */
function partOf(file: string, text: string, room: number): { part: string; isWhole: boolean } {
  const front = `\n\n<details><summary>${code(file)}</summary>\n\n<pre>\n`;
  const back = '\n</pre>\n</details>';
  const lines = text.trimEnd().split('\n').map(escaped);
  let left = room - front.length - back.length;
  const fitting = lines.findIndex((line) => {
    left -= line.length + 1;
    return left < -1;
  });
  if (fitting < 0) return { part: `${front}${lines.join('\n')}${back}`, isWhole: true };
  const some = lines.slice(0, fitting).join('\n');
  return { part: some === '' ? '' : `${front}${some}${back}`, isWhole: false };
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

/** GitHub makes no mention, no link and no emoji of what stands in such an element, however it is written. */
function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** As Markdown and HTML show it literally, in one line: no picture, no end of a cell, nothing that is not seen. */
function escaped(text: string): string {
  return text
    .replace(UNSEEN, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
    .replace(/[&<>|@#`*_[\]\\~:]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** Controls, marks that turn the direction of a text, halves of characters. A tab is seen. */
const UNSEEN = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
