// Sends lanes of batches side by side, and returns a verdict for each message.

import type { Framed } from '../frame/framed.ts';
import { DELIVERED, RETRY, type Settled } from '../verdict.ts';
import { finish } from './attempt.ts';
import { framedIn, isBlock, type Lane, type SentBatch } from './batch.ts';
import { UNCLEAR_TRIES } from './classes.ts';
import { conclude, weigh, weighBeforeNext } from './doubt.ts';
import {
  type Course,
  createCourse,
  createRun,
  halt,
  type Run,
  type Sender,
  type Sent,
  type Stop,
} from './run.ts';

/** Requests on their way, and those to come. */
export interface Sending {
  /** Adds a lane and starts it. Once sending has stopped, its messages stay unresolved. */
  add(lane: Lane): void;
  /**
   * A message that was taken in an earlier invocation as the last of its shard. It may be sent once more, as a probe.
   */
  witness(framed: Framed): void;
  /** The inlet took messages of this batch in an earlier invocation. */
  tookBefore(): void;
  /**
   * Call once, when all lanes are added.
   * @throws what a defect threw, after all lanes have ended
   */
  end(): Promise<Sent>;
}

/** Sends lanes that are all known already. */
export function send(lanes: readonly Lane[], sender: Sender): Promise<Sent> {
  const sending = startSending(sender);
  for (const lane of lanes) sending.add(lane);
  return sending.end();
}

/**
 * Sends lanes side by side, each one request at a time. When one stops, no lane starts another request: what is
 * acknowledged beyond the checkpoint is delivered again, so it should be little.
 */
export function startSending(sender: Sender): Sending {
  const ends: Promise<PromiseSettledResult<Course>[]>[] = [];
  const run = createRun(sender);
  return {
    add(lane) {
      for (const batch of lane) run.batches.set(batch, false);
      // Handled at once, so that Node does not report an unhandled rejection.
      ends.push(Promise.allSettled([drive(lane, run)]));
    },
    witness(framed) {
      run.witness = framed;
    },
    tookBefore() {
      run.tookBefore = true;
    },
    async end() {
      const courses = (await Promise.all(ends)).flat().map((end) => {
        if (end.status === 'rejected') throw end.reason;
        return end.value;
      });
      await conclude(courses, run);
      const { acknowledged, requests, retries, unclear, doubtful, unproven, failing, stop } = run;
      const counts = { acknowledged, requests, retries, unclear, doubtful };
      const whole = Array.from(run.batches).flatMap(([batch, all]) => (all && isBlock(batch) ? batch : []));
      return {
        settled: settledIn(run),
        whole,
        ...counts,
        unproven,
        failing,
        troubled: run.troubleAt > 0,
        stop,
      };
    },
  };
}

/** Sends nothing: whatever is added stays unresolved, for a reason that was there before. */
export function stoppedSending(stop: Stop | undefined): Sending {
  const settled: Settled[] = [];
  const none = { acknowledged: 0, requests: 0, retries: 0, unclear: 0, doubtful: 0 };
  return {
    add(lane) {
      for (const { message } of lane.flatMap(framedIn)) settled.push({ message, verdict: RETRY });
    },
    witness: () => undefined,
    tookBefore: () => undefined,
    end: async () => ({
      settled,
      whole: [],
      ...none,
      unproven: new Set(),
      failing: [],
      troubled: false,
      stop,
    }),
  };
}

/** In the order in which they were to be sent, without the blocks that were taken whole. */
function settledIn({ batches, verdicts }: Run): Settled[] {
  return Array.from(batches, ([batch, whole]) =>
    whole && isBlock(batch)
      ? []
      : framedIn(batch).map((framed) => ({
          message: framed.message,
          verdict: whole ? DELIVERED : (verdicts.get(framed) ?? RETRY),
        })),
  ).flat();
}

async function drive(lane: Lane, run: Run): Promise<Course> {
  const course = createCourse();
  const { strict, standing } = run.sender;
  try {
    if (standing.isUnclear) {
      run.asked ??= ask(lane, course, run);
      await run.asked;
    }
    for (const [index, whole] of lane.entries()) {
      const batch = unresolved(whole, course, run);
      if (run.stop !== undefined || course.isLate) break;
      if (batch.length > 0) await finish({ batch, attempt: 1, fresh: true }, course, run);
      if (index < lane.length - 1) await (strict ? weighBeforeNext(course, run) : weigh(course, run));
    }
    return course;
  } catch (error) {
    halt(run, { why: 'defect', fault: false });
    throw error;
  }
}

/**
 * Sends one message of all lanes alone, once, before anything else. While the inlet's answers are unclear, each
 * further message makes a further copy.
 */
async function ask([first]: Lane, course: Course, run: Run): Promise<void> {
  const [one] = first === undefined ? [] : framedIn(first);
  if (one === undefined) return;
  await finish({ batch: [one], attempt: UNCLEAR_TRIES }, course, run);
  // If not even one message could be sent, nothing is known of more.
  if (course.isLate) halt(run, { why: 'time', fault: false });
}

/** Without the messages in doubt: those are tried later. */
function unresolved(whole: SentBatch, { doubts }: Course, { verdicts }: Run): SentBatch {
  // Nothing is known of messages that nobody has looked at.
  if (isBlock(whole) && !whole.isOpened()) return whole;
  const batch = framedIn(whole);
  const inDoubt = new Set(doubts.map(({ framed }) => framed));
  const isOpen = (framed: Framed) => !verdicts.has(framed) && !inDoubt.has(framed);
  return batch.every(isOpen) ? batch : batch.filter(isOpen);
}
