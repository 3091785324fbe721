// One pipeline whose rules change, and all that leaves by it: what the inlet is sent, what comes into the store, logs, answers, errors.
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { createProgress } from '../../lib/aws/progress.ts';
import { createForward } from '../../lib/forward/forward.ts';
import type { LogFields } from '../../lib/log.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import { createReconcile } from '../../lib/reconcile/reconcile.ts';
import { createRedrive } from '../../lib/redrive/redrive.ts';
import type {
  DeadLetterDocument,
  ForwardRuntime,
  ReconcileRuntime,
  RedriveRuntime,
  WhereRuntime,
} from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { where } from '../../lib/where/where.ts';
import { PUBLISHED, SECRET, SHARD_ID, STREAM_ARN, seq, virtualClock } from './forwarding.ts';
import { fakeInlet, json, multi } from './inlet.ts';
import { memoryLedger } from './ledger.ts';
import { memoryMarks } from './marks.ts';
import { memoryStream } from './reconciling.ts';
import { memoryRoutes } from './routes.ts';
import { memoryS3 } from './s3.ts';

const TABLE = 'penstock-dev-pipelines';

/** A record as it comes to the stream. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly partitionKey: string;
}

/** What AEP does with the next messages: takes them, refuses them with a quotation, or is away. */
export type Mood = 'take' | 'refuse' | 'away';

export interface RedactionWorld {
  /** From here on the pipeline is published so. */
  publish(records: PublishedPipeline['records'], park?: PublishedPipeline['park']): void;
  mood: Mood;
  /** Brings records of the stream to the forwarder, from their beginning on. */
  forward(written: readonly Written[]): Promise<void>;
  /** Puts a document of Lambda's about such records into the bucket: with them in it, or only where to find them. */
  giveUp(written: readonly Written[], withPayload: boolean): void;
  redrive(source: 'rejected' | 'parked' | 'on-failure' | 'stream'): Promise<void>;
  /** Has AEP refuse all that it has taken so far, in its own words and form, and reconciles. */
  reconcile(mapped: boolean): Promise<void>;
  ask(index: number): Promise<void>;
  /** The stream loses what it has, but for the last so many. */
  trim(left: number): void;
  /** Makes documents of version 0.1.0 of what is in the store: they do not say by which rules anything was redacted. */
  age(): void;
  /** What has left since the last time: texts, whatever they are. */
  left(): string[];
}

