// What AWS answers to a call, and what to do where it refuses.
import { awsFailure } from '../../lib/aws/failure.ts';
import { MistakeError } from '../../terminal/mistake.ts';

export function noStack(what: string, cause?: unknown): MistakeError {
  return new MistakeError(
    'NO_STACK',
    what,
    'Check --stage and --region, and that the stack is deployed in this version (docs/deploy.md).',
    cause,
  );
}

const REFUSED_KEYS: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
]);

/** The answer of AWS. @throws MistakeError, Failure */
export async function asked<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'CredentialsProviderError' || REFUSED_KEYS.has(name))
      throw new MistakeError(
        'NO_CREDENTIALS',
        `${what}: AWS has no valid credentials (${name})`,
        'Set AWS_PROFILE, or run: aws sso login',
        error,
      );
    if (name === 'ResourceNotFoundException') throw noStack(`${what}: AWS does not have it`, error);
    const failure = awsFailure(error, what);
    throw failure.advising(
      failure.retryable
        ? 'Check the network and --region, then try again.'
        : 'Check what your own role may do: docs/deploy.md lists the policies for people.',
    );
  }
}
