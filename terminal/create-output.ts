// Makes the output of a command from the streams of a process.
import { createColors } from 'picocolors';
import { MistakeError, toldOf } from './mistake.ts';
import type { Output } from './output.ts';

/** Where no terminal says how wide it is. */
const PLAIN_WIDTH = 100;
/** No column gets narrower than this. */
const MIN_COLUMN = 8;

export interface OutputOptions {
  readonly isJson: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createOutput({ isJson, stdout, stderr, stdin, env }: OutputOptions): Output {
  const isTerminal = Boolean(stdin.isTTY) && Boolean(stderr.isTTY) && !env.CI;
  const colours = createColors(hasColours(stdout, env));
  const noteColours = createColors(hasColours(stderr, env));
  const width = () => Math.max(2 * MIN_COLUMN, stdout.columns || PLAIN_WIDTH);
  const line = (text = '') => {
    if (!isJson) stdout.write(`${text}\n`);
  };
  const note = (text: string) => void stderr.write(`${text}\n`);
  const needTerminal = (question: string) => {
    if (!isTerminal)
      throw new MistakeError(
        'NOT_A_TERMINAL',
        `nobody can be asked here: ${question}`,
        'Add --yes to go on without a question.',
      );
  };
  return {
    isJson,
    isTerminal,
    get width() {
      return width();
    },
    colours,
    line,
    raw: (text) => void stdout.write(`${text}\n`),
    note,
    async table(head, rows) {
      if (isJson) return;
      const { tableLines } = await import('./table.ts');
      for (const one of tableLines(head, rows, width(), colours)) line(one);
    },
    json(value) {
      if (isJson) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    error(error) {
      const told = toldOf(error);
      if (told === undefined) {
        note(error instanceof Error ? (error.stack ?? error.message) : String(error));
        return;
      }
      if (isJson) {
        note(JSON.stringify({ error: told }));
        return;
      }
      note(`${noteColours.red(`error ${told.code}`)}  ${told.what}`);
      if (told.next !== undefined) note(`${noteColours.cyan('next')}   ${told.next}`);
    },
    async work(text) {
      const { createWork } = await import('./work.ts');
      return createWork(text, stderr, noteColours);
    },
    async confirm(question) {
      needTerminal(question);
      const { confirm, isCancel } = await import('@clack/prompts');
      const answer = await confirm({ message: question, initialValue: false, output: stderr });
      return !isCancel(answer) && answer;
    },
    async ask(question) {
      needTerminal(question);
      const { text, isCancel } = await import('@clack/prompts');
      const answer = await text({ message: question, output: stderr });
      return isCancel(answer) ? '' : (answer ?? '');
    },
  };
}

/** https://no-color.org: set and not empty, whatever its value. */
function hasColours(stream: NodeJS.WriteStream, env: OutputOptions['env']): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return Boolean(stream.isTTY) && env.TERM !== 'dumb';
}
