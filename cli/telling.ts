// Runs the state machine and tells how it ended: the report, or where to look again.

import { MistakeError } from '../terminal/mistake.ts';
import { showRun } from '../terminal/report.ts';
import { RunFailedError } from '../terminal/run-failed.ts';
import { commandFor } from './asking.ts';
import type { Context } from './context.ts';
import { LeftRunningError, lookAgain, type RunInput, run } from './run.ts';
import type { ExitCode } from './words.ts';

export async function runAndTell(
  context: Context,
  pipeline: string,
  input: RunInput,
  title: string,
): Promise<ExitCode> {
  const { output, target } = context;
  try {
    const { report } = await run(context, pipeline, input, title);
    await showRun(output, report, { commandFor: (ask) => commandFor(ask, target) });
    output.json(report);
    return 0;
  } catch (error) {
    if (error instanceof RunFailedError && error.report !== undefined) {
      await showRun(output, error.report, { isError: true });
      output.json(error.report);
    }
    if (!(error instanceof LeftRunningError)) throw error;
    output.error(leftRunning(target, pipeline, error.message));
    return 130;
  }
}

function leftRunning(target: Context['target'], pipeline: string, executionArn: string) {
  const { outlives, name } = target;
  if (!outlives)
    return new MistakeError(
      'INTERRUPTED',
      `the execution ends with ${name}`,
      'penstock dev keeps one running.',
    );
  return new MistakeError(
    'INTERRUPTED',
    `nobody looks any more; the execution goes on: ${executionArn}`,
    lookAgain(target, pipeline),
  );
}
