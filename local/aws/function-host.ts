// A Lambda-like runtime: every function in processes of its own, with its own environment, timeout and memory.
import { fileURLToPath } from 'node:url';
import { accessKeyOf } from './calls.ts';
import { type FunctionChild, startChild } from './function-child.ts';
import { failure, type InvocationResult, MAX_PAYLOAD_BYTES } from './function-errors.ts';
import { type Account, LOCAL_ACCOUNT } from './server.ts';

export interface FunctionDefinition {
  /** Absolute path or file: URL of the module, TypeScript or JavaScript. */
  module: string | URL;
  /** The export to call; `handler` when left out. */
  handler?: string;
  env?: Record<string, string>;
  /** Lambda's default is 3. */
  timeoutSeconds?: number;
  memoryMB?: number;
  /** How many processes at most, which is how many invocations at a time (reserved concurrency). */
  concurrency?: number;
}

export interface FunctionHostOptions {
  functions: Record<string, FunctionDefinition>;
  account?: Account;
  /** For every function; a function's own `env` wins. */
  env?: Record<string, string>;
  onLog?(functionName: string, line: string): void;
}

export class FunctionHost {
  readonly #options: FunctionHostOptions;
  readonly #account: Account;
  readonly #children = new Map<string, Set<FunctionChild>>();
  readonly #busy = new Map<FunctionChild, Promise<InvocationResult>>();
  readonly #peaks = new Map<string, number>();
  // 'disconnect' ends a child whose host was killed; this one also ends a child that is stuck in a loop.
  readonly #onExit = () => {
    for (const child of this.#all()) void child.end();
  };
  #closed = false;

  constructor(options: FunctionHostOptions) {
    this.#options = options;
    this.#account = options.account ?? LOCAL_ACCOUNT;
    process.on('exit', this.#onExit);
  }

  get names(): string[] {
    return Object.keys(this.#options.functions);
  }

  arn(name: string): string {
    const { region, accountId } = this.#account;
    return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  }

  /** Invokes a function and waits for its result; failures come back as values, never as exceptions. */
  async invoke(
    name: string,
    event: unknown,
    options: { timeoutSeconds?: number } = {},
  ): Promise<InvocationResult> {
    const definition = this.#options.functions[name];
    if (!definition) {
      return failure('rejected', 'ResourceNotFoundException', `Function not found: ${this.arn(name)}`);
    }
    const payload = Buffer.from(JSON.stringify(event) ?? 'null');
    if (payload.length > MAX_PAYLOAD_BYTES) {
      const message = `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation`;
      return failure('rejected', 'RequestTooLargeException', message);
    }
    const child = this.#idleChild(name, definition);
    if (!child) return failure('throttled', 'TooManyRequestsException', 'Rate Exceeded.');
    const seconds = options.timeoutSeconds ?? definition.timeoutSeconds ?? 3;
    const request = { requestId: crypto.randomUUID(), functionArn: this.arn(name) };
    const invoked = child.invoke(payload, request, seconds * 1000);
    this.#busy.set(child, invoked);
    try {
      return parsed(await invoked);
    } finally {
      this.#busy.delete(child);
      this.#peaks.set(name, Math.max(this.memory(name), child.peakBytes));
      if (!child.alive) this.#children.get(name)?.delete(child);
    }
  }

  /** The highest resident memory, in bytes, that any process of the function reported with an answer; 0 before the first. */
  memory(name: string): number {
    return this.#peaks.get(name) ?? 0;
  }

  /** Resolves when every invocation of the function that is under way now has ended; later ones are not waited for. */
  async ended(name: string): Promise<void> {
    const children = [...(this.#children.get(name) ?? [])];
    await Promise.all(children.map((child) => this.#busy.get(child)));
  }

  /** Kills the function's processes as a crash would, in the middle of what they do; returns how many there were. */
  async kill(name: string): Promise<number> {
    const children = [...(this.#children.get(name) ?? [])].filter(({ alive }) => alive);
    await Promise.all(children.map((child) => child.end()));
    return children.length;
  }

  /** Ends every process this host started. */
  async close(): Promise<void> {
    this.#closed = true;
    process.off('exit', this.#onExit);
    await Promise.all(this.#all().map((child) => child.end()));
    this.#children.clear();
  }

  #all(): FunctionChild[] {
    return [...this.#children.values()].flatMap((children) => [...children]);
  }

  #idleChild(name: string, definition: FunctionDefinition): FunctionChild | undefined {
    const children = this.#children.get(name) ?? new Set();
    this.#children.set(name, children);
    for (const child of children) {
      if (!child.alive) children.delete(child);
      else if (!this.#busy.has(child)) return child;
    }
    if (this.#closed || children.size >= (definition.concurrency ?? 10)) return undefined;
    const child = startChild({
      module: pathOf(definition.module),
      handler: definition.handler ?? 'handler',
      env: this.#environment(name, definition),
      memoryMB: memoryOf(definition),
      onLog: (line) => this.#options.onLog?.(name, line),
    });
    children.add(child);
    return child;
  }

  // Nothing of the host's own environment is inherited: a function sees what Lambda would give it.
  #environment(name: string, definition: FunctionDefinition): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      TZ: ':UTC',
      LANG: 'en_US.UTF-8',
      AWS_REGION: this.#account.region,
      AWS_DEFAULT_REGION: this.#account.region,
      AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryOf(definition)),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      ...this.#options.env,
      // Its role, as far as there are roles here.
      AWS_ACCESS_KEY_ID: accessKeyOf(name),
      ...definition.env,
    };
  }
}

function pathOf(module: string | URL): string {
  return typeof module === 'string' && !module.startsWith('file:') ? module : fileURLToPath(module);
}

// The Serverless Framework's default; Lambda's own is 128.
function memoryOf(definition: FunctionDefinition): number {
  return definition.memoryMB ?? 1024;
}

/** The handler's JSON text as a value, if it is within the limit for a synchronous result. */
function parsed(result: InvocationResult): InvocationResult {
  if ('error' in result) return result;
  const text = String(result.ok);
  if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
    const message = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
    return failure('handled', 'Function.ResponseSizeTooLarge', message);
  }
  return { ok: JSON.parse(text) };
}
