// What the schedule does in the cloud, done at once: what the forwarder has parked is sent when it is done.

import { pathToFileURL } from 'node:url';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import type { DeadLetterStore } from '../../lib/runtime.ts';
import { functionName } from './functions.ts';
import type { Stack } from './stack.ts';

/** So many times in a row an inlet may take nothing; then it stays away, and what waits stays parked. */
const MAX_TRIES = 3;

/** Sends what is parked for these pipelines of a stream, as redrive does when reconcile has started it. */
export async function sendParked(
  stack: Pick<Stack, 'aws' | 'deadLettersFolder'>,
  streamArn: string,
  pipelines: readonly string[],
): Promise<void> {
  const store = createDeadLetters(pathToFileURL(stack.deadLettersFolder).href);
  const redrive = (pipeline: string) =>
    stack.aws.functions.invoke(functionName('redrive'), { stream: streamArn, pipeline, source: 'parked' });
  for (const pipeline of pipelines)
    await sendWhileTaken(
      () => isAnyParked(store, pipeline),
      async () => deliveredIn(await redrive(pipeline)) > 0,
    );
}

/** @param send says whether anything was taken */
export async function sendWhileTaken(
  isAny: () => Promise<boolean>,
  send: () => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES && (await isAny()); ) tries = (await send()) ? 0 : tries + 1;
}

async function isAnyParked(store: DeadLetterStore, pipeline: string): Promise<boolean> {
  return (await store.list({ kind: 'parked', pipeline })).objects.length > 0;
}

function deliveredIn(answer: unknown): number {
  const { ok } = answer as { readonly ok?: { readonly delivered?: number } };
  return ok?.delivered ?? 0;
}
