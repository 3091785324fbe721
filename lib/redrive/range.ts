// Reads the records of a batch from the stream, where Lambda's document only points to them.
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import type { KinesisRecord } from '../forward/read/event.ts';
import type { OnFailure } from '../forward/read/on-failure.ts';
import type { StreamRange } from '../runtime.ts';
import { recordFor } from './parcel.ts';
import type { LostRange } from './request.ts';

export type FoundRange =
  | {
      readonly kind: 'found';
      readonly records: readonly KinesisRecord[];
      /** The part that the stream no longer has. */
      readonly lost: LostRange | undefined;
    }
  /**
   * The range is larger than any batch of Lambda's, or than the memory. Lambda does not make the first. The records of the
   * second must be sent page by page (`"source": "stream"`).
   */
  | { readonly kind: 'too-large' };

/** The largest batch of Lambda. AWS: "Configure Kinesis Data Streams event source", BatchSize. */
const MAX_RECORDS = 10_000;

/** The records of the range that the document points to, as far as the stream still has them. */
export async function readRange(stream: StreamRange, document: OnFailure): Promise<FoundRange> {
  const { streamArn, shardId } = document;
  const [first, last] = [BigInt(document.first), BigInt(document.last)];
  const records: KinesisRecord[] = [];
  let bytes = 0;
  const shards = await stream.shards(streamArn);
  // A shard ends with its last record.
  if (!shards.includes(shardId)) return { kind: 'found', records, lost: lostOf(document, records) };
  const from = { kind: 'at', sequenceNumber: document.first } as const;
  for await (const page of stream.pages(streamArn, shardId, from)) {
    for (const record of page.records) {
      const number = BigInt(record.sequenceNumber);
      if (number < first || number > last) continue;
      bytes += record.data.length;
      if (bytes > MAX_OBJECT_BYTES || records.length === MAX_RECORDS) return { kind: 'too-large' };
      const data = Buffer.from(record.data).toString('base64');
      records.push(recordFor({ streamArn, shardId }, { ...record, data }));
    }
    if (page.records.some(({ sequenceNumber }) => BigInt(sequenceNumber) >= last)) break;
  }
  return { kind: 'found', records, lost: lostOf(document, records) };
}

/** The stream loses its oldest records first, so only the beginning of the range can be lost. */
function lostOf(
  { shardId, first, last, count }: OnFailure,
  records: readonly KinesisRecord[],
): LostRange | undefined {
  const there = records[0]?.kinesis.sequenceNumber;
  const missing = count === undefined ? undefined : count - records.length;
  if (there === first && (missing === undefined || missing <= 0)) return undefined;
  return {
    shardId,
    from: first,
    ...(there === undefined || there === first ? { to: last } : { before: there }),
    ...(missing !== undefined && { records: Math.max(missing, 0) }),
  };
}
