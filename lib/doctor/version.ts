// Which version of Penstock a stack is of: the command line asks before it changes something there.
import { notAccepted } from '../accepted.ts';
import { VERSION } from '../version.ts';
import * as z from '../zod.ts';

const Question = z.strictObject({ version: z.literal(true) });

/** Whether an event asks for the version, and not for a pipeline's status. */
export function asksForVersion(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'version' in event;
}

export interface VersionAnswer {
  /** As package.json had it when the stack was built: `0.1.0`. */
  readonly version: string;
}

/** @throws Failure `EVENT_INVALID` if the event is no such question */
export function stackVersion(event: unknown): VersionAnswer {
  const question = Question.safeParse(event);
  if (!question.success)
    throw notAccepted('status', 'this is not a request for the version', question.error.issues);
  return { version: VERSION };
}
