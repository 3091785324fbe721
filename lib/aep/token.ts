// The IMS access token: fetched once, shared by all callers, renewed before it expires and once after it is rejected.
import * as z from 'zod/mini';
import { Failure, isFailure } from '../failure.ts';
import { exchange, failureOf, parse } from './exchange.ts';
import { CONTROL_PLANE, withRetry } from './retry.ts';
import type { Transport } from './transport.ts';

/** A credential of the Adobe Developer Console, type OAuth server-to-server. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
  /**
   * The previous secret during a rotation: used if IMS refuses the new one. A credential holds up to two. Contract
   * §1.
   */
  readonly previousClientSecret?: string | undefined;
  /** `…@AdobeOrg` */
  readonly organizationId: string;
  /** Comma-separated; `DEFAULT_SCOPES` if the credential has none. */
  readonly scopes?: string | undefined;
}

/** The scopes Adobe's own streaming connector asks for. Contract §1. */
export const DEFAULT_SCOPES =
  'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session';

/** What a request is signed with. Never logged: `toJSON` shows nothing. */
export class Session {
  readonly accessToken: string;
  readonly clientId: string;
  readonly organizationId: string;

  constructor(accessToken: string, clientId: string, organizationId: string) {
    this.accessToken = accessToken;
    this.clientId = clientId;
    this.organizationId = organizationId;
  }

  toJSON(): string {
    return '[session]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[session]';
  }
}

export interface Sessions {
  /** The session in force; asks IMS only where there is none or it is about to expire. */
  current(): Promise<Session>;
  /** Says that a service accepted this session's token: later refusals of it say nothing about the credential. */
  accept(session: Session): void;
  /** Says that a service refused this session's token; the next `current()` fetches another. */
  reject(session: Session): void;
}

/** Lifetime usually 24 h, in seconds; more than that is the retired grant's milliseconds. Contract §1. */
const MAX_LIFE_SECONDS = 86_400;
/** Renewed when less than this is left, but never in the first nine tenths of a short life. */
const RENEWAL_MARGIN_MS = 300_000;
/** After a refusal IMS is left alone for so long: it throttles integrations that ask too often. */
const REFUSAL_MEMORY_MS = 30_000;

/** Fewer than elsewhere, for the same reason. */
const TOKEN_TRIES = { ...CONTROL_PLANE, attempts: 3 };

const TokenAnswer = z.object({
  /** Characters that a header can carry. */
  access_token: z.string().check(z.regex(/^[\x21-\x7e]+$/)),
  expires_in: z.coerce.number().check(z.positive()),
});

/**
 * Sessions for one credential. `credentials` is asked again for every new token, so a rotated secret is picked up. A token
 * that cannot be renewed is used until it expires.
 * @throws Failure (from `current`) `IMS_REFUSED` for a 4xx, `AEP_THROTTLED`, `AEP_UNAVAILABLE`, `AEP_UNREACHABLE`, `AEP_UNEXPECTED`;
 * `AEP_UNAUTHORIZED` for a while after two new tokens in a row were rejected
 */
export function createSessions(options: {
  imsUrl: string;
  credentials: () => Promise<Credentials>;
  transport: Transport;
  /** Told of every token that IMS has issued. */
  onIssued?: () => void;
  /** Told of every try to get one that failed, for whatever reason; also where the old one is used meanwhile. */
  onFailed?: () => void;
  /** Told of every token that the previous client secret had to be used for, and how IMS refused the new one. */
  onFallback?: (refusal: Failure) => void;
  /**
   * The break that IMS gets after all tries for a token have failed, in ms. By default none, for callers that stop
   * after a few calls.
   */
  outagePauseMs?: number;
}): Sessions {
  const { clock } = options.transport;
  let held: HeldToken | undefined;
  /** How many in a row were not taken soon after they had been issued, nor by anybody before. */
  let stillborn = 0;
  let pending: Promise<Session> | undefined;
  let trouble: { error: unknown; at: number; pauseMs: number } | undefined;

  async function renew(): Promise<Session> {
    try {
      const credentials = await options.credentials();
      const { session, lifeMs } = await ask(credentials);
      const now = clock.now();
      held = {
        session,
        issuedAt: now,
        renewAt: now + lifeMs - margin(lifeMs),
        expiresAt: now + lifeMs,
        taken: false,
      };
      return session;
    } catch (error) {
      options.onFailed?.();
      return otherwise(error);
    } finally {
      pending = undefined;
    }
  }

  async function ask(credentials: Credentials): Promise<{ session: Session; lifeMs: number }> {
    try {
      const fresh = await requestToken(options.imsUrl, credentials, options.transport);
      options.onIssued?.();
      if (fresh.refusal !== undefined) options.onFallback?.(fresh.refusal);
      trouble = undefined;
      return fresh;
    } catch (error) {
      const refused = isFailure(error) && error.code === 'IMS_REFUSED';
      trouble = {
        error,
        at: clock.now(),
        pauseMs: refused ? REFUSAL_MEMORY_MS : (options.outagePauseMs ?? 0),
      };
      throw error;
    }
  }

  function otherwise(error: unknown): Session {
    if (held !== undefined && clock.now() < held.expiresAt) return held.session;
    throw error;
  }

  /** Why IMS is to be left alone now. A clock set back makes an age negative, which says nothing. */
  function pausing(): { error: unknown } | undefined {
    const age = trouble === undefined ? -1 : clock.now() - trouble.at;
    return trouble !== undefined && age >= 0 && age < trouble.pauseMs ? trouble : undefined;
  }

  return {
    async current() {
      if (held !== undefined && clock.now() < held.renewAt) return held.session;
      const pause = pausing();
      if (pause !== undefined) return otherwise(pause.error);
      pending ??= renew();
      return pending;
    },
    accept(session) {
      stillborn = 0;
      if (held?.session === session) held.taken = true;
    },
    reject(session) {
      // Only the token that failed: a late answer to the old one must not throw the new one away.
      if (held?.session !== session) return;
      const now = clock.now();
      stillborn = !held.taken && now - held.issuedAt < REFUSAL_MEMORY_MS ? stillborn + 1 : 0;
      held = undefined;
      // One more is asked for at once; where that is not taken either, a third would not be.
      if (stillborn >= 2) trouble = { error: notTaken(), at: now, pauseMs: REFUSAL_MEMORY_MS };
    },
  };
}

