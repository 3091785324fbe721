// The run report: what an execution did, to what, and why. The same document whatever the outcome.
import { notAccepted } from '../../accepted.ts';
import type { Ask } from '../../ask.ts';
import {
  type Fate,
  fromVersion1,
  Pipeline,
  type Planned,
  REPORT_VERSION,
  type Report,
} from '../../pipeline.ts';
import type { LedgerRuntime } from '../../runtime.ts';
import { clip, jsonBytes } from '../clip.ts';
import { knownOf } from '../known.ts';
import { MAX_STATE_BYTES, withReport } from './fit.ts';
import { failureLine, nextAfter, Refused, refusedReport, reportedFailure, tellingOf } from './refused.ts';

/** In bytes. The ledger's entry of a pipeline has a limit; half a report is better than none. */
const MAX_REPORT_BYTES = 60_000;
const MAX_REPORT_TEXT = 2_000;

/**
 * The document, or a request that `begin` refused, with its report. The ledger keeps it as the pipeline's
 * last report. Its content never makes it fail.
 * @throws Failure `EVENT_INVALID` for anything else
 */
export async function report(event: unknown, runtime: LedgerRuntime): Promise<unknown> {
  const result = Pipeline.safeParse(fromVersion1(event));
  if (!result.success) {
    const refused = Refused.safeParse(event);
    if (refused.success) return reportRefused(refused.data, runtime);
    throw notAccepted('report', 'this is not a pipeline document', result.error.issues);
  }
  const pipeline = { ...result.data, failure: failureText(result.data) };
  const made = reportOf(pipeline, runtime.clock.now());
  log(made, runtime);
  // An execution without the lease must not change what is kept of the pipeline.
  if (pipeline.leased) await keep(made, pipeline, runtime);
  const { samples: _, ...rest } = pipeline;
  return withReport(rest, made);
}

/**
 * The same for a request. It holds no lease, so it changes nothing while an execution works on the pipeline.
 */
async function reportRefused(request: Refused, runtime: LedgerRuntime): Promise<unknown> {
  const { samples: _, ...rest } = request;
  const failure = failureText(request);
  const made = refusedReport({ ...request, failure }, runtime.clock.now());
  log(made, runtime);
  await keepRefused(made, request, runtime);
  const whole = { ...rest, failure, report: made };
  const { mode, execution } = request;
  return jsonBytes(whole) <= MAX_STATE_BYTES ? whole : { mode, execution, failure, report: made };
}

function log({ pipeline, outcome, summary, next }: Report, runtime: LedgerRuntime): void {
  runtime.log.info('run report', { event: 'run-report', pipeline, outcome, summary, next: next.join(' ') });
}

/** The failure in words, with its fields. */
function failureText({
  failure,
  rollbackFailure,
}: Pick<Pipeline, 'failure' | 'rollbackFailure'>): Pipeline['failure'] {
  if (failure === undefined) return undefined;
  const told = tellingOf(failure);
  if (rollbackFailure === undefined) return told;
  const undoing = `${rollbackFailure.Error}: ${clip(tellingOf(rollbackFailure).Cause, MAX_REPORT_TEXT)}`;
  return {
    ...told,
    Error: 'Penstock.RollbackFailed',
    Cause: `${told.Cause} | Undoing it failed as well (${undoing}): what this execution made has its ownership tag and is still there. Start it again, or remove it by hand.`,
  };
}

/** The ledger keeps the plan of no execution. */
async function keepRefused(report: Report, request: Refused, { ledger, log }: LedgerRuntime): Promise<void> {
  const { manifest, mode, execution } = request;
  if (manifest === undefined || mode === 'plan' || execution === undefined) return;
  const entry = { report, updatedAt: report.execution.endedAt };
  if (!(await ledger.write(manifest.name, execution.id, entry)))
    log.warn('report not kept: another execution works on the pipeline', { pipeline: manifest.name });
}

async function keep(made: Report, pipeline: Pipeline, { ledger, log }: LedgerRuntime): Promise<void> {
  const { mode, manifest, execution, failure } = pipeline;
  const ended = failure === undefined;
  const kept = await ledger.write(manifest.name, execution.id, {
    report: made,
    updatedAt: made.execution.endedAt,
    known: knownOf(pipeline),
    // The manifest in force: the last one applied, until the pipeline is retired.
    ...(ended && {
      manifest: mode === 'retire' ? null : manifest,
      succeeded: { id: execution.id, startedAt: execution.startedAt },
    }),
  });
  if (!kept)
    log.warn('report not kept: another execution works on the pipeline', { pipeline: manifest.name });
}

