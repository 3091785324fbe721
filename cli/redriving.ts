// A redrive: the dry run, the question, then the run, invocation after invocation.
import type { RedriveAnswer } from '../lib/redrive/request.ts';
import { redriveThroughout } from '../lib/redrive/throughout.ts';
import { MistakeError } from '../terminal/mistake.ts';
import type { Context } from './context.ts';
import { agreed } from './planning.ts';
import { sandboxOf } from './sandbox.ts';
import { type ExitCode, type Given, isGiven, textOf } from './words.ts';

type Request = Readonly<Record<string, unknown>>;

export async function redriveAsked(context: Context, given: Given, request: Request): Promise<ExitCode> {
  const { output, target, signal } = context;
  const named = textOf(given, 'sandbox');
  // The function refuses a wrong name before it looks at anything.
  const looking = { ...request, dryRun: true, ...(named !== undefined && { sandbox: named }) };
  const dry = await throughout(context, looking, 'Looking what would be sent');
  await show(output, dry, 'would be sent');
  if (signal.aborted) throw new MistakeError('INTERRUPTED', 'nothing was sent');
  if (isGiven(given, 'dry-run') || dry.left === 0) {
    output.json(dry);
    return exitCodeOf(dry);
  }
  const sandbox = await agreed(
    context,
    given,
    await sandboxOf(target, dry.pipeline),
    `Send ${dry.left} messages again to ${dry.pipeline}?`,
  );
  const wanted = { ...request, ...(sandbox !== undefined && { sandbox }) };
  const answer = await throughout(context, wanted, `Sending to ${dry.pipeline}`);
  output.json(answer);
  await show(output, answer, 'left');
  if (signal.aborted && !answer.complete)
    throw new MistakeError(
      'INTERRUPTED',
      'what is left was not sent',
      ['penstock redrive', given.arguments[0], ...target.words].join(' '),
    );
  return exitCodeOf(answer);
}

/** All invocations: the command goes on by itself, and tells what is done so far. Interrupted, it ends there. */
async function throughout(context: Context, request: Request, title: string): Promise<RedriveAnswer> {
  const { output, target, signal } = context;
  const work = await output.work(title);
  try {
    const answer = await redriveThroughout(
      async (next) => (await target.invoke('redrive', next)) as RedriveAnswer,
      request,
      (soFar) => {
        if (!signal.aborted) work.to(`${toldOf(soFar)} so far`);
        return signal.aborted;
      },
    );
    work.done(toldOf(answer));
    return answer;
  } catch (error) {
    work.failed('failed');
    throw error;
  }
}

/** A dry run delivers nothing: what counts there is what would be sent. */
function toldOf({ dryRun, chosen, delivered, left }: RedriveAnswer): string {
  return `${chosen} chosen, ${dryRun ? `${left} would be sent` : `${delivered} delivered`}`;
}

async function show(output: Context['output'], answer: RedriveAnswer, left: string): Promise<void> {
  const { pipeline, documents, chosen, delivered, rejectedAgain, filtered, withheld, lost, skipped } = answer;
  output.line(
    output.colours.bold(`${answer.dryRun ? 'Dry run' : 'Redrive'} of ${answer.source} for ${pipeline}`),
  );
  // Each chosen message stands in one of these rows, in a dry run too.
  const rows: [string, number][] = [
    ['documents', documents],
    ['chosen', chosen],
    ...(answer.dryRun ? [] : [['delivered', delivered] satisfies [string, number]]),
    [answer.dryRun ? 'would be rejected again' : 'rejected again', rejectedAgain],
    [answer.dryRun ? 'would be filtered' : 'filtered', filtered],
    [left, answer.left],
    ['withheld', withheld],
    ['lost', lost.records],
    ...Object.entries(skipped).map(([reason, count]): [string, number] => [`skipped: ${reason}`, count]),
  ];
  await output.table(
    ['What', 'Count'],
    rows.map(([what, count]) => [what, String(count)]),
  );
  if (hasReachedLimit(answer)) output.line('It has come to the limit. There may be more.');
  else if (answer.stopped !== undefined)
    throw new MistakeError(
      answer.stopped.code ?? 'FUNCTION_FAILED',
      `it ended early: ${answer.stopped.why}`,
      answer.stopped.next,
    );
}

/** As many as were asked for: that is no early end. */
function hasReachedLimit({ stopped }: RedriveAnswer): boolean {
  return stopped?.why === 'limit';
}

/** What is not sent is still where it was. */
function exitCodeOf(answer: RedriveAnswer): ExitCode {
  const { dryRun, complete, left } = answer;
  return dryRun || complete || (hasReachedLimit(answer) && left === 0) ? 0 : 1;
}
