// The last check before records flow: is the flow enabled and warm, are the samples right, is the inlet
// allowed?
import { createHash } from 'node:crypto';
import { inletAddress } from '../../aep/inlet.ts';
import { Failure } from '../../failure.ts';
import type { Made, Pipeline } from '../../pipeline.ts';
import { SCHEMA_CACHE_FACTOR } from '../../waits.ts';
import { connectionInlet, type Inlet, inletMark } from '../resources/inlet.ts';
import { mappingSetOf } from '../resources/mapping.ts';
import { type Context, ifThere, isPlanFresh, required } from '../resources/resource.ts';
import { trySamples } from '../resources/trial.ts';

/** States of a flow that pass by themselves. Contract §4.2. */
const PASSING = new Set(['initializing', 'enabling', 'updating', 'inProgress']);

/** In ms. Data Prep changes a few times a year: samples that became what they must a day ago are tried again. */
const TRIED_MS = 86_400_000;

/**
 * The pipeline with the list of what was verified.
 * @throws Failure `NOT_READY` if time helps; otherwise `AEP_REFUSED`, `MAPPING_INVALID`
 */
export async function verify(pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const now = context.runtime.clock.now();
  if (!isSeenEnabled(pipeline, now)) await verifyFlow(pipeline, context);
  const wait = waitSeconds(pipeline, now);
  if (wait > 0) throw new Failure('NOT_READY', `the flow ${required(pipeline, 'flow')} is warm in ${wait} s`);
  return withSamples({ ...pipeline, verified: ['flow is enabled', 'flow is warm'] }, context);
}

/** The plan has just seen the flow enabled, and found nothing to do: no record waits for this answer. */
function isSeenEnabled({ plan, old, resources, execution }: Pipeline, now: number): boolean {
  const isUnchanged = old.length === 0 && plan.every(({ action }) => action === 'keep' || action === 'none');
  return isUnchanged && resources.flow?.state === 'enabled' && isPlanFresh(execution, now);
}

async function verifyFlow(pipeline: Pipeline, { aep }: Context): Promise<void> {
  const id = required(pipeline, 'flow');
  const flow = await ifThere(aep.flowService.getFlow(id));
  // An old list named the flow. The next look will not find it, and another one is made.
  if (flow === undefined) throw new Failure('NOT_READY', `the flow ${id} is not there`);
  const state = flow.state ?? 'unknown';
  if (state === 'enabled') return;
  if (PASSING.has(state)) throw new Failure('NOT_READY', `the flow ${flow.id} is ${state}`);
  throw new Failure('AEP_REFUSED', `the flow ${flow.id} is ${state}, not enabled`, {
    next: 'Enable it in AEP or delete it, then run again.',
  });
}

/**
 * Tries the samples. If this execution made the mapping set, it tried them then. What an earlier one found right
 * within a day is not tried again, unless the schema was changed since.
 */
async function withSamples(pipeline: Pipeline, { aep, runtime }: Context): Promise<Pipeline> {
  const { samples, resources, tenant, tried, execution, verified } = pipeline;
  if (samples === undefined || resources.mapping === undefined) return pipeline;
  const set = mappingSetOf(pipeline);
  const digest = createHash('sha256')
    .update(JSON.stringify([set, samples, tenant]))
    .digest('hex');
  const [many, become] = samples.length === 1 ? ['sample', 'becomes'] : ['samples', 'become'];
  const now = runtime.clock.now();
  const changedAt = schemaChangedAt(pipeline);
  if (tried?.digest === digest && isRecent(Date.parse(tried.at), changedAt, now))
    return {
      ...pipeline,
      verified: [...verified, `${samples.length} ${many} became what they must at ${tried.at}`],
    };
  if (resources.mapping.how !== 'created') await trySamples(aep, set, samples, tenant);
  const triedAt =
    resources.mapping.how === 'created' ? Math.max(Date.parse(execution.startedAt), changedAt) : now;
  const at = new Date(triedAt).toISOString();
  const said = `${samples.length} ${many} ${become} what they must`;
  return { ...pipeline, tried: { digest, at }, verified: [...verified, said] };
}

function isRecent(triedAt: number, schemaChangedAt: number, now: number): boolean {
  return now - triedAt < TRIED_MS && triedAt >= schemaChangedAt;
}

/** When the schema or an own field group was last made or changed, also by somebody else. In ms; 0 where AEP does not tell. */
function schemaChangedAt({ resources }: Pipeline): number {
  return Math.max(0, ...schemaParts(resources).map((made) => made?.changedAt ?? 0));
}

function schemaParts(resources: Pipeline['resources']): (Made | undefined)[] {
  return Object.entries(resources)
    .filter(([key]) => key === 'schema' || key.startsWith('field-group:'))
    .map(([, made]) => made);
}

/**
 * Seconds until the flow is warm; AEP may lose records sent earlier (contract §4.6). If a schema in use was
 * changed, until no cache holds the old one (contract §6.4).
 */
export function waitSeconds(pipeline: Pipeline, now: number): number {
  const { flow } = pipeline.resources;
  // A flow of unknown age counts as new: what is sent too early is lost silently.
  const flowChangedAt = flow?.changedAt ?? now;
  const warmAt = flowChangedAt + pipeline.warmUpSeconds * 1_000;
  const changes = schemaChanges(pipeline).filter((changedAt) => changedAt <= flowChangedAt);
  const freshAt = Math.max(0, ...changes) + pipeline.warmUpSeconds * SCHEMA_CACHE_FACTOR * 1_000;
  return Math.max(0, Math.ceil((Math.max(warmAt, freshAt) - now) / 1_000));
}

/** When the schema was changed after its dataset was made. Changes after the flow do not matter to it. */
function schemaChanges({ resources }: Pipeline): number[] {
  const { dataset } = resources;
  if (dataset?.createdAt === undefined) return [];
  const from = dataset.createdAt;
  return schemaParts(resources)
    .map((made) => made?.changedAt ?? 0)
    .filter((changedAt) => changedAt > from);
}

/**
 * The inlet behind the base connection. Never put into the document, because its URL can be a secret. It is the
 * published one where the plan has just seen that the connection has no other.
 * @throws Failure `NOT_READY` if there is none yet; `INLET_NOT_ALLOWED`
 */
export async function readInlet(
  pipeline: Pipeline,
  published: Inlet | undefined,
  context: Context,
): Promise<Inlet> {
  const { runtime } = context;
  const isSeen =
    published !== undefined &&
    inletMark(published) === pipeline.resources['base-connection']?.inlet &&
    isPlanFresh(pipeline.execution, runtime.clock.now());
  const inlet = isSeen ? published : await askedInlet(pipeline, context);
  inletAddress(inlet.inletUrl, runtime.settings.inletOrigins);
  return inlet;
}

async function askedInlet(pipeline: Pipeline, { aep }: Context): Promise<Inlet> {
  const id = required(pipeline, 'base-connection');
  const connection = await ifThere(aep.flowService.getConnection(id));
  if (connection === undefined) throw new Failure('NOT_READY', `the connection ${id} is not there`);
  const inlet = connectionInlet(connection, pipeline.manifest);
  if (inlet === undefined) throw new Failure('NOT_READY', `the connection ${connection.id} has no inlet yet`);
  return inlet;
}
