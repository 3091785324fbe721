// Finds what AEP refused after it had received it, in the failed batches of the pipelines, and stores it as dead
// letters.
import * as z from 'zod';
import { askedBy, notAccepted } from '../accepted.ts';
import type { Batch } from '../aep/catalog.ts';
import { type Aep, createAep } from '../aep/client.ts';
import { Failure, isFailure } from '../failure.ts';
import { createPipelines } from '../forward/pipelines.ts';
import { inletStreamIn, type KeptMappingRow, mappingRowsIn } from '../kept-manifest.ts';
import { type PublishedPipeline, readRoute, streamNameOf } from '../published.ts';
import type { LedgerRecord, ReconcileRuntime } from '../runtime.ts';
import { checkSandbox } from '../sandbox.ts';
import { type SessionsOf, sessionsOf } from '../sessions.ts';
import { readBatch } from './batch.ts';
import type { Searches } from './original.ts';
import {
  batchMark,
  dayOf,
  fittingProgress,
  placeIn,
  type ReadSoFar,
  readOld,
  readSoFar,
  type Sweep,
  sweepOf,
  withFlows,
  withPlace,
} from './progress.ts';
import { codesIn } from './row.ts';

const Question = z.strictObject({
  pipeline: z.string().min(1).optional(),
  streamArn: z.string().min(1).optional(),
  /** The sandbox that the sender has in mind. Pipelines of another one are refused. */
  sandbox: z.string().min(1).optional(),
});

export interface Reconciled {
  /** Pipelines that were looked at. */
  readonly pipelines: number;
  /** Failed batches with something to read. */
  readonly batches: number;
  /** Rows stored now, and rows that were in the store already. */
  readonly stored: number;
  readonly alreadyThere: number;
  /** Ids of batches whose rows are parquet. */
  readonly unreadable: readonly string[];
  /** Whether nothing was left for the next run. */
  readonly complete: boolean;
}

/**
 * Looks through the failed batches of one pipeline (`{"pipeline": "name"}` or `{"streamArn": "arn:…"}`), or of all.
 * @throws Failure `EVENT_INVALID`, `NOT_PUBLISHED`, and, when all have been looked at, the first failure of a
 * pipeline
 */
export type Reconcile = (
  event: unknown,
  invocation: { readonly remainingMs: () => number },
) => Promise<Reconciled>;

/** Time reserved for what Lambda does after the last call. A batch that is interrupted goes on in the next run. */
const RECONCILE_RESERVE_MS = 15_000;
/** So many failed reads in a row: then the batches are not the cause. */
const MAX_UNREADABLE_BATCHES = 3;

/** A reconciler for one container. Nothing is read before the first call. */
export function createReconcile(runtime: ReconcileRuntime): Reconcile {
  const sessions = sessionsOf(runtime);
  return async (event, { remainingMs }) => {
    const { wanted, faults } = await pipelinesFor(event, runtime);
    const total = nothing();
    let fault: unknown = faults[0];
    for (const [index, one] of wanted.entries()) {
      // Each pipeline has its share of the time: one with many batches does not delay the others.
      const until = (remainingMs() - RECONCILE_RESERVE_MS) * (1 - 1 / (wanted.length - index));
      const timeLeftMs = () => remainingMs() - RECONCILE_RESERVE_MS - until;
      try {
        addOutcome(total, await reconcilePipeline(one, { runtime, sessions, timeLeftMs }));
      } catch (error) {
        total.complete = false;
        logFault(runtime, one.published, error);
        if (!isOvertaken(error)) fault ??= isFailure(error) ? error.at(one.published.pipeline) : error;
      }
    }
    if (fault !== undefined) throw fault;
    return { pipelines: wanted.length, ...total };
  };
}

interface WantedPipelines {
  readonly published: PublishedPipeline;
  readonly record: LedgerRecord | undefined;
}

interface AllWanted {
  readonly wanted: readonly WantedPipelines[];
  /** Of pipelines that cannot be read: those do not delay the others, and fail the run at its end. */
  readonly faults: readonly Failure[];
}

/** @throws Failure `EVENT_INVALID`; `NOT_PUBLISHED` for one that was asked for by name */
async function pipelinesFor(event: unknown, runtime: ReconcileRuntime): Promise<AllWanted> {
  const question = Question.safeParse(askedBy(event));
  if (!question.success)
    throw notAccepted('reconcile', 'the event does not name a pipeline', question.error.issues);
  const { sandbox, ...which } = question.data;
  const all = await allWanted(which, runtime);
  for (const { published } of all.wanted) checkSandbox(sandbox, published.pipeline, published.sandbox);
  return all;
}

