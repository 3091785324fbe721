// Decodes and frames an event's records one by one, and stops where they would outgrow the memory or the time.
import type { PublishedPipeline } from '../published.ts';
import { decode } from './decode.ts';
import type { KinesisRecord } from './event.ts';
import type { Framed, Framer } from './frame.ts';
import type { Rejected, Settled } from './verdict.ts';

/**
 * An event has 6 MB, but gzip and aggregation can make thousandfold of that. What is beyond this stays in the stream,
 * for the next invocation.
 */
const MAX_HELD_BYTES = 96 * 1024 * 1024;
/** What a message costs besides its bytes, roughly. */
const MESSAGE_OVERHEAD = 256;

export interface Prepared {
  readonly framed: readonly Framed[];
  readonly rejected: readonly Settled<Rejected>[];
  /** Messages found in the records, counted as they came out of the decoder. */
  readonly decoded: number;
  /** Sequence numbers of the records at the end that were not looked at. */
  readonly left: readonly string[];
}

export function prepare(
  records: readonly KinesisRecord[],
  framer: Framer,
  compression: PublishedPipeline['compression'],
  /** Whether there is time for another record. */
  hasTime: () => boolean = () => true,
  maxHeldBytes = MAX_HELD_BYTES,
): Prepared {
  const framed: Framed[] = [];
  const rejects: Settled<Rejected>[] = [];
  let decoded = 0;
  let held = 0;
  let taken = 0;
  for (const record of records) {
    if (held > maxHeldBytes || (taken > 0 && !hasTime())) break;
    taken++;
    for (const part of decode(record, compression)) {
      decoded++;
      const result = 'payload' in part ? framer.frame(part) : part;
      held += result.message.bytes.length + result.message.partitionKey.length + MESSAGE_OVERHEAD;
      if ('verdict' in result) rejects.push(result);
      else {
        held += result.json.length;
        framed.push(result);
      }
    }
  }
  const left = records.slice(taken).map(({ kinesis }) => kinesis.sequenceNumber);
  return { framed, rejected: rejects, decoded, left };
}
