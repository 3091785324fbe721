// What AEP refused after it had received it: found in the pipelines' failed batches, and kept with the other rejects.
import * as z from 'zod';
import { askedBy, notAccepted } from '../accepted.ts';
import type { Batch } from '../aep/catalog.ts';
import { type Aep, createAep } from '../aep/client.ts';
import type { Sessions } from '../aep/token.ts';
import { Failure, isFailure } from '../failure.ts';
import { inletStreamIn, type KeptMappingRow, mappingRowsIn } from '../kept-manifest.ts';
import { type PublishedPipeline, readPublished, streamNameOf } from '../published.ts';
import type { LedgerRecord, ReconcileRuntime } from '../runtime.ts';
import { sessionsOf } from '../sessions.ts';
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
});

export interface Reconciled {
  /** Pipelines that were looked at. */
  readonly pipelines: number;
  /** Failed batches that there was something to read in. */
  readonly batches: number;
  /** Rows put into the dead-letter store now, and rows that were in it. */
  readonly stored: number;
  readonly alreadyThere: number;
  /** Ids of batches whose rows are parquet. */
  readonly unreadable: readonly string[];
  /** Whether nothing was left for the next run. */
  readonly complete: boolean;
}

/**
 * Looks through the failed batches of one pipeline (`{"pipeline": "name"}` or `{"streamArn": "arn:…"}`), or of all.
 * @throws Failure `EVENT_INVALID`, `NOT_PUBLISHED`, and, when all have been looked at, what the first of them failed with
 */
export type Reconcile = (
  event: unknown,
  invocation: { readonly remainingMs: () => number },
) => Promise<Reconciled>;

/** Left for what goes on in Lambda behind the last call. What is cut off goes on at the next run. */
const RECONCILE_RESERVE_MS = 15_000;
/** Batches that cannot be read, one after the other: then it is not the batches. */
const MAX_UNREADABLE_BATCHES = 3;

