// Where a pipeline stands: which execution works on it, and the report of the last one.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';
import { didYouMean } from '../nearest.ts';
import type { LedgerRecord, LedgerRuntime } from '../runtime.ts';

const Question = z.strictObject({ pipeline: z.string().min(1).optional() });

/** What is known of one pipeline. `report` is of the last execution that changed something or tried to. */
export interface Status {
  readonly pipeline: string;
  /** The execution that works on it now, and since when. */
  readonly running?: { readonly execution: string; readonly since?: string };
  /** Whether a manifest is in force: applied, and not retired since. */
  readonly applied: boolean;
  readonly report?: unknown;
}

/**
 * The status of one pipeline, or of all by name.
 * @throws Failure `EVENT_INVALID` if there is no such pipeline
 */
export async function status(event: unknown, { ledger }: LedgerRuntime): Promise<Status | Status[]> {
  const question = Question.safeParse(event ?? {});
  if (!question.success)
    throw notAccepted('status', 'this is not a request for a status', question.error.issues);
  const { pipeline } = question.data;
  if (pipeline === undefined) {
    const records = await Promise.all((await ledger.names()).map((name) => ledger.read(name)));
    return records.filter((record) => record !== undefined).map(pipelineStatus);
  }
  const record = await ledger.read(pipeline);
  if (record !== undefined) return pipelineStatus(record);
  const near = didYouMean([pipeline], await ledger.names());
  throw notAccepted('status', `no execution has worked on a pipeline ${pipeline}${near}`);
}

function pipelineStatus({ pipeline, owner, since, manifest, report }: LedgerRecord): Status {
  return {
    pipeline,
    ...(owner !== undefined && { running: { execution: owner, ...(since !== undefined && { since }) } }),
    applied: manifest !== undefined,
    ...(report !== undefined && { report }),
  };
}

/** An execution ends after two hours at most, and returns its lease. */
const MAX_MS = 7_200_000;

/** Whether the execution that holds the pipeline has died. */
export function isStuck({ owner, since }: Pick<LedgerRecord, 'owner' | 'since'>, now: number): boolean {
  return owner !== undefined && now - Date.parse(since ?? '') > MAX_MS;
}
