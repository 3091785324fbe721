// Which sandbox a pipeline is in, and of which type: who changes a production sandbox by hand is asked for its name first.
import { notAccepted } from '../accepted.ts';
import type { ToldSandbox } from '../pipeline.ts';
import type { DoctorRuntime } from '../runtime.ts';
import { findSandbox, toldSandbox } from '../sandbox.ts';
import * as z from '../zod.ts';
import { patientOf } from './patient.ts';
import { recordAsked } from './record.ts';

const Question = z.strictObject({
  pipeline: z.string().check(z.minLength(1)),
  sandbox: z.literal(true),
});

/** Whether an event asks for a pipeline's sandbox, and not for its status. */
export function asksForSandbox(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'sandbox' in event;
}

export interface SandboxAnswer {
  readonly pipeline: string;
  readonly sandbox: ToldSandbox;
}

/**
 * One call to AEP. The type is left out where the technical account may not see it.
 * @throws Failure `EVENT_INVALID` if the event is no such question, or the pipeline is not known
 * @throws Failure `NOT_READY` if no manifest is in force; `SECRET_*`, `IMS_REFUSED`, `AEP_*`, `AWS_*`
 */
export async function sandboxOfPipeline(event: unknown, runtime: DoctorRuntime): Promise<SandboxAnswer> {
  const question = Question.safeParse(event);
  if (!question.success)
    throw notAccepted('status', 'this is not a request for a sandbox', question.error.issues);
  const { pipeline } = question.data;
  const { manifest, aep } = patientOf(await recordAsked(pipeline, runtime), runtime);
  const { sandbox } = manifest();
  return { pipeline, sandbox: toldSandbox(sandbox, await findSandbox(aep(), sandbox)) };
}
