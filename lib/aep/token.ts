// The IMS access token: fetched once, shared by all callers, renewed before it expires and once after it is rejected.
import * as z from 'zod/mini';
import { Failure, isFailure } from '../failure.ts';
import { exchange, failureOf, parse } from './exchange.ts';
import { CONTROL_PLANE, withRetry } from './retry.ts';
import { Session } from './session.ts';
import {
  NO_SESSION,
  REFUSAL_MEMORY_MS,
  type SessionMove,
  type SessionState,
  sessionMove,
  whenIssued,
  whenNotIssued,
  whenNotTaken,
  whenTaken,
  withoutNew,
} from './token-state.ts';
import type { Transport } from './transport.ts';

export { Session };

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
/** Fewer than elsewhere: IMS throttles integrations that ask too often. */
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
  let state: SessionState = NO_SESSION;
  /** The one request that is on its way; all who need its answer share it. */
  let pending: Promise<Session> | undefined;

  async function renew(): Promise<Session> {
    try {
      return await ask(await options.credentials());
    } catch (error) {
      options.onFailed?.();
      return sessionFrom(withoutNew(state.token, error, clock.now()));
    } finally {
      pending = undefined;
    }
  }

  async function ask(credentials: Credentials): Promise<Session> {
    try {
      const { session, lifeMs, refusal } = await requestToken(options.imsUrl, credentials, options.transport);
      options.onIssued?.();
      if (refusal !== undefined) options.onFallback?.(refusal);
      state = whenIssued(state, session, lifeMs, clock.now());
      return session;
    } catch (error) {
      const refused = isFailure(error) && error.code === 'IMS_REFUSED';
      const pauseMs = refused ? REFUSAL_MEMORY_MS : (options.outagePauseMs ?? 0);
      state = whenNotIssued(state, error, pauseMs, clock.now());
      throw error;
    }
  }

  return {
    async current() {
      const move = sessionMove(state, clock.now());
      if (move.kind !== 'ask') return sessionFrom(move);
      pending ??= renew();
      return pending;
    },
    accept(session) {
      state = whenTaken(state, session);
    },
    reject(session) {
      state = whenNotTaken(state, session, clock.now());
    },
  };
}

function sessionFrom(move: Exclude<SessionMove, { kind: 'ask' }>): Session {
  if (move.kind === 'fail') throw move.error;
  return move.session;
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
