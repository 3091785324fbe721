// Applies a manifest: what was planned, if somebody agrees or has said so before.
import type { Report } from '../lib/pipeline.ts';
import { MistakeError } from '../terminal/mistake.ts';
import { conflictsIn, isToDo, showPlan } from '../terminal/report.ts';
import type { Context } from './context.ts';
import type { PipelineFile } from './manifest-file.ts';
import { agreed, checkNamed, planOf, type ToldSandbox } from './planning.ts';
import type { RunInput } from './run.ts';
import { runAndTell } from './telling.ts';
import { waitsOf } from './waits.ts';
import { type ExitCode, type Given, textOf } from './words.ts';

/** The form of `PlanToken` in `lib/pipeline.ts`, which would make every start slower. */
const TOKEN = /^p\d{1,4}\.[\w.-]{1,4000}$/;

export interface Applying {
  readonly token: string | undefined;
  readonly isAgreed: boolean;
}

export async function applyFile(
  context: Context,
  given: Given,
  file: PipelineFile,
  { token, isAgreed }: Applying,
): Promise<ExitCode> {
  const { output, target } = context;
  const input: RunInput = { ...file.asked, mode: 'apply', ...waitsOf(given) };
  if (token !== undefined && !TOKEN.test(token))
    throw new MistakeError(
      'USAGE',
      '--token: expected the last line of penstock plan, p4.…',
      'penstock plan MANIFEST',
    );
  // A wrong name is told before anything is asked, and also where there is nothing to do.
  checkNamed(given, file.sandbox);
  // The name of the target is whole once it is reached.
  const question = () => `Apply this to ${target.name}?`;
  if (token !== undefined) {
    const told = await sandboxFor(context, given, file);
    const sandbox = await agreed(context, given, told, question(), { isAgreed: true });
    const own = { ...input, token, ...(sandbox !== undefined && { sandbox }) };
    await target.prepare(file.asked.manifest);
    return runAndTell(context, file.name, own, `Applying ${file.name}`);
  }
  if (!isAgreed && !output.isTerminal)
    throw new MistakeError(
      'NOT_A_TERMINAL',
      'nobody can be asked here whether the plan is right',
      'Add the --token of penstock plan, or --yes to apply whatever the plan is.',
    );
  const report = await planOf(context, file);
  await showPlan(output, report);
  if (conflictsIn(report).length > 0) {
    output.json(report);
    throw new MistakeError(
      'CONFLICT',
      `the plan of ${file.name} has conflicts: nothing was changed`,
      'Resolve each conflict as the plan says, then apply again.',
    );
  }
  if (!isToDo(report)) {
    output.json(report);
    return 0;
  }
  const sandbox = await agreed(context, given, sandboxOf(report, file), question());
  const own = {
    ...input,
    ...(report.token !== undefined && { token: report.token }),
    ...(sandbox !== undefined && { sandbox }),
  };
  return runAndTell(context, file.name, own, `Applying ${file.name}`);
}

/** Only a plan tells the type. Whoever names the sandbox needs none. */
async function sandboxFor(context: Context, given: Given, file: PipelineFile): Promise<ToldSandbox> {
  if (textOf(given, 'sandbox') !== undefined) return { name: file.sandbox };
  return sandboxOf(await planOf(context, file), file);
}

function sandboxOf({ sandbox }: Report, file: PipelineFile): ToldSandbox {
  return sandbox ?? { name: file.sandbox };
}
