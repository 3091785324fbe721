// What the lanes of one invocation share: the sender, the verdicts so far, and whether to go on.
import type { BatchReply } from '../../aep/inlet.ts';
import type { Session, Sessions } from '../../aep/token.ts';
import type { Clock } from '../../aep/transport.ts';
import { Failure } from '../../failure.ts';
import type { Log } from '../../log.ts';
import type { Block } from '../frame/block.ts';
import type { Framed } from '../frame/framed.ts';
import type { Message } from '../read/message.ts';
import type { Rejected, Settled, Verdict } from '../verdict.ts';
import type { SentBatch } from './batch.ts';
import { HANDFUL, MIN_REQUEST_MS } from './classes.ts';
import type { Limits } from './limits.ts';
import type { Standing } from './standing.ts';

export interface Sender {
  /** One attempt at one request. */
  readonly post: (batch: SentBatch, session: Session | undefined, timeoutMs: number) => Promise<BatchReply>;
  /** Where the inlet requires a token. */
  readonly sessions: Sessions | undefined;
  /** The limits of the inlet. */
  readonly limits: Limits;
  /** How the inlet has answered lately. */
  readonly standing: Standing;
  /** Whether a partition key's messages keep their order through retries. */
  readonly strict: boolean;
  /** The time left for sending, in ms. */
  readonly budgetMs: () => number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  /** Called with every request that was not taken whole. */
  readonly warn: Log['warn'];
}

/** Why sending ended before everything was resolved. */
export interface Stop {
  /**
   * - `attempts`: the tries of a request, or the retry budget, are used up
   * - `held-off`: the inlet asked for a break that is longer than the time left
   * - `unclear`: its answers do not say what was taken
   * - `set-up`: with this configuration it takes nothing
   */
  readonly why: 'time' | 'held-off' | 'attempts' | 'unclear' | 'token' | 'auth' | 'set-up' | 'defect';
  readonly failure?: Failure | undefined;
  /** Whether nothing will be taken until an operator changes something. */
  readonly fault: boolean;
  /** Message after message was refused by itself, and none was taken. */
  readonly inVain?: true;
}

export interface Sent {
  /** Every message of the lanes, once, but those of `whole`. */
  readonly settled: readonly Settled[];
  /** Blocks of which every message was acknowledged by one answer. */
  readonly whole: readonly Block[];
  /** Acknowledgements as counted in the replies, without those of probes. */
  readonly acknowledged: number;
  readonly requests: number;
  /** How many of them sent something again after a wait. */
  readonly retries: number;
  /** Successes that did not name every message. */
  readonly unclear: number;
  /** Messages that AEP may have another copy of, counted each time. */
  readonly doubtful: number;
  /** Rejected although no other message was taken since: the inlet's word is the only proof. */
  readonly unproven: ReadonlySet<Message>;
  /** Messages that failed alone, with none taken since to show whose fault it is: they come again. */
  readonly failing: readonly Message[];
  /** A processing error of a message turned out to be the inlet's fault. */
  readonly troubled: boolean;
  readonly stop: Stop | undefined;
}

/**
 * A message that was refused alone, or got a processing error alone. A message that is taken afterwards shows whether
 * it or the inlet is at fault.
 */
export interface Doubt {
  readonly framed: Framed;
  /** Its verdict if the message is at fault. */
  readonly verdict: Rejected;
  /** Number of requests that had begun at its last answer: what they bring may have been taken before. */
  readonly seen: number;
  /**
   * - `refused`: for good
   * - `failed`: by a processing error, and not tried again yet
   * - `tried`: by a processing error, again and again
   */
  readonly state: 'refused' | 'failed' | 'tried';
  /** The token that its last answer blamed. */
  readonly blamed?: Session | undefined;
}

/** What a lane keeps while it is sent. */
export interface Course {
  doubts: Doubt[];
  /** The message that was taken last: none of its key has been sent after it. */
  latest: Framed | undefined;
  /**
   * The rate leaves no time for its next request. Smaller requests might fit, but none of this lane may overtake it.
   */
  isLate: boolean;
}

export function createCourse(latest?: Framed): Course {
  return { doubts: [], latest, isLate: false };
}

/** A request that was made. */
export interface Begun {
  readonly session: Session | undefined;
  /** 1 for the first of the run. */
  readonly number: number;
}

