// The last check before records flow: is the flow enabled and warm, are the samples right, is the inlet
// allowed?
import { inletAddress } from '../../aep/inlet.ts';
import { Failure } from '../../failure.ts';
import type { Made, Pipeline } from '../../pipeline.ts';
import { SCHEMA_CACHE_FACTOR } from '../../waits.ts';
import { mappingSetOf } from '../resources/mapping.ts';
import { type Context, ifThere, required } from '../resources/resource.ts';
import { trySamples } from '../resources/trial.ts';

/** States of a flow that pass by themselves. Contract §4.2. */
const PASSING = new Set(['initializing', 'enabling', 'updating', 'inProgress']);

/**
 * The pipeline with the list of what was verified.
 * @throws Failure `NOT_READY` if time helps; otherwise `AEP_REFUSED`, `MAPPING_INVALID`
 */
export async function verify(pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const enabled = await verifyFlow(pipeline, context);
  const wait = waitSeconds(pipeline, context.runtime.clock.now());
  if (wait > 0) throw new Failure('NOT_READY', `the flow ${required(pipeline, 'flow')} is warm in ${wait} s`);
  const samples = await verifySamples(pipeline, context);
  return { ...pipeline, verified: [enabled, 'flow is warm', ...samples] };
}

async function verifyFlow(pipeline: Pipeline, { aep }: Context): Promise<string> {
  const id = required(pipeline, 'flow');
  const flow = await ifThere(aep.flowService.getFlow(id));
  // An old list named the flow. The next look will not find it, and another one is made.
  if (flow === undefined) throw new Failure('NOT_READY', `the flow ${id} is not there`);
  const state = flow.state ?? 'unknown';
  if (state === 'enabled') return 'flow is enabled';
  if (PASSING.has(state)) throw new Failure('NOT_READY', `the flow ${flow.id} is ${state}`);
  throw new Failure('AEP_REFUSED', `the flow ${flow.id} is ${state}, not enabled`, {
    next: 'Enable it in AEP or delete it, then run again.',
  });
}

/**
 * The samples were tried before the mapping set was made. If an earlier execution made it, they may be new,
 * and Data Prep may have changed.
 */
async function verifySamples(pipeline: Pipeline, { aep }: Context): Promise<string[]> {
  const { samples, resources, tenant } = pipeline;
  if (samples === undefined || resources.mapping === undefined) return [];
  if (resources.mapping.how !== 'created') await trySamples(aep, mappingSetOf(pipeline), samples, tenant);
  return [`${samples.length} ${samples.length === 1 ? 'sample becomes' : 'samples become'} what they must`];
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
  return Object.entries(resources)
    .filter(([key]) => key === 'schema' || key.startsWith('field-group:'))
    .map(([, made]: [string, Made | undefined]) => made?.changedAt ?? 0)
    .filter((changedAt) => changedAt > from);
}

export interface Inlet {
  readonly inletUrl: string;
  readonly sourceId: string;
  readonly authenticationRequired: boolean;
}

/**
 * The inlet behind the base connection. Read when needed and never put into the document, because it can be a
 * secret.
 * @throws Failure `NOT_READY` if there is none yet; `INLET_NOT_ALLOWED`
 */
export async function readInlet(pipeline: Pipeline, { aep, runtime }: Context): Promise<Inlet> {
  const { source, name } = pipeline.manifest;
  const id = required(pipeline, 'base-connection');
  const connection = await ifThere(aep.flowService.getConnection(id));
  if (connection === undefined) throw new Failure('NOT_READY', `the connection ${id} is not there`);
  const { inletUrl, sourceId, authenticationRequired } = connection.auth?.params ?? {};
  if (inletUrl === undefined)
    throw new Failure('NOT_READY', `the connection ${connection.id} has no inlet yet`);
  inletAddress(inletUrl, runtime.settings.inletOrigins);
  return {
    inletUrl,
    sourceId: sourceId ?? connection.name ?? name,
    // If AEP does not tell, it is as the manifest asks.
    authenticationRequired:
      authenticationRequired ?? (source.kind === 'inlet' ? source.authenticationRequired : true),
  };
}
