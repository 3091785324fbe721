// Whether Adobe accepts the credentials: the secret, its token, and the clock.
import { exchange } from '../aep/exchange.ts';
import { readCredentials } from '../credentials.ts';
import { isFailure } from '../failure.ts';
import { ok, type Said, unknown, wrong } from './check.ts';
import type { Patient } from './patient.ts';

export async function secret({ runtime, credentialsSecret: id }: Patient): Promise<Said> {
  const { previousClientSecret } = await readCredentials(runtime.secrets, id);
  const held = previousClientSecret === undefined ? 'one client secret' : 'two client secrets';
  return ok(`${id} is well-formed, with ${held}`);
}

export async function token({ sessions, fallback }: Patient): Promise<Said> {
  await sessions.current().catch((error: unknown) => {
    if (!isFailure(error) || error.serviceCode !== 'invalid_scope') throw error;
    throw error.advising('Correct "scopes" in the secret: Developer Console lists those of the credential.');
  });
  if (!fallback()) return ok('IMS has issued one, with the scopes asked for');
  return wrong(
    'IMS refuses clientSecret, and has issued one for previousClientSecret',
    'Correct clientSecret in the secret; keep the previous one in Developer Console until it is.',
  );
}

/** Most seconds that tokens and start times tolerate. A `Date` header has no fractions of a second. */
const MAX_SKEW_MS = 30_000;

export async function clock({ runtime }: Patient): Promise<Said> {
  const began = runtime.clock.now();
  const answer = await exchange(runtime, {
    method: 'GET',
    url: new URL('/', runtime.settings.platformUrl).href,
    headers: {},
    label: 'platform GET /',
    timeoutMs: 6_000,
  });
  const ours = (began + runtime.clock.now()) / 2;
  const theirs = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(theirs)) return unknown('the platform does not say what time it is');
  const skew = Math.round((ours - theirs - 500) / 1_000);
  if (Math.abs(skew) * 1_000 <= MAX_SKEW_MS) return ok(`${Math.abs(skew)} s from Adobe's`);
  return wrong(
    `${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} Adobe's`,
    'Set the clock of this machine; in Lambda, report it to AWS.',
  );
}
