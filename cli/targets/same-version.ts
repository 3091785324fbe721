// Whether a deployed stack is of this version. What changes something is refused on another one; what reads is told once.
import { VERSION } from '../../lib/version.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Target } from '../target.ts';
import type { TargetOptions } from './options.ts';

type Asking = Pick<TargetOptions, 'isChanging' | 'note'> & {
  readonly stage: string;
  readonly region: string;
};

/** The same target, which asks for the version before the first call of a function or the state machine. */
export function ofSameVersion(target: Target, asking: Asking): Target {
  let checked: Promise<void> | undefined;
  const checking = () => {
    checked ??= check(target, asking);
    return checked;
  };
  return {
    ...target,
    invoke: async (functionName, event) => checking().then(() => target.invoke(functionName, event)),
    execute: async (input, watching) => checking().then(() => target.execute(input, watching)),
  };
}

/** @throws MistakeError `OTHER_VERSION`, and what a call of `status` throws */
async function check(target: Target, { isChanging, note, stage, region }: Asking): Promise<void> {
  const theirs = await versionOf(target);
  if (theirs === VERSION) return;
  const said = theirs === undefined ? 'of a version that does not tell its number' : `of version ${theirs}`;
  const what = `${target.name} is ${said}, and this is penstock ${VERSION}`;
  if (!isChanging) {
    note(`warning: ${what}. Its answers may lack something (docs/upgrade.md).`);
    return;
  }
  const theirOwn = theirs === undefined ? 'the version that was deployed' : `version ${theirs}`;
  throw new MistakeError(
    'OTHER_VERSION',
    `${what}: nothing was changed`,
    `Deploy this version: npx serverless deploy --stage ${stage} --region ${region} (docs/upgrade.md). Or use penstock of ${theirOwn}.`,
  );
}

/** `undefined`: the stack is older than the question. */
async function versionOf(target: Target): Promise<string | undefined> {
  try {
    const answer = (await target.invoke('status', { version: true })) as { readonly version?: unknown };
    return typeof answer.version === 'string' ? answer.version : undefined;
  } catch (error) {
    if (error instanceof MistakeError && error.code === 'EVENT_INVALID') return undefined;
    throw error;
  }
}
