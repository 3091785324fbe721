// What polling needs of a stream: which shards there are, and the records of each, page by page.
import type { _Record } from '@aws-sdk/client-kinesis';

export interface Shard {
  readonly shardId: string;
  /** The shards it was split or merged from; they may be gone by now. */
  readonly parents: readonly string[];
  /** It was split or merged itself, and takes no more records. */
  readonly closed: boolean;
}

export type StartingPosition =
  | { type: 'TRIM_HORIZON' | 'LATEST' }
  | { type: 'AT_TIMESTAMP'; timestamp: Date };

/** Where reading begins in a shard. */
export type ReadFrom = StartingPosition | { type: 'AFTER_SEQUENCE_NUMBER'; sequenceNumber: string };

export interface Page {
  readonly records: readonly _Record[];
  /** Where to read on; undefined at the end of a shard that is closed. */
  readonly next: string | undefined;
  /** Nothing lay behind these records when they were read. */
  readonly atTip: boolean;
}

/** Each method rejects while the stream does not answer. */
export interface Stream {
  /** All there are; none while the stream is still being made. */
  shards(): Promise<readonly Shard[]>;
  /** A place in a shard, to read at. */
  iterator(shardId: string, from: ReadFrom): Promise<string>;
  /** `limit` records at most. */
  read(iterator: string, limit: number): Promise<Page>;
}
