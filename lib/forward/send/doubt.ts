// Messages that failed alone: decides whether the message or the inlet is at fault.
import { backoffMs } from '../../aep/retry.ts';
import { DELIVERED } from '../verdict.ts';
import { finish } from './attempt.ts';
import { PACE, SERVER_ERROR } from './classes.ts';
import { takesAgain } from './request.ts';
import {
  type Course,
  createCourse,
  type Doubt,
  halt,
  haltRefused,
  isPassed,
  pause,
  type Run,
  roomIn,
} from './run.ts';

/** The number of tries where the inlet fails now and then, and of probes whether it takes anything. */
const MAX_PASSES = 2 * SERVER_ERROR.passes;
const MAX_DOUBT_ROUNDS = 4;

/**
 * Rejects a refused or tried message if others were taken after its last answer. Tries a failed one if others were
 * taken meanwhile. An outage can begin and end within a run, so others must be taken both before and after the try.
 * Everything else stays in doubt.
 */
export async function weigh(course: Course, run: Run): Promise<void> {
  // In strict order the next message of its key was taken already, so it is not sent any more.
  if (!run.sender.strict)
    course.doubts = course.doubts.map((doubt) => (saysNothing(doubt, run) ? untried(doubt) : doubt));
  const isDue = (doubt: Doubt) => doubt.state === 'failed' && isPassed(doubt, run);
  const due = course.doubts.filter(isDue);
  course.doubts = course.doubts.filter((doubt) => !isDue(doubt));
  if (due.length > 0 && run.stop === undefined) await tryAgain(due, course, run);
  else course.doubts.push(...due);
  for (const { framed, verdict } of course.doubts.filter((doubt) => isProven(doubt, run)))
    run.verdicts.set(framed, verdict);
  course.doubts = course.doubts.filter((doubt) => !isProven(doubt, run));
}

/** Whether the inlet has since failed without cause, or takes others with a token that it did not blame. */
function saysNothing(doubt: Doubt, run: Run): boolean {
  const isOfTheToken = doubt.blamed !== undefined && isPassed(doubt, run) && run.takenWith !== doubt.blamed;
  return run.troubleAt > doubt.seen || isOfTheToken;
}

function isProven(doubt: Doubt, run: Run): boolean {
  return doubt.state !== 'failed' && isPassed(doubt, run);
}

/**
 * A few tries more; a message that gets the error every time is `tried`. If the inlet fails other messages without
 * cause, these tries prove nothing and are counted anew. What is left after twice as many is only `failed`.
 */
async function tryAgain(due: readonly Doubt[], course: Course, run: Run): Promise<void> {
  let left = due;
  let [tries, from] = [0, run.requests];
  for (let pass = 1; tries < SERVER_ERROR.passes && pass <= MAX_PASSES && left.length > 0; pass++) {
    const goesOn = await pause(backoffMs(PACE, pass, run.sender.random()), run);
    const own = createCourse(course.latest);
    for (const { framed } of goesOn ? left : [])
      await finish({ batch: [framed], attempt: 1, searching: true, trying: true }, own, run);
    course.latest = own.latest;
    course.isLate ||= own.isLate;
    if (run.stop !== undefined || own.isLate) {
      course.doubts.push(...left.filter(({ framed }) => !run.verdicts.has(framed)));
      return;
    }
    course.doubts.push(...own.doubts.filter(({ state }) => state !== 'failed'));
    const failed = own.doubts.filter(({ state }) => state === 'failed');
    if (left.some(({ framed }) => run.verdicts.get(framed) === DELIVERED)) run.troubleAt = run.requests;
    left = failed;
    tries++;
    if (run.troubleAt > from) [tries, from] = [0, run.requests];
  }
  const state = tries < SERVER_ERROR.passes ? 'failed' : 'tried';
  course.doubts.push(...left.map((doubt): Doubt => ({ ...doubt, state })));
}

/**
 * Runs before the next request of a lane in strict order. No message may follow one of its key that is still to be
 * sent, so failed messages are tried now. The message that was taken last shows whether the inlet takes anything. Where
 * none was taken, the lane stops: the tries of an outage prove nothing once it has ended.
 */
