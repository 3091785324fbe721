// A source that Experience Platform reads by itself: what it needs on this machine, records put into it, and the wait until they are read.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { isPulled } from '../../lib/provision/resources/source.ts';
import { TOKEN_HEADER } from '../aep/access.ts';
import { isObject, parseExactly } from '../aep/json.ts';
import type { SourceState } from '../aep/pulled/readers.ts';
import { LOCAL_ACCOUNT } from '../aws/server.ts';
import type { Rejected, Written } from './account.ts';
import type { Expected } from './expected.ts';
import { JourneyError } from './journey-error.ts';
import { type Produced, produce } from './producer.ts';
import type { Line } from './records.ts';
import { ensureStream, type Stack } from './stack.ts';
import { identityOf, recordIn } from './witness.ts';

type Source = Exclude<Manifest['source'], { kind: 'inlet' }>;

/** Between two looks at how far the platform is, in ms. */
const LOOK_MS = 50;

const SECRETS = {
  kinesis: { accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey: 'fake-secret-key-of-a-laptop' },
  'event-hubs': { sasKeyName: 'fake-key-name', sasKey: 'fake-sas-key-of-a-laptop' },
  pubsub: {
    type: 'service_account',
    client_email: 'fake@fake-project.iam.gserviceaccount.com',
    private_key: 'fake-private-key-of-a-laptop',
  },
} as const;

/** What Adobe asks for in the reader's policy (sources/connectors/cloud-storage/kinesis.md, "Set up access policy"). */
const READER = ['GetShardIterator', 'GetRecords', 'DescribeStream', 'ListStreams'];

/** Makes the secret that the manifest refers to, and of a Kinesis source the stream, and a key that may read it. */
export async function preparePulled(stack: Stack, source: Source, shards: number): Promise<void> {
  await stack.createSecret(source.credentials, SECRETS[source.kind]);
  if (source.kind !== 'kinesis') return;
  const { region, stream } = source;
  await ensureStream(stack, stream, shards, stack.kinesisIn(region));
  stack.aws.keys.put({
    ...SECRETS.kinesis,
    user: 'experience-platform',
    statements: [
      {
        actions: READER.map((name) => `kinesis:${name}`),
        resources: [`arn:aws:kinesis:${region}:${LOCAL_ACCOUNT.accountId}:stream/*`],
      },
    ],
  });
}

/** How the platform read the source. */
export type Reading = Pick<SourceState, 'kind' | 'place' | 'reads' | 'throttled'>;

/** Whether both are the same stream, event hub or subscription. */
export function isSamePlace(one: Source, another: Source): boolean {
  const placeOf = (source: Source): string[] => {
    switch (source.kind) {
      case 'kinesis':
        return [source.kind, source.region, source.stream];
      case 'event-hubs':
        return [source.kind, source.namespace, source.eventHub];
      case 'pubsub':
        return [source.kind, source.project, source.subscription];
    }
  };
  return isDeepStrictEqual(placeOf(one), placeOf(another));
}

/**
 * Puts the lines into the source, and waits until the platform has read them.
 * @param changed waits for the pipeline that this one became meanwhile, where there is one: its flow reads to the end
 * @throws JourneyError where it cannot
 */
export async function carryPulled(
  stack: Stack,
  { manifest, resources }: Pipeline,
  lines: AsyncIterable<Line> | Iterable<Line>,
  onRead: (count: number) => void,
  changed: () => Promise<Pipeline | undefined> = async () => undefined,
): Promise<{ written: Written; reading: Reading }> {
  const { source } = manifest;
  if (!isPulled(source)) throw new TypeError('an inlet is fed, not read');
  // One that starts at the latest has to be at the tip before the first record comes.
  await stack.platform.platform.readStreams();
  const { place } = stateOf(stack, resources.flow?.id);
  const looked = look(lines, source);
  const produced =
    source.kind === 'kinesis'
      ? await produce(stack.kinesisIn(source.region), source.stream, looked.lines)
      : await put(stack, source.kind, place, looked.lines);
  const last = await changed();
  const of = () => stateOf(stack, last?.resources.flow?.id ?? resources.flow?.id);
  await readToEnd(stack, source.kind, of, onRead);
  await stack.platform.platform.idle();
  const { kind, reads, throttled } = of();
  return { written: looked.written(produced), reading: { kind, place, reads, throttled } };
}

