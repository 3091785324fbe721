// The keys that sign deliveries, kept in Secrets Manager: one for each sender, and two while one replaces the
// other.

import type { Clock } from '../aep/transport.ts';
import { Failure } from '../failure.ts';
import { parseSecret, writtenSecret } from '../json-secret.ts';
import type { Secrets } from '../runtime.ts';
import { leanObject } from '../strict-object.ts';
import * as z from '../zod.ts';
import type { WebhookSender } from './sender.ts';

/** How old a container's keys may be. A key that was removed from the secret stays valid that long. */
const KEPT_MS = 60_000;

/** A shorter key can be guessed; a longer one is something else. */
const MIN_KEY = 16;
const MAX_KEY = 512;

/** Its bytes in UTF-8 are used. Blanks around it came from copying, and would match no signature. */
const textKey = z.pipe(
  z
    .string('expected a text')
    .check(
      z.regex(/^\S(.*\S)?$/s, 'expected a text without blanks around it'),
      z.minLength(MIN_KEY, `expected at least ${MIN_KEY} characters`),
      z.maxLength(MAX_KEY, `expected at most ${MAX_KEY} characters`),
    ),
  z.transform((text) => Buffer.from(text, 'utf8')),
);

const BASE64_KEY = 'expected whsec_ and the base64 of 24 to 64 bytes';

/** The specification's form of a key. */
const base64Key = z.pipe(
  z.string(BASE64_KEY).check(z.refine((text) => isBase64Key(text), BASE64_KEY)),
  z.transform((text) => Buffer.from(text.slice(6), 'base64')),
);

/** Checked here: a bad one still decodes to something, and everybody knows the empty key. */
function isBase64Key(text: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 && bytes.length >= 24 && bytes.length <= 64;
}

const pair = <K extends typeof textKey | typeof base64Key>(key: K) =>
  z.optional(leanObject({ key, previousKey: z.optional(key) }));

/**
 * `{"github": {"key", "previousKey"?}, "standardWebhooks": {"key", "previousKey"?}}`; a sender that is left
 * out has no hook.
 */
const HookSecret = leanObject({ github: pair(textKey), standardWebhooks: pair(base64Key) });

export type Keys = Readonly<Record<WebhookSender['field'], readonly Buffer[]>>;

/**
 * The keys from the secret `id`; none for a sender that is left out.
 * @throws Failure `SECRET_MISSING`; `SECRET_INVALID` naming the fields that are wrong, never their values
 */
export async function readKeys(secrets: Pick<Secrets, 'get'>, id: string): Promise<Keys> {
  const value = await secrets.get(id);
  if (value === undefined) throw new Failure('SECRET_MISSING', `there is no secret ${id}`);
  const { github, standardWebhooks } = parseSecret(value, HookSecret, writtenSecret(id));
  return { github: keysOf(github), standardWebhooks: keysOf(standardWebhooks) };
}

function keysOf(of: { key: Buffer; previousKey?: Buffer | undefined } | undefined): Buffer[] {
  if (of === undefined) return [];
  return of.previousKey === undefined ? [of.key] : [of.key, of.previousKey];
}

/** The keys as a container has them. A secret that could not be read is asked for again the next time. */
export function keptKeys(read: () => Promise<Keys>, clock: Pick<Clock, 'now'>): () => Promise<Keys> {
  let kept: { readonly keys: Keys; readonly at: number } | undefined;
  return async () => {
    const age = kept === undefined ? Number.POSITIVE_INFINITY : clock.now() - kept.at;
    if (kept === undefined || age < 0 || age > KEPT_MS) kept = { keys: await read(), at: clock.now() };
    return kept.keys;
  };
}
