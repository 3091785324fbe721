// The last look before records flow: is the flow enabled and warm, and is the inlet where it may be?
import { inletAddress } from '../aep/inlet.ts';
import { Failure } from '../failure.ts';
import type { Pipeline } from '../pipeline.ts';
import { type Context, required } from './resource.ts';

/** States of a flow that pass by themselves. Contract §4.2. */
const PASSING = new Set(['initializing', 'enabling', 'updating', 'inProgress']);

/**
 * The pipeline with the list of what was verified.
 * @throws Failure `NOT_READY` where time will help; `AEP_REFUSED` where it will not; `INLET_NOT_ALLOWED`
 */
export async function verify(pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const flow = await context.aep.flowService.getFlow(required(pipeline, 'flow'));
  const state = flow.state ?? 'unknown';
  if (state !== 'enabled') {
    if (PASSING.has(state)) throw new Failure('NOT_READY', `the flow ${flow.id} is ${state}`);
    throw new Failure('AEP_REFUSED', `the flow ${flow.id} is ${state}, not enabled`, {
      next: 'Enable it in AEP or delete it, then run again.',
    });
  }
  const wait = waitSeconds(pipeline, context.runtime.clock.now());
  if (wait > 0) throw new Failure('NOT_READY', `the flow ${flow.id} is warm in ${wait} s`);
  const inlet = await readInlet(pipeline, context);
  inletAddress(inlet.inletUrl, context.runtime.settings.inletOrigins);
  return { ...pipeline, verified: ['flow is enabled', 'flow is warm', 'inlet is there and allowed'] };
}

/** Seconds until the flow has had its warm-up. Records sent earlier would be lost. Contract §4.6. */
export function waitSeconds(pipeline: Pipeline, now: number): number {
  const changedAt = pipeline.resources.flow?.changedAt;
  // Of unknown age is as good as new: what is sent too early is lost without a word.
  if (changedAt === undefined) return pipeline.warmUpSeconds;
  return Math.max(0, Math.ceil((changedAt + pipeline.warmUpSeconds * 1_000 - now) / 1_000));
}

export interface Inlet {
  readonly inletUrl: string;
  readonly sourceId: string;
  readonly authenticationRequired: boolean;
}

/** The inlet behind the base connection. Read whenever needed and never put into the document: it can be a secret. */
export async function readInlet(pipeline: Pipeline, { aep }: Context): Promise<Inlet> {
  const connection = await aep.flowService.getConnection(required(pipeline, 'base-connection'));
  const { inletUrl, sourceId, authenticationRequired } = connection.auth?.params ?? {};
  if (inletUrl === undefined)
    throw new Failure('NOT_READY', `the connection ${connection.id} has no inlet yet`);
  return {
    inletUrl,
    sourceId: sourceId ?? connection.name ?? pipeline.manifest.name,
    // Where AEP does not say, it is what was asked for.
    authenticationRequired: authenticationRequired ?? pipeline.manifest.source.authenticationRequired,
  };
}
