// A redrive: the dry run, the question, then the run, invocation after invocation.
import type { RedriveAnswer } from '../lib/redrive/request.ts';
import { MistakeError } from '../terminal/mistake.ts';
import type { Context } from './context.ts';
import { agreed } from './planning.ts';
import { sandboxOf } from './sandbox.ts';
import { type ExitCode, type Given, isGiven } from './words.ts';

type Request = Readonly<Record<string, unknown>>;

export async function redriveAsked(context: Context, given: Given, request: Request): Promise<ExitCode> {
  const { output, target } = context;
  const dry = await throughout(context, { ...request, dryRun: true }, 'Looking what would be sent');
  await show(output, dry, 'would be sent');
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
  return exitCodeOf(answer);
}

/** All invocations: each answer has the next request. Interrupted, it tells what is done so far. */
async function throughout(context: Context, request: Request, title: string): Promise<RedriveAnswer> {
  const { output, target, signal } = context;
  const work = await output.work(title);
  try {
    // The command goes on by itself: it sees each answer.
    let answer = (await target.invoke('redrive', { ...request, continue: false })) as RedriveAnswer;
    while (answer.next !== undefined && answer.stopped === undefined && !signal.aborted) {
      work.to(`${answer.chosen} chosen, ${answer.delivered} delivered so far`);
      answer = (await target.invoke('redrive', answer.next)) as RedriveAnswer;
    }
    work.done(`${answer.chosen} chosen, ${answer.delivered} delivered`);
    return answer;
  } catch (error) {
    work.failed('failed');
    throw error;
  }
}

async function show(output: Context['output'], answer: RedriveAnswer, left: string): Promise<void> {
  const { pipeline, documents, chosen, delivered, rejectedAgain, filtered, withheld, lost, skipped } = answer;
  output.line(
    output.colours.bold(`${answer.dryRun ? 'Dry run' : 'Redrive'} of ${answer.source} for ${pipeline}`),
  );
  const rows: [string, number][] = [
    ['documents', documents],
    ['chosen', chosen],
    ...(answer.dryRun
      ? []
      : ([
          ['delivered', delivered],
          ['rejected again', rejectedAgain],
          ['filtered', filtered],
        ] satisfies [string, number][])),
    [left, answer.left],
    ['withheld', withheld],
    ['lost', lost.records],
    ...Object.entries(skipped).map(([reason, count]): [string, number] => [`skipped: ${reason}`, count]),
  ];
  await output.table(
    ['What', 'Count'],
    rows.map(([what, count]) => [what, String(count)]),
  );
  if (answer.stopped !== undefined)
    throw new MistakeError(
      answer.stopped.code ?? 'FUNCTION_FAILED',
      `it ended early: ${answer.stopped.why}`,
      answer.stopped.next,
    );
}

/** What is not sent is still where it was. */
function exitCodeOf({ dryRun, complete }: RedriveAnswer): ExitCode {
  return dryRun || complete ? 0 : 1;
}
