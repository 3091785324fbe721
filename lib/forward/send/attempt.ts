// Decides what follows from a request's answer: send it again, in halves, message by message, or stop.
import type { AnsweredReply, FailedReply, ReplyClass } from '../../aep/inlet.ts';
import { backoffMs } from '../../aep/retry.ts';
import { Failure } from '../../failure.ts';
import type { Framed } from '../frame/framed.ts';
import { DELIVERED, rejected } from '../verdict.ts';
import { framedIn, isBlock, type MessageBatch, type SentBatch } from './batch.ts';
import { nextStep, PACE, SERVER_ERROR, type Step, UNCLEAR_TRIES } from './classes.ts';
import { request, takesAgain, waitMs } from './request.ts';
import {
  type Begun,
  type Course,
  type Doubt,
  doubt,
  halt,
  haltInVain,
  hasTime,
  isEnough,
  pause,
  type Run,
  renew,
  took,
} from './run.ts';

/** A request to be made. */
export interface Work {
  readonly batch: SentBatch;
  /** 1 for the first. */
  readonly attempt: number;
  /** Part of a request that got a processing error every time: the record at fault is searched for. */
  readonly searching?: boolean;
  /** A repeated message in doubt: it does not count as another failure in a row. */
  readonly trying?: boolean;
  /** The same request got a processing error before. */
  readonly troubled?: boolean;
  /** The last answer was unclear about some of its messages. */
  readonly unclear?: boolean;
  /** It is sent with a new token, because the last one was refused. */
  readonly renewed?: boolean;
  /** Not sent yet: none of it may be sent ahead of the rest. */
  readonly fresh?: boolean;
}

/** A request that was made, of which each message is looked at. */
interface Listed extends Work {
  readonly batch: MessageBatch;
}

/** Makes the request and all that follow from it. */
export async function finish(work: Work, course: Course, run: Run): Promise<void> {
  const waiting = [work];
  while (run.stop === undefined && !course.isLate) {
    if (isEnough(run) && !(await takesAny(waiting, course, run))) return void haltInVain(run);
    const next = waiting.pop();
    if (next === undefined) return;
    waiting.push(...(await attempt(next, course, run)).reverse());
  }
}

/**
 * Shows whether the inlet takes anything at all. It sends the message that was taken last or, if there is none, a few
 * random ones that are waiting. If one is taken, the messages are at fault, and as many again may fail in a row.
 */
async function takesAny(waiting: Work[], course: Course, run: Run): Promise<boolean> {
  const before = run.requests;
  const isTaken = () => run.takenAt > before;
  if (course.latest !== undefined) await takesAgain(course.latest, course, run);
  else if (waiting.length === 0) return true;
  else
    for (let probe = 0; probe < SERVER_ERROR.probes && !isTaken(); probe++) {
      let due = takeOne(waiting, run.sender.random());
      while (due.length > 0 && run.stop === undefined && !course.isLate) {
        const [first, ...others] = due;
        due = first === undefined ? [] : [...(await attempt(first, course, run)), ...others];
      }
    }
  if (isTaken()) run.patience *= 2;
  return isTaken() || run.stop !== undefined || course.isLate;
}

/** Takes one message out of the waiting requests: any that was sent before, otherwise the first. */
function takeOne(waiting: Work[], random: number): Work[] {
  const total = waiting.reduce((sum, { batch }) => sum + batch.length, 0);
  let index = waiting.some(({ fresh }) => fresh) ? 0 : Math.min(total - 1, Math.floor(random * total));
  for (const [at, work] of waiting.entries()) {
    const batch = framedIn(work.batch);
    if (index >= batch.length) {
      index -= batch.length;
      continue;
    }
    const others = [batch.slice(index + 1), batch.slice(0, index)].filter(({ length }) => length > 0);
    waiting.splice(at, 1, ...others.map((part) => ({ ...work, batch: part, attempt: 1, troubled: false })));
    return [{ batch: batch.slice(index, index + 1), attempt: 1, searching: true }];
  }
  return [];
}

/** Makes one request. Returns the requests that replace it, in order. */
async function attempt({ fresh: _, ...work }: Work, course: Course, run: Run): Promise<Work[]> {
  const made = await request(work.batch, course, run);
  if (made === undefined) return [];
  const { reply } = made;
  if (reply.kind === 'answered') {
    run.acknowledged += reply.acknowledged;
    if (work.troubled === true && reply.acknowledged === work.batch.length) run.troubleAt = run.requests;
    if (isWhole(work, reply, run)) return tookWhole(work.batch, reply, made, course, run);
  }
  const listed = { ...work, batch: framedIn(work.batch) };
  return reply.kind === 'answered'
    ? afterAnswer(listed, reply, made, course, run)
    : afterFailure(listed, reply, made, course, run);
}

/** The usual case: all of a batch was taken by one request. */
function isWhole({ batch }: Work, { outcomes }: AnsweredReply, run: Run): boolean {
  return run.batches.has(batch) && outcomes.every(({ kind }) => kind === 'acknowledged');
}

