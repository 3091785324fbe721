// The simulated platform as anybody starts it, `npm run simulate`, in a process of its own on a free port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../../local/aep/server.ts', import.meta.url));

export interface Simulator {
  readonly origin: string;
  close(): Promise<void>;
}

/** @param options as on the command line; flows are warm at once. */
export async function startSimulator(...options: string[]): Promise<Simulator> {
  const child = spawn(process.execPath, [SERVER, '--port', '0', '--warm-up', '0', ...options]);
  const ended = once(child, 'exit');
  let said = '';
  const origin = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /look inside\s+(\S+)\/_simulator\//.exec(said)?.[1];
        if (found) resolve(found);
      });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the simulated platform has ended: ${said}`)));
  });
  return {
    origin: await origin,
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