type AskedFor = Omit<z.infer<typeof Question>, 'sandbox'>;

async function allWanted({ pipeline, streamArn }: AskedFor, runtime: ReconcileRuntime): Promise<AllWanted> {
  if (streamArn !== undefined) return ofStream(streamArn, runtime);
  if (pipeline === undefined) return ofNames(await runtime.ledger.names(), runtime);
  const found = await ofName(pipeline, runtime);
  if (found.length > 0) return { wanted: found, faults: [] };
  throw new Failure('NOT_PUBLISHED', `nothing is published for a pipeline ${pipeline}`);
}

async function ofStream(streamArn: string, runtime: ReconcileRuntime): Promise<AllWanted> {
  const { routes, faults } = await createPipelines(runtime).of(streamArn);
  const wanted = await Promise.all(
    routes.map(async (published) => ({ published, record: await runtime.ledger.read(published.pipeline) })),
  );
  return { wanted, faults: Array.from(faults, ([name, failure]) => unreadable(name, failure, runtime)) };
}

async function ofNames(names: readonly string[], runtime: ReconcileRuntime): Promise<AllWanted> {
  const wanted: WantedPipelines[] = [];
  const faults: Failure[] = [];
  for (const name of names) {
    try {
      wanted.push(...(await ofName(name, runtime)));
    } catch (error) {
      if (!isFailure(error)) throw error;
      faults.push(unreadable(name, error, runtime));
    }
  }
  return { wanted, faults };
}

function unreadable(pipeline: string, failure: Failure, { log }: ReconcileRuntime): Failure {
  const { code, what: reason, next } = failure;
  log.error('a published pipeline cannot be read', { pipeline, code, reason, next });
  return failure.at(pipeline);
}

async function ofName(name: string, runtime: ReconcileRuntime): Promise<WantedPipelines[]> {
  const record = await runtime.ledger.read(name);
  const stream = inletStreamIn(record?.manifest);
  // What AEP reads by itself has none, and nothing of ours is in it.
  if (stream === undefined) return [];
  // A stream's name alone finds its secret as well as its ARN does.
  const published = await readRoute(runtime, stream, name);
  return published === undefined ? [] : [{ published, record }];
}

interface Turn {
  readonly runtime: ReconcileRuntime;
  readonly sessions: SessionsOf;
  readonly timeLeftMs: () => number;
}

/** What the turn of one pipeline needs. */
interface PipelineWork extends Turn {
  readonly aep: Aep;
  readonly published: PublishedPipeline;
  readonly state: PipelineState;
  /** As it was when the turn began. */
  readonly sweep: Sweep;
  /** The manifest's. */
  readonly mapping: readonly KeptMappingRow[];
  readonly searches: Searches;
}

type ReconcileOutcome = Omit<Reconciled, 'pipelines'>;

async function reconcilePipeline(
  { published, record }: WantedPipelines,
  turn: Turn,
): Promise<ReconcileOutcome> {
  const { runtime } = turn;
  const sessions = turn.sessions(published.credentials);
  const { platformUrl } = runtime.settings;
  const aep = createAep({ sandbox: published.sandbox, platformUrl, transport: runtime, sessions });
  const started = runtime.clock.now();
  const state = await openState(published.pipeline, runtime);
  const sweep = sweepOf(state.now(), started);
  // This also stops an earlier run that may still be working.
  await state.change((soFar) => withFlows({ ...soFar, sweep }, [...flowsOf(record), published.flowId]));
  // It says what AEP's rows were made of.
  const mapping = mappingRowsIn(record?.manifest);
  const searches = { reads: 0, empty: new Map() };
  const work: PipelineWork = { ...turn, aep, published, state, sweep, mapping, searches };
  const { others, withoutFlow, ...total } = await readBatches(work);
  const { unreadable, ...counts } = total;
  // Another flow's records may be in the dataset, too. Sent through our flow they would be duplicates, so they stay
  // where they are.
  runtime.log[withoutFlow > 0 ? 'warn' : 'info']('reconciled', {
    event: 'reconciled',
    pipeline: published.pipeline,
    stream: streamNameOf(published.streamArn),
    ...counts,
    unreadable: unreadable.length,
    others,
    withoutFlow,
    ms: runtime.clock.now() - started,
  });
  return total;
}

