// The Adobe credentials, as kept in Secrets Manager.
import { type Credentials, DEFAULT_SCOPES } from './aep/token.ts';
import { Failure } from './failure.ts';
import { parseSecret, writtenSecret } from './json-secret.ts';
import type { Secrets } from './runtime.ts';
import * as z from './zod.ts';

const textField = (what: string) =>
  z.string({ error: `expected ${what}` }).check(z.trim(), z.minLength(1, `expected ${what}`));

/**
 * `{"clientId", "clientSecret", "previousClientSecret"?, "organizationId", "scopes"?}`; other fields are
 * ignored.
 */
const CredentialsSecret = z.object({
  clientId: textField('the client id of the OAuth server-to-server credential'),
  clientSecret: textField('a client secret of that credential'),
  previousClientSecret: z.optional(textField('the client secret before that one, or no such field')),
  organizationId: z
    .string({ error: 'expected the organization id' })
    .check(
      z.trim(),
      z.regex(/^[0-9A-F]{24}@AdobeOrg$/, 'expected 24 hexadecimal digits (upper case) and @AdobeOrg'),
    ),
  scopes: z._default(textField('scopes, separated by commas'), DEFAULT_SCOPES),
});

/**
 * The credentials from the secret `id`.
 * @throws Failure `SECRET_MISSING`; `SECRET_INVALID` naming the fields that are wrong, never their values
 */
export async function readCredentials(secrets: Secrets, id: string): Promise<Credentials> {
  const value = await secrets.get(id);
  if (value === undefined) throw new Failure('SECRET_MISSING', `there is no secret ${id}`);
  return parseSecret(value, CredentialsSecret, writtenSecret(id));
}
