// Makes one request to the inlet, as soon as its limits allow it, with the current token.
import type { BatchReply } from '../../aep/inlet.ts';
import { backoffMs } from '../../aep/retry.ts';
import type { Session } from '../../aep/token.ts';
import { isFailure } from '../../failure.ts';
import { within } from '../../within.ts';
import type { Framed } from '../frame/framed.ts';
import type { SentBatch } from './batch.ts';
import { MIN_REQUEST_MS, PACE, PUSHING_BACK, REQUEST_TIMEOUT_MS, SERVER_ERROR } from './classes.ts';
import type { RequestOutcome } from './limits.ts';
import { type Begun, type Course, halt, pause, type Run, renew, took } from './run.ts';

export interface MadeRequest extends Begun {
  readonly reply: BatchReply;
}

/** None if it would come too late, or if everything has stopped. */
export async function request(batch: SentBatch, course: Course, run: Run): Promise<MadeRequest | undefined> {
  const { limits, budgetMs, post } = run.sender;
  const sendingMs = () => budgetMs() - MIN_REQUEST_MS;
  const none = (why: 'time' | 'held-off') => void halt(run, { why, fault: false });
  if (sendingMs() < 0) return none('time');
  const slot = await limits.enter(batch.length, sendingMs, run.halted.promise);
  if (slot === 'late') {
    course.isLate = true;
    return undefined;
  }
  if (slot === 'held-off') return none('held-off');
  let outcome: RequestOutcome = 'other';
  try {
    if (run.stop !== undefined) return undefined;
    const session = await currentSession(run);
    if (run.stop !== undefined) return undefined;
    if (sendingMs() < 0) return none('time');
    const number = ++run.requests;
    const reply = await post(batch, session, Math.min(REQUEST_TIMEOUT_MS, budgetMs()));
    outcome = loadOutcome(reply);
    if (isForNow(reply) || outcome === 'pushed-back') limits.holdOff(waitAsked(reply));
    return { reply, session, number };
  } finally {
    slot.leave(outcome);
  }
}

/**
 * Whether the inlet takes a message that it took before. This costs a second copy. It must be the latest message: an
 * earlier one would overwrite newer data. A `Retry-After` or a refused token proves nothing.
 */
export async function takesAgain(framed: Framed, course: Course, run: Run): Promise<boolean> {
  for (let attempt = 1; attempt <= SERVER_ERROR.probes; attempt++) {
    const made = await request([framed], course, run);
    if (made === undefined) return false;
    const { reply, session } = made;
    if (reply.kind === 'answered' && reply.acknowledged === 1) {
      run.doubtful++;
      took(run, 1, made);
      return true;
    }
    const kind = whyNot(reply);
    if (kind === 'transient') {
      run.doubtful++;
      run.troubleAt = run.requests;
    }
    if (kind === 'auth' && renew(session, run)) continue;
    if (kind !== 'transient' && kind !== 'throttled') return false;
    const hint = { throttled: kind === 'throttled', retryAfterMs: waitAsked(reply) };
    if (!(await pause(backoffMs(PACE, attempt, run.sender.random(), hint), run))) return false;
  }
  return false;
}

/** The outcome of a request with one message. */
function whyNot(reply: BatchReply): string {
  if (reply.kind === 'failed') return reply.class;
  const [outcome] = reply.outcomes;
  return outcome?.kind === 'refused' ? outcome.class : 'unknown';
}

/** A permanent refusal names no time to wait for, so others need not wait. */
function isForNow(reply: BatchReply): boolean {
  return reply.kind === 'failed' && (reply.class === 'transient' || reply.class === 'throttled');
}

function waitAsked(reply: BatchReply): number {
  const status = reply.kind === 'failed' ? reply.failure.status : reply.status;
  return waitMs(reply.retryAfterMs, status);
}

/**
 * How long to wait, in ms. A processing error gets a short wait: it may be about one record, and the others must not
 * wait for that.
 */
export function waitMs(retryAfterMs = 0, status?: number): number {
  return status === SERVER_ERROR.status ? Math.min(retryAfterMs, SERVER_ERROR.waitMs) : retryAfterMs;
}

/** What it tells about the inlet's load. */
function loadOutcome(reply: BatchReply): RequestOutcome {
  if (reply.kind === 'failed') return PUSHING_BACK.has(reply.failure.status ?? 0) ? 'pushed-back' : 'other';
  const pushed = reply.outcomes.some((one) => one.kind === 'refused' && PUSHING_BACK.has(one.status));
  return pushed ? 'pushed-back' : 'accepted';
}

async function currentSession(run: Run): Promise<Session | undefined> {
  const { sessions, budgetMs } = run.sender;
  if (sessions === undefined) return undefined;
  try {
    const session = await within(budgetMs(), sessions.current());
    if (session !== 'late') return session;
    halt(run, { why: 'time', fault: false });
  } catch (error) {
    if (!isFailure(error)) throw error;
    halt(run, { why: 'token', failure: error, fault: !error.retryable });
  }
  return undefined;
}
