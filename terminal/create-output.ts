// Makes the output of a command from the streams of a process.
import { createColors } from 'picocolors';
import { wrappedProse } from './columns.ts';
import { MistakeError, toldOf } from './mistake.ts';
import type { Output, Work } from './output.ts';

/** Nothing is laid out for less. */
const MIN_WIDTH = 20;

export interface OutputOptions {
  readonly isJson: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whoever read has gone, as `head` does: what goes on for its eyes alone may end. */
  readonly onClosed?: () => void;
}

export function createOutput({ isJson, stdout, stderr, stdin, env, onClosed }: OutputOptions): Output {
  for (const stream of [stdout, stderr]) whenClosed(stream, onClosed);
  const isTerminal = Boolean(stdin.isTTY) && Boolean(stderr.isTTY) && !env.CI;
  const colours = createColors(hasColours(stdout, env));
  const noteColours = createColors(hasColours(stderr, env));
  const width = () => widthOf(stdout);
  const whole = (text: string) => {
    if (!isJson) stdout.write(`${text}\n`);
  };
  const whollyNoted = (text: string) => void stderr.write(`${text}\n`);
  const note = (text: string) => whollyNoted(wrappedProse(text, widthOf(stderr)));
  /** Whether a line can be written again. */
  const moves = (stream: NodeJS.WriteStream) => Boolean(stream.isTTY) && env.TERM !== 'dumb';
  const working = new Set<Work>();
  /** With `--json`, whether standard output has its document. */
  let hasDocument = false;
  const document = (value: unknown) => {
    hasDocument = true;
    stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  };
  const needTerminal = (question: string) => {
    if (!isTerminal)
      throw new MistakeError(
        'NOT_A_TERMINAL',
        `nobody can be asked here: ${question}`,
        'Add --yes to go on without a question.',
      );
  };
  const plainly = async (question: string): Promise<string> => {
    const { plainAnswer } = await import('./plain-question.ts');
    const answer = await plainAnswer(question, stdin, stderr);
    if (answer === undefined) throw unanswered();
    return answer.trim();
  };
  return {
    isJson,
    isTerminal,
    get width() {
      return width();
    },
    colours,
    line: (text = '') => whole(wrappedProse(text, width())),
    whole,
    raw(text) {
      hasDocument = true;
      stdout.write(`${text}\n`);
    },
    note,
    async table(head, rows) {
      if (isJson) return;
      const { tableLines } = await import('./table.ts');
      for (const one of tableLines(head, rows, width(), colours)) whole(one);
    },
    json(value) {
      if (isJson) document(value);
    },
    error(error) {
      const told = toldOf(error);
      if (isJson && !hasDocument) document({ error: told ?? { code: 'DEFECT', what: String(error) } });
      if (told === undefined) {
        whollyNoted(error instanceof Error ? (error.stack ?? error.message) : String(error));
        return;
      }
      note(`${noteColours.red(`error ${told.code}`)}  ${told.what}`);
      if (told.next === undefined) return;
      const next = `${noteColours.cyan('next')}   ${told.next}`;
      // A command is copied: it stays one line. A sentence has its stop.
      (told.next.endsWith('.') ? note : whollyNoted)(next);
    },
    async work(title, total) {
      const { createWork } = await import('./work.ts');
      const isMoving = moves(stderr);
      const work = createWork({ title, total, stream: stderr, colours: noteColours, isMoving });
      working.add(work);
      return work;
    },
    stop() {
      for (const work of working) work.failed();
      working.clear();
    },
    async confirm(question) {
      needTerminal(question);
      if (!moves(stderr)) return /^y(?:es)?$/i.test(await plainly(`${question} (y/N)`));
      const { confirm, isCancel } = await import('@clack/prompts');
      const answer = await confirm({ message: question, initialValue: false, output: stderr });
      if (isCancel(answer)) throw unanswered();
      return answer;
    },
    async ask(question) {
      needTerminal(question);
      if (!moves(stderr)) return plainly(question);
      const { text, isCancel } = await import('@clack/prompts');
      const answer = await text({ message: question, output: stderr });
      if (isCancel(answer)) throw unanswered();
      return answer ?? '';
    },
  };
}

/** A pipe that nobody reads is no defect of the program. */
function whenClosed(stream: NodeJS.WriteStream, onClosed: OutputOptions['onClosed']): void {
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isClosed) onClosed?.();
    isClosed = true;
  });
}

/** Ctrl-C at a question. */
function unanswered(): MistakeError {
  return new MistakeError('INTERRUPTED', 'nobody agreed: nothing was changed');
}

/** No terminal, no end: whoever reads a pipe breaks lines as it likes. */
function widthOf({ columns }: Pick<NodeJS.WriteStream, 'columns'>): number {
  return columns ? Math.max(MIN_WIDTH, columns) : Number.POSITIVE_INFINITY;
}

/** https://no-color.org: set and not empty, whatever its value. */
function hasColours(stream: NodeJS.WriteStream, env: OutputOptions['env']): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return Boolean(stream.isTTY) && env.TERM !== 'dumb';
}
