// The records of a stream as they come, and one of them followed to its row or its reason on each route.
import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis';
import { decode, readyToDecode } from '../../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import { createSchemas, type Schemas } from '../../../lib/forward/read/formats/by-schema.ts';
import { streamDecoding } from '../../../lib/forward/stages.ts';
import type { PublishedRoute, PublishedStream } from '../../../lib/published.ts';
import { recordFor } from '../../../lib/redrive/parcel.ts';
import { createLook, type LookedMessage } from '../../../lib/tap/look.ts';
import { kinesisStream } from '../../aws/kinesis-stream.ts';
import type { Feed } from '../events.ts';
import { fateOf } from '../fate.ts';
import { shownBytes, shownText } from '../shown.ts';
import type { Stored } from '../store.ts';
import type { FollowedMessage, RecordDetail, RecordLine, RecordsUpdate, Shown } from '../told.ts';
import { toldTries, triesOf } from '../tries.ts';
import type { Looked, Watched } from '../watched.ts';

/** So many records are read of a shard at a look, at most: what is there shows at once, and the next look follows. */
const PAGE_RECORDS = 1_000;
/** How much of a record stands in its line, and can be searched, in characters. */
const BEGINNING = 200;

/**
 * All that is in the stream, from its oldest record on, and then what comes.
 * @param beginning how much of a record is told, in characters
 */
export function recordsFeed({ watched: { streams } }: Looked, name: string, beginning = BEGINNING): Feed {
  const stream = kinesisStream(streams.client, streams.arn(name));
  const iterators = new Map<string, string | undefined>();
  let isFirst = true;
  return async (): Promise<RecordsUpdate | undefined> => {
    const added: RecordLine[] = [];
    let isMore = false;
    for (const { shardId } of await stream.shards()) {
      if (!iterators.has(shardId))
        iterators.set(shardId, await stream.iterator(shardId, { type: 'TRIM_HORIZON' }));
      const from = iterators.get(shardId);
      if (from === undefined) continue;
      const { records, next } = await stream.read(from, PAGE_RECORDS);
      added.push(...records.map((record) => lineOf(shardId, record, beginning)));
      iterators.set(shardId, next);
      isMore ||= records.length === PAGE_RECORDS;
    }
    if (added.length === 0 && !isFirst) return undefined;
    isFirst = false;
    return { added, ...(isMore && { isMore }) };
  };
}

interface ReadRecord {
  readonly SequenceNumber?: string | undefined;
  readonly PartitionKey?: string | undefined;
  readonly ApproximateArrivalTimestamp?: Date | undefined;
  readonly Data?: Uint8Array | undefined;
}

function lineOf(shardId: string, record: ReadRecord, beginning = BEGINNING): RecordLine {
  const data = Buffer.from(record.Data ?? []);
  return {
    shardId,
    sequenceNumber: record.SequenceNumber ?? '',
    partitionKey: record.PartitionKey ?? '',
    at: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
    bytes: data.length,
    begins: data
      .subarray(0, 4 * beginning)
      .toString('utf8')
      .slice(0, beginning),
  };
}

export interface RecordPlace {
  readonly stream: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/** `undefined` of one that is not in the stream any more. */
export async function recordDetail(
  { watched, store }: Looked,
  place: RecordPlace,
): Promise<RecordDetail | undefined> {
  const streamArn = watched.streams.arn(place.stream);
  const record = await readOne(watched, place);
  if (record === undefined) return undefined;
  const stored = (await store.rejected()).filter(
    ({ entry }) => entry.sequenceNumber === place.sequenceNumber,
  );
  const line = lineOf(place.shardId, record);
  const data = Buffer.from(record.Data ?? []);
  const published = await watched.streams.published(streamArn);
  const schemas = createSchemas({ now: Date.now });
  const looked = recordFor(
    { shardId: place.shardId, streamArn },
    { ...line, arrivedAt: line.at / 1000, data: data.toString('base64') },
  );
  const routes = (published?.routes ?? []).map(async (route) => {
    const look = createLook(published as NonNullable<typeof published>, route, schemas);
    const messages = await look(looked, place.shardId);
    return {
      pipeline: route.pipeline,
      messages: messages.map((one) => followed(watched, route, one, stored)),
    };
  });
  return {
    ...line,
    came: shownBytes(data),
    ...(await unpackedOf(looked, published, schemas)),
    routes: await Promise.all(routes),
  };
}

/** So many messages of a record are shown unpacked. */
const MOST_UNPACKED = 20;

async function unpackedOf(
  record: KinesisRecord,
  published: PublishedStream | undefined,
  schemas: Schemas,
): Promise<Pick<RecordDetail, 'unpacked' | 'messages'>> {
  if (published?.routes[0] === undefined) return { unpacked: [], messages: 0 };
  const { decoding } = streamDecoding(published, schemas);
  // A schema that cannot be had is told on the routes.
  await readyToDecode(record, decoding)?.catch(() => undefined);
  const unpacked: Shown[] = [];
  let messages = 0;
  for (const part of decode(record, decoding)) {
    if (!('payload' in part)) continue;
    messages++;
    if (unpacked.length < MOST_UNPACKED) unpacked.push(shownBytes(part.payload));
  }
  return { unpacked, messages };
}

function followed(
  watched: Watched,
  route: PublishedRoute,
  message: LookedMessage,
  stored: readonly Stored[],
): FollowedMessage {
  const { outcome, reason, text, sends } = message;
  const why = [reason, text].filter((one) => one !== undefined).join(': ');
  if (sends === undefined) return { ...OUTCOMES[outcome], why, tries: [] };
  const tries = triesOf(watched, route, sends);
  return {
    ...OUTCOMES[outcome],
    why,
    sent: shownText(sends),
    tries: toldTries(tries, watched.platform.platform.journal.forgotten),
    fate: fateOf(watched, route, { sends, tries }, stored),
  };
}

const OUTCOMES = {
  sent: { health: 'good', says: 'It is sent.' },
  filtered: { health: 'off', says: 'This pipeline does not take it: its rules filter it.' },
  unrouted: { health: 'off', says: 'No pipeline of the stream takes it.' },
  rejected: { health: 'bad', says: 'It is rejected, and kept in the dead-letter store.' },
  waits: { health: 'busy', says: 'It cannot be decoded yet, and waits in the stream.' },
} as const;

async function readOne({ streams: { client } }: Watched, place: RecordPlace) {
  try {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: place.stream,
        ShardId: place.shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber: place.sequenceNumber,
      }),
    );
    const { Records } = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1 }));
    const [record] = Records ?? [];
    return record?.SequenceNumber === place.sequenceNumber ? record : undefined;
  } catch {
    // The address names a stream, a shard or a number that there is not.
    return undefined;
  }
}