export function reportOf(pipeline: Pipeline, now: number): Report {
  const { mode, manifest, execution, failure } = pipeline;
  const asks = asksOf(pipeline);
  const made: Report = {
    version: REPORT_VERSION,
    pipeline: manifest.name,
    mode,
    execution: { ...execution, endedAt: new Date(now).toISOString() },
    outcome: failure?.Error ?? OUTCOMES[mode],
    summary: summaryOf(pipeline),
    durationMs: Math.max(0, now - Date.parse(execution.startedAt)),
    resources: pipeline.plan.map((planned) => reportEntry(planned, pipeline)),
    sandbox: pipeline.sandbox ?? { name: manifest.sandbox },
    toDo: hasToDo(pipeline),
    ...(pipeline.old.length > 0 && { old: pipeline.old.map(({ resource, id }) => ({ resource, id })) }),
    ...tokenIn(pipeline),
    warnings: pipeline.warnings,
    verified: pipeline.verified,
    steps: pipeline.trail,
    ...(failure !== undefined && {
      failure: reportedFailure(tellingOf(failure)),
    }),
    next: nextSteps(pipeline),
    ...(asks.length > 0 && { ask: asks }),
  };
  return fittingReport(made);
}

/** Whether the plan has anything to do. What is not needed any more goes, even if all else is kept. */
function hasToDo({ plan, old }: Pipeline): boolean {
  return old.length > 0 || plan.some(({ action }) => action !== 'keep' && action !== 'none');
}

/** An execution that went on has changed the state that its token was made of. */
function tokenIn({ mode, token, moved, before }: Pipeline): Pick<Report, 'token' | 'moved' | 'before'> {
  if (token === undefined || (mode !== 'plan' && moved === undefined)) return {};
  return { token, ...(moved !== undefined && { moved }), ...(before !== undefined && { before }) };
}

const OUTCOMES = { apply: 'succeeded', plan: 'planned', retire: 'retired' } as const;

function reportEntry(planned: Planned, pipeline: Pipeline): Report['resources'][number] {
  const { resource, action, name, id, reason, differences, irreversible, readTwice } = planned;
  const made = resource === 'publish' || resource === 'trigger' ? undefined : pipeline.resources[resource];
  const now = made?.id ?? (resource === 'trigger' ? pipeline.trigger?.id : undefined) ?? id;
  return {
    resource,
    planned: action,
    done: doneOf(planned, pipeline),
    name: made?.name ?? name,
    ...(now !== undefined && { id: now }),
    why: clip(reason, MAX_REPORT_TEXT),
    ...(irreversible !== undefined && { irreversible: clip(irreversible, MAX_REPORT_TEXT) }),
    ...(readTwice === true && { readTwice }),
    ...(differences !== undefined && { differences }),
  };
}

function doneOf({ resource, action, id }: Planned, pipeline: Pipeline): string {
  if (action === 'none') return 'none';
  if (pipeline.mode === 'plan') return 'planned';
  if (resource === 'publish')
    return fateOf(pipeline, resource) === 'removed' ? 'undone' : publishDone(action, pipeline.published);
  if (resource === 'trigger')
    return fateOf(pipeline, resource) === 'removed' ? 'undone' : (pipeline.trigger?.how ?? 'not reached');
  const made = pipeline.resources[resource];
  const fate = fateOf(pipeline, resource, made?.id ?? id);
  if (fate === 'removed') return pipeline.mode === 'retire' ? 'removed' : 'undone';
  if (fate === 'left') return 'left';
  if (pipeline.mode === 'retire') return action === 'keep' ? 'kept' : 'not reached';
  if (made === undefined || made.pending === true) return 'not reached';
  return made.how;
}

/** `written` is how it was done; a reader compares with what was planned. */
function publishDone(action: Planned['action'], published: Pipeline['published']): string {
  if (published === 'written') return action === 'create' ? 'created' : 'updated';
  return published ?? 'not reached';
}

/** A resource that could not be removed at first may be removed in the end. */
function fateOf({ fates }: Pipeline, resource: Planned['resource'], id?: string): Fate['became'] | undefined {
  const own = fates.filter((one) => one.resource === resource && (id === undefined || one.id === id));
  return own.find(({ became }) => became === 'removed')?.became ?? own[0]?.became;
}

