// Sends lanes of batches and brings back a verdict for each message: retries in time, divides, renews, and knows when to stop.
import type { AnsweredReply, BatchReply, FailedReply, ReplyClass } from '../aep/inlet.ts';
import { backoffMs } from '../aep/retry.ts';
import type { Session, Sessions } from '../aep/token.ts';
import type { Clock } from '../aep/transport.ts';
import { type Failure, isFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import type { Batch, Lane } from './batch.ts';
import { LEAST_REQUEST_MS, PACE, PUSHING_BACK, REQUEST_TIMEOUT_MS, RULES, SERVER_ERROR } from './classes.ts';
import type { Framed } from './frame.ts';
import type { Limits, RequestOutcome } from './limits.ts';
import { DELIVERED, RETRY, rejected, type Settled, type Verdict } from './verdict.ts';
import { within } from './within.ts';

export interface Sender {
  /** One attempt at one request. */
  readonly post: (batch: Batch, session: Session | undefined, timeoutMs: number) => Promise<BatchReply>;
  /** Where the inlet wants a token. */
  readonly sessions: Sessions | undefined;
  /** What may be asked of the inlet. */
  readonly limits: Limits;
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
  /** Those of them that sent something again after a wait. */
  readonly retries: number;
  /** Messages of which AEP may have a copy although nothing says so, counted each time. */
  readonly doubtful: number;
  readonly stop: Stop | undefined;
}

/** Requests on their way, and those to come. */
export interface Sending {
  /** Begins with another lane. Once sending has stopped, its messages stay unresolved. */
  add(lane: Lane): void;
  /** To be called once: all lanes are there. @throws what a defect threw, after all lanes have ended */
  end(): Promise<Sent>;
}

/** One request to be made. */
interface Work {
  readonly batch: Batch;
  /** 1 for the first. */
  readonly attempt: number;
  /** Part of a request that was answered with a processing error every time: whose fault it is, is looked for. */
  readonly searching?: boolean;
  /** Found among the messages of the request that all this began with. */
  readonly suspects: Suspect[];
}

/** A message that got a processing error by itself, and what becomes of it if that stays so while others are taken. */
interface Suspect {
  readonly framed: Framed;
  readonly verdict: Verdict;
}

/** What the lanes of one invocation share. */
interface Run {
  readonly sender: Sender;
  /** Every batch of the lanes, and whether it was acknowledged as a whole: mostly there is no more to say. */
  readonly batches: Map<Batch, boolean>;
  /** Of the messages of the other batches. */
  readonly verdicts: Map<Framed, Verdict>;
  readonly halted: PromiseWithResolvers<void>;
  acknowledged: number;
  requests: number;
  retries: number;
  doubtful: number;
  stop: Stop | undefined;
  /** The token that was not taken. A second one that is not taken either ends it. */
  refused: Session | undefined;
}

/** Sends lanes that are all there already. */
export function send(lanes: readonly Lane[], sender: Sender): Promise<Sent> {
  const sending = startSending(sender);
  for (const lane of lanes) sending.add(lane);
  return sending.end();
}

/**
 * Sends lanes side by side, each one request at a time. When one stops, no lane starts another request: what is
 * acknowledged beyond the checkpoint is delivered again, so there had better be little of it.
 */
export function startSending(sender: Sender): Sending {
  const ends: Promise<PromiseSettledResult<void>[]>[] = [];
  const run: Run = {
    sender,
    batches: new Map(),
    verdicts: new Map(),
    halted: Promise.withResolvers(),
    acknowledged: 0,
    requests: 0,
    retries: 0,
    doubtful: 0,
    stop: undefined,
    refused: undefined,
  };
  return {
    add(lane) {
      for (const batch of lane) run.batches.set(batch, false);
      // Settled at once: an error must not be taken for one that nobody waits for.
      ends.push(Promise.allSettled([drive(lane, run)]));
    },
    async end() {
      for (const end of (await Promise.all(ends)).flat()) if (end.status === 'rejected') throw end.reason;
      const { acknowledged, requests, retries, doubtful, stop } = run;
      return { settled: settledIn(run), acknowledged, requests, retries, doubtful, stop };
    },
  };
}

/** In the order in which they were to be sent. */
function settledIn({ batches, verdicts }: Run): Settled[] {
  return Array.from(batches, ([batch, whole]) =>
    batch.map((framed) => ({
      message: framed.message,
      verdict: whole ? DELIVERED : (verdicts.get(framed) ?? RETRY),
    })),
  ).flat();
}

async function drive(lane: Lane, run: Run): Promise<void> {
  try {
    for (const batch of lane) {
      const suspects: Suspect[] = [];
      await finish({ batch, attempt: 1, suspects }, run);
      // Before the next request: a message of the same key may be in it.
      await tryAlone(suspects, run);
    }
  } catch (error) {
    halt(run, { why: 'defect', fault: false });
    throw error;
  }
}

/** Does the work, and all that comes of it. */
async function finish(work: Work, run: Run): Promise<void> {
  const waiting = [work];
  for (let next = waiting.pop(); next !== undefined && run.stop === undefined; next = waiting.pop()) {
    waiting.push(...(await attempt(next, run)).reverse());
  }
}

/**
 * Suspects are tried a few times more, once others have been taken; then it is they. Where nothing is taken it is an outage,
 * which is waited for outside.
 */
async function tryAlone(suspects: Suspect[], run: Run): Promise<void> {
  if (suspects.length > 0 && run.acknowledged === 0) halt(run, { why: 'attempts', fault: false });
  for (let pass = 1; pass <= SERVER_ERROR.passes && suspects.length > 0; pass++) {
    if (!(await pause(backoffMs(PACE, pass, run.sender.random(), { throttled: false }), run))) return;
    for (const { framed } of suspects.splice(0))
      await finish({ batch: [framed], attempt: 1, searching: true, suspects }, run);
  }
  if (run.stop !== undefined) return;
  for (const { framed, verdict } of suspects) run.verdicts.set(framed, verdict);
}

/** Makes one request; returns what is to be done next in its place, in order. */
async function attempt(work: Work, run: Run): Promise<Work[]> {
  const made = await request(work.batch, run);
  if (made === undefined) return [];
  const { reply, session } = made;
  return reply.kind === 'answered'
    ? afterAnswer(work, reply, session, run)
    : afterFailure(work, reply, session, run);
}

/** One request, as soon as the limits let it; none where it would come too late or everything has stopped. */
async function request(
  batch: Batch,
  run: Run,
): Promise<{ reply: BatchReply; session: Session | undefined } | undefined> {
  const { limits, budgetMs, post } = run.sender;
  const sendingMs = () => budgetMs() - LEAST_REQUEST_MS;
  const late = () => void halt(run, { why: 'time', fault: false });
  if (sendingMs() < 0) return late();
  const slot = await limits.enter(batch.length, sendingMs, run.halted.promise);
  if (slot === 'late') return late();
  let outcome: RequestOutcome = 'other';
  try {
    if (run.stop !== undefined) return undefined;
    const session = await currentSession(run);
    if (run.stop !== undefined) return undefined;
    if (sendingMs() < 0) return late();
    run.requests++;
    const reply = await post(batch, session, Math.min(REQUEST_TIMEOUT_MS, budgetMs()));
    outcome = outcomeOf(reply);
    return { reply, session };
  } finally {
    slot.leave(outcome);
  }
}

/** What it tells about the inlet's load. */
function outcomeOf(reply: BatchReply): RequestOutcome {
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

/** Of several classes among what is left of a batch, the one that decides. */
const DECIDING = ['auth', 'throttled', 'transient', 'unknown'] as const;

async function afterAnswer(
  work: Work,
  reply: AnsweredReply,
  session: Session | undefined,
  run: Run,
): Promise<Work[]> {
  run.acknowledged += reply.acknowledged;
  const { batch } = work;
  if (run.batches.has(batch) && reply.outcomes.every(({ kind }) => kind === 'acknowledged')) {
    run.batches.set(batch, true);
    return [];
  }
  const seen = new Set<string>();
  const statuses = new Set<number>();
  const left = batch.filter((framed, index) => {
    const outcome = reply.outcomes[index] ?? { kind: 'unknown' };
    if (outcome.kind === 'acknowledged') {
      run.verdicts.set(framed, DELIVERED);
    } else if (outcome.kind === 'refused' && outcome.class === 'data') {
      run.verdicts.set(framed, rejected('refused', `${outcome.status}: ${outcome.said}`));
    } else {
      seen.add(outcome.kind === 'refused' ? outcome.class : 'unknown');
      if (outcome.kind === 'unknown' || outcome.class === 'transient') run.doubtful++;
      statuses.add(outcome.kind === 'refused' ? outcome.status : reply.status);
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
    attempt: work.attempt,
  });
  const status = statuses.size === 1 ? [...statuses][0] : undefined;
  const trouble = {
    class: deciding,
    status,
    retryAfterMs: reply.retryAfterMs,
    said: `${status}: no reason given`,
  };
  return again({ ...work, batch: left }, trouble, session, run);
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
  if (reply.class === 'transient') run.doubtful += work.batch.length;
  if (RULES[reply.class].action === 'stop') return halt(run, { why: 'set-up', failure, fault: true });
  if (RULES[reply.class].action === 'divide') {
    const reason = reply.class === 'too-large' ? 'too-large' : 'refused';
    return divide(work, rejected(reason, reply.said), run);
  }
  const { class: kind, retryAfterMs, said } = reply;
  return again(work, { class: kind, status: failure.status, retryAfterMs, said, failure }, session, run);
}

/** Two halves of a batch; what cannot be halved gets this verdict. Each step is progress, so tries are counted anew. */
function divide(work: Work, alone: Verdict, run: Run): Work[] {
  const [only] = work.batch;
  if (work.batch.length > 1 || only === undefined) return halves(work);
  run.verdicts.set(only, alone);
  return [];
}

function halves(work: Work): Work[] {
  const middle = Math.ceil(work.batch.length / 2);
  const parts = [work.batch.slice(0, middle), work.batch.slice(middle)];
  return parts.map((batch) => ({ ...work, batch, attempt: 1 }));
}

/**
 * Each message in a request of its own, whose answer can only be about it. One that says nothing even then ends it: the
 * inlet's answers cannot be understood, and more of them would make more copies.
 */
function alone(work: Work): Work[] {
  return work.batch.map((framed) => ({ ...work, batch: [framed] }));
}

/** Why messages are to be sent again. */
interface Trouble {
  readonly class: ReplyClass | 'unknown';
  /** Of all of them. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** The inlet's own words: not for logs. */
  readonly said: string;
  readonly failure?: Failure;
}

async function again(work: Work, trouble: Trouble, session: Session | undefined, run: Run): Promise<Work[]> {
  const { batch, attempt } = work;
  const { sender } = run;
  const { failure } = trouble;
  const rule = RULES[trouble.class];
  if (rule.action !== 'again') {
    if (!renew(session, run)) return halt(run, { why: 'auth', failure, fault: session === undefined });
    return [work];
  }
  const isLookedInto = work.searching === true && trouble.status === SERVER_ERROR.status;
  if (attempt >= rule.attempts && trouble.class === 'unknown' && batch.length > 1) return alone(work);
  if (attempt >= rule.attempts || isLookedInto) return givenUp(work, trouble, run);
  const throttled = trouble.class === 'throttled';
  const hint = { throttled, retryAfterMs: trouble.retryAfterMs };
  const waitMs = backoffMs(PACE, attempt, sender.random(), hint);
  if (!hasTime(waitMs, run)) return halt(run, { why: 'time', failure, fault: false });
  if (!sender.limits.payRetry(throttled)) {
    // To look into a request costs no retry: each half is sent for the first time.
    if (trouble.status === SERVER_ERROR.status && batch.length > 1) return givenUp(work, trouble, run);
    return halt(run, { why: 'attempts', failure, fault: false });
  }
  await pause(waitMs, run);
  if (run.stop === undefined) run.retries++;
  return [{ ...work, attempt: attempt + 1 }];
}

/** Time asleep is paid for: where it would not lead to another request, Lambda does the waiting. */
function hasTime(waitMs: number, { sender }: Run): boolean {
  return waitMs + LEAST_REQUEST_MS <= sender.budgetMs();
}

/** `false` where sending has stopped by then, or would have no time left. */
async function pause(waitMs: number, run: Run): Promise<boolean> {
  if (run.stop === undefined && !hasTime(waitMs, run)) halt(run, { why: 'time', fault: false });
  if (run.stop === undefined) await Promise.race([run.sender.clock.sleep(waitMs), run.halted.promise]);
  return run.stop === undefined;
}

/**
 * An outage is waited for outside. A processing error may be about a record: it is looked for, and rejected once it stands
 * alone while others are taken. Contract §6.3.
 */
function givenUp(work: Work, { status, said, failure }: Trouble, run: Run): Work[] {
  const { batch, searching = false, suspects } = work;
  const [only] = batch;
  if (status === SERVER_ERROR.status && only !== undefined) {
    if (batch.length > 1) return halves({ ...work, searching: true });
    const alive = run.acknowledged > 0;
    if (alive || searching) suspects.push({ framed: only, verdict: rejected('refused', said) });
    if (alive || (searching && suspects.length < SERVER_ERROR.suspects)) return [];
  }
  return halt(run, { why: 'attempts', failure, fault: false });
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
