// Messages that failed by themselves: whether it is about them or about the inlet.
import { backoffMs } from '../aep/retry.ts';
import { finish } from './attempt.ts';
import { PACE, SERVER_ERROR } from './classes.ts';
import { takesAgain } from './request.ts';
import { type Course, type Doubt, halt, haltRefused, pause, type Run } from './run.ts';

/**
 * Rejects what was refused or tried, where others were taken after its last answer. Tries what only failed, where others were
 * taken meanwhile: an outage can begin and end within a run, so that a message has failed for itself only where others were taken
 * before it was tried and after. Everything else stays in doubt.
 * @param evenSo tries it although none was taken
 */
export async function weigh(course: Course, run: Run, evenSo = false): Promise<void> {
  const isPassed = ({ seen }: Doubt) => run.taken > seen;
  const isDue = (doubt: Doubt) => doubt.state === 'failed' && (evenSo || isPassed(doubt));
  const due = course.doubts.filter(isDue);
  course.doubts = course.doubts.filter((doubt) => !isDue(doubt));
  if (due.length > 0 && run.stop === undefined) await tryAgain(due, course, run);
  else course.doubts.push(...due);
  for (const { framed, verdict } of course.doubts.filter((doubt) => isProven(doubt, run)))
    run.verdicts.set(framed, verdict);
  course.doubts = course.doubts.filter((doubt) => !isProven(doubt, run));
}

function isProven({ state, seen }: Doubt, run: Run): boolean {
  return state !== 'failed' && run.taken > seen;
}

/** A few times more; what gets the error every time has been tried. */
async function tryAgain(due: readonly Doubt[], course: Course, run: Run): Promise<void> {
  let left = due;
  for (let pass = 1; pass <= SERVER_ERROR.passes && left.length > 0; pass++) {
    const goesOn = await pause(backoffMs(PACE, pass, run.sender.random()), run);
    const own: Course = { doubts: [], latest: course.latest };
    for (const { framed } of goesOn ? left : [])
      await finish({ batch: [framed], attempt: 1, searching: true, trying: true }, own, run);
    course.latest = own.latest;
    if (run.stop !== undefined) {
      course.doubts.push(...left.filter(({ framed }) => !run.verdicts.has(framed)));
      return;
    }
    course.doubts.push(...own.doubts.filter(({ state }) => state !== 'failed'));
    left = own.doubts.filter(({ state }) => state === 'failed');
  }
  course.doubts.push(...left.map((doubt): Doubt => ({ ...doubt, state: 'tried' })));
}

/**
 * Before the next request of a lane in strict order, where no message may come after one of its key that is still to be sent: what
 * failed is tried now. Whether the inlet took anything meanwhile is asked by the message it took last.
 */
export async function weighBeforeNext(course: Course, run: Run): Promise<void> {
  if (course.latest !== undefined && isWaiting(course, run)) await takesAgain(course.latest, run);
  await weigh(course, run, true);
}

/** Whether something has failed, and none was taken since. */
function isWaiting({ doubts }: Course, run: Run): boolean {
  return doubts.some(({ state, seen }) => state === 'failed' && run.taken === seen);
}

/**
 * When all lanes have ended: what is still in doubt behind the last message that was taken. That message is sent once more, which
 * costs a copy of it: without that, a record that always gets an error would block its shard wherever it is the last of an event.
 * What was refused and nothing taken since is rejected if it is no more than a handful, counted over invocations.
 */
export async function conclude(courses: readonly Course[], run: Run): Promise<void> {
  const { standing } = run.sender;
  const latest = courses.findLast((course) => course.latest !== undefined)?.latest;
  const again = async (isOpen: boolean) => {
    if (isOpen && latest !== undefined && run.stop === undefined) await takesAgain(latest, run);
    await Promise.all(courses.map((course) => weigh(course, run)));
  };
  // Once before it is tried, and once after.
  await again(courses.some((course) => isWaiting(course, run)));
  await again(failedIn(courses).length > 0 || refusedIn(courses, run).length > standing.room);
  const refused = refusedIn(courses, run);
  if (failedIn(courses).length > 0) halt(run, { why: 'attempts', fault: false });
  if (refused.length > standing.room) haltRefused(run, refused.length);
  if (run.stop?.why === 'set-up') return;
  for (const { framed, verdict } of refused) {
    run.verdicts.set(framed, verdict);
    run.unproven.add(framed.message);
  }
}

function failedIn(courses: readonly Course[]): Doubt[] {
  return courses.flatMap(({ doubts }) => doubts.filter(({ state }) => state !== 'refused'));
}

function refusedIn(courses: readonly Course[], run: Run): Doubt[] {
  return courses.flatMap(({ doubts }) =>
    doubts.filter((doubt) => doubt.state === 'refused' && !isProven(doubt, run)),
  );
}
