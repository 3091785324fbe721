// A message: one Kinesis record, or one sub-record of an aggregate. It keeps its identity until it is settled.
import type { Redaction } from '../../records.ts';

/** A redaction rule as it is stored beside what it was applied to. */
export interface AppliedRule {
  readonly field: string;
  readonly action: Redaction['action'];
  /** The beginning of the salt's SHA-256, in hex. It is only compared. */
  readonly salt?: string | undefined;
}

/** The rules under which a record was redacted; `unknown` where no one stored them, or whether there were any. */
export type History = readonly AppliedRule[] | 'unknown';

export interface Message {
  /** The Kinesis record's number; a sub-record has that of its parent. */
  readonly sequenceNumber: string;
  /** Position in a record of several messages: a KPL aggregate, or a format that takes messages out of records. */
  readonly subSequenceNumber?: number;
  /** Absent if the record was written without one, which a stream with service-managed shards allows. */
  readonly partitionKey: string | undefined;
  /** Seconds since the epoch, as Kinesis gave it. */
  readonly arrivedAt: number | undefined;
  /**
   * The producer's bytes before any decompression: the dead-letter store keeps these. In a redacting pipeline, see
   * below.
   */
  readonly bytes: Uint8Array;
  /** A format took it out of its record: `bytes` are its own JSON, not the producer's record. */
  readonly piece?: true;
  /** `bytes` are the record redacted under these rules, and unpacked. Absent: `bytes` are the producer's. */
  readonly redacted?: History;
  /**
   * `bytes` are what Experience Platform had of the record. Its form, and the rules under which it was sent, are
   * unknown.
   */
  readonly asReceived?: true;
  /**
   * A record that could not be redacted is kept without its bytes: `bytes` are empty, and these are their length and
   * hash.
   */
  readonly withheld?: { readonly length: number; readonly sha256: string };
}

/** Identifies a message in its shard: its sequence number and, in a record of several, its position. */
export function keyOf({ sequenceNumber, subSequenceNumber }: Message): string {
  return subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber} ${subSequenceNumber}`;
}

/** The sequence number in such a key. */
export function sequenceOf(key: string): string {
  return key.split(' ', 1)[0] ?? key;
}

/** The older of two arrivals, as far as they are known. */
export function older(one: number | undefined, other: number | null | undefined): number | undefined {
  if (other === null || other === undefined) return one;
  return one === undefined || other < one ? other : one;
}
