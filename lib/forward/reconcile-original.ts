// The records behind refused rows, read from the stream while it still has them: what the producer wrote, byte for byte.
import type { PublishedPipeline } from '../published.ts';
import type { StreamPage, StreamRange, StreamRecord } from '../runtime.ts';
import { isAggregate, subRecords } from './kpl.ts';
import { type RefusedRow, UNKNOWN_SHARD } from './reconcile-row.ts';

/**
 * Reads of the stream for one part of a batch. Each takes up to 10 MB, which the shard then does not give to the
 * forwarder; where every record is refused, one holds all that is looked for.
 */
const MOST_READS = 5;
/** Two reads a second of the five that a shard answers. */
const PAUSE_MS = 500;

/** What reading the stream has to do with. */
export interface Originals {
  readonly stream: Pick<StreamRange, 'pages'>;
  readonly clock: { sleep(ms: number): Promise<void> };
  readonly pipeline: Pick<PublishedPipeline, 'streamArn' | 'records'>;
  readonly timeLeftMs: () => number;
}

/**
 * The rows, with the producer's own bytes in place of what AEP made of them, wherever those are found. A pipeline that
 * redacts keeps nothing that is not redacted: its rows stay as AEP had them.
 * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
 */
export async function withOriginals(
  rows: readonly RefusedRow[],
  originals: Originals,
): Promise<readonly RefusedRow[]> {
  if (originals.pipeline.records?.redact !== undefined) return rows;
  const wanted = rows.filter(({ shardId, entry }) => entry.processed === true && shardId !== UNKNOWN_SHARD);
  const found = new Map<RefusedRow, RefusedRow>();
  let reads = 0;
  for (const [shardId, ofShard] of Map.groupBy(wanted, (row) => row.shardId)) {
    const inOrder = ofShard.sort((a, b) => compare(numberOf(a), numberOf(b)));
    while (inOrder.length > 0 && reads < MOST_READS && originals.timeLeftMs() > 0) {
      if (reads++ > 0) await originals.clock.sleep(PAUSE_MS);
      const page = await pageAt(shardId, inOrder[0] as RefusedRow, originals);
      const records = new Map(page.records.map((record) => [record.sequenceNumber, record]));
      const last = BigInt(page.records.at(-1)?.sequenceNumber ?? 0);
      // The first is behind us in any case: found, or not there any more.
      for (let first = true; inOrder.length > 0; first = false) {
        const row = inOrder[0] as RefusedRow;
        if (!first && numberOf(row) > last) break;
        inOrder.shift();
        const original = originalOf(row, records.get(row.entry.sequenceNumber));
        if (original !== undefined) found.set(row, original);
      }
    }
  }
  return rows.map((row) => found.get(row) ?? row);
}

/** The first records there are from a row's own on. */
async function pageAt(
  shardId: string,
  { entry }: RefusedRow,
  { stream, pipeline }: Originals,
): Promise<StreamPage> {
  const from = { kind: 'at', sequenceNumber: entry.sequenceNumber } as const;
  for await (const page of stream.pages(pipeline.streamArn, shardId, from)) {
    if (page.records.length > 0) return page;
  }
  return { records: [], last: true };
}

function originalOf(row: RefusedRow, record: StreamRecord | undefined): RefusedRow | undefined {
  if (record === undefined) return undefined;
  const { processed: _, ...entry } = row.entry;
  const part = partOf(Buffer.from(record.data), entry.subSequenceNumber);
  if (part === undefined) return undefined;
  return {
    ...row,
    entry: {
      ...entry,
      partitionKey: part.partitionKey ?? record.partitionKey,
      ...(record.arrivedAt !== undefined && { arrivedAt: record.arrivedAt }),
      data: Buffer.from(part.bytes).toString('base64'),
    },
  };
}

/** The record, or the one that is meant among those in it. */
function partOf(
  bytes: Buffer,
  subSequenceNumber: number | undefined,
): { bytes: Uint8Array; partitionKey?: string } | undefined {
  if (subSequenceNumber === undefined) return { bytes };
  const parts = isAggregate(bytes) ? subRecords(bytes) : [];
  return typeof parts === 'string' ? undefined : parts[subSequenceNumber];
}

function numberOf({ entry }: RefusedRow): bigint {
  return BigInt(entry.sequenceNumber);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