/** @throws JourneyError where the flow does not read */
function stateOf(stack: Stack, flowId: string | undefined): SourceState {
  const state = stack.platform.platform.sources().find((one) => one.flowId === flowId);
  if (state === undefined)
    throw new JourneyError(`the platform has no flow ${flowId} with a source of its own`);
  if (state.state === 'reading') return state;
  throw new JourneyError(`the platform does not read ${state.place}: ${state.why}`);
}

/** What is put into a source that is played here is read at once. */
async function readToEnd(
  { platform }: Stack,
  kind: Source['kind'],
  of: () => SourceState,
  onRead: (count: number) => void,
): Promise<void> {
  const after = kind === 'kinesis' ? await platform.platform.readStreams() : 0;
  for (;;) {
    const { read, dropped, caughtUpBy } = of();
    onRead(read + dropped);
    if (kind !== 'kinesis' || caughtUpBy >= after) return;
    await sleep(LOOK_MS);
  }
}

/** Looks at the lines on their way: what the platform will make of each, as it takes JSON objects alone. */
function look(lines: AsyncIterable<Line> | Iterable<Line>, { kind, data }: Source) {
  // Of Pub/Sub's messages Adobe knows none with operations.
  const isPlain = kind === 'pubsub' && data === 'raw';
  const sent = new Map<number, string>();
  const dropped: Rejected[] = [];
  async function* passing(): AsyncGenerator<Line> {
    for await (const line of lines) {
      const record = objectIn(line.bytes);
      if (record === undefined) dropped.push({ line: line.number, ...NO_OBJECT });
      else sent.set(line.number, identityOf(isPlain ? record : (recordIn(record, data) as object)));
      yield line;
    }
  }
  return {
    lines: passing(),
    written(produced: Produced): Written {
      const unsent = new Set(produced.refused.map(({ line }) => line));
      const expected = [...produced.lineOf].map(([key, line]): [string, Expected[]] => {
        const identity = sent.get(line);
        return [key, identity === undefined ? [] : [{ sent: [identity], filtered: 0, rejected: 0 }]];
      });
      return {
        ...produced,
        expected: new Map(expected),
        dropped: dropped.filter(({ line }) => !unsent.has(line)),
      };
    },
  };
}

const NO_OBJECT = {
  reason: 'dropped',
  message: 'not a JSON object; Experience Platform reads nothing else here',
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

function objectIn(bytes: Buffer): object | undefined {
  try {
    const value = parseExactly(utf8.decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const MAX_RECORDS = 500;
/** The simulator's page takes 8 MB, and base64 is longer by a third. */
const MAX_BYTES = 5 * 1024 * 1024;
/** An event has 1 MB at most; Pub/Sub would take 10 MB of a message. */
const MAX_RECORD_BYTES = { 'event-hubs': 1024 * 1024, pubsub: MAX_BYTES } as const;

/** Puts the lines into an event hub or a subscription, by the simulator's page. */
async function put(
  stack: Stack,
  kind: keyof typeof MAX_RECORD_BYTES,
  place: string,
  lines: AsyncIterable<Line>,
): Promise<Produced> {
  const lineOf = new Map<string, number>();
  const refused: { line: number; reason: string }[] = [];
  let batch: string[] = [];
  let bytes = 0;
  const flush = async () => {
    if (batch.length > 0) await post(stack, kind, place, batch);
    batch = [];
    bytes = 0;
  };
  for await (const line of lines) {
    const { number, bytes: data } = line;
    if (data.length > MAX_RECORD_BYTES[kind]) {
      refused.push({
        line: number,
        reason: `too large: ${data.length} bytes, at most ${MAX_RECORD_BYTES[kind]}`,
      });
      continue;
    }
    if (batch.length === MAX_RECORDS || bytes + data.length > MAX_BYTES) await flush();
    batch.push(data.toString('base64'));
    bytes += data.length;
    lineOf.set(String(number), number);
  }
  await flush();
  return { lineOf, refused };
}

async function post(
  { platform }: Stack,
  kind: keyof typeof MAX_RECORD_BYTES,
  place: string,
  batch: readonly string[],
): Promise<void> {
  const records = batch.map((text) =>
    kind === 'pubsub' ? { data: text, attributes: {} } : { body: text, partitionId: '0' },
  );
  // While a pipeline changes there are two connections to it, and then another one.
  const source = platform.platform.sources().find((one) => one.place === place);
  const answer = await fetch(`${platform.origin}/_simulator/sources/${source?.sourceConnectionId}/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [TOKEN_HEADER]: platform.access.token },
    body: JSON.stringify({ records }),
  });
  if (!answer.ok)
    throw new JourneyError(
      `the simulator answered ${answer.status} to records of ${kind}: ${await answer.text()}`,
    );
}
