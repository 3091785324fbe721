// What the lanes of one invocation share: the sender, what became of the messages so far, and whether to go on.
import type { BatchReply } from '../../aep/inlet.ts';
import type { Session, Sessions } from '../../aep/token.ts';
import type { Clock } from '../../aep/transport.ts';
import { Failure } from '../../failure.ts';
import type { Log } from '../../log.ts';
import type { Framed } from '../frame/framed.ts';
import type { Message } from '../read/message.ts';
import type { Rejected, Settled, Verdict } from '../verdict.ts';
import type { MessageBatch } from './batch.ts';
import { HANDFUL, MIN_REQUEST_MS } from './classes.ts';
import type { Limits } from './limits.ts';
import type { Standing } from './standing.ts';

export interface Sender {
  /** One attempt at one request. */
  readonly post: (
    batch: MessageBatch,
    session: Session | undefined,
    timeoutMs: number,
  ) => Promise<BatchReply>;
  /** Where the inlet wants a token. */
  readonly sessions: Sessions | undefined;
  /** What may be asked of the inlet. */
  readonly limits: Limits;
  /** How the inlet has answered lately. */
  readonly standing: Standing;
  /** Whether a partition key's messages keep their order through retries. */
  readonly strict: boolean;
  /** What may still be spent on sending, in ms. */
  readonly budgetMs: () => number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  /** Told of every request that was not taken whole. */
  readonly warn: Log['warn'];
}

/** Why sending ended before everything was resolved. */
export interface Stop {
  /**
   * `attempts`: the tries of a request, or the retries there are, are used up. `held-off`: the inlet has to be left alone for
   * longer than there is time. `unclear`: its answers do not say what was taken. `set-up`: it takes nothing as things are.
   */
  readonly why: 'time' | 'held-off' | 'attempts' | 'unclear' | 'token' | 'auth' | 'set-up' | 'defect';
  readonly failure?: Failure | undefined;
  /** Whether nothing will be taken until somebody changes something. */
  readonly fault: boolean;
}

export interface Sent {
  /** Every message of the lanes, once. */
  readonly settled: readonly Settled[];
  /** Acknowledgements as counted in the replies, those of a message that was sent only to see whether it is taken left out. */
  readonly acknowledged: number;
  readonly requests: number;
  /** Those of them that sent something again after a wait. */
  readonly retries: number;
  /** Successes that did not say of every message what became of it. */
  readonly unclear: number;
  /** Messages of which AEP may have a further copy, counted each time. */
  readonly doubtful: number;
  /** Rejected by the inlet's word alone: none was taken since. */
  readonly unproven: ReadonlySet<Message>;
  /** Failed by themselves, and nothing was taken since that would show whose fault that is: they come again. */
  readonly failing: readonly Message[];
  /** A processing error of a message turned out to be about the inlet. */
  readonly troubled: boolean;
  readonly stop: Stop | undefined;
}

/**
 * A message that was refused by itself, or got a processing error by itself. Whether that is about the message or about the inlet
 * shows when another one is taken afterwards.
 */
export interface Doubt {
  readonly framed: Framed;
  /** What becomes of it if it is about the message. */
  readonly verdict: Rejected;
  /** Requests that had begun when it was answered last: what they bring was perhaps taken before. */
  readonly seen: number;
  /** `refused`: for good. `failed`: by a processing error, and not tried again yet. `tried`: by that, again and again. */
  readonly state: 'refused' | 'failed' | 'tried';
  /** The token that its last answer blamed. */
  readonly blamed?: Session | undefined;
}

/** What a lane keeps while it is sent. */
export interface Course {
  doubts: Doubt[];
  /** The message that was taken last: none of its key has been sent after it. */
  latest: Framed | undefined;
  /** The rate leaves no time for its next request. Others may still fit, but none of this lane may go ahead of it. */
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
  /** Every batch of the lanes, and whether it was acknowledged as a whole: mostly there is no more to say. */
  readonly batches: Map<MessageBatch, boolean>;
  /** Of the messages of the other batches. */
  readonly verdicts: Map<Framed, Verdict>;
  readonly unproven: Set<Message>;
  failing: readonly Message[];
  /** Taken in an earlier invocation, as the last of its shard. */
  witness: Framed | undefined;
  readonly halted: PromiseWithResolvers<void>;
  /** Where the inlet's answers said nothing lately: the one message that is sent before all others. */
  asked: Promise<void> | undefined;
  /** The last request, by its number, of which something was taken, and the last that had begun when a message came in doubt. */
  takenAt: number;
  /** The token of that one. */
  takenWith: Session | undefined;
  doubtedAt: number;
  /** Requests that had begun when it last turned out that a processing error had been about the inlet. */
  troubleAt: number;
  /** Messages in a row that were refused by themselves, or failed by themselves, while none was taken. */
  refusedInARow: number;
  failedInARow: number;
  /** So many times a handful may be in a row: more, once it has turned out to be about the messages. */
  patience: number;
  acknowledged: number;
  requests: number;
  retries: number;
  unclear: number;
  doubtful: number;
  stop: Stop | undefined;
  /** The token that was not taken. A second one in a row that is not taken either ends it. */
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
 * The inlet has taken so many messages of this request: whatever else it refuses, it is neither the set-up nor the credential.
 * What had begun before a message came in doubt says nothing of the time since.
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

/** It is to be seen whether it is about the message. */
export function doubt(one: Doubt, course: Course, run: Run): void {
  course.doubts.push(one);
  run.doubtedAt = Math.max(run.doubtedAt, one.seen);
}

/** Whether something was taken that was sent after its last answer. */
export function isPassed({ seen }: Doubt, run: Run): boolean {
  return run.takenAt > seen;
}

/** More messages in a row have failed by themselves than can be chance: it has to be seen whether the inlet takes any. */
export function isEnough({ refusedInARow, failedInARow, patience, sender }: Run): boolean {
  return refusedInARow > sender.standing.room * patience || failedInARow > HANDFUL * patience;
}

/** Stops all lanes. The first reason stays, unless a later one calls for a change by somebody. */
export function halt(run: Run, stop: Stop): [] {
  if (run.stop === undefined || (stop.fault && !run.stop.fault)) run.stop = stop;
  run.halted.resolve();
  return [];
}

/** Nothing is taken, whatever is sent: a fault of the set-up where everything is refused, otherwise an outage. */
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
  return halt(run, { why: 'set-up', failure, fault: true });
}

/** Time asleep is paid for: where it would not lead to another request, Lambda does the waiting. */
export function hasTime(waitMs: number, { sender }: Run): boolean {
  return waitMs + MIN_REQUEST_MS <= sender.budgetMs();
}

/** `false` where sending has stopped by then, or would have no time left. */
export async function pause(waitMs: number, run: Run): Promise<boolean> {
  if (run.stop === undefined && !hasTime(waitMs, run)) halt(run, { why: 'time', fault: false });
  if (run.stop === undefined) await Promise.race([run.sender.clock.sleep(waitMs), run.halted.promise]);
  return run.stop === undefined;
}

/** Lets go of a token that was not taken; `false` where that has been tried already. */
export function renew(session: Session | undefined, run: Run): boolean {
  const first = run.refused === undefined || run.refused === session;
  if (session === undefined || !first) return false;
  run.refused = session;
  run.sender.sessions?.reject(session);
  return true;
}
