// The dataflow: from source to target, with the mapping if there is one.
import type { Flow } from '../../aep/flow-service.ts';
import { Failure, isFailure } from '../../failure.ts';
import { nameInAep } from '../../pipeline.ts';
import { adoptEntity } from './adopt.ts';
import { isDisabledByAep, mayBeEnabled } from './disabled.ts';
import { describe, tagInDescription } from './ownership-tag.ts';
import {
  type ChangeableResource,
  type Context,
  type Difference,
  difference,
  differenceIfTold,
  type Found,
  idOfMade,
  idsOf,
  required,
  type Situation,
} from './resource.ts';
import { flowSpecOf, isPulled } from './source.ts';

/**
 * States that one call ends: a flow switched off by hand, or a draft that waits for its predecessor to stop.
 */
const ACTIONS: Readonly<Record<string, 'enable' | 'publish'>> = { disabled: 'enable', draft: 'publish' };

const BY_AEP = 'disabled, it seems by AEP itself: its batches have failed for 30 days, and none has landed';

function differencesOf(one: Flow, situation: Situation, byAep: boolean): Difference[] {
  const { manifest } = situation;
  const state = one.state ?? 'enabled';
  return [
    ...differenceIfTold('flow specification', one.flowSpec?.id, flowSpecOf(manifest), 'replace'),
    ...difference(
      'source connection',
      one.sourceConnectionIds?.[0],
      idOfMade(situation, 'source-connection'),
      'replace',
    ),
    ...difference(
      'target connection',
      one.targetConnectionIds?.[0],
      idOfMade(situation, 'target-connection'),
      'replace',
    ),
    ...(manifest.mapping === undefined
      ? []
      : difference(
          'mapping',
          mappingOf(one) ?? (one.transformations && 'none'),
          idOfMade(situation, 'mapping'),
          'replace',
        )),
    ...(Object.hasOwn(ACTIONS, state)
      ? difference('state', byAep ? BY_AEP : state, 'enabled', 'update')
      : []),
  ];
}

function mappingOf({ transformations }: Flow): string | undefined {
  return transformations?.find(({ name }) => name === 'Mapping')?.params?.mappingId;
}

async function asFound(one: Flow, situation: Situation, context: Context): Promise<Found> {
  const mapping = mappingOf(one);
  const byAep = await isDisabledByAep(one, context, idOfMade(situation, 'dataset'));
  return {
    id: one.id,
    name: one.name,
    ownershipTag: tagInDescription(one.description),
    differences: differencesOf(one, situation, byAep),
    createdAt: one.createdAt,
    running: !RESTING.has(one.state ?? ''),
    state: one.state,
    revision: flowRevision(one),
    // A flow of unknown age counts as new.
    details: { changedAt: one.updatedAt ?? one.createdAt ?? context.runtime.clock.now() },
    refers: [
      ...(one.targetConnectionIds ?? []).map((id) => ({ resource: 'target-connection' as const, id })),
      ...(mapping === undefined ? [] : [{ resource: 'mapping' as const, id: mapping }]),
      ...(one.sourceConnectionIds ?? []).map((id) => ({ resource: 'source-connection' as const, id })),
    ],
  };
}

/** Not the etag: a reading shows the last run as well, and Adobe does not say whether a run changes the etag. */
function flowRevision({ etag: _etag, createdAt: _createdAt, updatedAt: _updatedAt, ...told }: Flow): string {
  return JSON.stringify(told);
}

