// A forwarder in a test: its runtime from parts that can be looked into, its events from a few words.
import type { Clock } from '../../lib/aep/transport.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import type { BatchResponse } from '../../lib/forward/settle.ts';
import type { LogFields } from '../../lib/log.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import type {
  DeadLetterDocument,
  DeadLetters,
  ForwardRuntime,
  Metrics,
  SchemaRegistry,
} from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { type FakeInlet, fakeInlet } from './inlet.ts';
import { memoryMarks } from './marks.ts';
import { memoryRoutes } from './routes.ts';

export const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers';
export const SHARD_ID = 'shardId-000000000002';
export const INLET_ID = 'c1f0c1f0c1f0c1f0c1f0c1f0c1f0c1f0';
export const SECRET = 'p8e-not-to-be-seen';

export const PUBLISHED: PublishedPipeline = {
  version: 1,
  pipeline: 'customers',
  streamArn: STREAM_ARN,
  sandbox: 'dev1',
  organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
  data: 'raw',
  compression: 'none',
  inletUrl: `https://dcs.adobedc.net/collection/${INLET_ID}`,
  authenticationRequired: false,
  flowId: '5a0c6a0e-2a1b-4a55-9a37-3e7c9c0d1e22',
  datasetId: '69a1f3c27be5a40c1d2e3f40',
  schemaId: 'https://ns.adobe.com/acmelab/schemas/71c0e5b0a94f4d2c8e1b',
  sourceName: 'acmelab-orders',
  execution: 'one',
  publishedAt: '2026-01-31T12:00:00.000Z',
};

/** A record in few words: its data, or all that matters of it. */
export type RecordInput =
  | string
  | Uint8Array
  | {
      readonly data?: string | Uint8Array | null;
      readonly base64?: string;
      readonly key?: string;
      readonly seq?: string;
    };

const FIRST = 49590338271490256608559692538361571095921575989136588898n;

/** The sequence number of the record at `index`: beyond 2^53, so that neighbours are equal as numbers. */
export function seq(index: number): string {
  return (FIRST + BigInt(index)).toString();
}

export function kinesisEvent(inputs: readonly RecordInput[]): { Records: Record<string, unknown>[] } {
  return {
    Records: inputs.map((input, index) => {
      const record = typeof input === 'string' || input instanceof Uint8Array ? { data: input } : input;
      const sequenceNumber = record.seq ?? seq(index);
      return {
        eventID: `${SHARD_ID}:${sequenceNumber}`,
        eventSource: 'aws:kinesis',
        eventSourceARN: STREAM_ARN,
        kinesis: {
          partitionKey: record.key ?? `key-${index}`,
          sequenceNumber,
          approximateArrivalTimestamp: 1_770_000_000.5 + index,
          ...('base64' in record && { data: record.base64 }),
          ...('data' in record &&
            record.data !== undefined && {
              data: record.data === null ? null : Buffer.from(record.data).toString('base64'),
            }),
        },
      };
    }),
  };
}

/** A clock on which sleeping takes no time but counts. */
export function virtualClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  let now = Date.parse('2026-01-31T12:00:00Z');
  return {
    slept,
    now: () => now,
    async sleep(ms) {
      slept.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
    },
  };
}

/** A store in memory; what it holds is what could be read back. */
export function memoryStore(): DeadLetters & {
  readonly documents: DeadLetterDocument[];
  readonly parked: DeadLetterDocument[];
} {
  const documents: DeadLetterDocument[] = [];
  const parked: DeadLetterDocument[] = [];
  return {
    documents,
    parked,
    async put(document, kind) {
      const folder = kind === 'parked' ? parked : documents;
      folder.push(JSON.parse(JSON.stringify(document)) as DeadLetterDocument);
      return { key: `k${folder.length}`, entries: document.entries.length };
    },
  };
}

export interface World {
  readonly forward: Forward;
  readonly inlet: FakeInlet;
  readonly clock: ReturnType<typeof virtualClock>;
  readonly store: ReturnType<typeof memoryStore>;
  readonly counted: Record<string, number>;
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly secrets: Map<string, string>;
  readonly secretReads: string[];
  /** What reading a secret fails with, while it does. */
  readonly away: { because: Error | undefined };
  /** Forwards with `remainingMs` at the start, and tells the literal answer. */
  run(records: readonly RecordInput[], remainingMs?: number): Promise<BatchResponse>;
  /** Why each stored entry is there, in order. */
  reasons(): string[];
}

export function world(
  options: {
    readonly inlet?: FakeInlet;
    readonly published?: Partial<PublishedPipeline>;
    readonly deadLetters?: DeadLetters;
    readonly metrics?: Metrics;
    readonly routes?: ForwardRuntime['routes'];
    readonly schemas?: SchemaRegistry;
    readonly marks?: ForwardRuntime['marks'];
  } = {},
): World {
  const inlet = options.inlet ?? fakeInlet();
  const clock = virtualClock();
  const store = memoryStore();
  const counted: Record<string, number> = {};
  const pending: [string, number][] = [];
  const lines: World['lines'] = [];
  const secretReads: string[] = [];
  const away: World['away'] = { because: undefined };
  const secrets = new Map([
    ['penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, ...options.published })],
    [
      'penstock/dev/credentials',
      JSON.stringify({ clientId: 'c', clientSecret: SECRET, organizationId: PUBLISHED.organizationId }),
    ],
  ]);
  const log = (level: string) => (message: string, fields: LogFields) => {
    lines.push({ level, message, fields });
  };
  const runtime: ForwardRuntime = {
    settings: settingsFrom({}),
    clock,
    random: () => 0.5,
    fetch: inlet.fetch,
    log: {
      debug: (message, fields = {}) => log('debug')(message, fields),
      info: (message, fields = {}) => log('info')(message, fields),
      warn: (message, fields = {}) => log('warn')(message, fields),
      error: (message, fields = {}) => log('error')(message, fields),
    },
    secrets: {
      async get(id) {
        secretReads.push(id);
        if (away.because !== undefined) throw away.because;
        return secrets.get(id);
      },
      create: async () => true,
      put: () => Promise.reject(new Error('the forwarder writes no secret')),
      remove: () => Promise.reject(new Error('the forwarder removes no secret')),
    },
    routes: options.routes ?? memoryRoutes(),
    marks: options.marks ?? memoryMarks(),
    deadLetters: options.deadLetters ?? store,
    ...(options.schemas && { schemas: options.schemas }),
    metrics: options.metrics ?? {
      // Published on flush alone, as CloudWatch's are: what is never flushed was never counted.
      count(name, value, reason) {
        pending.push([name, value]);
        if (reason !== undefined) pending.push([`${name} ${reason}`, value]);
      },
      measure: (name, value) => void pending.push([`${name} of all`, value]),
      flush() {
        for (const [name, value] of pending.splice(0)) counted[name] = (counted[name] ?? 0) + value;
      },
    },
  };
  const forward = createForward(runtime);
  return {
    forward,
    inlet,
    clock,
    store,
    counted,
    lines,
    secrets,
    secretReads,
    away,
    run(records, remainingMs = 60_000) {
      const deadline = clock.now() + remainingMs;
      return forward(kinesisEvent(records), {
        remainingMs: () => deadline - clock.now(),
        invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
      });
    },
    reasons: () => store.documents.flatMap(({ entries }) => entries.map(({ reason }) => reason)),
  };
}

export const ALL_SETTLED = '{"batchItemFailures":[]}';

/** The literal answer that gives back everything from the record at `index` on. */
export function from(index: number): string {
  return `{"batchItemFailures":[{"itemIdentifier":"${seq(index)}"}]}`;
}
