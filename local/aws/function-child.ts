// One process of a function, seen from the host: started, invoked one event at a time, ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { failure, type InvocationResult } from './function-errors.ts';
import type { Answer, Invoke } from './function-process.ts';

/** Compiled, where this is. */
const PROCESS_SCRIPT = fileURLToPath(
  import.meta.url.endsWith('.ts')
    ? new URL('./function-process.ts', import.meta.url)
    : new URL('./function-process.js', import.meta.url),
);

export interface ChildOptions {
  module: string;
  handler: string;
  env: Record<string, string>;
  memoryMB: number;
  onLog(line: string): void;
}

type Request = Pick<Invoke, 'requestId' | 'functionArn'>;

/**
 * Lambda gives a function 10 s to initialise before its timeout begins to count. How fast this machine loads modules says
 * nothing of Lambda's, so only a module that hangs is ended here.
 */
const INIT_MS = 300_000;

export interface FunctionChild {
  /** The highest resident set size the process has reported, in bytes. */
  readonly peakBytes: number;
  /** False from the moment the process cannot take another event. */
  readonly alive: boolean;
  /** Invokes the handler; the time to load it does not count, as in Lambda. */
  invoke(event: Buffer, request: Request, timeoutMs: number): Promise<InvocationResult>;
  /** Kills the process; resolves when it is gone. */
  end(): Promise<void>;
}

export function startChild(options: ChildOptions): FunctionChild {
  const child = spawned(options);
  const events = child.stdio[4] as Writable;
  let peakBytes = 0;
  let alive = true;
  let settle: ((result: InvocationResult) => void) | undefined;

  // 'close' comes after the last line of output, 'exit' may come before.
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      alive = false;
      settle?.(
        exited(`Error: Runtime exited with error: ${signal ? `signal: ${signal}` : `exit status ${code}`}`),
      );
      resolve();
    });
  });
  child.once('error', (error) => {
    alive = false;
    settle?.(exited(error.message));
  });
  // A process that dies within an event breaks the pipe; that it died is told by 'close'.
  events.on('error', () => undefined);
  child.on('message', (answer: Answer) => {
    peakBytes = Math.max(peakBytes, answer.peakBytes);
    if (answer.type === 'ready') settle?.({ ok: null });
    else if (answer.type === 'result') settle?.({ ok: answer.result });
    else {
      if (answer.fatal) void end();
      settle?.({ kind: 'handled', error: answer.error });
    }
  });
  const ready = answered(INIT_MS, 'Init phase').then((result) => ('ok' in result ? undefined : result));

  function answered(timeoutMs: number, what: string): Promise<InvocationResult> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const message = `${what} timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
        settle?.(failure('timeout', 'Sandbox.Timedout', message));
        void end();
      }, timeoutMs);
      settle = (result) => {
        clearTimeout(timer);
        settle = undefined;
        resolve(result);
      };
    });
  }

  async function end(): Promise<void> {
    alive = false;
    child.kill('SIGKILL');
    await closed;
  }

  /** A process that cannot be told of its event has ended, or is ended. How is told by 'close', which may come later. */
  async function lost(error: Error): Promise<void> {
    await end();
    settle?.(exited(error.message));
  }

  return {
    get peakBytes() {
      return peakBytes;
    },
    get alive() {
      return alive;
    },
    async invoke(event, request, timeoutMs) {
      const broken = await ready;
      if (broken) return broken;
      const answer = answered(timeoutMs, 'Task');
      const deadlineMs = Date.now() + timeoutMs;
      child.send({ ...request, eventBytes: event.length, deadlineMs } satisfies Invoke, (error) => {
        if (error) void lost(error);
      });
      events.write(event);
      return answer;
    },
    end,
  };
}

function spawned({ module, handler, env, memoryMB, onLog }: ChildOptions): ChildProcess {
  const child = spawn(
    process.execPath,
    // As in Lambda, the heap may take most of the function's memory.
    [`--max-old-space-size=${Math.floor(memoryMB * 0.9)}`, PROCESS_SCRIPT, module, handler],
    // The last pipe is for events. A structured-clone channel passes a result's JSON text as it is; the 'json' one would
    // escape all of it again.
    { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'], serialization: 'advanced' },
  );
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream as Readable }).on('line', onLog);
  return child;
}

const exited = (message: string) => failure('exit', 'Runtime.ExitError', message);
