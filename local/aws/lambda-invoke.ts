// Lambda's Invoke operation: a function called by hand, or by another function, and waited for or not.
import { type FailureKind, type InvocationResult, maxPayloadBytes } from './function-errors.ts';
import { AwsError, type AwsRequest, type AwsResponse } from './server.ts';

export type InvokeFunction = (functionName: string, event: unknown) => Promise<InvocationResult>;

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/** An event that nobody waits for. Lambda quotas, "Invocation payload", asynchronous. */
const maxAsynchronousBytes = 1024 * 1024;

/** How Lambda answers where the function was not reached, by how it failed. */
const NOT_REACHED: Partial<Record<FailureKind, number>> = { throttled: 429, rejected: 404 };

/** `undefined` for a request that is another operation's. */
export async function invocation(
  request: AwsRequest,
  invoke: InvokeFunction,
): Promise<AwsResponse | undefined> {
  const name = functionNamed(request.path);
  if (name === undefined) return undefined;
  if (request.method !== 'POST') {
    throw new AwsError('UnknownOperationException', `Not available locally: ${request.method}`, 405);
  }
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const event = eventIn(request.body, type === 'Event' ? maxAsynchronousBytes : maxPayloadBytes);
  if (type === 'Event') {
    void invoke(name, event);
    return { status: 202 };
  }
  if (type !== 'RequestResponse') {
    throw new AwsError('InvalidParameterValueException', `Not available locally: invocation type ${type}`);
  }
  return answerTo(await invoke(name, event));
}

/** The function that a path invokes; `undefined` where it is another operation's. */
export function functionNamed(path: string): string | undefined {
  const named = PATH.exec(path)?.[1];
  return named === undefined ? undefined : functionIn(decodeURIComponent(named));
}

/** The name in a name, a partial ARN or an ARN, with or without a version. */
function functionIn(nameOrArn: string): string {
  return /(?:^|:)function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn.split(':')[0] ?? nameOrArn;
}

function eventIn(body: string, longest: number): unknown {
  if (Buffer.byteLength(body) > longest) {
    throw new AwsError(
      'RequestTooLargeException',
      `${Buffer.byteLength(body)} byte payload is too large for the limit of ${longest} bytes`,
      413,
    );
  }
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json', 400);
  }
}

function answerTo(result: InvocationResult): AwsResponse {
  if ('ok' in result) return { status: 200, headers: VERSION, body: result.ok };
  const status = NOT_REACHED[result.kind];
  if (status !== undefined) {
    throw new AwsError(result.error.errorType, result.error.errorMessage, status);
  }
  return { status: 200, headers: { ...VERSION, 'x-amz-function-error': 'Unhandled' }, body: result.error };
}

const VERSION = { 'x-amz-executed-version': '$LATEST' };
