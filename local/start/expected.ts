// What is to become of each record of a stream, by the forwarder's own stages: the account knows it again by what reaches the platform.
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import type { Framed } from '../../lib/forward/frame/framed.ts';
import { createRoom, type Prepared, prepare } from '../../lib/forward/frame/prepare.ts';
import { createDecoding } from '../../lib/forward/read/decoding.ts';
import { type Received, readEvent } from '../../lib/forward/read/event.ts';
import { createTransform } from '../../lib/forward/transform/transform.ts';
import { type PublishedPipeline, readStream } from '../../lib/published.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { parseExactly } from '../aep/json.ts';
import { eventRecord, kinesisEvent } from '../aws/kinesis-event.ts';
import { kinesisStream } from '../aws/kinesis-stream.ts';
import type { Stack } from './stack.ts';
import { identityOf, recordIn } from './witness.ts';

const PAGE_RECORDS = 1_000;

/** What one way of forwarding makes of a record: several messages where it is an aggregate, or its format holds some. */
export interface Expected {
  /** What tells the messages apart that are to reach the inlet. */
  readonly sent: readonly string[];
  /** How many the manifest does not want. */
  readonly filtered: number;
  /** How many are to be rejected. */
  readonly rejected: number;
}

/** How the stream is forwarded at this moment; no route where nothing is published. */
export async function publishedNow({ secretsManager, routes, settings }: Stack, streamArn: string) {
  const runtime = { secrets: createSecrets(secretsManager), routes, settings: settingsFrom(settings) };
  return (await readStream(runtime, streamArn))?.routes ?? [];
}

/** By sequence number, what each of these pipelines, of which one has forwarded it, makes of every record of the stream. */
export async function expectedIn(
  stack: Stack,
  streamArn: string,
  pipelines: readonly PublishedPipeline[],
): Promise<Map<string, readonly Expected[]>> {
  const all = new Map<string, Expected[]>();
  for await (const page of pagesOf(stack, streamArn)) {
    for (const pipeline of pipelines) {
      for (const [sequenceNumber, expected] of await expectedOf(page, pipeline))
        all.set(sequenceNumber, [...(all.get(sequenceNumber) ?? []), expected]);
    }
  }
  return all;
}

async function expectedOf({ records, shardId }: Received, pipeline: PublishedPipeline) {
  const { frame } = createFramer(pipeline, shardId);
  const stages = {
    decoding: createDecoding(pipeline),
    transform: createTransform(pipeline),
    frame,
    isKnown: () => false,
  };
  const prepared = await prepare(
    records,
    stages,
    createRoom(() => true, Number.POSITIVE_INFINITY),
  );
  const found = bySequenceNumber(prepared, pipeline.data);
  // An empty list holds no message.
  for (const { kinesis } of records)
    if (!found.has(kinesis.sequenceNumber))
      found.set(kinesis.sequenceNumber, { sent: [], filtered: 0, rejected: 0 });
  return found;
}

function bySequenceNumber({ framed, settled }: Prepared, data: PublishedPipeline['data']) {
  const found = new Map<string, { sent: string[]; filtered: number; rejected: number }>();
  const of = (sequenceNumber: string) => {
    const known = found.get(sequenceNumber) ?? { sent: [], filtered: 0, rejected: 0 };
    found.set(sequenceNumber, known);
    return known;
  };
  for (const one of framed) of(one.message.sequenceNumber).sent.push(identityOf(recordOf(one, data)));
  for (const { message, verdict } of settled)
    of(message.sequenceNumber)[verdict.kind === 'filtered' ? 'filtered' : 'rejected']++;
  return found;
}

function recordOf({ slab, start, end }: Framed, data: PublishedPipeline['data']): object {
  const text = Buffer.from(slab.buffer, slab.byteOffset + start, end - start).toString('utf8');
  return recordIn(parseExactly(text), data) as object;
}

/** All that is in the stream, page by page, as Lambda would hand it over. */
async function* pagesOf({ kinesis }: Stack, streamArn: string): AsyncGenerator<Received> {
  const stream = kinesisStream(kinesis, streamArn);
  const source = { eventSourceArn: streamArn, region: '', roleArn: '' };
  for (const { shardId } of await stream.shards()) {
    let next: string | undefined = await stream.iterator(shardId, { type: 'TRIM_HORIZON' });
    while (next !== undefined) {
      const page = await stream.read(next, PAGE_RECORDS);
      const records = page.records.map((record) => eventRecord(source, shardId, record));
      if (records.length > 0) yield readEvent(kinesisEvent(records)) as Received;
      // An empty page of a shard that is open is its end for now.
      next = records.length === 0 && page.atTip ? undefined : page.next;
    }
  }
}
