// Runs the command line in this process, with streams that are kept as text.
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { main } from '../../cli/main.ts';

export interface CliOptions {
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Makes its output a terminal of so many columns. */
  readonly columns?: number;
}

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { folder = process.cwd(), env = {}, columns } = options;
  const kept = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => {
    const writable = new Writable({
      write(chunk, _, done) {
        kept[name] += String(chunk);
        done();
      },
    });
    return Object.assign(writable, columns === undefined ? {} : { isTTY: true, columns });
  };
  const around = Object.assign(new EventEmitter(), {
    stdout: stream('out'),
    stderr: stream('err'),
    stdin: { isTTY: false },
    env,
    cwd: () => folder,
  });
  const code = await main(args, around as unknown as NodeJS.Process);
  return { code, ...kept };
}
