// `npm start` as a process, and what it says.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const START = fileURLToPath(new URL('../../local/start/start.ts', import.meta.url));

/** What makes a start cheap, for an environment that has nothing else of this process. */
export function cheapStarts(): Record<string, string> {
  const { NODE_COMPILE_CACHE, PENSTOCK_FUNCTIONS } = process.env;
  return {
    ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
    ...(PENSTOCK_FUNCTIONS && { PENSTOCK_FUNCTIONS }),
  };
}

export async function start(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [START, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

const PROGRESS =
  /^(?:Starting the simulated .*|(?:Provision|Plan the change|Forward|Read|Retire)\b.*: .*)\n/gm;

/** What else it has said on standard error. */
export function besidesProgress(err: string): string {
  return err.replace(PROGRESS, '');
}
