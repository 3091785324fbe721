// What is to become of each record of a stream, by the forwarder's own stages: the account knows it again by what reaches the platform.
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import type { Framed } from '../../lib/forward/frame/framed.ts';
import { createRoom, prepareAll, type RoutePrepared } from '../../lib/forward/frame/prepare.ts';
import type { Way } from '../../lib/forward/frame/way.ts';
import { type Received, readEvent } from '../../lib/forward/read/event.ts';
import { streamDecoding } from '../../lib/forward/stages.ts';
import { createTransform } from '../../lib/forward/transform/transform.ts';
import { type PublishedPipeline, type PublishedStream, readStream } from '../../lib/published.ts';
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
  /** Those of the rejected that no route takes. */
  readonly unrouted?: number;
}

/** How the stream is forwarded at this moment; `undefined` where nothing is published. */
export async function publishedNow({ secretsManager, routes, settings }: Stack, streamArn: string) {
  const runtime = { secrets: createSecrets(secretsManager), routes, settings: settingsFrom(settings) };
  return await readStream(runtime, streamArn);
}

/** By pipeline and sequence number, what each state of the stream, of which one has forwarded it, makes of every record. */
export type ExpectedByRoute = ReadonlyMap<string, ReadonlyMap<string, readonly Expected[]>>;

export async function expectedIn(
  stack: Stack,
  streamArn: string,
  states: readonly PublishedStream[],
): Promise<ExpectedByRoute> {
  const all = new Map<string, Map<string, Expected[]>>();
  for await (const page of pagesOf(stack, streamArn)) {
    for (const state of states) {
      for (const [pipeline, found] of await expectedOf(page, state)) {
        const own = all.get(pipeline) ?? new Map<string, Expected[]>();
        all.set(pipeline, own);
        for (const [sequenceNumber, expected] of found)
          own.set(sequenceNumber, [...(own.get(sequenceNumber) ?? []), expected]);
      }
    }
  }
  return all;
}

/** All routes together: what none takes, or none can read, is settled by one of them for all. */
export async function expectedOf(
  { records, shardId }: Pick<Received, 'records' | 'shardId'>,
  state: PublishedStream,
): Promise<Map<string, Map<string, Expected>>> {
  const ways = state.routes.map((route): Way => {
    const { frame } = createFramer(route, shardId);
    const chooses = route.records?.where !== undefined;
    return { transform: createTransform(route), frame, chooses, isKnown: () => false };
  });
  const room = createRoom(() => true, Number.POSITIVE_INFINITY);
  const prepared = await prepareAll(records, { ...streamDecoding(state), ways }, room);
  const all = new Map<string, Map<string, Expected>>();
  for (const [index, { pipeline, data }] of state.routes.entries()) {
    const found = bySequenceNumber(prepared.routes[index] as RoutePrepared, data);
    // An empty list holds no message.
    for (const { kinesis } of records)
      if (!found.has(kinesis.sequenceNumber)) found.set(kinesis.sequenceNumber, { ...NOTHING, sent: [] });
    all.set(pipeline, found);
  }
  return all;
}

const NOTHING = { filtered: 0, rejected: 0, unrouted: 0 };

function bySequenceNumber({ framed, settled }: RoutePrepared, data: PublishedPipeline['data']) {
  const found = new Map<string, { sent: string[]; filtered: number; rejected: number; unrouted: number }>();
  const of = (sequenceNumber: string) => {
    const known = found.get(sequenceNumber) ?? { ...NOTHING, sent: [] };
    found.set(sequenceNumber, known);
    return known;
  };
  for (const one of framed) of(one.message.sequenceNumber).sent.push(identityOf(recordOf(one, data)));
  for (const { message, verdict } of settled) {
    const own = of(message.sequenceNumber);
    own[verdict.kind === 'filtered' ? 'filtered' : 'rejected']++;
    if (verdict.kind === 'rejected' && verdict.reason === 'unrouted') own.unrouted++;
  }
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
