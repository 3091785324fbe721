// Where a pipeline stands: who works on it, and the report of its last execution.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';
import { didYouMean } from '../nearest.ts';
import type { LedgerRecord, LedgerRuntime } from '../runtime.ts';

const Question = z.strictObject({ pipeline: z.string().min(1).optional() });

/** What is known of one pipeline; `report` is that of its last execution that changed or tried to change something. */
export interface Status {
  readonly pipeline: string;
  /** The execution that works on it now, and since when. */
  readonly running?: { readonly execution: string; readonly since?: string };
  /** Whether a manifest is in force: applied, and not retired since. */
  readonly applied: boolean;
  readonly report?: unknown;
}

/**
 * The status of one pipeline, or of all of them by name.
 * @throws Failure `EVENT_INVALID` where there is no such pipeline
 */
export async function status(event: unknown, { ledger }: LedgerRuntime): Promise<Status | Status[]> {
  const question = Question.safeParse(event ?? {});
  if (!question.success) throw notAccepted('status', 'this asks for no status', question.error.issues);
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

/** An execution ends after two hours at the latest, and returns its lease. */
const MAX_MS = 7_200_000;

/** Whether whoever holds the pipeline has died over it. */
export function isStuck({ owner, since }: Pick<LedgerRecord, 'owner' | 'since'>, now: number): boolean {
  return owner !== undefined && now - Date.parse(since ?? '') > MAX_MS;
}
