// One way to make a client of AWS, whichever service it is for: no call of it lasts for ever.
import { within } from '../within.ts';

export interface CallLimits {
  /** Until there is a connection. */
  readonly connectMs: number;
  /** From the beginning of a request to the end of its answer; what hangs is better repeated by the SDK than waited for. */
  readonly answerMs: number;
  /** How often the SDK tries; 3 times where it is left out. */
  readonly attempts?: number;
}

/** What a client is made with. By `requestTimeout` alone the SDK writes a warning and waits on; HTTP/2 knows neither of the others. */
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

/** The same of every client, whatever goes in and out of its calls. */
interface Stack {
  add(
    step: (next: MiddlewareStep) => MiddlewareStep,
    where: { step: 'deserialize'; priority: 'high'; name: string },
  ): void;
}

/**
 * The client that `make` makes, with a limit to each try of each call. What takes longer fails with a `TimeoutError`, which the SDK repeats and `awsFailure`
 * takes for passing.
 */
export function limited<C extends Client>(make: (config: Limited) => C, limits: CallLimits): C {
  const { connectMs, answerMs, attempts } = limits;
  const client = make({
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      socketTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
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
  // Around what reads the answer, and within what repeats the call.
  const stack = client.middlewareStack as Stack;
  stack.add(step, { step: 'deserialize', priority: 'high', name: 'limit' });
  return client;
}

/** What `work` comes to, or a `TimeoutError` after so many ms. */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  const done = await within(ms, work);
  if (done !== 'late') return done;
  throw Object.assign(new Error(`no answer within ${ms} ms`), { name: 'TimeoutError' });
}

/** Over HTTP/2 all calls share a connection, and the SDK keeps one that is dead: the next call would wait for it again. */
function letGo({ config: { requestHandler } }: Client): void {
  const { metadata, destroy } = requestHandler as {
    metadata?: { handlerProtocol?: string };
    destroy?: () => void;
  };
  if (metadata?.handlerProtocol === 'h2') destroy?.call(requestHandler);
}
