// What AWS answers to a call, and what to do where it refuses.
import { awsFailure } from '../../lib/aws/failure.ts';
import { isFailure } from '../../lib/failure.ts';
import { MistakeError } from '../../terminal/mistake.ts';

/** A call of AWS, for an error that is about it. */
export interface Call {
  /** What it is for: `starting the state machine`. */
  readonly what: string;
  /** What IAM has to allow: `states:StartExecution`. */
  readonly action: string;
}

const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'RequestExpired',
  'TokenRefreshRequired',
]);

const UNKNOWN_KEYS: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'IncompleteSignature',
]);

const DENIED: ReadonlySet<string> = new Set(['AccessDeniedException', 'AccessDenied', 'NotAuthorized']);

/** As https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and each service's common errors name them. */
const THROTTLED: ReadonlySet<string> = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
]);

/** The answer of AWS. @throws MistakeError, Failure */
export async function asked<T>(call: Call, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof MistakeError) throw error;
    // What `lib/aws` reads has made a failure of it.
    const cause = isFailure(error) ? error.cause : error;
    throw mistakeOf(call, cause instanceof Error ? cause.name : '', error) ?? unforeseen(call, error);
  }
}

function mistakeOf({ what, action }: Call, name: string, error: unknown): MistakeError | undefined {
  const mistake = (code: string, text: string, next: string) =>
    new MistakeError(code, `${what}: ${text}`, next, error);
  if (EXPIRED.has(name))
    return mistake(
      'EXPIRED_CREDENTIALS',
      `the credentials of AWS have expired (${name})`,
      'Get new ones, such as by: aws sso login',
    );
  if (UNKNOWN_KEYS.has(name))
    return mistake(
      'NO_CREDENTIALS',
      `AWS has no valid credentials (${name})`,
      'Set AWS_PROFILE, or run: aws sso login',
    );
  if (DENIED.has(name))
    return mistake(
      'AWS_REFUSED',
      `your own role may not do ${action}`,
      `Allow it ${action}: docs/deploy.md, "Who uses the command line", has the policy.`,
    );
  if (THROTTLED.has(name))
    return mistake(
      'AWS_THROTTLED',
      `AWS limits the rate of calls (${name})`,
      'Wait a minute, then run it again.',
    );
  return undefined;
}

function unforeseen({ what }: Call, error: unknown) {
  const failure = isFailure(error) ? error : awsFailure(error, what);
  return failure.advising(
    failure.retryable
      ? 'Check the network, the proxy and --region, then run it again.'
      : 'Look at what AWS says. docs/deploy.md has what a stage needs.',
  );
}
