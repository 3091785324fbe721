// A producer: puts lines into a Kinesis stream and remembers which sequence number each line got.
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { Line } from './records.ts';

/** PutRecords takes 500 records and 5 MiB at most; a record 1 MiB, its partition key included. */
const MAX_RECORDS = 500;
const MAX_BYTES = 5 * 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
/** Throttled entries are put again so often. */
const MAX_TRIES = 8;

export interface Produced {
  /** Lines that Kinesis took, by shard and sequence number. */
  readonly lineOf: ReadonlyMap<string, number>;
  /** Lines that Kinesis cannot take. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

interface Entry {
  readonly line: number;
  readonly Data: Buffer;
  readonly PartitionKey: string | undefined;
}

/** A thousand keys: enough for every shard, few enough that a key has more than one record. */
const keyOf = (number: number): string => `key-${number % 1_000}`;

/**
 * Puts all lines, in order, one request at a time.
 * @param withKeys none is needed by a stream that distributes its records by itself
 */
export async function produce(
  kinesis: KinesisClient,
  streamName: string,
  lines: AsyncIterable<Line> | Iterable<Line>,
  withKeys = true,
): Promise<Produced> {
  const lineOf = new Map<string, number>();
  const refused: { line: number; reason: string }[] = [];
  let batch: Entry[] = [];
  let bytes = 0;
  const flush = async () => {
    if (batch.length > 0) await put(kinesis, streamName, batch, lineOf);
    batch = [];
    bytes = 0;
  };
  for await (const { number, bytes: data } of lines) {
    const entry = { line: number, Data: data, PartitionKey: withKeys ? keyOf(number) : undefined };
    const size = data.length + (entry.PartitionKey?.length ?? 0);
    if (size > MAX_RECORD_BYTES) {
      refused.push({ line: number, reason: `too large for Kinesis: ${data.length} bytes, at most 1 MiB` });
      continue;
    }
    if (batch.length === MAX_RECORDS || bytes + size > MAX_BYTES) await flush();
    batch.push(entry);
    bytes += size;
  }
  await flush();
  return { lineOf, refused };
}

async function put(
  kinesis: KinesisClient,
  streamName: string,
  entries: Entry[],
  lineOf: Map<string, number>,
) {
  let open = entries;
  for (let attempt = 1; open.length > 0; attempt++) {
    if (attempt > MAX_TRIES) throw new Error(`Kinesis refused ${open.length} records ${MAX_TRIES} times`);
    const { Records = [] } = await kinesis.send(
      new PutRecordsCommand({
        StreamName: streamName,
        Records: open.map(({ Data, PartitionKey }) => ({ Data, PartitionKey })),
      }),
    );
    const again: Entry[] = [];
    open.forEach((entry, index) => {
      const sequenceNumber = Records[index]?.SequenceNumber;
      if (sequenceNumber === undefined) again.push(entry);
      else lineOf.set(sequenceNumber, entry.line);
    });
    open = again;
    if (open.length > 0) await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
  }
}
