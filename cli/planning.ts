// The plan of a manifest, and who must agree before something is changed.
import type { Report } from '../lib/pipeline.ts';
import { MistakeError } from '../terminal/mistake.ts';
import type { Context } from './context.ts';
import type { PipelineFile } from './manifest-file.ts';
import { LeftRunningError, run } from './run.ts';
import { type Given, isGiven, textOf } from './words.ts';

/** @throws MistakeError where no plan could be made; `INTERRUPTED` after Ctrl-C */
export async function planOf(context: Context, { name, asked }: PipelineFile): Promise<Report> {
  await context.target.prepare(asked.manifest);
  try {
    const { report } = await run(context, name, { ...asked, mode: 'plan' }, `Planning ${name}`);
    return report;
  } catch (error) {
    if (!(error instanceof LeftRunningError)) throw error;
    throw new MistakeError('INTERRUPTED', 'nobody waits for the plan any more: nothing was changed');
  }
}

/** Where it is, as the functions tell it. */
export interface ToldSandbox {
  readonly name: string;
  readonly type?: string | undefined;
}

/**
 * Whether somebody agrees. A production sandbox needs its name, typed or in `--sandbox`. So does one whose type is not
 * told: the technical account may not see it.
 * @param isAgreed whether somebody has agreed before: then nothing but the name is asked for
 * @returns the name that was given, for the event: the functions compare it themselves
 * @throws MistakeError where nobody agrees, or nobody can be asked
 */
export async function agreed(
  { output }: Context,
  given: Given,
  sandbox: ToldSandbox,
  question: string,
  { isAgreed = isGiven(given, 'yes') } = {},
): Promise<string | undefined> {
  checkNamed(given, sandbox.name);
  const named = textOf(given, 'sandbox');
  if (sandbox.type !== 'development' && named === undefined) {
    await typed(output, sandbox, question);
    return sandbox.name;
  }
  if (!isAgreed && !(await output.confirm(question))) throw declined();
  return named;
}

/** @throws MistakeError `WRONG_SANDBOX` where `--sandbox` names another one */
export function checkNamed(given: Given, sandbox: string): void {
  const named = textOf(given, 'sandbox');
  if (named === undefined || named === sandbox) return;
  throw new MistakeError(
    'WRONG_SANDBOX',
    `--sandbox names ${named}, and this is in the sandbox ${sandbox}`,
    `Add --sandbox ${sandbox}, if that is the one.`,
  );
}

async function typed(
  output: Context['output'],
  { name, type }: ToldSandbox,
  question: string,
): Promise<void> {
  const said = type === 'production' ? `${name} is a production sandbox` : mayBe(name, type);
  if (!output.isTerminal)
    throw new MistakeError(
      'PRODUCTION',
      `${said}, and nobody can type its name here: nothing was changed`,
      `Add --sandbox ${name}, if you mean it.`,
    );
  const answer = await output.ask(`${question} ${said}. Type its name:`);
  if (answer.trim() !== name) throw declined();
}

function mayBe(name: string, type: string | undefined): string {
  return `${name} may be a production sandbox (its type is ${type ?? 'not told'})`;
}

function declined(): MistakeError {
  return new MistakeError('DECLINED', 'nobody agreed: nothing was changed');
}