export interface Run {
  readonly sender: Sender;
  /** Every batch of the lanes, and whether it was acknowledged as a whole, which is the usual case. */
  readonly batches: Map<SentBatch, boolean>;
  /** Verdicts of the messages in the other batches. */
  readonly verdicts: Map<Framed, Verdict>;
  readonly unproven: Set<Message>;
  failing: readonly Message[];
  /** Taken in an earlier invocation, as the last message of its shard. */
  witness: Framed | undefined;
  /**
   * In an earlier invocation the inlet took messages of this very batch. Void once it does not take the witness again.
   */
  tookBefore: boolean;
  readonly halted: PromiseWithResolvers<void>;
  /** Set if the inlet's answers were unclear lately: the one message that is sent before all others. */
  asked: Promise<void> | undefined;
  /**
   * Number of the last request of which something was taken, and of the last that had begun when a message came in
   * doubt.
   */
  takenAt: number;
  /** The token of that request. */
  takenWith: Session | undefined;
  doubtedAt: number;
  /** Number of requests that had begun when a processing error last turned out to be the inlet's fault. */
  troubleAt: number;
  /** Messages in a row that were refused or failed alone, while none was taken. */
  refusedInARow: number;
  failedInARow: number;
  /** How many handfuls may fail in a row: more, once a probe has shown that the messages are at fault. */
  patience: number;
  acknowledged: number;
  requests: number;
  retries: number;
  unclear: number;
  doubtful: number;
  stop: Stop | undefined;
  /** The token that was refused. A second refused one in a row ends the run. */
  refused: Session | undefined;
}

export function createRun(sender: Sender): Run {
  return {
    sender,
    batches: new Map(),
    verdicts: new Map(),
    unproven: new Set(),
    failing: [],
    witness: undefined,
    tookBefore: false,
    halted: Promise.withResolvers(),
    asked: undefined,
    takenAt: 0,
    takenWith: undefined,
    doubtedAt: 0,
    troubleAt: 0,
    refusedInARow: 0,
    failedInARow: 0,
    patience: 1,
    acknowledged: 0,
    requests: 0,
    retries: 0,
    unclear: 0,
    doubtful: 0,
    stop: undefined,
    refused: undefined,
  };
}

/**
 * The inlet has taken so many messages of this request. So neither set-up nor credential is at fault for what it
 * refuses. Requests that began before a message came in doubt prove nothing for the time since.
 */
export function took(run: Run, messages: number, { session, number }: Begun): void {
  if (messages === 0) return;
  if (number > run.takenAt) [run.takenAt, run.takenWith] = [number, session];
  if (number > run.doubtedAt) {
    run.refusedInARow = 0;
    run.failedInARow = 0;
    run.sender.standing.took();
  }
  if (session === undefined) return;
  run.refused = undefined;
  run.sender.sessions?.accept(session);
}

/** Later requests show whether the message is at fault. */
export function doubt(one: Doubt, course: Course, run: Run): void {
  course.doubts.push(one);
  run.doubtedAt = Math.max(run.doubtedAt, one.seen);
}

/** Whether a message was taken that was sent after its last answer. */
export function isPassed({ seen }: Doubt, run: Run): boolean {
  return run.takenAt > seen;
}

/**
 * How many messages may be rejected by the inlet's word alone. What it took of this batch before speaks for it: then it
 * is a handful in each invocation. Otherwise they would block their shard where no message may be sent again.
 */
export function roomIn({ sender, tookBefore }: Run): number {
  const { room } = sender.standing;
  return tookBefore ? Math.max(room, HANDFUL) : room;
}

/** More messages in a row failed alone than chance explains: a probe must show whether the inlet takes any. */
export function isEnough(run: Run): boolean {
  const { refusedInARow, failedInARow, patience } = run;
  return refusedInARow > roomIn(run) * patience || failedInARow > HANDFUL * patience;
}

/** Stops all lanes. The first reason stays, unless a later one needs an operator. */
export function halt(run: Run, stop: Stop): [] {
  if (run.stop === undefined || (stop.fault && !run.stop.fault)) run.stop = stop;
  run.halted.resolve();
  return [];
}

/** Nothing is taken, whatever is sent: a set-up fault if everything is refused, otherwise an outage. */
export function haltInVain(run: Run): [] {
  if (run.failedInARow > 0) return halt(run, { why: 'attempts', fault: false });
  return haltRefused(run, run.refusedInARow);
}

export function haltRefused(run: Run, messages: number): [] {
  const failure = new Failure(
    'AEP_REFUSED',
    `the inlet has refused ${messages} messages by themselves, and takes none`,
    {
      next: 'Compare schema, dataset, mapping and flow of the pipeline with the records. They stay in the stream.',
    },
  );
  return halt(run, { why: 'set-up', failure, fault: true, inVain: true });
}

/** Waiting costs Lambda time. If no request would follow, Lambda does the waiting between invocations. */
export function hasTime(waitMs: number, { sender }: Run): boolean {
  return waitMs + MIN_REQUEST_MS <= sender.budgetMs();
}

/** `false` if sending has stopped by then, or has no time left. */
export async function pause(waitMs: number, run: Run): Promise<boolean> {
  if (run.stop === undefined && !hasTime(waitMs, run)) halt(run, { why: 'time', fault: false });
  if (run.stop === undefined) await Promise.race([run.sender.clock.sleep(waitMs), run.halted.promise]);
  return run.stop === undefined;
}

/** Drops a token that was refused; `false` if a new one was tried already. */
export function renew(session: Session | undefined, run: Run): boolean {
  const first = run.refused === undefined || run.refused === session;
  if (session === undefined || !first) return false;
  run.refused = session;
  run.sender.sessions?.reject(session);
  return true;
}
