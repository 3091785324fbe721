// Runs the command line in this process, with streams that are kept as text.
import { EventEmitter } from 'node:events';
import { main } from '../../cli/main.ts';
import { keptStream } from './kept-stream.ts';

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

export interface CliStarted {
  /** What is on standard output so far. */
  out(): string;
  interrupt(): void;
  readonly ended: Promise<CliRun>;
}

/** Starts a command that goes on until it is interrupted. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliStarted {
  const { folder = process.cwd(), env = {}, columns } = options;
  const [out, err] = [keptStream(columns), keptStream(columns)];
  const around = Object.assign(new EventEmitter(), {
    stdout: out.stream,
    stderr: err.stream,
    stdin: { isTTY: false },
    env,
    cwd: () => folder,
  });
  return {
    out: out.text,
    interrupt: () => void around.emit('SIGINT'),
    ended: main(args, around as unknown as NodeJS.Process).then((code) => ({
      ...{ code, out: out.text(), err: err.text() },
    })),
  };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  return startCli(args, options).ended;
}
