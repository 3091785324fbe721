// A redrive in a test: a bucket and a stream in memory, a scripted inlet, a clock that takes no time.
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import type { LogFields } from '../../lib/log.ts';
import { type PublishedPipeline, revisionOf } from '../../lib/published.ts';
import { createRedrive } from '../../lib/redrive/redrive.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import type { RouteList } from '../../lib/route-list.ts';
import type {
  DeadLetter,
  DeadLetterDocument,
  DocumentKind,
  RedriveRuntime,
  SchemaRegistry,
  StreamPage,
  StreamPosition,
  StreamRange,
  StreamRecord,
} from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { PUBLISHED, SECRET, SHARD_ID, STREAM_ARN, seq, virtualClock } from './forwarding.ts';
import { type FakeInlet, fakeInlet } from './inlet.ts';
import { memoryMarks } from './marks.ts';
import { type MemoryS3, memoryS3 } from './s3.ts';

/** A stream of one shard: its records, and how many of the oldest are gone. */
export interface MemoryStream {
  readonly records: StreamRecord[];
  trimmed: number;
  /** Whether the shard itself is gone. */
  gone: boolean;
  readonly reads: StreamPosition[];
}

export interface RedriveWorld {
  readonly s3: MemoryS3;
  readonly inlet: FakeInlet;
  readonly clock: ReturnType<typeof virtualClock>;
  readonly stream: MemoryStream;
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly counted: Record<string, number>;
  /** Events it was to be started with again. */
  readonly started: unknown[];
  /** Invokes it, with so much time. */
  run(request: object, remainingMs?: number): Promise<RedriveAnswer>;
  /** The same, and goes on with what it started itself until it ends. */
  runAll(request: object, remainingMs?: number): Promise<RedriveAnswer>;
  store(document: DeadLetterDocument, kind?: DocumentKind): Promise<string>;
  /** Every document of rejects, or of what is parked, by key. */
  documents(kind?: DocumentKind): Map<string, DeadLetterDocument>;
  /** Messages that were sent to the inlet of a route, in their order. */
  sentBy(pipeline: string): readonly string[];
  /** Keys that are not documents. */
  others(): string[];
}

export interface RedriveWorldOptions {
  readonly inlet?: FakeInlet;
  readonly published?: Partial<PublishedPipeline>;
  /** The stream's other routes. `false`: it is listed, and has no secret. */
  readonly others?: Readonly<
    Record<string, (Partial<PublishedPipeline> & { readonly from?: number }) | false>
  >;
  readonly s3?: MemoryS3;
  readonly clock?: ReturnType<typeof virtualClock>;
  readonly schemas?: SchemaRegistry;
  readonly marks?: RedriveRuntime['marks'];
}