/** `others`: batches of other flows; `withoutFlow`: those among them that name no flow at all. */
async function readBatches(
  work: PipelineWork,
): Promise<ReconcileOutcome & { others: number; withoutFlow: number }> {
  const { runtime, published, state, timeLeftMs } = work;
  const total = { ...nothing(), others: 0, withoutFlow: 0 };
  const moved = (more: Partial<Sweep>) =>
    state.change((soFar) => ({ ...soFar, sweep: { ...work.sweep, ...soFar.sweep, ...more } }));
  let faults = 0;
  for await (const { batch, sweep } of failedBatches(work)) {
    if (batch === undefined) {
      // A page is done: the next run goes on from here.
      await moved(sweep);
    } else if (timeLeftMs() <= 0) {
      return { ...total, complete: false };
    } else if (!isOfFlows(batch, state.now().flows)) {
      total.others++;
      if (!batch.tags?.flowId) total.withoutFlow++;
    } else if (await state.isUnread(batch)) {
      total.batches++;
      try {
        const read = await readOne(batch, work);
        addOutcome(total, read);
        faults = 0;
        if (read.complete === false) return total;
      } catch (error) {
        if (!isAbout(error)) throw error;
        total.complete = false;
        const enough = ++faults >= MAX_UNREADABLE_BATCHES;
        // Whatever the cause, the next run begins behind this batch. It reads those that can be read, and another
        // sweep tries this one again.
        await moved({ whole: false, ...(enough && { ...sweep, reached: batch.created ?? sweep.reached }) });
        if (enough) throw error;
        logFault(runtime, published, error, batch.id);
      }
    }
  }
  const whole = state.now().sweep?.whole === true;
  await state.change(({ sweep, ...soFar }) => (whole ? { ...soFar, complete: work.sweep.started } : soFar));
  return { ...total, complete: total.complete && whole };
}

async function readOne(batch: Batch, work: PipelineWork): Promise<Partial<ReconcileOutcome>> {
  const { aep, runtime, published, state, timeLeftMs, mapping, searches } = work;
  const mark = batchMark(batch);
  const { end, ...counts } = await readBatch(batch, {
    aep,
    runtime,
    pipeline: published,
    mapping,
    searches,
    timeLeftMs,
    place: placeIn(state.now(), mark),
    note: (place) => state.change((soFar) => withPlace(soFar, mark, place)),
  });
  if (end === 'later') return { ...counts, complete: false };
  // An empty batch is looked at by every run until it is too old, but does not keep a run incomplete.
  if (end === 'empty') return counts;
  await state.done(batch);
  if (end === 'done') return counts;
  sayUnreadable(runtime, published, batch);
  return { ...counts, unreadable: [batch.id] };
}

interface Seen {
  /** Absent between two pages. */
  readonly batch?: Batch;
  /** How far the sweep is when this one comes next. */
  readonly sweep: Pick<Sweep, 'status' | 'reached'>;
}

/** The rest of a sweep: every failed batch of the dataset once, oldest first, page by page. */
async function* failedBatches({
  aep,
  published,
  sweep,
}: PipelineWork): AsyncGenerator<Seen, void, undefined> {
  const seen = new Set<string>();
  for (const status of ['failed', 'failure'] as const) {
    if (status === 'failed' && sweep.status === 'failure') continue;
    let reached = status === sweep.status ? sweep.reached : sweep.from;
    const { datasetId } = published;
    const createdAfter = reached;
    for (let start = 0, more = true; more; start += 100) {
      const page = await aep.catalog.failedBatches({ datasetId, status, createdAfter, start });
      const fresh = page.batches.filter(({ id }) => !seen.has(id));
      for (const batch of fresh) {
        // A millisecond less: other batches may have been made in the same one.
        reached = Math.max(reached, (batch.created ?? 0) - 1);
        yield { batch, sweep: { status, reached } };
        seen.add(batch.id);
      }
      // A page without new batches is a repeated one.
      more = page.more && fresh.length > 0;
      if (more) yield { sweep: { status, reached } };
    }
  }
}

/** What an execution stored: the current flow, and those that are about to be removed. */
const KnownFlows = z
  .object({
    ids: z.object({ flow: z.string().optional() }),
    old: z.array(z.object({ resource: z.string(), id: z.string() })),
  })
  .catch({ ids: {}, old: [] });

function flowsOf(record: LedgerRecord | undefined): string[] {
  const { ids, old } = KnownFlows.parse(record?.known);
  const gone = old.filter(({ resource }) => resource === 'flow').map(({ id }) => id);
  return ids.flow === undefined ? gone : [...gone, ids.flow];
}

/** Other flows may write to the dataset, too. */
function isOfFlows({ tags }: Batch, flows: readonly string[]): boolean {
  return tags?.flowId?.some((id) => flows.includes(id)) ?? false;
}

