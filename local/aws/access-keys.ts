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

export class AccessKeys {
  readonly #keys = new Map<string, AccessKey>();

  /** A key of the same id is another one from then on. */
  put(key: AccessKey): void {
    this.#keys.set(key.accessKeyId, key);
  }

  remove(accessKeyId: string): void {
    this.#keys.delete(accessKeyId);
  }

  /**
   * Whether the caller may have it. Functions and whoever runs the local AWS may have all: who of them asks for what is
   * judged elsewhere (`npm run check:roles`).
   * @throws Error with the name of AWS's own ("Common error types", Kinesis Data Streams API Reference)
   */
  check(request: SignedRequest, { action, resource }: Wanted): void {
    const authorization = request.headers.authorization;
    const given = signatureIn(typeof authorization === 'string' ? authorization : undefined);
    // What has no signature at all, kinesalite refuses by itself.
    if (given === undefined || isOwnKey(given.accessKeyId)) return;
    const key = this.#keys.get(given.accessKeyId);
    if (key === undefined)
      throw named('UnrecognizedClientException', 'The security token included in the request is invalid.');
    if (!isSignedWith(key.secretKey, given, request))
      throw named(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
      );
    if (key.statements.some(({ actions, resources }) => fits(actions, action) && fits(resources, resource)))
      return;
    const account = resource.split(':')[4] ?? '';
    throw named(
      'AccessDeniedException',
      `User: arn:aws:iam::${account}:user/${key.user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    );
  }
}

function fits(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) =>
    new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '.*')}$`).test(text),
  );
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
