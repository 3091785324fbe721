// A command that is a program of its own here: its words are passed on, and it ends as the program ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ExitCode, Given, Option } from './words.ts';

/** `{ seed: '1', keep: true }` as `--seed 1 --keep`. */
export function wordsOf({ options, arguments: others }: Given, known: readonly Option[]): string[] {
  const named = known.flatMap(({ name }) => {
    const value = options[name];
    if (value === undefined) return [];
    if (value === true) return [`--${name}`];
    return (typeof value === 'string' ? [value] : value).map((one) => `--${name}=${one}`);
  });
  return [...named, ...others];
}

/**
 * A terminal sends Ctrl-C to both; a polite kill is passed on. The scripts end with 2 where their words are wrong; that
 * is 1 here, since 2 is of `plan`, `drift` and `doctor`.
 */
export async function runScript(
  script: string,
  words: readonly string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<ExitCode> {
  const child = spawn(process.execPath, [script, ...words], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end);
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', end);
  return code === null || code === 2 ? 1 : (code as ExitCode);
}
