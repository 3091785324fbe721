// The states of the shared token, and of IMS. Each change is a pure function, with no clock and no call.
import { Failure } from '../failure.ts';
import type { Session } from './session.ts';

/** A token and the times of its life, in ms since the epoch. */
export interface IssuedToken {
  readonly session: Session;
  readonly issuedAt: number;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** `stillborn`: how many before this one, in a row, were rejected soon after they had been issued, and taken by nobody. */
export type TokenState =
  /** There is none, or a service did not take the last one. */
  | { readonly state: 'none'; readonly stillborn: number }
  /** Issued, and no service has said yet what it thinks of it. */
  | { readonly state: 'fresh'; readonly token: IssuedToken; readonly stillborn: number }
  /** A service has taken it: a later refusal is no word on the credential. */
  | { readonly state: 'taken'; readonly token: IssuedToken };

/** Whether IMS may be asked. */
export type ImsState =
  | { readonly state: 'open' }
  /** It is left alone from `since` for `pauseMs`; `error` is why. */
  | { readonly state: 'paused'; readonly error: unknown; readonly since: number; readonly pauseMs: number };

export interface SessionState {
  readonly token: TokenState;
  readonly ims: ImsState;
}

export const NO_SESSION: SessionState = { token: { state: 'none', stillborn: 0 }, ims: { state: 'open' } };

/** What is to be done for somebody who needs a session. */
export type SessionMove =
  | { readonly kind: 'use'; readonly session: Session }
  | { readonly kind: 'ask' }
  | { readonly kind: 'fail'; readonly error: unknown };

/** Renewed when less than this is left, but never in the first nine tenths of a short life. */
const RENEWAL_MARGIN_MS = 300_000;
/** After a refusal IMS is left alone for so long: it throttles integrations that ask too often. */
export const REFUSAL_MEMORY_MS = 30_000;
/** One more is asked for at once; where that is not taken either, a third would not be. */
const MAX_STILLBORN = 2;

export function sessionMove({ token, ims }: SessionState, now: number): SessionMove {
  if (token.state !== 'none' && now < token.token.renewAt) return use(token.token);
  return isPaused(ims, now) ? withoutNew(token, ims.error, now) : { kind: 'ask' };
}

/** What is to be done where no new token can be had: the old one is used until it expires. */
export function withoutNew(
  token: TokenState,
  error: unknown,
  now: number,
): Exclude<SessionMove, { kind: 'ask' }> {
  return token.state !== 'none' && now < token.token.expiresAt ? use(token.token) : { kind: 'fail', error };
}

/** IMS has issued a token that lives for `lifeMs`. */
export function whenIssued(
  { token }: SessionState,
  session: Session,
  lifeMs: number,
  now: number,
): SessionState {
  const renewAt = now + lifeMs - Math.min(RENEWAL_MARGIN_MS, lifeMs / 10);
  const issued = { session, issuedAt: now, renewAt, expiresAt: now + lifeMs };
  return {
    token: { state: 'fresh', token: issued, stillborn: stillbornOf(token) },
    ims: { state: 'open' },
  };
}

/** IMS did not issue one. The token that there is stays. */
export function whenNotIssued(
  { token }: SessionState,
  error: unknown,
  pauseMs: number,
  now: number,
): SessionState {
  return { token, ims: { state: 'paused', error, since: now, pauseMs } };
}

/** A service has taken the session's token: that says good of the credential even where there is another one by now. */
export function whenTaken(state: SessionState, session: Session): SessionState {
  const { token, ims } = state;
  if (token.state === 'fresh' && token.token.session === session)
    return { token: { state: 'taken', token: token.token }, ims };
  return token.state === 'taken' ? state : { token: { ...token, stillborn: 0 }, ims };
}

/** A service did not take the session's token. A late word on an old one must not throw the new one away. */
export function whenNotTaken(state: SessionState, session: Session, now: number): SessionState {
  const { token, ims } = state;
  if (token.state === 'none' || token.token.session !== session) return state;
  const young = token.state === 'fresh' && now - token.token.issuedAt < REFUSAL_MEMORY_MS;
  const stillborn = young ? token.stillborn + 1 : 0;
  const none: TokenState = { state: 'none', stillborn };
  if (stillborn < MAX_STILLBORN) return { token: none, ims };
  const error = new Failure('AEP_UNAUTHORIZED', 'two new tokens in a row were not taken');
  return { token: none, ims: { state: 'paused', error, since: now, pauseMs: REFUSAL_MEMORY_MS } };
}

/** A clock set back makes an age negative, which says nothing. */
function isPaused(ims: ImsState, now: number): ims is Extract<ImsState, { state: 'paused' }> {
  return ims.state === 'paused' && now >= ims.since && now - ims.since < ims.pauseMs;
}

function stillbornOf(token: TokenState): number {
  return token.state === 'taken' ? 0 : token.stillborn;
}

function use({ session }: IssuedToken): Extract<SessionMove, { kind: 'use' }> {
  return { kind: 'use', session };
}