function tookWhole(batch: SentBatch, reply: AnsweredReply, begun: Begun, course: Course, run: Run): [] {
  run.batches.set(batch, true);
  course.latest = isBlock(batch) ? batch.last() : batch.at(-1);
  took(run, reply.acknowledged, begun);
  return [];
}

/** Of several classes in a batch, the one that decides. */
const DECIDING = ['auth', 'throttled', 'transient', 'unknown'] as const;

async function afterAnswer(
  work: Listed,
  reply: AnsweredReply,
  begun: Begun,
  course: Course,
  run: Run,
): Promise<Work[]> {
  const { batch } = work;
  const seen = new Set<string>();
  const statuses = new Set<number>();
  const unclear = new Set<Framed>();
  const left = batch.filter((framed, index) => {
    const outcome = reply.outcomes[index] ?? { kind: 'unknown' };
    if (outcome.kind === 'acknowledged') {
      run.verdicts.set(framed, DELIVERED);
      course.latest = framed;
    } else if (outcome.kind === 'refused' && outcome.class === 'data') {
      const verdict = rejected('refused', `${outcome.status}: ${outcome.said}`);
      refuse({ framed, verdict, seen: begun.number - 1, state: 'refused' }, course, run);
    } else if (
      outcome.kind === 'refused' &&
      outcome.class === 'auth' &&
      isNotTheToken(work, reply, begun, run)
    ) {
      const verdict = rejected('refused', `${outcome.status}: ${outcome.said}`);
      fail({ framed, verdict, ...believed(reply, begun, run), blamed: begun.session }, work, course, run);
    } else {
      seen.add(outcome.kind === 'refused' ? outcome.class : 'unknown');
      if (outcome.kind === 'unknown') unclear.add(framed);
      if (outcome.kind === 'unknown' || outcome.class === 'transient') run.doubtful++;
      statuses.add(outcome.kind === 'refused' ? outcome.status : reply.status);
      return true;
    }
    return false;
  });
  took(run, reply.acknowledged, begun);
  if (unclear.size > 0) run.unclear++;
  const deciding = DECIDING.find((name) => seen.has(name));
  if (deciding === undefined) return [];
  run.sender.warn('part of a request was not taken', {
    event: 'taken-in-part',
    class: deciding,
    status: reply.status,
    messages: batch.length,
    left: left.length,
    attempt: work.attempt,
  });
  const status = commonStatus(statuses);
  const trouble = {
    class: deciding,
    messages: batch.length,
    status,
    retryAfterMs: reply.retryAfterMs,
    said: `${status}: no reason given`,
  };
  if (work.unclear !== true || unclear.size === 0 || deciding === 'unknown')
    return again({ ...work, batch: left, unclear: unclear.size > 0 }, trouble, begun, course, run);
  // The repeated tries of other messages must not make copies of these.
  const others = { ...work, batch: left.filter((framed) => !unclear.has(framed)), unclear: false };
  return [...(await again(others, trouble, begun, course, run)), ...alone({ ...work, batch: [...unclear] })];
}

/**
 * What an entry that blames a token proves. Without a token, and with others taken, it is about the message. With one, the
 * inlet may refuse that token now and then, or for a while: the message is tried again, as after a 500.
 */
function believed(
  { acknowledged }: AnsweredReply,
  { number, session }: Begun,
  run: Run,
): Pick<Doubt, 'seen' | 'state'> {
  const isItself = session === undefined && acknowledged > 0;
  return { seen: acknowledged > 0 ? number - 1 : run.requests, state: isItself ? 'tried' : 'failed' };
}

/**
 * An entry may blame the token. That is not believed of a new token, or of an inlet without authentication, while the
 * inlet takes other messages.
 */
function isNotTheToken(
  { renewed, trying }: Work,
  { acknowledged }: AnsweredReply,
  { session }: Begun,
  run: Run,
): boolean {
  return (
    (renewed === true || trying === true || session === undefined) && (acknowledged > 0 || run.takenAt > 0)
  );
}

/**
 * The class that all messages have. Of several service failures, the one that leads to a search, if it is among them.
 */
function commonStatus(statuses: ReadonlySet<number>): number | undefined {
  const [first] = statuses;
  if (statuses.size === 1) return first;
  const areTheService = [...statuses].every((status) => status >= SERVER_ERROR.status);
  return areTheService && statuses.has(SERVER_ERROR.status) ? SERVER_ERROR.status : undefined;
}

async function afterFailure(
  work: Listed,
  reply: FailedReply,
  begun: Begun,
  course: Course,
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
  const { class: kind, retryAfterMs, said } = reply;
  const { status } = failure;
  const trouble = { class: kind, messages: work.batch.length, status, retryAfterMs, said, failure };
  return again(work, trouble, begun, course, run);
}

