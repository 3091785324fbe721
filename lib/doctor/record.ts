// What the ledger has of the pipeline that is asked about.
import { notAccepted } from '../accepted.ts';
import { didYouMean } from '../nearest.ts';
import type { DoctorRuntime, LedgerRecord } from '../runtime.ts';

/** @throws Failure `EVENT_INVALID` if there is none; `AWS_*` */
export async function recordAsked(pipeline: string, { ledger }: DoctorRuntime): Promise<LedgerRecord> {
  const record = await ledger.read(pipeline);
  if (record !== undefined) return record;
  const near = didYouMean([pipeline], await ledger.names());
  throw notAccepted('status', `no execution has worked on a pipeline ${pipeline}${near}`);
}