/** A token and the times of its life, in ms since the epoch. */
interface HeldToken {
  readonly session: Session;
  readonly issuedAt: number;
  readonly renewAt: number;
  readonly expiresAt: number;
  taken: boolean;
}

function notTaken(): Failure {
  return new Failure('AEP_UNAUTHORIZED', 'two new tokens in a row were not taken');
}

function margin(lifeMs: number): number {
  return Math.min(RENEWAL_MARGIN_MS, lifeMs / 10);
}

interface Token {
  readonly session: Session;
  readonly lifeMs: number;
  /** How IMS refused the new client secret, if the previous one was accepted. */
  readonly refusal?: Failure;
}

/**
 * Tries the new client secret first, once a renewal. If it is refused, the remaining tries are for the previous one.
 */
async function requestToken(imsUrl: string, credentials: Credentials, transport: Transport): Promise<Token> {
  const { clientSecret, previousClientSecret } = credentials;
  let secret = clientSecret;
  let refusal: Failure | undefined;
  const ask = async (): Promise<Token> => {
    try {
      const token = await askOnce(imsUrl, credentials, secret, transport);
      return refusal === undefined ? token : { ...token, refusal };
    } catch (error) {
      if (!isFailure(error) || !refusesSecret(error)) throw error;
      if (refusal !== undefined) throw refusedBoth(refusal, error);
      if (previousClientSecret === undefined || previousClientSecret === clientSecret) throw error;
      refusal = error;
      secret = previousClientSecret;
      return ask();
    }
  };
  return withRetry(TOKEN_TRIES, transport, () => true, ask);
}

async function askOnce(
  imsUrl: string,
  credentials: Credentials,
  clientSecret: string,
  transport: Transport,
): Promise<Token> {
  const { clientId, organizationId, scopes, previousClientSecret } = credentials;
  const request = {
    method: 'POST',
    url: new URL('/ims/token/v3', imsUrl).href,
    label: 'ims POST /ims/token/v3',
    timeoutMs: 10_000,
    // Asking for a token changes nothing, so a lost answer leaves nothing in doubt.
    changes: false,
    secrets: [credentials.clientSecret, previousClientSecret ?? ''],
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: scopes ?? DEFAULT_SCOPES,
    }).toString(),
  };
  const answer = await exchange(transport, request);
  if (answer.status !== 200) throw refused(failureOf(answer, request, transport.clock.now()));
  const token = TokenAnswer.safeParse(parse(answer.text));
  if (!token.success) {
    const fields = token.error.issues.map((issue) => issue.path.join('.') || 'body').join(', ');
    throw new Failure('AEP_UNEXPECTED', `${request.label} answered 200 without a usable token (${fields})`);
  }
  const { access_token, expires_in } = token.data;
  return {
    session: new Session(access_token, clientId, organizationId),
    lifeMs: Math.min(expires_in, MAX_LIFE_SECONDS) * 1_000,
  };
}

/** Whether another secret may be accepted: a wrong scope stays wrong. IMS's exact error texts are not documented. */
function refusesSecret({ code, status, serviceCode }: Failure): boolean {
  return (
    code === 'IMS_REFUSED' &&
    (status === 400 || status === 401) &&
    (serviceCode === undefined || serviceCode === 'invalid_client')
  );
}

function refusedBoth(first: Failure, second: Failure): Failure {
  return new Failure(
    'IMS_REFUSED',
    `both client secrets are refused: clientSecret (${first.what}), previousClientSecret (${second.what})`,
    { cause: second, ...statusAndCode(second) },
  );
}

/** Any 4xx but 429 is the credential's fault and stays so. Contract §1. */
function refused(failure: Failure): Failure {
  const status = failure.status ?? 0;
  if (status >= 500 || status === 429) return failure;
  return new Failure('IMS_REFUSED', failure.what, { cause: failure, ...statusAndCode(failure) });
}

function statusAndCode({ status, serviceCode }: Failure) {
  return { ...(status !== undefined && { status }), ...(serviceCode !== undefined && { serviceCode }) };
}
