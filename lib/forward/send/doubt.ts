// Messages that failed by themselves: whether it is about them or about the inlet.
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
} from './run.ts';

/** So many tries in all, where the inlet fails now and then, and so many looks at whether it takes anything. */
const MAX_PASSES = 2 * SERVER_ERROR.passes;
const MAX_DOUBT_ROUNDS = 4;

/**
 * Rejects what was refused or tried, where others were taken after its last answer. Tries what only failed, where others were
 * taken meanwhile: an outage can begin and end within a run, so that a message has failed for itself only where others were taken
 * before it was tried and after. Everything else stays in doubt.
 * @param evenSo tries it although none was taken
 */
export async function weigh(course: Course, run: Run, evenSo = false): Promise<void> {
  // In strict order the next of its key has been taken by now: it is not sent any more.
  if (!run.sender.strict)
    course.doubts = course.doubts.map((doubt) => (saysNothing(doubt, run) ? untried(doubt) : doubt));
  const isDue = (doubt: Doubt) => doubt.state === 'failed' && (evenSo || isPassed(doubt, run));
  const due = course.doubts.filter(isDue);
  course.doubts = course.doubts.filter((doubt) => !isDue(doubt));
  if (due.length > 0 && run.stop === undefined) await tryAgain(due, course, run);
  else course.doubts.push(...due);
  for (const { framed, verdict } of course.doubts.filter((doubt) => isProven(doubt, run)))
    run.verdicts.set(framed, verdict);
  course.doubts = course.doubts.filter((doubt) => !isProven(doubt, run));
}

/** Whether the inlet has failed for nothing since, or takes others with a token that is not the one it blamed. */
function saysNothing(doubt: Doubt, run: Run): boolean {
  const isOfTheToken = doubt.blamed !== undefined && isPassed(doubt, run) && run.takenWith !== doubt.blamed;
  return run.troubleAt > doubt.seen || isOfTheToken;
}

function isProven(doubt: Doubt, run: Run): boolean {
  return doubt.state !== 'failed' && isPassed(doubt, run);
}

/**
 * A few times more; what gets the error every time has been tried. While others turn out to have got it for nothing, an inlet fails
 * now and then, and the tries say nothing: they are counted anew, and what is left of them after twice as many has only failed.
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
 * Before the next request of a lane in strict order, where no message may come after one of its key that is still to be sent: what
 * failed is tried now. Whether the inlet took anything meanwhile is asked by the message it took last.
 */
export async function weighBeforeNext(course: Course, run: Run): Promise<void> {
  if (course.latest !== undefined && isWaiting(course, run)) await takesAgain(course.latest, course, run);
  await weigh(course, run, true);
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
 * When all lanes have ended: what is still in doubt behind the last message that was taken. That message is sent once more, which
 * costs a copy of it: without that, a record that always gets an error would block its shard wherever it is the last of an event.
 * What was refused and nothing taken since is rejected if it is no more than a handful, counted over invocations. Where there was no
 * time to ask whether the inlet takes anything, more than that say nothing.
 */
export async function conclude(courses: readonly Course[], run: Run): Promise<void> {
  const { standing } = run.sender;
  const last = courses.findLast((course) => course.latest !== undefined) ?? createCourse(run.witness);
  const showsAgain = async () => last.latest !== undefined && (await takesAgain(last.latest, last, run));
  const weighAll = () => Promise.all(courses.map((course) => weigh(course, run)));
  // Once before it is tried, and once after; more often where the inlet fails now and then.
  const isOpen = courses.some((course) => isWaiting(course, run));
  if (isOpen && run.stop === undefined) await showsAgain();
  await weighAll();
  for (let round = 1; round <= MAX_DOUBT_ROUNDS && run.stop === undefined; round++) {
    const from = run.requests;
    if (failedCourses(courses).length === 0 && refusedIn(courses, run).length <= standing.room) break;
    if (!(await showsAgain())) break;
    if (run.troubleAt > from) for (const course of courses) course.doubts = course.doubts.map(untried);
    await weighAll();
  }
  const refused = refusedIn(courses, run);
  run.failing = failedCourses(courses).map(({ framed }) => framed.message);
  if (run.failing.length > 0) halt(run, { why: 'attempts', fault: false });
  if (courses.some(({ isLate }) => isLate)) halt(run, { why: 'time', fault: false });
  const isUnasked = run.stop?.why === 'time' && last.latest !== undefined;
  if (refused.length > standing.room && !isUnasked) haltRefused(run, refused.length);
  if (refused.length > standing.room || run.stop?.why === 'set-up') return;
  for (const { framed, verdict } of refused) {
    run.verdicts.set(framed, verdict);
    run.unproven.add(framed.message);
  }
}

/** The inlet has failed for nothing since: it has to be tried again. */
function untried(doubt: Doubt): Doubt {
  return doubt.state === 'tried' ? { ...doubt, state: 'failed' } : doubt;
}

function failedCourses(courses: readonly Course[]): Doubt[] {
  return courses.flatMap(({ doubts }) => doubts.filter(({ state }) => state !== 'refused'));
}

function refusedIn(courses: readonly Course[], run: Run): Doubt[] {
  return courses.flatMap(({ doubts }) =>
    doubts.filter((doubt) => doubt.state === 'refused' && !isProven(doubt, run)),
  );
}