export async function weighBeforeNext(course: Course, run: Run): Promise<void> {
  if (course.latest !== undefined && isWaiting(course, run)) await takesAgain(course.latest, course, run);
  await weigh(course, run);
  // It may still be taken: the next of its key has to wait.
  if (failedOnly(course.doubts).length > 0 && !course.isLate) halt(run, { why: 'attempts', fault: false });
}

function failedOnly(doubts: readonly Doubt[]): Doubt[] {
  return doubts.filter(({ state }) => state === 'failed');
}

/** Whether something has failed, and none was taken since. */
function isWaiting({ doubts }: Course, run: Run): boolean {
  return failedOnly(doubts).some((doubt) => !isPassed(doubt, run));
}

/**
 * Runs when all lanes have ended, for messages in doubt behind the last one that was taken. That last one is sent
 * once more, which costs a copy. Without it, a record that always fails would block its shard wherever it is the last
 * of an event.
 * Messages that were refused, with nothing taken since, are rejected if they are only a handful, counted over
 * invocations. If there was no time for a probe, more than that prove nothing. Where the inlet took messages of this batch
 * before, the first handful is rejected. Lambda may have divided the batch, so that the one taken last lies behind it.
 * Then none may be sent again, and each invocation would end as this one. docs/decisions/0128.
 */
export async function conclude(courses: readonly Course[], run: Run): Promise<void> {
  const last = courses.findLast((course) => course.latest !== undefined) ?? createCourse(run.witness);
  const showsAgain = async () => {
    if (last.latest === undefined) return false;
    const isTaken = await takesAgain(last.latest, last, run);
    run.tookBefore &&= isTaken;
    return isTaken;
  };
  const weighAll = () => Promise.all(courses.map((course) => weigh(course, run)));
  // One round before the try and one after; more where the inlet fails now and then.
  const isOpen = courses.some((course) => isWaiting(course, run));
  if (isOpen && run.stop === undefined) await showsAgain();
  await weighAll();
  for (let round = 1; round <= MAX_DOUBT_ROUNDS && run.stop === undefined; round++) {
    const from = run.requests;
    if (failedIn(courses).length === 0 && refusedIn(courses, run).length <= roomIn(run)) break;
    if (!(await showsAgain())) break;
    if (run.troubleAt > from) for (const course of courses) course.doubts = course.doubts.map(untried);
    await weighAll();
  }
  const refused = refusedIn(courses, run);
  run.failing = failedIn(courses).map(({ framed }) => framed.message);
  if (run.failing.length > 0) halt(run, { why: 'attempts', fault: false });
  if (courses.some(({ isLate }) => isLate)) halt(run, { why: 'time', fault: false });
  const isUnasked = run.stop?.why === 'time' && last.latest !== undefined;
  const room = roomIn(run);
  if (refused.length > room && !isUnasked) haltRefused(run, refused.length);
  for (const { framed, verdict } of rejectable(refused, room, run)) {
    run.verdicts.set(framed, verdict);
    run.unproven.add(framed.message);
  }
}

/** Those of the refused that are rejected by the inlet's word alone. */
function rejectable(refused: readonly Doubt[], room: number, { stop, tookBefore }: Run): readonly Doubt[] {
  if (stop?.inVain === true && tookBefore) return inStreamOrder(refused).slice(0, room);
  return refused.length > room || stop?.why === 'set-up' ? [] : refused;
}

/** The first ones: the checkpoint is the first record that is not settled. */
function inStreamOrder(doubts: readonly Doubt[]): Doubt[] {
  const placeOf = ({ framed }: Doubt) => BigInt(framed.message.sequenceNumber);
  return doubts.toSorted((one, other) => Number(placeOf(one) - placeOf(other)));
}

/** The inlet has since failed without cause: the message has to be tried again. */
function untried(doubt: Doubt): Doubt {
  return doubt.state === 'tried' ? { ...doubt, state: 'failed' } : doubt;
}

function failedIn(courses: readonly Course[]): Doubt[] {
  return courses.flatMap(({ doubts }) => doubts.filter(({ state }) => state !== 'refused'));
}

function refusedIn(courses: readonly Course[], run: Run): Doubt[] {
  return courses.flatMap(({ doubts }) =>
    doubts.filter((doubt) => doubt.state === 'refused' && !isProven(doubt, run)),
  );
}