function refuse(refused: Doubt, course: Course, run: Run): void {
  if (isKnown(refused, run)) return;
  doubt(refused, course, run);
  run.refusedInARow++;
}

/** The message was refused while others were taken, in an earlier invocation: its own fault is proven. */
function isKnown({ framed, verdict }: Doubt, run: Run): boolean {
  if (!run.sender.standing.isKnown(framed.message)) return false;
  run.verdicts.set(framed, verdict);
  return true;
}

function halves(work: Listed): Work[] {
  const middle = Math.ceil(work.batch.length / 2);
  const parts = [work.batch.slice(0, middle), work.batch.slice(middle)];
  return parts.map((batch) => ({ ...work, batch, attempt: 1, troubled: false }));
}

/** Each message in a request of its own, once: then the answer can only be about it. */
function alone(work: Listed): Work[] {
  return work.batch.map((framed) => ({ ...work, batch: [framed], attempt: UNCLEAR_TRIES, troubled: false }));
}

/** Why messages are sent again. */
interface Trouble {
  readonly class: ReplyClass | 'unknown';
  /** How many messages the request had. */
  readonly messages: number;
  /** The class of all of them. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** The inlet's own words: not for logs. */
  readonly said: string;
  readonly failure?: Failure;
}

function again(work: Listed, trouble: Trouble, begun: Begun, course: Course, run: Run): Promise<Work[]> {
  const { batch, attempt, searching = false } = work;
  const { class: kind, status, messages } = trouble;
  const step = nextStep({ class: kind, status, messages: batch.length, asked: messages, attempt, searching });
  return take(step, work, trouble, begun, course, run);
}

/** Takes the step. Returns what is done next. */
async function take(
  step: Step,
  work: Listed,
  trouble: Trouble,
  begun: Begun,
  course: Course,
  run: Run,
): Promise<Work[]> {
  const { failure } = trouble;
  switch (step.do) {
    case 'repeat':
      return (
        (await repeated(step.throttled, work, trouble, run)) ??
        take(step.unpaid, work, trouble, begun, course, run)
      );
    case 'renew':
      return renew(begun.session, run)
        ? [{ ...work, attempt: work.attempt + 1, renewed: true }]
        : stopped('auth', failure, begun, run);
    case 'halve':
      return halves({ ...work, searching: step.searching });
    case 'single':
      return alone(work);
    case 'doubt':
      return inDoubt(step.state, work, trouble, course, run);
    case 'stop':
      return step.why === 'unclear' ? haltUnclear(run) : stopped(step.why, failure, begun, run);
  }
}

/** `undefined` where the retry budget is used up. */
async function repeated(
  throttled: boolean,
  work: Listed,
  trouble: Trouble,
  run: Run,
): Promise<Work[] | undefined> {
  const { status, failure } = trouble;
  const hint = { throttled, retryAfterMs: waitMs(trouble.retryAfterMs, status) };
  const wait = backoffMs(PACE, work.attempt, run.sender.random(), hint);
  if (!hasTime(wait, run)) return halt(run, { why: 'time', failure, fault: false });
  if (!run.sender.limits.payRetry(throttled)) return undefined;
  await pause(wait, run);
  if (run.stop === undefined) run.retries++;
  const troubled = work.troubled === true || status === SERVER_ERROR.status;
  return [{ ...work, attempt: work.attempt + 1, troubled }];
}

/** Only a fault of the set-up, or a token that the inlet never asked for, needs a change by an operator. */
function stopped(
  why: 'attempts' | 'auth' | 'set-up',
  failure: Failure | undefined,
  { session }: Begun,
  run: Run,
): [] {
  const fault = why === 'set-up' || (why === 'auth' && session === undefined);
  return halt(run, { why, failure, fault });
}

function inDoubt(
  state: 'refused' | 'failed',
  work: Listed,
  { class: kind, said }: Trouble,
  course: Course,
  run: Run,
): [] {
  const [framed] = work.batch;
  if (framed === undefined) return [];
  const verdict = rejected(kind === 'too-large' ? 'too-large' : 'refused', said);
  const one: Doubt = { framed, verdict, seen: run.requests, state };
  if (state === 'refused') refuse(one, course, run);
  else fail(one, work, course, run);
  return [];
}

/**
 * Even for a single message the inlet does not say whether it took it. Each try makes one more copy, so the inlet
 * gets a break.
 */
function haltUnclear(run: Run): [] {
  run.sender.limits.holdOff(run.sender.standing.unclear());
  const failure = new Failure(
    'AEP_UNEXPECTED',
    'the inlet answers 2xx without saying which messages it took',
    {
      next: 'Compare the answer with what Adobe documents, and tell Adobe. The records stay in the stream, and the waits between tries grow.',
    },
  );
  return halt(run, { why: 'unclear', failure, fault: false });
}

function fail(failed: Doubt, { trying }: Work, course: Course, run: Run): void {
  if (isKnown(failed, run)) return;
  doubt(failed, course, run);
  if (trying !== true) run.failedInARow++;
}
