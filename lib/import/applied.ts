// What Penstock does with records before they reach AEP: of a pipeline of its own the manifest in force says it, and AEP does not.
import { readKnown } from '../provision/known.ts';
import { lastEnding } from '../provision/outcome.ts';
import { tagInDescription } from '../provision/resources/ownership-tag.ts';
import type { Ledger, LedgerRecord } from '../runtime.ts';
import * as z from '../zod.ts';
import type { WalkedFlow } from './walked.ts';

/** As it was applied; another release may have written it. */
export type AppliedSource = Readonly<Record<string, unknown>>;

const SourcePart = z.object({ source: z.record(z.string(), z.unknown()) });

/**
 * The source in the manifest in force. Anybody can write an ownership tag, so the ledger has to know this very flow.
 * @returns `undefined` if this stage has applied no such pipeline, or not to its end, or it was retired
 * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
 */
export async function appliedSource(
  { flow }: WalkedFlow,
  sandbox: string,
  ledger: Pick<Ledger, 'read'>,
): Promise<AppliedSource | undefined> {
  const pipeline = tagInDescription(flow.description)?.pipeline;
  if (pipeline === undefined) return undefined;
  const record = await ledger.read(pipeline);
  const { hints, home } = readKnown(record?.known);
  if (hints.flow !== flow.id || home !== sandbox || !isApplied(record)) return undefined;
  return SourcePart.safeParse(record?.manifest).data?.source;
}

/**
 * An execution that is at work or has failed since may have made this flow, or published another source: the manifest in force is of
 * the one before it.
 */
function isApplied(record: LedgerRecord | undefined): boolean {
  return record?.owner === undefined && lastEnding(record?.report).last?.outcome === 'succeeded';
}
