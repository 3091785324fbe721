// Access keys that the local AWS gives to strangers: each with its secret, and what its user may ask for.
import { isOwnKey } from './calls.ts';
import { isSignedWith, type SignedRequest, signatureIn } from './signature.ts';

/** A statement of a policy that allows. `*` stands for any letters, in actions and in resources. */
export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretKey: string;
  /** The user's name, which a refusal tells. */
  readonly user: string;
  readonly statements: readonly Statement[];
}

/** What is asked for, in IAM's words. */
export interface Wanted {
  readonly action: string;
  readonly resource: string;
}

export interface AccessKeys {
  /** A key of the same id is another one from then on. */
  put(key: AccessKey): void;
  remove(accessKeyId: string): void;
  /**
   * Whether the caller may have it. Functions and whoever runs the local AWS may have all: `npm run check:roles` judges
   * what each of them asks for.
   * @throws Error with the name of AWS's own ("Common error types", Kinesis Data Streams API Reference)
   */
  check(request: SignedRequest, wanted: Wanted): void;
}

export function createAccessKeys(): AccessKeys {
  const keys = new Map<string, AccessKey>();
  return {
    put: (key) => void keys.set(key.accessKeyId, key),
    remove: (accessKeyId) => void keys.delete(accessKeyId),
    check(request, wanted) {
      const authorization = request.headers.authorization;
      const given = signatureIn(typeof authorization === 'string' ? authorization : undefined);
      // What has no signature at all, kinesalite refuses by itself.
      if (given === undefined || isOwnKey(given.accessKeyId)) return;
      const key = keys.get(given.accessKeyId);
      if (key === undefined)
        throw named('UnrecognizedClientException', 'The security token included in the request is invalid.');
      if (!isSignedWith(key.secretKey, given, request))
        throw named(
          'InvalidSignatureException',
          'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
        );
      checkAllowed(key, wanted);
    },
  };
}

function checkAllowed({ statements, user }: AccessKey, { action, resource }: Wanted): void {
  if (statements.some(({ actions, resources }) => fits(actions, action) && fits(resources, resource))) return;
  const account = resource.split(':')[4] ?? '';
  throw named(
    'AccessDeniedException',
    `User: arn:aws:iam::${account}:user/${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

function fits(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) =>
    new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '.*')}$`).test(text),
  );
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
