// Turns AWS's errors into Failures: which of them a retry may cure, and which not.
import { Failure } from '../failure.ts';

/** The SDK has repeated these itself; a later run may still succeed. */
const TRANSIENT_NAMES =
  /Throttl|TooManyRequests|LimitExceeded|ThroughputExceeded|InternalServi|ServiceUnavailable|InternalFailure|TimeoutError|ResourceInUse|ResourceConflict|NetworkingError/i;

/** The Failure for an error thrown by an AWS client. `what` says what was being done. */
export function awsFailure(error: unknown, what: string): Failure {
  const { name, code, status } = described(error);
  const transient =
    TRANSIENT_NAMES.test(name) || code !== undefined || (status !== undefined && status >= 500);
  const said = error instanceof Error ? error.message : String(error);
  return new Failure(transient ? 'AWS_UNAVAILABLE' : 'AWS_REFUSED', `${what}: ${name}: ${said}`, {
    cause: error,
  });
}

/**
 * The result of `call`.
 * @throws Failure for whatever a client of AWS throws; `what` says what was being done
 */
export async function awsCall<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof Failure ? error : awsFailure(error, what);
  }
}

/** Whether an AWS client says that the thing does not exist. */
export function isNotFound(error: unknown): boolean {
  return described(error).name === 'ResourceNotFoundException';
}

/**
 * Whether Secrets Manager says that the secret is marked for deletion. It has no code of its own for that. Only the
 * text tells this InvalidRequestException from others: "You can't perform this operation on the secret because it was
 * marked for deletion." AWS: API reference of GetSecretValue, InvalidRequestException, its possible causes.
 */
export function isBeingDeleted(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidRequestException' && /delet/i.test(error.message);
}

function described(error: unknown): { name: string; code: string | undefined; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', code: undefined, status: undefined };
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return {
    name: error.name,
    // A system error, such as ECONNREFUSED: the service was not reached. Over HTTP/2, as Kinesis is asked, Node names
    // instead what became of the stream or the session: ERR_HTTP2_STREAM_CANCEL.
    code: typeof code === 'string' && /^(?:E[A-Z_]+|ERR_HTTP2_\w+)$/.test(code) ? code : undefined,
    status: $metadata?.httpStatusCode,
  };
}
