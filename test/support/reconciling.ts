// Reconcile in a test: the simulated platform with a pipeline in it, a store and a progress in memory, a death at any step.
import type { Clock } from '../../lib/aep/transport.ts';
import { createProgress } from '../../lib/aws/progress.ts';
import { Failure } from '../../lib/failure.ts';
import type { LogFields } from '../../lib/log.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import { createReconcile, type Reconciled } from '../../lib/reconcile/reconcile.ts';
import type {
  DeadLetterDocument,
  DeadLettersOnce,
  Progress,
  ReconcileRuntime,
  StreamPage,
  StreamPosition,
  StreamRecord,
} from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import {
  type Caller,
  CLIENT,
  caller,
  type Made,
  makePipeline,
  ORGANIZATION,
  SECRET,
} from '../local/aep/support.ts';
import { PUBLISHED, STREAM_ARN } from './forwarding.ts';
import { memoryLedger } from './ledger.ts';
import { type MemoryMarks, memoryMarks } from './marks.ts';
import { memoryRoutes } from './routes.ts';

const TABLE = 'penstock-dev-pipelines';

const ORIGIN = 'http://127.0.0.1';

/** What reconcile uses of the store. */
export type OnceStore = ReconcileRuntime['deadLetters'];

/** A store in memory: what it holds by key, and nothing twice under one. `parked`: of pipelines, what waits. */
export function memoryOnce(): OnceStore & {
  readonly documents: Map<string, DeadLetterDocument>;
  readonly parked: Map<string, readonly string[]>;
} {
  const documents = new Map<string, DeadLetterDocument>();
  const parked = new Map<string, readonly string[]>();
  return {
    documents,
    parked,
    async list(what) {
      if (what.kind !== 'parked') throw new Error('reconcile lists only what is parked');
      const objects = (parked.get(what.pipeline) ?? []).map((key) => ({ key, bytes: 1 }));
      return { objects, more: false };
    },
    async putOnce(key, document) {
      if (documents.has(key)) return 'already there';
      documents.set(key, JSON.parse(JSON.stringify(document)) as DeadLetterDocument);
      return 'stored';
    },
  };
}

/** A stream in memory, by shard, each in order; `reads` are the positions that were asked for: numbers, or times in ms. */
export function memoryStream(pageSize = 100) {
  const byShard = new Map<string, StreamRecord[]>();
  const reads: string[] = [];
  return {
    byShard,
    reads,
    shards: async (_: string): Promise<readonly string[]> => [...byShard.keys()],
    async *pages(_: string, shardId: string, from: StreamPosition): AsyncGenerator<StreamPage> {
      reads.push(from.kind === 'time' ? String(from.time) : from.sequenceNumber);
      const all = byShard.get(shardId);
      // As Kinesis has it of a shard that is gone or never was.
      if (all === undefined)
        throw new Failure('AWS_REFUSED', `reading the shard ${shardId}: ResourceNotFoundException`);
      const rest = all.filter(({ sequenceNumber, arrivedAt }) =>
        from.kind === 'time'
          ? (arrivedAt ?? 0) * 1_000 >= from.time
          : BigInt(sequenceNumber) >= BigInt(from.sequenceNumber),
      );
      // Kinesis may answer with nothing although there is something.
      yield { records: [], last: rest.length === 0 };
      for (let at = 0; at < rest.length; at += pageSize) {
        yield { records: rest.slice(at, at + pageSize), last: at + pageSize >= rest.length };
      }
    },
  };
}

/** Thrown where a function is killed: no code of its own runs any more. */
export class Killed extends Error {}

export interface Reconciling {
  readonly with_: Caller;
  readonly made: Made;
  readonly runtime: ReconcileRuntime;
  readonly published: PublishedPipeline;
  readonly store: ReturnType<typeof memoryOnce>;
  readonly stream: ReturnType<typeof memoryStream>;
  readonly marks: MemoryMarks;
  /** The real one, in the table of the ledger. */
  readonly progress: Progress;
  readonly counted: Record<string, number>;
  /** What it started, by the function's name. */
  readonly started: { readonly name: string; readonly event: unknown }[];
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly secrets: Map<string, string>;
  readonly routes: ReturnType<typeof memoryRoutes>;
  readonly ledger: ReturnType<typeof memoryLedger>;
  /** Runs in a container of its own. `killAt`: dies at so many-th change of store or progress, `after` it or before. */
  run(more?: {
    event?: unknown;
    remainingMs?: number;
    killAt?: number;
    after?: boolean;
    fetch?: ReconcileRuntime['fetch'];
    store?: DeadLettersOnce;
  }): Promise<Reconciled>;
  /** Changes of store and progress in the last run. */
  readonly changes: () => number;
  /** Forgets how far was read. */
  forget(): void;
  /** Reason, message and data of every stored entry, in order of keys. */
  entries(): { message: string; record: string; shardId: string; sequenceNumber: string; reason: string }[];
}

