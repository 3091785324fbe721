// Sends lanes of batches and brings back a verdict for each message: retries in time, divides, renews, and knows when to stop.
import type { AnsweredReply, BatchReply, FailedReply, ReplyClass } from '../aep/inlet.ts';
import { backoffMs } from '../aep/retry.ts';
import type { Session, Sessions } from '../aep/token.ts';
import type { Clock } from '../aep/transport.ts';
import { type Failure, isFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import type { Batch, Lane } from './batch.ts';
import { LEAST_REQUEST_MS, PACE, REQUEST_TIMEOUT_MS, RULES } from './classes.ts';
import type { Framed } from './frame.ts';
import { DELIVERED, RETRY, rejected, type Settled, type Verdict } from './verdict.ts';
import { within } from './within.ts';

export interface Sender {
  /** One attempt at one request. */
  readonly post: (batch: Batch, session: Session | undefined, timeoutMs: number) => Promise<BatchReply>;
  /** Where the inlet wants a token. */
  readonly sessions: Sessions | undefined;
  /** What may still be spent on sending, in ms. */
  readonly budgetMs: () => number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  /** Told of every request that was not taken whole. */
  readonly warn: Log['warn'];
}

/** Why sending ended before everything was resolved. */
export interface Stop {
  readonly why: 'time' | 'attempts' | 'token' | 'auth' | 'set-up' | 'defect';
  readonly failure?: Failure | undefined;
  /** Whether nothing will be taken until somebody changes something. */
  readonly fault: boolean;
}

export interface Sent {
  /** Every message of the lanes, once. */
  readonly settled: readonly Settled[];
  /** Acknowledgements as counted in the replies. */
  readonly acknowledged: number;
  readonly requests: number;
  readonly stop: Stop | undefined;
}

/** One request to be made. */
interface Work {
  readonly batch: Batch;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What the lanes of one invocation share. */
interface Run {
  readonly sender: Sender;
  readonly verdicts: Map<Framed, Verdict>;
  readonly halted: PromiseWithResolvers<void>;
  acknowledged: number;
  requests: number;
  stop: Stop | undefined;
  /** The token that was not taken. A second one that is not taken either ends it. */
  refused: Session | undefined;
}

/**
 * Sends the lanes side by side, each one request at a time. When one stops, no lane starts another request: what is
 * acknowledged beyond the checkpoint is delivered again, so there had better be little of it.
 */
export async function send(lanes: readonly Lane[], sender: Sender): Promise<Sent> {
  const run: Run = {
    sender,
    verdicts: new Map(),
    halted: Promise.withResolvers(),
    acknowledged: 0,
    requests: 0,
    stop: undefined,
    refused: undefined,
  };
  const ends = await Promise.allSettled(lanes.map((lane) => drive(lane, run)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const { acknowledged, requests, stop } = run;
  const settled = lanes.flat(2).map((framed) => ({
    message: framed.message,
    verdict: run.verdicts.get(framed) ?? RETRY,
  }));
  return { settled, acknowledged, requests, stop };
}

async function drive(lane: Lane, run: Run): Promise<void> {
  const waiting: Work[] = lane.map((batch) => ({ batch, attempt: 1 })).reverse();
  try {
    for (let work = waiting.pop(); work !== undefined && run.stop === undefined; work = waiting.pop()) {
      waiting.push(...(await attempt(work, run)).reverse());
    }
  } catch (error) {
    halt(run, { why: 'defect', fault: false });
    throw error;
  }
}

/** Makes one request; returns what is to be done next in its place, in order. */
async function attempt(work: Work, run: Run): Promise<Work[]> {
  const { sender } = run;
  if (sender.budgetMs() < LEAST_REQUEST_MS) return halt(run, { why: 'time', fault: false });
  const session = await currentSession(run);
  if (run.stop !== undefined) return [];
  const budgetMs = sender.budgetMs();
  if (budgetMs < LEAST_REQUEST_MS) return halt(run, { why: 'time', fault: false });
  run.requests++;
  const reply = await sender.post(work.batch, session, Math.min(REQUEST_TIMEOUT_MS, budgetMs));
  return reply.kind === 'answered'
    ? afterAnswer(work, reply, session, run)
    : afterFailure(work, reply, session, run);
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

/** Of several classes among what is left of a batch, the one that decides. */
const DECIDING = ['auth', 'throttled', 'transient', 'unknown'] as const;

async function afterAnswer(
  { batch, attempt }: Work,
  reply: AnsweredReply,
  session: Session | undefined,
  run: Run,
): Promise<Work[]> {
  run.acknowledged += reply.acknowledged;
  const seen = new Set<string>();
  const left = batch.filter((framed, index) => {
    const outcome = reply.outcomes[index] ?? { kind: 'unknown' };
    if (outcome.kind === 'acknowledged') {
      run.verdicts.set(framed, DELIVERED);
    } else if (outcome.kind === 'refused' && outcome.class === 'data') {
      run.verdicts.set(framed, rejected('refused', `${outcome.status}: ${outcome.said}`));
    } else {
      seen.add(outcome.kind === 'refused' ? outcome.class : 'unknown');
      return true;
    }
    return false;
  });
  const deciding = DECIDING.find((name) => seen.has(name));
  if (deciding === undefined) return [];
  run.sender.warn('part of a request was not taken', {
    class: deciding,
    status: reply.status,
    messages: batch.length,
    left: left.length,
    attempt,
  });
  return again({ batch: left, attempt }, deciding, session, reply, run);
}

async function afterFailure(
  work: Work,
  reply: FailedReply,
  session: Session | undefined,
  run: Run,
): Promise<Work[]> {
  const { failure } = reply;
  run.sender.warn('a request was not taken', {
    class: reply.class,
    code: failure.code,
    reason: failure.what,
    status: failure.status,
    requestId: failure.requestId,
    messages: work.batch.length,
    attempt: work.attempt,
  });
  if (RULES[reply.class].action === 'stop') return halt(run, { why: 'set-up', failure, fault: true });
  if (RULES[reply.class].action === 'divide') return divide(work.batch, reply, run);
  return again(work, reply.class, session, reply, run);
}

/** Two halves of a batch; what cannot be halved is rejected. Each step is progress, so tries are counted anew. */
function divide(batch: Batch, reply: FailedReply, run: Run): Work[] {
  const [only] = batch;
  if (batch.length === 1 && only !== undefined) {
    const reason = reply.class === 'too-large' ? 'too-large' : 'refused';
    run.verdicts.set(only, rejected(reason, reply.said));
    return [];
  }
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)].map((half) => ({ batch: half, attempt: 1 }));
}

async function again(
  { batch, attempt }: Work,
  why: ReplyClass | 'unknown',
  session: Session | undefined,
  reply: BatchReply,
  run: Run,
): Promise<Work[]> {
  const { sender } = run;
  const { action, attempts } = RULES[why];
  const failure = reply.kind === 'failed' ? reply.failure : undefined;
  if (action === 'renew') {
    if (!renew(session, run)) return halt(run, { why: 'auth', failure, fault: session === undefined });
    return [{ batch, attempt }];
  }
  if (attempt >= attempts) return halt(run, { why: 'attempts', failure, fault: false });
  const hint = { throttled: why === 'throttled', retryAfterMs: reply.retryAfterMs };
  const waitMs = backoffMs(PACE, attempt, sender.random(), hint);
  // Time asleep is paid for: where it would not lead to another request, Lambda does the waiting.
  if (waitMs + LEAST_REQUEST_MS > sender.budgetMs()) return halt(run, { why: 'time', failure, fault: false });
  await Promise.race([sender.clock.sleep(waitMs), run.halted.promise]);
  return [{ batch, attempt: attempt + 1 }];
}

/** Lets go of a token that was not taken; `false` where that has been tried already. */
function renew(session: Session | undefined, run: Run): boolean {
  const first = run.refused === undefined || run.refused === session;
  if (session === undefined || !first) return false;
  run.refused = session;
  run.sender.sessions?.reject(session);
  return true;
}

/** Stops all lanes. The first reason stays, unless a later one calls for a hand. */
function halt(run: Run, stop: Stop): [] {
  if (run.stop === undefined || (stop.fault && !run.stop.fault)) run.stop = stop;
  run.halted.resolve();
  return [];
}
