// How many records per second the forwarder itself settles, in process, against an inlet that answers at once.
import { createForward } from '../lib/forward/forward.ts';
import type { PublishedPipeline } from '../lib/published.ts';
import type { ForwardRuntime } from '../lib/runtime.ts';
import { settingsFrom } from '../lib/settings.ts';
import { sampleRecords } from '../local/samples.ts';

const RECORDS = 10_000;
const ROUNDS = 9;
const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/bench';
const INLET = 'http://127.0.0.1:1';

const published: PublishedPipeline = {
  version: 1,
  pipeline: 'bench',
  streamArn: STREAM_ARN,
  sandbox: 'dev1',
  organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
  data: 'raw',
  compression: 'none',
  inletUrl: `${INLET}/collection/${'a'.repeat(64)}`,
  authenticationRequired: false,
  flowId: 'flow',
  datasetId: 'dataset',
  schemaId: 'schema',
  sourceName: 'bench',
  execution: 'bench',
  publishedAt: '2026-01-01T00:00:00Z',
};

function event(data: 'raw' | 'xdm', bytes: number) {
  const Records = [...sampleRecords({ count: RECORDS, seed: 1, data, bytes, spoilEvery: 0 })].map(
    (line, index) => ({
      eventID: `shardId-000000000000:${index}`,
      eventSource: 'aws:kinesis',
      eventSourceARN: STREAM_ARN,
      kinesis: {
        partitionKey: `key-${index % 1_000}`,
        sequenceNumber: String(10n ** 55n + BigInt(index)),
        data: Buffer.from(line).toString('base64'),
        approximateArrivalTimestamp: 1_767_225_600,
      },
    }),
  );
  return { Records };
}

/** Counts messages by what ends the one and begins the next; sample records hold no such text. */
function countMessages(body: string): number {
  return body.split('},{"').length;
}

function runtimeFor(data: 'raw' | 'xdm'): ForwardRuntime {
  const nothing = () => undefined;
  return {
    settings: settingsFrom({ PENSTOCK_INLET_ORIGINS: INLET }),
    clock: { now: Date.now, sleep: async () => undefined },
    random: Math.random,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: { count: nothing, measure: nothing, flush: nothing },
    secrets: {
      get: async () => JSON.stringify({ ...published, data }),
      create: async () => true,
      put: async () => undefined,
      remove: async () => undefined,
    },
    undelivered: { put: async ({ entries }) => ({ key: 'none', entries: entries.length }) },
    fetch: async (_url, { body }) => {
      const messages = countMessages(Buffer.from(body as Uint8Array).toString('latin1'));
      const responses = Array.from({ length: messages }, (_, index) => ({ xactionId: `x-${index}` }));
      return new Response(JSON.stringify({ responses }), { status: 207 });
    },
  };
}

for (const data of ['raw', 'xdm'] as const) {
  for (const bytes of [300, 1_000]) {
    const batch = event(data, bytes);
    const forward = createForward(runtimeFor(data));
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      const answer = await forward(batch, { remainingMs: () => 60_000, invocationId: `bench-${round}` });
      if (answer.batchItemFailures.length > 0) throw new Error('the batch was not settled');
      rates.push(RECORDS / ((performance.now() - started) / 1_000));
    }
    const [first = 0, ...warm] = rates.map(Math.round);
    warm.sort((a, b) => a - b);
    const median = warm[Math.floor(warm.length / 2)];
    console.log(
      `${data} ${bytes} B: first ${first}/s, then median ${median}/s (${warm[0]} to ${warm.at(-1)})`,
    );
  }
}