export async function reconciling(
  options: PlatformOptions = {},
  pipeline: Parameters<typeof makePipeline>[1] = { dataType: 'xdm' },
  name = 'customers',
): Promise<Reconciling> {
  const with_ = await caller(options);
  const made = await makePipeline(with_, pipeline);
  const published: PublishedPipeline = {
    ...PUBLISHED,
    pipeline: name,
    data: pipeline?.dataType === 'raw' ? 'raw' : 'xdm',
    flowId: made.flowId,
    datasetId: made.dataSetId,
    schemaId: made.schemaId,
  };
  const store = memoryOnce();
  const stream = memoryStream();
  const ledger = memoryLedger(TABLE);
  const progress = createProgress(TABLE, ledger.call);
  const manifest = { source: { kind: 'inlet', stream: 'customers' } };
  ledger.items.set(name, {
    pipeline: { S: name },
    manifest: { S: JSON.stringify(manifest) },
    known: { S: JSON.stringify({ ids: { flow: made.flowId }, old: [] }) },
  });
  const secrets = new Map([
    ['penstock/dev/streams/customers', JSON.stringify(published)],
    [
      'penstock/dev/credentials',
      JSON.stringify({ clientId: CLIENT, clientSecret: SECRET, organizationId: ORGANIZATION }),
    ],
  ]);
  const routes = memoryRoutes();
  const marks = memoryMarks();
  const counted: Record<string, number> = {};
  const pending: [string, number][] = [];
  const started: Reconciling['started'] = [];
  const lines: Reconciling['lines'] = [];
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const clock: Clock = { now: with_.clock.now, sleep: async (ms) => with_.clock.advance(ms) };
  const runtime: ReconcileRuntime = {
    settings: settingsFrom({
      PENSTOCK_IMS_URL: ORIGIN,
      PENSTOCK_PLATFORM_URL: ORIGIN,
      PENSTOCK_REDRIVE: 'penstock-dev-redrive',
    }),
    clock,
    random: () => 0.5,
    fetch: (url, init) => with_.platform.fetch(new Request(url, init as RequestInit)),
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    secrets: {
      get: async (id) => secrets.get(id),
      create: () => Promise.reject(new Error('reconcile writes no secret')),
      put: () => Promise.reject(new Error('reconcile writes no secret')),
      remove: () => Promise.reject(new Error('reconcile removes no secret')),
    },
    routes,
    ledger: ledger.ledger,
    deadLetters: store,
    functions: { start: async (name, event) => void started.push({ name, event }) },
    stream,
    marks,
    progress,
    metrics: {
      count: (name, value) => void pending.push([name, value]),
      flush() {
        for (const [name, value] of pending.splice(0)) counted[name] = (counted[name] ?? 0) + value;
      },
    },
  };

  let changes = 0;
  return {
    with_,
    made,
    runtime,
    published,
    store,
    stream,
    marks,
    progress,
    counted,
    started,
    lines,
    secrets,
    routes,
    ledger,
    changes: () => changes,
    forget() {
      for (const key of [...ledger.items.keys()]) if (key.includes('#')) ledger.items.delete(key);
    },
    async run({ event = {}, remainingMs = 600_000, killAt, after = false, fetch, store: own } = {}) {
      changes = 0;
      const change = async <T>(act: () => Promise<T>): Promise<T> => {
        const last = changes++ === killAt;
        if (last && !after) throw new Killed();
        const result = await act();
        if (last) throw new Killed();
        return result;
      };
      const through = own ?? store;
      const mortal: ReconcileRuntime = {
        ...runtime,
        ...(fetch && { fetch }),
        deadLetters: { ...store, putOnce: (key, document) => change(() => through.putOnce(key, document)) },
        progress: {
          ...progress,
          write: (name, value, version) => change(() => progress.write(name, value, version)),
          mark: (name, day, marks) => change(() => progress.mark(name, day, marks)),
          forgetOld: (name) => change(() => progress.forgetOld(name)),
        },
      };
      const deadline = clock.now() + remainingMs;
      return createReconcile(mortal)(event, { remainingMs: () => deadline - clock.now() });
    },
    entries: () =>
      [...store.documents]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, { shardId, entries }]) =>
          entries.map(({ reason, message, sequenceNumber, data }) => ({
            reason,
            message,
            shardId,
            sequenceNumber,
            record: Buffer.from(data, 'base64').toString(),
          })),
        ),
  };
}

/** An XDM message as the forwarder sends it. */
export function xdmMessage(
  { made }: Pick<Reconciling, 'made'>,
  record: object,
  flowId = made.flowId,
): object {
  const schemaRef = { id: made.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
  return {
    header: {
      schemaRef,
      imsOrgId: ORGANIZATION,
      datasetId: made.dataSetId,
      flowId,
      source: { name: 'orders' },
    },
    body: { xdmMeta: { schemaRef }, xdmEntity: record },
  };
}

export { STREAM_ARN };