/** A summary in one line. */
function summaryOf(pipeline: Pipeline): string {
  const { manifest, mode, failure, left } = pipeline;
  if (failure !== undefined) return failureLine(manifest.name, tellingOf(failure));
  const counts = new Map<string, string[]>();
  for (const planned of pipeline.plan) {
    const word = mode === 'plan' ? planned.action : doneOf(planned, pipeline);
    if (word === 'none' || (mode === 'plan' && word === 'keep') || word === 'kept') continue;
    counts.set(word, [...(counts.get(word) ?? []), planned.resource]);
  }
  const old =
    mode === 'apply' && pipeline.removed.length > 0
      ? [`old ones removed: ${pipeline.removed.join(', ')}`]
      : [];
  const stays = left.length > 0 ? [`left in place: ${left.join('; ')}`] : [];
  const done = [...counts].map(([word, which]) => `${word} ${which.join(', ')}`);
  const surplus = mode === 'plan' && done.length === 0 ? surplusOf(pipeline) : [];
  const parts = [...done, ...surplus, ...old, ...stays];
  const said = parts.length === 0 ? 'nothing to do: all is as the manifest says' : parts.join('; ');
  return clip(`${manifest.name}: ${said}`, MAX_REPORT_TEXT);
}

/** What is all that there is to do, where everything else is kept. */
function surplusOf({ old }: Pipeline): string[] {
  const which = old.map(({ resource, id }) => `${resource} ${id}`);
  return which.length === 0 ? [] : [`remove what is not needed any more: ${which.join(', ')}`];
}

function nextSteps(pipeline: Pipeline): string[] {
  const { mode, failure, plan, left } = pipeline;
  if (failure !== undefined) return [nextAfter(tellingOf(failure))];
  const conflicts = plan.filter(({ action }) => action === 'conflict');
  if (conflicts.length > 0) return ['Settle the conflicts, then start it again.'];
  if (left.length > 0) return ['Remove by hand what was left in place, or start it again.'];
  if (mode === 'plan' && hasToDo(pipeline)) return ['Start it without "mode": "plan" to do this.'];
  return asksOf(pipeline).map(({ to, function: name, event }) =>
    name === 'status' ? HEALTH : `To ${to}, start redrive with ${JSON.stringify(event)}`,
  );
}

/** What to ask after an execution that went well. */
function asksOf(pipeline: Pipeline): Ask[] {
  const { mode, failure, plan, left, manifest } = pipeline;
  const isWell =
    failure === undefined && left.length === 0 && plan.every(({ action }) => action !== 'conflict');
  if (!isWell || mode !== 'apply' || manifest.source.kind !== 'inlet') return [];
  const health = { pipeline: manifest.name, doctor: true };
  const earlier = backfillEvent(pipeline);
  return [
    { to: 'see whether records arrive', function: 'status', event: health },
    ...(earlier === undefined
      ? []
      : [
          {
            to: 'send what arrived before it joined the stream as well',
            function: 'redrive',
            event: earlier,
          },
        ]),
  ];
}

/**
 * The event of redrive for what arrived between `startAt` and the moment from which the pipeline takes records. Only
 * where it has joined the stream of others, and asks for an earlier start than now.
 */
function backfillEvent({ manifest, streamArn, plan, routeFrom }: Pipeline): Ask['event'] | undefined {
  const { source } = manifest;
  const isNew = plan.some(({ resource, action }) => resource === 'publish' && action === 'create');
  if (source.kind !== 'inlet' || source.startAt === 'now' || !isNew || routeFrom === undefined)
    return undefined;
  // Redrive begins with the oldest record that the stream still has.
  const from = source.startAt === 'earliest' ? new Date(0) : new Date(source.startAt);
  const arrived = { from: from.toISOString(), to: new Date(routeFrom - 1).toISOString() };
  return { stream: streamArn, pipeline: manifest.name, source: 'stream', where: { arrived } };
}

const HEALTH = 'Ask the health check whether records arrive (events/doctor.json).';

/** Long texts go first, then the trail, then the differences: what was done to which resource stays as long as it can. */
function fittingReport(made: Report): Report {
  const fits = (one: Report) => jsonBytes(one) <= MAX_REPORT_BYTES;
  if (fits(made)) return made;
  const brief: Report = {
    ...made,
    steps: made.steps.map((one) => ({ ...one, changes: [] })),
    resources: made.resources.map(({ differences, ...one }) => ({
      ...one,
      why: clip(one.why, 300),
      ...(differences !== undefined && { differences: shortened(differences.slice(0, 5), 200) }),
    })),
  };
  if (fits(brief)) return brief;
  const bare: Report = {
    ...brief,
    steps: [],
    resources: brief.resources.map(({ differences: _, ...one }) => one),
    warnings: brief.warnings.slice(0, 5),
  };
  let last = bare;
  for (let most = 128; !fits(last) && most > 1; most /= 2) last = shortened(bare, 300, most);
  return last;
}

/** The same with no text longer than `bytes`, and no list longer than `entries`. */
function shortened<T>(value: T, text: number, entries?: number): T {
  const shorter = (one: unknown): unknown => {
    if (typeof one === 'string') return clip(one, text);
    if (Array.isArray(one)) return one.slice(0, entries).map(shorter);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, own]) => [key, shorter(own)]));
  };
  return shorter(value) as T;
}