export function redactionWorld(data: 'raw' | 'xdm', mapping: unknown = []): RedactionWorld {
  const clock = virtualClock();
  const s3 = memoryS3();
  const stream = memoryStream(5);
  stream.byShard.set(SHARD_ID, []);
  const ledger = memoryLedger(TABLE);
  const manifest = { source: { kind: 'inlet', stream: 'customers' }, mapping };
  ledger.items.set('customers', {
    pipeline: { S: 'customers' },
    manifest: { S: JSON.stringify(manifest) },
    known: { S: JSON.stringify({ ids: { flow: PUBLISHED.flowId }, old: [] }) },
  });
  const secrets = new Map([
    [
      'penstock/dev/credentials',
      JSON.stringify({ clientId: 'c', clientSecret: SECRET, organizationId: PUBLISHED.organizationId }),
    ],
  ]);
  const out: string[] = [];
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void out.push(JSON.stringify({ level, message, fields }));
  /** Messages that AEP has taken, as they came. */
  const taken: string[] = [];
  let count = 0;
  let batches = 0;
  let failed: { id: string; created: number; lines: string[] }[] = [];

  const inlet = fakeInlet(({ messages, text }) => {
    out.push(text);
    if (world.mood === 'away') return json(503, {});
    if (world.mood === 'take') taken.push(...messages);
    return multi(
      messages.map((message, n) => ({
        xactionId: `6f0b7c1e-8f43-${n}`,
        ...(world.mood === 'refuse' && { status: 400, message: `cannot take ${message}` }),
      })),
    );
  });
  const platform = (url: URL): Response => {
    const [, id] = /\/batches\/([^/]+)\/failed$/.exec(url.pathname) ?? [];
    const batch = failed.find((one) => one.id === id);
    if (batch !== undefined && url.searchParams.has('path')) return new Response(batch.lines.join('\n'));
    if (batch !== undefined) return json(200, { data: [{ name: 'part-0.json', length: '9' }] });
    if (!url.pathname.endsWith('/catalog/batches') || url.searchParams.get('status') !== 'failed')
      return json(200, {});
    const tags = { flowId: [PUBLISHED.flowId] };
    const errors = [{ code: 'DCVS-1106-400', description: batchWords() }];
    const shown = failed.map((one) => [
      one.id,
      { status: 'failed', created: one.created, updated: one.created, tags, errors },
    ]);
    return json(200, Object.fromEntries(shown));
  };
  /** What AEP says of a batch may quote any of its rows. */
  const batchWords = () =>
    failed
      .flatMap(({ lines }) => lines)
      .join(' ')
      .slice(0, 3_000);

  const marks = memoryMarks();
  const none = () => Promise.reject(new Error('nobody here writes a secret'));
  const runtime: ForwardRuntime & RedriveRuntime & ReconcileRuntime & WhereRuntime = {
    settings: settingsFrom({}),
    clock,
    random: () => 0.5,
    fetch: async (url, init) =>
      new URL(url).hostname === 'platform.adobe.io' ? platform(new URL(url)) : inlet.fetch(url, init),
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    secrets: { get: async (id) => secrets.get(id), create: none, put: none, remove: none },
    routes: memoryRoutes(),
    marks,
    deadLetters: createDeadLetters('s3://bucket', async () => s3.client),
    metrics: { count: (...given) => void out.push(JSON.stringify(given)), measure() {}, flush() {} },
    stream: { ...stream, keptSince: async () => 0 },
    functions: { start: async (_, event) => void out.push(JSON.stringify(event)) },
    ledger: ledger.ledger,
    progress: createProgress(TABLE, ledger.call, clock),
    streams: { arn: async () => STREAM_ARN },
    forwardLog: { async *batches() {}, async *waiting() {} },
  };
  // Each in a container of its own: how long it goes by what it has read is another test's business.
  const invoke = async (work: () => Promise<unknown>) => {
    try {
      out.push(JSON.stringify((await work()) ?? null));
    } catch (error) {
      out.push(`${error instanceof Error ? error.stack : error} ${JSON.stringify(error)}`);
    }
  };
  const invocation = () => {
    const deadline = clock.now() + 600_000;
    return {
      remainingMs: () => deadline - clock.now(),
      invocationId: `i-${count}-${out.length}`,
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:penstock-dev-redrive',
    };
  };
  const arrive = (written: readonly Written[]) =>
    written.map(({ bytes, partitionKey }) => {
      const sequenceNumber = seq(count++);
      const arrivedAt = clock.now() / 1_000;
      const kept = stream.byShard.get(SHARD_ID) ?? [];
      kept.push({ sequenceNumber, partitionKey, data: bytes, arrivedAt });
      stream.byShard.set(SHARD_ID, kept);
      return {
        eventID: `${SHARD_ID}:${sequenceNumber}`,
        eventSourceARN: STREAM_ARN,
        kinesis: {
          sequenceNumber,
          partitionKey,
          data: Buffer.from(bytes).toString('base64'),
          approximateArrivalTimestamp: arrivedAt,
        },
      };
    });
  let before = new Map(s3.objects);

  const world: RedactionWorld = {
    mood: 'take',
    publish(records, park) {
      const own = { ...(records && { records }), ...(park && { park }) };
      const published = { ...PUBLISHED, data, compression: 'auto', ...own };
      secrets.set('penstock/dev/streams/customers', JSON.stringify(published));
      // It has been out for long: the next record that it does not take is parked.
      const name = `customers ${SHARD_ID} customers`;
      if (park !== undefined && !marks.outages.has(name)) marks.outages.set(name, { since: 0 });
    },
    forward: (written) =>
      invoke(() => createForward(runtime)({ Records: arrive(written) }, { ...invocation() })),
    giveUp(written, withPayload) {
      const Records = arrive(written);
      const ends = [Records[0], Records.at(-1)].map((one) => one?.kinesis.sequenceNumber);
      const document = {
        requestContext: { condition: 'RetryAttemptsExhausted' },
        version: '1.0',
        timestamp: '2026-01-31T10:00:00.000Z',
        KinesisBatchInfo: {
          shardId: SHARD_ID,
          startSequenceNumber: ends[0],
          endSequenceNumber: ends[1],
          batchSize: Records.length,
          streamArn: STREAM_ARN,
        },
        ...(withPayload && { payload: { Records } }),
      };
      s3.objects.set(`aws/lambda/u/${SHARD_ID}/2026/01/31/${count}`, JSON.stringify(document));
      before = new Map(s3.objects);
    },
    redrive: (source) =>
      invoke(() =>
        createRedrive(runtime)(
          {
            stream: 'customers',
            source,
            continue: false,
            ...(source === 'stream' && { where: { arrived: { from: '2026-01-01T00:00:00Z' } } }),
          },
          invocation(),
        ),
      ),
    async reconcile(mapped) {
      failed = [
        {
          id: `01J${String(batches++).padStart(23, '0')}`,
          created: clock.now() - 1_000,
          // XDM is not mapped.
          lines: taken.splice(0).map((message) => rowOf(message, mapped && data === 'raw')),
        },
      ];
      await invoke(() => createReconcile(runtime)({}, invocation()));
    },
    ask: (index) =>
      invoke(() => where({ pipeline: 'customers', shardId: SHARD_ID, sequenceNumber: seq(index) }, runtime)),
    trim: (left) => void stream.byShard.get(SHARD_ID)?.splice(0, Math.max(0, count - left)),
    age() {
      for (const [key, text] of s3.objects) {
        if (!key.startsWith('rejected/')) continue;
        const { rules: _, entries, ...head } = JSON.parse(text) as DeadLetterDocument;
        const old = entries.map(({ rules: __, asReceived: ___, ...entry }) => entry);
        s3.objects.set(key, JSON.stringify({ ...head, entries: old }));
      }
      before = new Map(s3.objects);
    },
    left() {
      const moved = movedFrom(before);
      const stored = [...s3.objects].flatMap(([key, text]) => newIn(key, text, before.get(key), moved));
      before = new Map(s3.objects);
      return [...out.splice(0), ...stored];
    },
  };
  return world;
}

