// Puts records into a stream by hand: one that somebody typed, or the lines of a file.
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { produce } from '../start/producer.ts';
import type { Acted, Asked } from './serve.ts';
import type { PutTold } from './told.ts';
import type { Watched } from './watched.ts';

/** A key of its own for each record that is put without one, so that they spread over the shards. */
const keyNow = () => `by-hand-${Date.now()}`;

interface Wanted {
  readonly stream: string;
  /** Without it, one is made. */
  readonly key: string | undefined;
  readonly text: string;
  /** Whether each line of the text is a record. */
  readonly areLines: boolean;
}

/** @returns 200 with what is in the stream now, or 400 with why not */
export async function putByHand(watched: Watched, asked: Asked): Promise<Acted | undefined> {
  if (asked.path !== '') return undefined;
  const wanted = wantedOf(asked.body);
  if (typeof wanted === 'string') return { status: 400, body: { why: wanted } };
  try {
    return { status: 200, body: await put(watched, wanted) };
  } catch (error) {
    return { status: 400, body: { why: error instanceof Error ? error.message : String(error) } };
  }
}

function wantedOf(body: Buffer): Wanted | string {
  const { stream, key, text, areLines } = membersOf(body);
  if (typeof stream !== 'string' || stream === '') return 'Say which stream.';
  if (typeof text !== 'string' || text === '') return 'There is no record to put in.';
  return {
    stream,
    text,
    key: typeof key === 'string' && key !== '' ? key : undefined,
    areLines: areLines === true,
  };
}

function membersOf(body: Buffer): Record<string, unknown> {
  try {
    return { ...(JSON.parse(body.toString('utf8')) as object) };
  } catch {
    return {};
  }
}

async function put({ streams: { client } }: Watched, wanted: Wanted): Promise<PutTold> {
  const { stream, text, areLines } = wanted;
  if (areLines) {
    const lines = text
      .split(/\r?\n/)
      .map((line, index) => ({ number: index + 1, bytes: Buffer.from(line) }))
      .filter(({ bytes }) => bytes.length > 0);
    const { lineOf, refused } = await produce(client, stream, lines);
    return { records: lineOf.size, refused: refused.map(({ line, reason }) => `Line ${line}: ${reason}`) };
  }
  const { ShardId = '', SequenceNumber = '' } = await client.send(
    new PutRecordCommand({
      StreamName: stream,
      PartitionKey: wanted.key ?? keyNow(),
      Data: Buffer.from(text),
    }),
  );
  return { records: 1, refused: [], first: { shardId: ShardId, sequenceNumber: SequenceNumber } };
}
