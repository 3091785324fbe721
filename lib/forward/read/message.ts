// A message: one Kinesis record, or one sub-record of an aggregate, under the identity it keeps until it is settled.
import type { Redaction } from '../../records.ts';

/** A rule as it is written down beside what it was applied to. */
export interface AppliedRule {
  readonly field: string;
  readonly action: Redaction['action'];
  /** The beginning of the salt's SHA-256, in hex: it is compared, and never used. */
  readonly salt?: string | undefined;
}

/** The rules that a record was redacted under; `unknown` where nobody has written down which, or whether at all. */
export type History = readonly AppliedRule[] | 'unknown';

export interface Message {
  /** The Kinesis record's; of a sub-record, its parent's. */
  readonly sequenceNumber: string;
  /** Position in a KPL aggregate. */
  readonly subSequenceNumber?: number;
  /** None for a record that was written without one, as a stream that distributes its records itself takes it. */
  readonly partitionKey: string | undefined;
  /** Seconds since the epoch, as Kinesis gave it. */
  readonly arrivedAt: number | undefined;
  /** The producer's bytes, before any decompression: what the dead-letter store keeps. Of a redacting pipeline, see below. */
  readonly bytes: Uint8Array;
  /** `bytes` are the record as redacted, and unpacked, under these rules. Absent: they are the producer's. */
  readonly redacted?: History;
  /** `bytes` are what Experience Platform had of the record: in which form, and under which rules it was sent, nobody knows. */
  readonly asReceived?: true;
  /** What could not be redacted is not kept: `bytes` are empty, and this is what can be said of those that were. */
  readonly withheld?: { readonly length: number; readonly sha256: string };
}

/** What tells a message from all others of its shard: its sequence number and, of an aggregate, its position. */
export function keyOf({ sequenceNumber, subSequenceNumber }: Message): string {
  return subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber} ${subSequenceNumber}`;
}

/** The sequence number in such a key. */
export function sequenceOf(key: string): string {
  return key.split(' ', 1)[0] ?? key;
}