/** One for one container. Nothing is read before the first call. */
export function createReconcile(runtime: ReconcileRuntime): Reconcile {
  const sessions = sessionsOf(runtime);
  return async (event, { remainingMs }) => {
    const wanted = await pipelinesFor(event, runtime);
    const total = nothing();
    let fault: unknown;
    for (const [index, one] of wanted.entries()) {
      // Each has its share of the time: one with much to read does not keep the others waiting.
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

/** @throws Failure `EVENT_INVALID`; `NOT_PUBLISHED` for one that was asked for by name */
async function pipelinesFor(event: unknown, runtime: ReconcileRuntime): Promise<WantedPipelines[]> {
  const question = Question.safeParse(askedBy(event));
  if (!question.success) throw notAccepted('reconcile', 'this names no pipeline', question.error.issues);
  const { pipeline, streamArn } = question.data;
  if (streamArn !== undefined) return [await ofStream(streamArn, runtime)];
  if (pipeline === undefined) {
    const all: WantedPipelines[] = [];
    for (const name of await runtime.ledger.names()) all.push(...(await ofName(name, runtime)));
    return all;
  }
  const found = await ofName(pipeline, runtime);
  if (found.length > 0) return found;
  throw new Failure('NOT_PUBLISHED', `nothing is published of a pipeline ${pipeline}`);
}

async function ofStream(
  streamArn: string,
  { secrets, settings, ledger }: ReconcileRuntime,
): Promise<WantedPipelines> {
  const published = await readPublished(secrets, settings, streamArn);
  if (published === undefined)
    throw new Failure('NOT_PUBLISHED', `no pipeline is published for ${streamArn}`);
  return { published, record: await ledger.read(published.pipeline) };
}

async function ofName(
  name: string,
  { secrets, settings, ledger }: ReconcileRuntime,
): Promise<WantedPipelines[]> {
  const record = await ledger.read(name);
  const stream = inletStreamIn(record?.manifest);
  // What AEP reads by itself has none, and nothing of ours is in it.
  if (stream === undefined) return [];
  // A stream's name alone finds its secret as well as its ARN does.
  const published = await readPublished(secrets, settings, stream);
  return published?.pipeline === name ? [{ published, record }] : [];
}

interface Turn {
  readonly runtime: ReconcileRuntime;
  readonly sessions: Sessions;
  readonly timeLeftMs: () => number;
}

/** What one pipeline's turn has to do with. */
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
  const { runtime, sessions } = turn;
  const { platformUrl } = runtime.settings;
  const aep = createAep({ sandbox: published.sandbox, platformUrl, transport: runtime, sessions });
  const started = runtime.clock.now();
  const state = await openState(published.pipeline, runtime);
  const sweep = sweepOf(state.now(), started);
  // Also tells an earlier run, should there be one still, that it is over.
  await state.change((soFar) => withFlows({ ...soFar, sweep }, [...flowsOf(record), published.flowId]));
  // It says what AEP's rows were made of.
  const mapping = mappingRowsIn(record?.manifest);
  const searches = { reads: 0, empty: new Map() };
  const work: PipelineWork = { ...turn, aep, published, state, sweep, mapping, searches };
  const { others, withoutFlow, ...total } = await readBatches(work);
  const { unreadable, ...counts } = total;
  // Taken for ours and sent through our flow, somebody else's record would be there twice; left alone, it is where it was.
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

/** `others`: batches that are not the pipeline's; `withoutFlow`: those among them that name no flow at all. */
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
      // A page was looked at: however many there are, the next run goes on from here.
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
        // Whatever it is, the next run begins behind it: those that can be read are read, and another sweep looks again.
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
  // Looked at again by every run until it is too old, but nothing that has to be waited for.
  if (end === 'empty') return counts;
  await state.done(batch);
  if (end === 'done') return counts;
  sayUnreadable(runtime, published, batch);
  return { ...counts, unreadable: [batch.id] };
}

interface Seen {
  /** None between two pages. */
  readonly batch?: Batch;
  /** What the sweep has come to when this one comes next. */
  readonly sweep: Pick<Sweep, 'status' | 'reached'>;
}

/** What is left of a sweep: every failed batch of the dataset once, eldest first, page by page. */
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
        // One short of it: others may have been made in the same millisecond.
        reached = Math.max(reached, (batch.created ?? 0) - 1);
        yield { batch, sweep: { status, reached } };
        seen.add(batch.id);
      }
      // A page that brings nothing new is one that was there before.
      more = page.more && fresh.length > 0;
      if (more) yield { sweep: { status, reached } };
    }
  }
}

/** Of what an execution left: the flow there is, and those that are about to go. */
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

/** A dataset may take in other flows' records as well. */
function isOfFlows({ tags }: Batch, flows: readonly string[]): boolean {
  return tags?.flowId?.some((id) => flows.includes(id)) ?? false;
}

/** What is remembered of a pipeline while a run works on it. */
interface PipelineState {
  readonly now: () => ReadSoFar;
  /** @throws Failure `LEASE_LOST` where another run has begun since */
  readonly change: (how: (soFar: ReadSoFar) => ReadSoFar) => Promise<void>;
  /** Whether there may be something in a batch that has not been read: never read to its end, or changed since. */
  readonly isUnread: (batch: Batch) => Promise<boolean>;
  /** Keeps that a batch has been read to its end. It has been, whoever reads on. */
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
      // Written with whatever is written next: a place in a batch that is done is never looked for.
      soFar = withPlace(soFar, mark, undefined);
    },
  };
}

/** What 0.1.0 kept in the pipeline's own item, until that could not be written any more, is taken over and leaves it. */
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

/** Whether an error may be about one batch alone. */
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
  log.error('a failed batch has its rows as parquet and no diagnostics: they have to be fetched by hand', {
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
  log[isOvertaken(error) ? 'info' : 'error']('what AEP refused could not be read to the end', {
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