export function redriveWorld(options: RedriveWorldOptions = {}): RedriveWorld {
  const { inlet = fakeInlet(), s3 = memoryS3(), clock = virtualClock() } = options;
  const lines: RedriveWorld['lines'] = [];
  const counted: Record<string, number> = {};
  const started: unknown[] = [];
  const stream: MemoryStream = { records: [], trimmed: 0, gone: false, reads: [] };
  const documentOf = JSON.stringify({ ...PUBLISHED, ...options.published });
  const inletUrls = new Map([['customers', options.published?.inletUrl ?? PUBLISHED.inletUrl]]);
  const secrets = new Map([
    ['penstock/dev/streams/customers', documentOf],
    [
      'penstock/dev/credentials',
      JSON.stringify({ clientId: 'c', clientSecret: SECRET, organizationId: PUBLISHED.organizationId }),
    ],
  ]);
  let list: RouteList | undefined;
  if (options.others !== undefined) {
    const listed: RouteList['routes'] = { customers: { revision: revisionOf(documentOf) } };
    secrets.set('penstock/dev/streams/customers/customers', documentOf);
    for (const [pipeline, other] of Object.entries(options.others)) {
      const { from, ...published } = other === false ? {} : other;
      const inletUrl = `https://dcs.adobedc.net/collection/${String(inletUrls.size).padStart(32, '0')}`;
      inletUrls.set(pipeline, inletUrl);
      const text = JSON.stringify({ ...PUBLISHED, inletUrl, ...published, pipeline });
      listed[pipeline] = { revision: revisionOf(text), ...(from !== undefined && { from }) };
      if (other !== false) secrets.set(`penstock/dev/streams/customers/${pipeline}`, text);
    }
    const settings = { compression: 'none', unrouted: 'count' } as const;
    list = { version: 1, streamArn: STREAM_ARN, settings, routes: listed };
  }
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  const runtime: RedriveRuntime = {
    settings: settingsFrom({}),
    clock,
    random: () => 0.5,
    fetch: inlet.fetch,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    secrets: {
      get: async (id) => secrets.get(id.replace(STREAM_ARN, 'customers')),
      create: () => Promise.reject(new Error('redrive writes no secret')),
      put: () => Promise.reject(new Error('redrive writes no secret')),
      remove: () => Promise.reject(new Error('redrive removes no secret')),
    },
    routes: { read: async (name) => ({ value: name === 'customers' ? list : undefined, version: '1' }) },
    deadLetters: createDeadLetters('s3://bucket', async () => s3.client),
    metrics: {
      count: (name, value) => {
        counted[name] = (counted[name] ?? 0) + value;
      },
      measure: () => undefined,
      flush: () => undefined,
    },
    marks: options.marks ?? memoryMarks(),
    stream: streamOf(stream),
    ...(options.schemas && { schemas: options.schemas }),
    functions: { start: async (_, event) => void started.push(JSON.parse(JSON.stringify(event))) },
  };
  const redrive = createRedrive(runtime);
  const own: RedriveWorld = {
    s3,
    inlet,
    clock,
    stream,
    lines,
    counted,
    started,
    run(request, remainingMs = 900_000) {
      const deadline = clock.now() + remainingMs;
      return redrive(
        { stream: 'customers', ...request },
        {
          remainingMs: () => deadline - clock.now(),
          invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
          functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:penstock-dev-redrive',
        },
      );
    },
    async runAll(request, remainingMs) {
      let answer = await own.run(request, remainingMs);
      for (let event = started.shift(); event !== undefined; event = started.shift()) {
        answer = await own.run(event as object, remainingMs);
      }
      return answer;
    },
    store: async (document, kind) => (await runtime.deadLetters.put(document, kind)).key,
    documents: (kind = 'rejected') =>
      new Map(
        [...s3.objects]
          .filter(([key]) => key.startsWith(`${kind}/`))
          .map(([key, text]) => [key, JSON.parse(text) as DeadLetterDocument]),
      ),
    sentBy: (pipeline) =>
      inlet.requests
        .filter(({ url }) => url.endsWith(`/${inletUrls.get(pipeline)?.split('/').at(-1)}`))
        .flatMap(({ messages }) => messages),
    others: () => [...s3.objects.keys()].filter((key) => !/^(rejected|parked)\//.test(key)),
  };
  return own;
}

const PAGE = 3;

function streamOf(stream: MemoryStream): StreamRange {
  return {
    shards: async () => (stream.gone ? [] : [SHARD_ID]),
    keptSince: async () => 0,
    async *pages(_, shardId, from): AsyncGenerator<StreamPage> {
      if (shardId !== SHARD_ID) throw new Error(`there is no shard ${shardId}`);
      stream.reads.push(from);
      const there = stream.records.slice(stream.trimmed).filter((record) => isFrom(record, from));
      for (let at = 0; at < there.length; at += PAGE) {
        yield { records: there.slice(at, at + PAGE), last: at + PAGE >= there.length };
      }
      if (there.length === 0) yield { records: [], last: true };
    },
  };
}

function isFrom({ sequenceNumber, arrivedAt }: StreamRecord, from: StreamPosition): boolean {
  if (from.kind === 'time') return (arrivedAt ?? 0) * 1_000 >= from.time;
  const [a, b] = [BigInt(sequenceNumber), BigInt(from.sequenceNumber)];
  return from.kind === 'at' ? a >= b : a > b;
}

/** One entry of a document, in few words. */
export function entry(index: number, data: string, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    reason: 'refused',
    message: '400: no',
    sequenceNumber: seq(index),
    partitionKey: `key-${index}`,
    arrivedAt: 1_770_000_000.5 + index,
    data: Buffer.from(data).toString('base64'),
    ...more,
  };
}

export function document(
  entries: readonly DeadLetter[],
  more: Partial<DeadLetterDocument> = {},
): DeadLetterDocument {
  return {
    version: 1,
    pipeline: 'customers',
    streamArn: STREAM_ARN,
    shardId: SHARD_ID,
    invocationId: 'one',
    storedAt: '2026-01-30T12:00:00.000Z',
    entries,
    ...more,
  };
}

export function streamRecord(index: number, data: string): StreamRecord {
  return {
    sequenceNumber: seq(index),
    partitionKey: `key-${index}`,
    data: Buffer.from(data),
    arrivedAt: 1_770_000_000.5 + index,
  };
}

/** Lambda's document of a batch that it discarded, with the records from `from` to `to`, or without a payload. */
export function onFailureDocument(options: {
  readonly records: readonly string[];
  readonly payload: 'object' | 'text' | 'none';
  readonly first?: number;
  readonly condition?: string;
  readonly more?: object;
}): string {
  const { records, payload, first = 0, condition = 'RetryAttemptsExhausted', more } = options;
  const event = {
    Records: records.map((data, index) => ({
      eventID: `${SHARD_ID}:${seq(first + index)}`,
      eventSource: 'aws:kinesis',
      eventSourceARN: STREAM_ARN,
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey: `key-${first + index}`,
        sequenceNumber: seq(first + index),
        data: Buffer.from(data).toString('base64'),
        approximateArrivalTimestamp: 1_770_000_000.5 + first + index,
      },
    })),
  };
  const aged = condition === 'RecordAgeExceeded';
  return JSON.stringify({
    requestContext: {
      requestId: '5b1c1c0a-0000-4000-8000-000000000000',
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:penstock-dev-forward',
      condition,
      approximateInvokeCount: 3,
    },
    ...(!aged && {
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    }),
    version: '1.0',
    timestamp: '2026-01-31T10:00:00.000Z',
    KinesisBatchInfo: {
      shardId: SHARD_ID,
      startSequenceNumber: seq(first),
      endSequenceNumber: seq(first + records.length - 1),
      approximateArrivalOfFirstRecord: '2026-01-31T09:00:00.000Z',
      approximateArrivalOfLastRecord: '2026-01-31T09:00:01.000Z',
      batchSize: records.length,
      streamArn: STREAM_ARN,
    },
    ...(payload === 'object' && { payload: event }),
    ...(payload === 'text' && { payload: JSON.stringify(event) }),
    ...more,
  });
}

export const ON_FAILURE_KEY =
  'aws/lambda/3f2d7c9e-0000-4000-8000-000000000000/shardId-000000000002/2026/01/31/2026-01-31T10.00.00-77aa';