/** A row of a failed batch: what AEP had of the message, as its mapping made it or as it came, and words that quote it. */
function rowOf(message: string, mapped: boolean): string {
  const parsed = JSON.parse(message) as { body?: unknown; header?: unknown };
  const _errors = [
    { code: 'DCVS-1106-400', message: `${message} is not allowed`, pointerToViolation: '#/a' },
  ];
  if (!mapped) return JSON.stringify({ header: parsed.header, body: parsed.body ?? parsed, _errors });
  return JSON.stringify({ body: { xdmEntity: { other: { form: parsed.body ?? parsed } } }, _errors });
}

/**
 * What has come into an object. An entry that was in it before has not left anywhere; and a document of Lambda's that has the
 * records in it is as Lambda wrote it, whatever of it stays.
 */
function newIn(key: string, text: string, before: string | undefined, moved: Moved): string[] {
  if (text === before) return [];
  if (before === undefined) return key.startsWith('rejected/') ? [key, moved(text)] : [key, text];
  if (key.startsWith('aws/')) return (JSON.parse(before) as { payload?: unknown }).payload ? [] : [text];
  const [now, then] = [text, before].map((one) => JSON.parse(one) as DeadLetterDocument);
  const { entries = [], ...head } = now ?? {};
  // By value: an entry that stays may have its members in another order.
  const fresh = entries.filter((entry) => !then?.entries.some((one) => isDeepStrictEqual(one, entry)));
  return [JSON.stringify(head), ...fresh.map((entry) => JSON.stringify(entry))];
}

type Moved = (text: string) => string;

/**
 * What a document of rejects has besides bytes that only changed their folder. A parked message to which the rules in force
 * cannot be applied becomes a reject as it was stored (decision 0114): it has not left the store.
 */
function movedFrom(before: ReadonlyMap<string, string>): Moved {
  const parked = new Set(
    [...before].flatMap(([key, text]) =>
      key.startsWith('parked/')
        ? (JSON.parse(text) as DeadLetterDocument).entries.map(({ data }) => data)
        : [],
    ),
  );
  return (text) => {
    const { entries, ...head } = JSON.parse(text) as DeadLetterDocument;
    const others = entries.map(({ data, ...rest }) =>
      rest.reason === 'redacted-otherwise' && parked.has(data) ? rest : { data, ...rest },
    );
    return JSON.stringify({ ...head, entries: others });
  };
}

/** A text and whatever it holds in another form: in JSON, in escapes, in base64 of either alphabet, packed. */
export function everythingIn(text: string, depth = 0): string[] {
  if (depth > 4) return [];
  const inside = [...stringsIn(text), ...bytesIn(text)].filter((one) => one !== text && one.length > 5);
  return [text, ...inside.flatMap((one) => everythingIn(one, depth + 1))];
}

/** Texts in a text that is JSON, or that has pieces of JSON in it. */
function stringsIn(text: string): string[] {
  const found: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value)) {
        found.push(name);
        collect(member);
      }
  };
  try {
    collect(JSON.parse(text));
  } catch {
    // Escapes by themselves: a text cut out of JSON.
    if (text.includes('\\'))
      found.push(
        text
          .replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
          .replace(/\\(.)/g, '$1'),
      );
  }
  return found;
}

function bytesIn(text: string): string[] {
  return (text.match(/[A-Za-z0-9+/_-]{12,}={0,2}/g) ?? []).flatMap((piece) => {
    const bytes = Buffer.from(piece, 'base64');
    const whole = [bytes.toString('utf8')];
    for (
      let at = bytes.indexOf('1f8b08', 0, 'hex');
      at >= 0 && whole.length < 9;
      at = bytes.indexOf('1f8b08', at + 1, 'hex')
    ) {
      try {
        whole.push(gunzipSync(bytes.subarray(at)).toString('utf8'));
      } catch {
        // Bytes that only look like it.
      }
    }
    return whole;
  });
}
