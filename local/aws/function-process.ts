// Runs in a child process of its own: loads one handler and answers invocations, as Lambda's Node runtime does.
import { read, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify, types } from 'node:util';
import type { FunctionError } from './function-errors.ts';

/** What the host sends over the channel; the event itself, JSON text, follows on a pipe of its own. */
export interface Invoke {
  requestId: string;
  eventBytes: number;
  functionArn: string;
  deadlineMs: number;
}

/** What the host gets back; every message carries the process's highest memory use so far, in bytes. */
export type Answer = Outcome & { peakBytes: number };

type Outcome =
  | { type: 'ready' }
  | { type: 'result'; result: string }
  | { type: 'error'; error: FunctionError; fatal: boolean };

/**
 * The descriptor events come in on. A channel message of 6 MB would leave several times its size in the process's memory,
 * and be reported as the function's. From a pipe it goes into one buffer that is used again.
 */
const EVENT_DESCRIPTOR = 4;

type Handler = (event: unknown, context: object) => unknown;

const [modulePath = '', exportName = 'handler'] = process.argv.slice(2);

// The process's own high-water mark. getrusage's maxRSS would not do: on Linux it survives exec, so it begins at the
// size of the host. Where there is no /proc, the size at each answer has to serve.
function peakBytes(): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  } catch {
    return process.memoryUsage.rss();
  }
}

function send(outcome: Outcome, sent: () => void = () => undefined): void {
  const answer: Answer = { ...outcome, peakBytes: peakBytes() };
  process.send?.(answer, undefined, undefined, sent);
}

// Lambda's runtime client builds the same document: a thrown non-Error reports its type and no trace.
function describe(error: unknown): FunctionError {
  if (!types.isNativeError(error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

function die(error: FunctionError): void {
  send({ type: 'error', error, fatal: true }, () => process.exit(1));
}

// The channel closes when the host ends, however it ends: nothing may outlive it.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches every process of a terminal; when a function ends is for the host to say.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error) => die(describe(error)));
process.on('unhandledRejection', (reason) => {
  const { errorMessage, trace } = describe(reason);
  die({ errorType: 'Runtime.UnhandledPromiseRejection', errorMessage, trace });
});

function contextOf({ requestId, functionArn, deadlineMs }: Invoke): object {
  return {
    awsRequestId: requestId,
    invokedFunctionArn: functionArn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(deadlineMs - Date.now(), 0),
  };
}

const readFrom = promisify(read);
let buffer = Buffer.alloc(0);

async function readEvent(bytes: number): Promise<string> {
  if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await readFrom(EVENT_DESCRIPTOR, buffer, filled, bytes - filled, null);
    if (bytesRead === 0) throw new Error('The host closed the pipe within an event.');
    filled += bytesRead;
  }
  return buffer.toString('utf8', 0, bytes);
}

async function answer(handler: Handler, invoke: Invoke): Promise<void> {
  try {
    const event: unknown = JSON.parse(await readEvent(invoke.eventBytes));
    const result = await handler(event, contextOf(invoke));
    send({ type: 'result', result: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    send({ type: 'error', error: describe(error), fatal: false });
  }
}

async function load(): Promise<Handler> {
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(modulePath).href)) as Record<string, unknown>;
  } catch (error) {
    const { errorType, errorMessage, trace } = describe(error);
    const missing = types.isNativeError(error) && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const name = missing ? 'Runtime.ImportModuleError' : errorType;
    throw Object.assign(new Error(`${missing ? 'Error: ' : ''}${errorMessage}`), {
      name,
      stack: trace.join('\n'),
    });
  }
  const handler = module[exportName];
  if (typeof handler === 'function') return handler as Handler;
  const problem = `${modulePath} has no function ${exportName}`;
  throw Object.assign(new Error(problem), { name: 'Runtime.HandlerNotFound' });
}

try {
  const handler = await load();
  process.on('message', (invoke: Invoke) => void answer(handler, invoke));
  send({ type: 'ready' });
  // Node would do so when it ends by itself, and this process is killed. It does nothing where there is no such cache.
  flushCompileCache();
} catch (error) {
  die(describe(error));
}
