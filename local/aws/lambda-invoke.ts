// Lambda's Invoke operation: a function called by hand, or by another function, and waited for or not.
import { type FailureKind, type InvocationResult, MAX_PAYLOAD_BYTES } from './function-errors.ts';
import { AwsError, type AwsRequest, type AwsResponse, notSimulated } from './server.ts';

export type InvokeFunction = (functionName: string, event: unknown) => Promise<InvocationResult>;

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/** An event that nobody waits for. Lambda quotas, "Invocation payload", asynchronous. */
const MAX_ASYNCHRONOUS_BYTES = 1024 * 1024;

/** How Lambda answers where the function was not reached, by how it failed. */
const NOT_REACHED: Partial<Record<FailureKind, number>> = { throttled: 429, rejected: 404 };

/**
 * `undefined` for a request that is another operation's.
 * @param names the functions there are
 */
export async function invocation(
  request: AwsRequest,
  invoke: InvokeFunction,
  names: readonly string[],
): Promise<AwsResponse | undefined> {
  const named = PATH.exec(request.path)?.[1];
  if (named === undefined) return undefined;
  const { name } = functionIn(decodeURIComponent(named), request.query.get('Qualifier'));
  if (request.method !== 'POST') throw notSimulated(`${request.method} ${request.path}`, 405);
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const event = eventIn(request.body, type === 'Event' ? MAX_ASYNCHRONOUS_BYTES : MAX_PAYLOAD_BYTES);
  // Of one that is waited for, `invoke` says so.
  if (type !== 'RequestResponse' && !names.includes(name))
    throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, 404);
  if (type === 'DryRun') return { status: 204 };
  if (type === 'Event') {
    void invoke(name, event);
    return { status: 202 };
  }
  if (type !== 'RequestResponse') throw notSimulated(`the invocation type ${type}`);
  return answerTo(await invoke(name, event));
}

/** The function that a path invokes; `undefined` where it is another operation's. */
export function functionNamed(path: string): string | undefined {
  const named = PATH.exec(path)?.[1];
  return named === undefined ? undefined : partsOf(decodeURIComponent(named)).name;
}

/**
 * The name in a name, a partial ARN or an ARN, with or without a qualifier, which may also stand apart.
 * @throws AwsError ResourceNotFoundException for a version or an alias: nothing publishes any, as deployed
 */
export function functionIn(
  nameOrArn: string,
  apart: string | null,
): { name: string; qualifier: string | undefined } {
  const { name, qualifier = apart ?? undefined } = partsOf(nameOrArn);
  if (qualifier === undefined || qualifier === '$LATEST') return { name, qualifier };
  throw new AwsError('ResourceNotFoundException', `Function not found: ${name}:${qualifier}`, 404);
}

function partsOf(nameOrArn: string): { name: string; qualifier: string | undefined } {
  const parts = nameOrArn.split(':');
  // `arn:aws:lambda:{region}:{account}:function:{name}`, from `{account}:function:` on, or the name alone.
  const at = parts.indexOf('function') + 1;
  return { name: parts[at] ?? nameOrArn, qualifier: parts[at + 1] };
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
