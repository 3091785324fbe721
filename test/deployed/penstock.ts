// The command line in a process of its own, with nothing but AWS's own settings around it.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/penstock.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param env what AWS's SDK reads; there is no profile of whoever runs this */
export function penstock(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const around = aroundOf(folder, env);
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { cwd: folder, env: around }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}

function aroundOf(folder: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '' } = process.env;
  return { PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...env };
}

export interface Serving {
  /** The first line that it has printed. */
  readonly first: string;
  /** By Ctrl-C. @returns its exit code */
  stop(): Promise<number>;
}

/** Starts a command that stays. @throws Error with its standard error where it ends by itself */
export async function serving(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Serving> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: aroundOf(folder, env) });
  let err = '';
  child.stderr.on('data', (part: Buffer) => {
    err += part.toString();
  });
  const ended = once(child, 'exit').then(([code]) => Number(code));
  const early = ended.then((code) => {
    throw new Error(`it ended with ${code}: ${err}`);
  });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await Promise.race([once(lines, 'line'), early])) as [string];
  early.catch(() => undefined);
  return {
    first,
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}