/** The stored progress of a pipeline while a run works on it. */
interface PipelineState {
  readonly now: () => ReadSoFar;
  /** @throws Failure `LEASE_LOST` if another run has begun since */
  readonly change: (how: (soFar: ReadSoFar) => ReadSoFar) => Promise<void>;
  /** Whether a batch may have unread rows: it was never read to its end, or changed since. */
  readonly isUnread: (batch: Batch) => Promise<boolean>;
  /** Stores that a batch has been read to its end. That stays true even if another run has taken over. */
  readonly done: (batch: Batch) => Promise<void>;
}

async function openState(pipeline: string, { progress }: ReconcileRuntime): Promise<PipelineState> {
  const kept = await progress.read(pipeline);
  let soFar = readSoFar(kept.value);
  let { version } = kept;
  const days = new Map<string, Set<string>>();
  const marksOf = async (day: string) => {
    const marks = days.get(day) ?? new Set(await progress.marks(pipeline, day));
    days.set(day, marks);
    return marks;
  };
  const change: PipelineState['change'] = async (how) => {
    soFar = fittingProgress(how(soFar));
    if (!(await progress.write(pipeline, soFar, version))) {
      throw new Failure('LEASE_LOST', `another run reconciles the pipeline ${pipeline}`);
    }
    version++;
  };
  await takeOverOld(pipeline, progress, change);
  return {
    now: () => soFar,
    change,
    isUnread: async (batch) => !(await marksOf(dayOf(batch))).has(batchMark(batch)),
    async done(batch) {
      const [day, mark] = [dayOf(batch), batchMark(batch)];
      await progress.mark(pipeline, day, [mark]);
      (await marksOf(day)).add(mark);
      // Stored with the next write: the place in a finished batch is never looked for.
      soFar = withPlace(soFar, mark, undefined);
    },
  };
}

/** Takes over what 0.1.0 kept in the pipeline's own item, which had outgrown it, and removes it there. */
async function takeOverOld(
  pipeline: string,
  progress: ReconcileRuntime['progress'],
  change: PipelineState['change'],
): Promise<void> {
  const text = await progress.old(pipeline);
  if (text === undefined) return;
  const old = readOld(text);
  if (old !== undefined) {
    for (const [day, marks] of old.marks) await progress.mark(pipeline, day, marks);
    await change((soFar) => {
      const complete = soFar.complete ?? old.complete;
      const flows = [...old.flows, ...soFar.flows];
      return withFlows({ ...soFar, flows: [], ...(complete !== undefined && { complete }) }, flows);
    });
  }
  await progress.forgetOld(pipeline);
}

function isOvertaken(error: unknown): boolean {
  return isFailure(error) && error.code === 'LEASE_LOST';
}

/** Whether an error may be about this batch alone. */
function isAbout(error: unknown): boolean {
  return (
    isFailure(error) && /^AEP_(NOT_FOUND|UNEXPECTED|UNREACHABLE|UNAVAILABLE|REFUSED|BUSY)$/.test(error.code)
  );
}

type Total = { -readonly [name in keyof ReconcileOutcome]: ReconcileOutcome[name] };

function nothing(): Total {
  return { batches: 0, stored: 0, alreadyThere: 0, unreadable: [], complete: true };
}

function addOutcome(total: Total, more: Partial<ReconcileOutcome>): void {
  total.batches += more.batches ?? 0;
  total.stored += more.stored ?? 0;
  total.alreadyThere += more.alreadyThere ?? 0;
  total.unreadable = [...total.unreadable, ...(more.unreadable ?? [])];
  total.complete &&= more.complete ?? true;
}

function sayUnreadable(
  { log, metrics }: ReconcileRuntime,
  { pipeline, streamArn }: PublishedPipeline,
  batch: Batch,
) {
  metrics.count('BatchesUnreadable', 1);
  metrics.flush({ pipeline });
  log.error('a failed batch has its rows as parquet, without error diagnostics: fetch them by hand', {
    pipeline,
    stream: streamNameOf(streamArn),
    batchId: batch.id,
    code: codesIn(batch.errors ?? [])[0],
    next: "Open the batch in AEP's monitoring, and send its records again from the stream.",
  });
}

function logFault(
  { log }: ReconcileRuntime,
  { pipeline, streamArn }: PublishedPipeline,
  error: unknown,
  batch?: string,
) {
  log[isOvertaken(error) ? 'info' : 'error']('reconcile could not read all failed batches', {
    pipeline,
    stream: streamNameOf(streamArn),
    batchId: batch,
    code: isFailure(error) ? error.code : 'DEFECT',
    reason: isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown',
    next: isFailure(error) ? error.next : undefined,
    status: isFailure(error) ? error.status : undefined,
    requestId: isFailure(error) ? error.requestId : undefined,
  });
}
