// One process of a function, seen from the host: started, invoked one event at a time, ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { failure, type InvocationResult } from './function-errors.ts';
import type { Answer, Invoke } from './function-process.ts';

const PROCESS_SCRIPT = fileURLToPath(new URL('./function-process.ts', import.meta.url));

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

export class FunctionChild {
  /** The highest resident set size the process has reported, in bytes. */
  peakBytes = 0;
  /** False from the moment the process cannot take another event. */
  alive = true;
  readonly #process: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #ready: Promise<InvocationResult | undefined>;
  #settle: ((result: InvocationResult) => void) | undefined;

  constructor(options: ChildOptions) {
    this.#process = spawn(
      process.execPath,
      // As in Lambda, the heap may take most of the function's memory.
      [
        `--max-old-space-size=${Math.floor(options.memoryMB * 0.9)}`,
        PROCESS_SCRIPT,
        options.module,
        options.handler,
      ],
      // The last pipe is for events. A structured-clone channel passes a result's JSON text as it is; the 'json' one would
      // escape all of it again.
      { env: options.env, stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'], serialization: 'advanced' },
    );
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input: stream as Readable }).on('line', options.onLog);
    }
    // 'close' comes after the last line of output, 'exit' may come before.
    this.#closed = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => {
        this.alive = false;
        const status = signal ? `signal: ${signal}` : `exit status ${code}`;
        this.#settle?.(failure('exit', 'Runtime.ExitError', `Error: Runtime exited with error: ${status}`));
        resolve();
      });
    });
    this.#process.once('error', (error) => {
      this.alive = false;
      this.#settle?.(failure('exit', 'Runtime.ExitError', error.message));
    });
    // A process that dies within an event breaks the pipe; that it died is told by 'close'.
    (this.#process.stdio[4] as Writable).on('error', () => undefined);
    this.#process.on('message', (answer: Answer) => this.#receive(answer));
    this.#ready = this.#answer(INIT_MS, 'Init phase').then((result) => ('ok' in result ? undefined : result));
  }

  /** Invokes the handler; the time to load it does not count, as in Lambda. */
  async invoke(event: Buffer, request: Request, timeoutMs: number): Promise<InvocationResult> {
    const broken = await this.#ready;
    if (broken) return broken;
    const answer = this.#answer(timeoutMs, 'Task');
    const deadlineMs = Date.now() + timeoutMs;
    this.#process.send({ ...request, eventBytes: event.length, deadlineMs } satisfies Invoke, (error) => {
      if (error) void this.#lost(error);
    });
    (this.#process.stdio[4] as Writable).write(event);
    return answer;
  }

  /** What cannot be told that there is an event is at its end; how it ended is told by 'close', which may come later. */
  async #lost(error: Error): Promise<void> {
    await this.end();
    this.#settle?.(failure('exit', 'Runtime.ExitError', error.message));
  }

  async end(): Promise<void> {
    this.alive = false;
    this.#process.kill('SIGKILL');
    await this.#closed;
  }

  #answer(timeoutMs: number, what: string): Promise<InvocationResult> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const message = `${what} timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
        this.#settle?.(failure('timeout', 'Sandbox.Timedout', message));
        void this.end();
      }, timeoutMs);
      this.#settle = (result) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(result);
      };
    });
  }

  #receive(answer: Answer): void {
    this.peakBytes = Math.max(this.peakBytes, answer.peakBytes);
    if (answer.type === 'ready') this.#settle?.({ ok: null });
    else if (answer.type === 'result') this.#settle?.({ ok: answer.result });
    else {
      if (answer.fatal) void this.end();
      this.#settle?.({ kind: 'handled', error: answer.error });
    }
  }
}
