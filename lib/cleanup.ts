// Removes with the stack what was made at run time: the forwarder's triggers and the published pipelines.
import type { Clock, Fetch } from './aep/transport.ts';
import { Failure, isFailure, issuesText } from './failure.ts';
import type { Log } from './log.ts';
import * as z from './zod.ts';

/** What was made since the deployment. All methods throw `AWS_UNAVAILABLE`, `AWS_REFUSED`. */
export interface MadeAtRunTime {
  /** Ids of the forwarder's triggers, also of those that are being deleted. */
  triggers(): Promise<readonly string[]>;
  /** Begins to delete it. A trigger that is gone, or is being changed or deleted, is no error. */
  removeTrigger(id: string): Promise<void>;
  /**
   * Names of the secrets with the stage's published pipelines, also of those that wait for their deletion.
   */
  published(): Promise<readonly string[]>;
  /** Deletes it at once, because provisioning writes it again. A secret that is gone is no error. */
  removePublished(name: string): Promise<void>;
}

export interface CleanupRuntime {
  readonly log: Log;
  readonly madeAtRunTime: MadeAtRunTime;
}

/** Needs no settings, so that CloudFormation gets an answer even if they are wrong. */
export interface Answering {
  readonly clock: Clock;
  readonly fetch: Fetch;
}

export type Cleanup = (
  event: unknown,
  invocation: { readonly remainingMs: () => number },
) => Promise<CloudFormationAnswer>;

/** The answer to CloudFormation. */
export interface CloudFormationAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
}

/** The fields of a custom resource's request that matter. AWS: "Custom resource request objects". */
const CloudFormationRequest = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  // Over TLS, or to this machine.
  ResponseURL: z.string().check(z.regex(/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])/)),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.optional(z.string()),
});
type CloudFormationRequest = z.infer<typeof CloudFormationRequest>;

const LISTED_AGAIN_MS = 2_000;
/** Time that is kept for the answer: three tries. */
const CLOUDFORMATION_ANSWER_MS = 30_000;
const ANSWER_TRIES = 3;
const ANSWER_TIMEOUT_MS = 8_000;
/** CloudFormation takes 4,096 bytes in all. */
const MAX_STATUS_REASON = 1_000;

const GO_ON =
  'Correct that and remove the stack again; or delete it with `--retain-resources MadeAtRunTime`, and the rest by hand.';

/**
 * The function that CloudFormation calls. It always answers, even if it fails: otherwise the stack waits for
 * an hour.
 * @throws Failure `EVENT_INVALID` if the event asks for no answer; `AWS_UNAVAILABLE` if the answer was not
 * taken
 */
export function createCleanup({ clock, fetch }: Answering, makeRuntime: () => CleanupRuntime): Cleanup {
  return async (event, { remainingMs }) => {
    const request = requestIn(event);
    const until = clock.now() + remainingMs() - CLOUDFORMATION_ANSWER_MS;
    const answer = await removalOutcome(request, makeRuntime, clock, until);
    await sendAnswer(answer, request, { clock, fetch });
    return answer;
  };
}

function requestIn(event: unknown): CloudFormationRequest {
  const result = CloudFormationRequest.safeParse(event);
  if (result.success) return result.data;
  throw new Failure(
    'EVENT_INVALID',
    `this is not a request of CloudFormation for a custom resource:\n${issuesText(result.error.issues)}\n`,
    {
      next: 'Leave this function to CloudFormation: it is called when the stack is made, changed and removed.',
    },
  );
}

async function removalOutcome(
  { RequestType }: CloudFormationRequest,
  makeRuntime: () => CleanupRuntime,
  clock: Clock,
  until: number,
): Promise<CloudFormationAnswer> {
  if (RequestType !== 'Delete') return { Status: 'SUCCESS', Reason: 'Nothing is made yet.' };
  try {
    const { log, madeAtRunTime } = makeRuntime();
    const triggers = await removeTriggers(madeAtRunTime, clock, until);
    const published = await removePublished(madeAtRunTime, clock, until);
    log.info('removed what was made at run time', { triggers, published });
    return {
      Status: 'SUCCESS',
      Reason: `Removed: triggers ${triggers}, published pipelines ${published}. The dead-letter store stays, with its key.`,
    };
  } catch (error) {
    const said = isFailure(error) ? error.what : error instanceof Error ? error.message : String(error);
    return { Status: 'FAILED', Reason: `${said.slice(0, MAX_STATUS_REASON)} | Next: ${GO_ON}` };
  }
}

/** Triggers first: as long as one exists, the forwarder is called and needs what is published. */
async function removeTriggers(made: MadeAtRunTime, clock: Clock, until: number): Promise<number> {
  const seen = new Set<string>();
  for (;;) {
    const there = await made.triggers();
    if (there.length === 0) return seen.size;
    for (const id of there) {
      if (clock.now() >= until)
        throw new Failure('NOT_READY', `Lambda is not yet done deleting the triggers ${there.join(', ')}`);
      seen.add(id);
      await made.removeTrigger(id);
    }
    await clock.sleep(LISTED_AGAIN_MS);
  }
}

async function removePublished(made: MadeAtRunTime, clock: Clock, until: number): Promise<number> {
  const names = await made.published();
  for (const [done, name] of names.entries()) {
    if (clock.now() >= until)
      throw new Failure('NOT_READY', `${names.length - done} published pipelines are not yet deleted`);
    await made.removePublished(name);
  }
  return names.length;
}

async function sendAnswer(
  answer: CloudFormationAnswer,
  request: CloudFormationRequest,
  { clock, fetch }: Answering,
): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = request;
  const body = JSON.stringify({ ...answer, PhysicalResourceId, StackId, RequestId, LogicalResourceId });
  for (let attempt = 1; ; attempt++) {
    const trouble = await putAnswer(request.ResponseURL, body, fetch);
    if (trouble === undefined) return;
    if (attempt === ANSWER_TRIES)
      throw new Failure('AWS_UNAVAILABLE', `CloudFormation did not take the answer (${trouble})`);
    await clock.sleep(1_000 * attempt);
  }
}

/** The URL is signed for a PUT without a content type. It is a secret, so no message holds it. */
async function putAnswer(url: string, body: string, fetch: Fetch): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const { status, body: rest } = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': '' },
      body,
      redirect: 'manual',
      signal,
    });
    for await (const _ of rest ?? []);
    return status >= 200 && status < 300 ? undefined : `status ${status}`;
  } catch (error) {
    return error instanceof Error ? error.name : 'no answer';
  }
}
