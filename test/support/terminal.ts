// A command in a pseudo-terminal, made by `script` of util-linux.
import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { columnsOf } from '../../terminal/columns.ts';
import { cheapStarts } from './start.ts';

export interface InTerminal {
  readonly columns: number;
  readonly folder: string;
  /** Each is typed when what it answers is there. */
  readonly answers?: readonly (readonly [RegExp, string])[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Without what a test runner or a CI says about terminals. */
export function quietEnv(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, TERM: 'xterm', ...cheapStarts() };
}

/** @param command of a shell */
export function inTerminal(
  command: string,
  { columns, folder, answers = [], env = {} }: InTerminal,
): Promise<{ readonly code: number; readonly out: string }> {
  const script = `stty cols ${columns}; ${command}`;
  const child = spawn('script', ['-qefc', script, '/dev/null'], {
    cwd: folder,
    env: { ...quietEnv(), ...env },
  });
  const left = [...answers];
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    const [next] = left;
    if (next === undefined || !next[0].test(stripVTControlCharacters(out))) return;
    left.shift();
    child.stdin.write(next[1]);
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve({ code: code ?? 1, out }));
  });
}

const TO_FIRST_COLUMN = `${String.fromCharCode(27)}[1G`;

/** What a terminal has shown in the end: of a line that moved its last state. */
export function linesShown(out: string): string[] {
  return out.split(/\r*\n/).map((line) => stripVTControlCharacters(line.split(TO_FIRST_COLUMN).at(-1) ?? ''));
}

/** Every state of every line that takes more columns than these. */
export function widerThan(out: string, columns: number): string[] {
  return out
    .split(/\r*\n/)
    .flatMap((line) => line.split(TO_FIRST_COLUMN))
    .map((state) => stripVTControlCharacters(state))
    .filter((state) => columnsOf(state) > columns);
}
