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

export interface FunctionHost {
  readonly names: string[];
  arn(name: string): string;
  /** Invokes a function and waits for its result; failures come back as values, never as exceptions. */
  invoke(name: string, event: unknown, options?: { timeoutSeconds?: number }): Promise<InvocationResult>;
  /** Starts a process of the function if there is none, so that the next invocation need not wait for it. */
  prepare(name: string): void;
  /** The highest resident memory, in bytes, that any process of the function reported with an answer; 0 before the first. */
  memory(name: string): number;
  /** Resolves when every invocation of the function that is under way now has ended; later ones are not waited for. */
  ended(name: string): Promise<void>;
  /** Kills the function's processes as a crash would, in the middle of what they do; returns how many there were. */
  kill(name: string): Promise<number>;
  /** Ends every process this host started. */
  close(): Promise<void>;
}

export function createFunctionHost(options: FunctionHostOptions): FunctionHost {
  const { functions, account = LOCAL_ACCOUNT } = options;
  const children = new Map<string, Set<FunctionChild>>();
  const busy = new Map<FunctionChild, Promise<InvocationResult>>();
  const peaks = new Map<string, number>();
  let closed = false;

  const all = () => [...children.values()].flatMap((those) => [...those]);
  const of = (name: string) => [...(children.get(name) ?? [])];
  const arn = (name: string) => `arn:aws:lambda:${account.region}:${account.accountId}:function:${name}`;
  const memory = (name: string) => peaks.get(name) ?? 0;

  // 'disconnect' ends a child whose host was killed; this one also ends a child that is stuck in a loop.
  const onExit = () => {
    for (const child of all()) void child.end();
  };
  process.on('exit', onExit);

  function idleChild(name: string, definition: FunctionDefinition): FunctionChild | undefined {
    const those = children.get(name) ?? new Set();
    children.set(name, those);
    for (const child of those) {
      if (!child.alive) those.delete(child);
      else if (!busy.has(child)) return child;
    }
    if (closed || those.size >= (definition.concurrency ?? 10)) return undefined;
    const child = startChild({
      module: pathOf(definition.module),
      handler: definition.handler ?? 'handler',
      env: environmentOf(name, definition, { account, env: options.env }),
      memoryMB: memoryOf(definition),
      onLog: (line) => options.onLog?.(name, line),
    });
    those.add(child);
    return child;
  }

  return {
    names: Object.keys(functions),
    arn,
    async invoke(name, event, { timeoutSeconds } = {}) {
      const definition = functions[name];
      if (!definition) {
        return failure('rejected', 'ResourceNotFoundException', `Function not found: ${arn(name)}`);
      }
      const payload = Buffer.from(JSON.stringify(event) ?? 'null');
      if (payload.length > MAX_PAYLOAD_BYTES) {
        const message = `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation`;
        return failure('rejected', 'RequestTooLargeException', message);
      }
      const child = idleChild(name, definition);
      if (!child) return failure('throttled', 'TooManyRequestsException', 'Rate Exceeded.');
      const seconds = timeoutSeconds ?? definition.timeoutSeconds ?? 3;
      const request = { requestId: crypto.randomUUID(), functionArn: arn(name) };
      const invoked = child.invoke(payload, request, seconds * 1000);
      busy.set(child, invoked);
      try {
        return parsed(await invoked);
      } finally {
        busy.delete(child);
        peaks.set(name, Math.max(memory(name), child.peakBytes));
        if (!child.alive) children.get(name)?.delete(child);
      }
    },
    prepare(name) {
      const definition = functions[name];
      if (definition !== undefined && !of(name).some(({ alive }) => alive)) idleChild(name, definition);
    },
    memory,
    async ended(name) {
      await Promise.all(of(name).map((child) => busy.get(child)));
    },
    async kill(name) {
      const living = of(name).filter(({ alive }) => alive);
      await Promise.all(living.map((child) => child.end()));
      return living.length;
    },
    async close() {
      closed = true;
      process.off('exit', onExit);
      await Promise.all(all().map((child) => child.end()));
      children.clear();
    },
  };
}

// Nothing of the host's own environment is inherited: a function sees what Lambda would give it.
function environmentOf(
  name: string,
  definition: FunctionDefinition,
  { account, env }: { account: Account; env: Record<string, string> | undefined },
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    AWS_REGION: account.region,
    AWS_DEFAULT_REGION: account.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryOf(definition)),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    ...env,
    // Its role, as far as there are roles here.
    AWS_ACCESS_KEY_ID: accessKeyOf(name),
    ...definition.env,
  };
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
