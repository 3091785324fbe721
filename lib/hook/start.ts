// Starts an execution once per delivery, however often the delivery comes: its name is made of what the
// sender signed.
import { executionNameOf } from '../execution-name.ts';
import { Failure } from '../failure.ts';
import type { Newer } from './newer.ts';
import { digestOf } from './signature.ts';
import type { WantedPipeline } from './wanted.ts';

/** Step Functions, as far as a hook needs it. All methods throw `AWS_UNAVAILABLE`, `AWS_REFUSED`. */
export interface Executions {
  /** The ARN of an execution of this name, whether it exists or not. */
  arn(name: string): string;
  /** `false` if one of this name has ended already, or has another input. */
  start(name: string, input: string): Promise<boolean>;
  /** `undefined` if there is none, or if it is too new to be shown. */
  describe(arn: string): Promise<Described | undefined>;
}

export interface Described {
  readonly status: string;
  readonly input: string;
  /** ms since the epoch */
  readonly startedAt: number;
}

/** A delivery and its sender. */
export interface Delivery {
  readonly sender: string;
  /** Its id. */
  readonly id: string;
  /** SHA-256 of its content, in hex. */
  readonly digest: string;
}

export interface Started {
  readonly pipeline: string;
  readonly name: string;
  readonly executionArn: string;
  /** ARN of a later execution that succeeded after this one failed. Therefore this one is not repeated. */
  readonly supersededBy?: string;
}

/** A sender may repeat a delivery whose run has failed, but not for ever. */
const MAX_ATTEMPTS = 10;
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, in bytes */
const MAX_INPUT_BYTES = 262_144;
const FAILED = ['FAILED', 'TIMED_OUT', 'ABORTED'];

/**
 * The pipeline's name for readers, a hash of pipeline, sender and id, and from the second attempt on its
 * number. At most 80 characters, and only those that a log can show.
 */
export function executionName(pipeline: string, { sender, id }: Delivery, attempt = 1): string {
  const hash = digestOf(JSON.stringify([pipeline, sender, id])).slice(0, 32);
  return `${executionNameOf(pipeline, hash)}${attempt === 1 ? '' : `-${attempt}`}`;
}

/**
 * The execution of this delivery, started now or before. After a failed run it starts another one, unless a
 * newer execution has changed the pipeline since.
 * @throws Failure `CONFLICT` if the sender used its id for something else, or too many runs have failed.
 * @throws Failure `EVENT_INVALID` if the input is too large; `AWS_UNAVAILABLE`, `AWS_REFUSED`
 */
export async function startOnce(
  { pipeline, input }: WantedPipeline,
  delivery: Delivery,
  executions: Executions,
  newer: Newer,
): Promise<Started> {
  const text = JSON.stringify({ ...input, requestedBy: delivery });
  let first: Described | undefined;
  let last: Started | undefined;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const name = executionName(pipeline, delivery, attempt);
    const started = { pipeline, name, executionArn: executions.arn(name) };
    const before = last === undefined ? undefined : await executions.describe(started.executionArn);
    if (before === undefined) {
      // A plan changes nothing, so its age does not matter.
      const by =
        first === undefined || input.mode === 'plan' ? undefined : await newer(pipeline, first.startedAt);
      if (last !== undefined && by !== undefined) return { ...last, supersededBy: by };
      if (await executions.start(name, text)) return started;
    }
    const found = before ?? (await executions.describe(started.executionArn));
    // Step Functions shows an execution a moment after it has refused a second one.
    if (found === undefined) throw new Failure('AWS_UNAVAILABLE', `the execution ${name} is not shown yet`);
    // Compares what the sender sent, because the bundle's manifest may have changed since.
    if (digestIn(found.input) !== delivery.digest)
      throw new Failure('CONFLICT', `the execution ${name} was started with this id and other content`, {
        next: 'Send it with a new id.',
      });
    if (!FAILED.includes(found.status)) return started;
    first ??= found;
    last = started;
  }
  throw new Failure('CONFLICT', `${MAX_ATTEMPTS} runs of this delivery have failed`, {
    next: 'See why with the function status, then send a new one.',
  });
}

/**
 * Checked before any execution of a delivery starts.
 * @throws Failure `EVENT_INVALID`
 */
export function checkInput({ pipeline, input }: WantedPipeline, delivery: Delivery): void {
  const bytes = Buffer.byteLength(JSON.stringify({ ...input, requestedBy: delivery }));
  if (bytes > MAX_INPUT_BYTES)
    throw new Failure('EVENT_INVALID', `${pipeline}: ${bytes} bytes; an execution takes ${MAX_INPUT_BYTES}`);
}

function digestIn(input: string): unknown {
  try {
    return (JSON.parse(input) as { requestedBy?: { digest?: unknown } }).requestedBy?.digest;
  } catch {
    return undefined;
  }
}