export const flow: ChangeableResource = {
  kind: 'changeable',
  key: 'flow',
  of: 'source-connection',
  needed: () => true,

  async find(context, situation) {
    const { aep } = context;
    // Found by its source first: a renamed flow still reads from it.
    const reading = await aep.flowService.findFlowsReading(idsOf(situation, 'source-connection'));
    const found =
      reading.length > 0 ? reading : await aep.flowService.findFlows(nameInAep('flow', situation.manifest));
    return Promise.all(found.map((one) => asFound(one, situation, context)));
  },

  get: async (context, situation, id) =>
    asFound(await context.aep.flowService.getFlow(id), situation, context),

  async create(context, situation, ownershipTag) {
    const { manifest, resources } = situation;
    // Where AEP reads by itself, two flows would read at the same time. So the new flow stays a draft until
    // the old one has stopped.
    const draft = isPulled(manifest.source) && oldFlows(situation).length > 0;
    const id = await context.aep.flowService.createFlow({
      name: nameInAep('flow', manifest),
      description: describe(ownershipTag, manifest.description),
      flowSpecId: flowSpecOf(manifest),
      sourceConnectionId: required(situation, 'source-connection'),
      targetConnectionId: required(situation, 'target-connection'),
      draft,
      ...(resources.mapping !== undefined && {
        mapping: { id: resources.mapping.id, version: resources.mapping.version ?? 0 },
      }),
    });
    return { id, changedAt: context.runtime.clock.now(), unfinished: draft };
  },

  update: takeOver,

  async adopt(context, _situation, id, ownershipTag) {
    await adoptEntity(context, 'flows', await context.aep.flowService.getFlow(id), ownershipTag);
  },

  remove: ({ aep }, id) => aep.flowService.deleteFlow(id),
};

function oldFlows({ old }: Situation): string[] {
  return old.filter(({ resource }) => resource === 'flow').map(({ id }) => id);
}

/**
 * Starts a draft or a flow that is switched off. Where AEP reads by itself, all predecessors must have
 * stopped.
 */
async function takeOver(context: Context, situation: Situation, id: string): Promise<void> {
  const { flowService } = context.aep;
  const there = await flowService.getFlow(id);
  if (there.state === 'disabled') {
    const byAep = await isDisabledByAep(there, context, idOfMade(situation, 'dataset'));
    await mayBeEnabled(there, byAep, situation, context);
  }
  if (isPulled(situation.manifest.source)) {
    for (const old of oldFlows(situation)) if (old !== id) await stopFlow(context, old);
  }
  const action = ACTIONS[there.state ?? ''];
  if (action !== undefined) await flowService.actOnFlow(id, action);
}

/** How often a passing state is looked at again, and how long that takes. */
const STATE_TRIES = 8;
const STATE_MS = 3_000;

/**
 * Switches a flow off and checks that it is off. Does nothing for a draft or a flow that is gone.
 * @throws Failure `NOT_READY` if it does not stop
 */
export async function stopFlow(context: Context, id: string): Promise<void> {
  try {
    await bring(context, id, 'disable', new Set(['disabled', 'draft']));
  } catch (error) {
    if (!isFailure(error) || error.code !== 'AEP_NOT_FOUND') throw error;
  }
}

/**
 * Switches a stopped flow on again, because its successor was not made.
 * @throws Failure `NOT_READY`
 */
export function restart(context: Context, id: string): Promise<void> {
  return bring(context, id, 'enable', new Set(['enabled']));
}

/** Looks, acts if possible, and looks again. So a lost answer or a passing state resolves itself. */
async function bring(
  { aep: { flowService }, runtime }: Context,
  id: string,
  action: 'enable' | 'disable',
  goal: ReadonlySet<string>,
): Promise<void> {
  const from = action === 'disable' ? 'enabled' : 'disabled';
  for (let attempt = 1; attempt <= STATE_TRIES; attempt++) {
    const { state = from } = await flowService.getFlow(id);
    if (goal.has(state)) return;
    if (state === from) await attemptAction(flowService, id, action);
    else await runtime.clock.sleep(STATE_MS);
  }
  throw new Failure('NOT_READY', `the flow ${id} does not come to be ${[...goal][0]}`);
}

/** If the answer is in doubt or it is too early, it looks once more. */
async function attemptAction(
  flowService: Context['aep']['flowService'],
  id: string,
  action: 'enable' | 'disable',
): Promise<void> {
  try {
    await flowService.actOnFlow(id, action);
  } catch (error) {
    if (!isFailure(error) || !error.retryable) throw error;
  }
}

/** Whether the flow reads, as far as is known. */
export async function isRunning({ aep: { flowService } }: Context, id: string): Promise<boolean> {
  try {
    return !RESTING.has((await flowService.getFlow(id)).state ?? '');
  } catch (error) {
    if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return false;
    throw error;
  }
}

const RESTING: ReadonlySet<string> = new Set(['disabled', 'disabling', 'draft']);
