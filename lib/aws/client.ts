// Makes the AWS clients of all services, with a time limit for each call.
import { within } from '../within.ts';

export interface CallLimits {
  /** Until there is a connection. */
  readonly connectMs: number;
  /** From the beginning of a request to the end of its answer. The SDK repeats a call that takes longer. */
  readonly answerMs: number;
  /** How often the SDK tries; 3 times by default. */
  readonly attempts?: number;
}

/**
 * What a client is made with. With `requestTimeout` alone, the SDK logs a warning and waits on. HTTP/2 ignores the
 * other two.
 */
export interface Limited {
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly socketTimeout: number;
    readonly throwOnRequestTimeout: true;
  };
  readonly maxAttempts?: number;
}

/** What every client of the SDK has. */
export interface Client {
  readonly config: { readonly requestHandler: object };
  readonly middlewareStack: object;
}

type MiddlewareStep = (args: unknown) => Promise<unknown>;

/** The part of every client's middleware stack that does not depend on its calls. */
interface Stack {
  add(
    step: (next: MiddlewareStep) => MiddlewareStep,
    where: { step: 'deserialize'; priority: 'high'; name: string },
  ): void;
}

/**
 * The client that `make` makes, with a limit to each try of each call. A call that takes longer fails with a
 * `TimeoutError`, which the SDK repeats and `awsFailure` makes retryable.
 */
export function limited<C extends Client>(make: (config: Limited) => C, limits: CallLimits): C {
  const { connectMs, answerMs, attempts } = limits;
  const client = make({
    requestHandler: limitsOf(limits),
    ...(attempts !== undefined && { maxAttempts: attempts }),
  });
  const step =
    (next: MiddlewareStep): MiddlewareStep =>
    async (args) => {
      try {
        return await inTime(connectMs + answerMs, next(args));
      } catch (error) {
        if (error instanceof Error && error.name === 'TimeoutError') letGo(client);
        throw error;
      }
    };
  // Around the reading of the answer, and within the repetition of the call.
  const stack = client.middlewareStack as Stack;
  stack.add(step, { step: 'deserialize', priority: 'high', name: 'limit' });
  return client;
}

/** What the SDK's own HTTP/1.1 handler is made with. */
export function limitsOf({ connectMs, answerMs }: CallLimits): Limited['requestHandler'] {
  return {
    connectionTimeout: connectMs,
    requestTimeout: answerMs,
    socketTimeout: answerMs,
    throwOnRequestTimeout: true,
  };
}

/** The result of `work`, or a `TimeoutError` after so many ms. */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  const done = await within(ms, work);
  if (done !== 'late') return done;
  throw Object.assign(new Error(`no answer within ${ms} ms`), { name: 'TimeoutError' });
}

/** Over HTTP/2 all calls share a connection, and the SDK keeps a dead one: the next call would wait for it again. */
function letGo({ config: { requestHandler } }: Client): void {
  const { metadata, destroy } = requestHandler as {
    metadata?: { handlerProtocol?: string };
    destroy?: () => void;
  };
  if (metadata?.handlerProtocol === 'h2') destroy?.call(requestHandler);
}
