// Flows: they join a source to a dataset, and take data only some minutes after they were made or changed (contract §4.6).

import { type Answer, empty, json } from '../answer.ts';
import { type AdmittedCall, jsonBody, jsonObjectBody } from '../http.ts';
import { arrayAt, isObject, type JsonObject, own } from '../json.ts';
import type { Flow, World } from '../state.ts';
import { ACTIONS } from './connections.ts';
import { created, invalid, missing, newEntity, one, patchedBody, shown } from './entities.ts';
import { checkFlow } from './flow-rules.ts';
import { lastRunDetails } from './runs.ts';

export function createFlow(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  const draft = call.query.get('mode') === 'draft';
  if (!draft) checkFlow(call, body);
  const flow = { ...newEntity(world, call, body, draft ? 'draft' : 'enabled'), acceptsFrom: warmAt(world) };
  call.sandbox.flows.put(flow.id, flow);
  return created('flows', flow);
}

/** `enabled` does not mean warm: there is no readiness signal (contract §4.6). */
export function shownFlow(world: World, call: AdmittedCall, flow: Flow): JsonObject {
  const item = shown(world, call, flow);
  const lastRun = lastRunDetails(world, call, flow.id);
  return {
    ...item,
    transformations: arrayAt(flow.body, 'transformations').map(withTextVersion),
    inheritedAttributes: {
      properties: { isSourceFlow: true, isDestinationFlow: false },
      sourceConnections: ends(call, 'sourceConnections', arrayAt(flow.body, 'sourceConnectionIds')),
      targetConnections: ends(call, 'targetConnections', arrayAt(flow.body, 'targetConnectionIds')),
    },
    runs: `/runs?property=flowId==${flow.id}`,
    ...(lastRun ? { lastRunDetails: lastRun } : {}),
    lastOperation: {
      started: flow.updatedAt,
      updated: flow.updatedAt,
      percentCompleted: 100,
      status: { value: 'success', errors: [] },
      operation: 'update',
    },
  };
}

/** A number in requests, a string in replies (contract §4.6). */
function withTextVersion(transformation: unknown): JsonObject {
  if (!isObject(transformation)) return {};
  const params = isObject(transformation.params) ? transformation.params : {};
  if (params.mappingVersion === undefined) return transformation;
  return { ...transformation, params: { ...params, mappingVersion: String(params.mappingVersion) } };
}

function ends(
  call: AdmittedCall,
  kind: 'sourceConnections' | 'targetConnections',
  ids: unknown[],
): JsonObject[] {
  return ids.flatMap((id) => {
    const entity = call.sandbox[kind].get(String(id));
    if (!entity) return [];
    const base = call.sandbox.connections.get(String(entity.body.baseConnectionId));
    const baseConnection = base
      ? { baseConnection: { id: base.id, connectionSpec: base.body.connectionSpec ?? null } }
      : {};
    return [{ id: entity.id, connectionSpec: entity.body.connectionSpec ?? null, ...baseConnection }];
  });
}

export function getFlow(world: World, call: AdmittedCall, id: string): Answer {
  return one(shownFlow(world, call, existing(call, id)));
}

export function patchFlow(world: World, call: AdmittedCall, id: string): Answer {
  const before = existing(call, id);
  const body = patchedBody(world, call, 'flows', before, jsonBody(call));
  if (before.state !== 'draft') checkFlow(call, body);
  return kept(world, call, { ...before, body });
}

export function actOnFlow(world: World, call: AdmittedCall, id: string): Answer {
  const before = existing(call, id);
  const action = call.query.get('op')?.toLowerCase() ?? '';
  const [from, to] = own(ACTIONS, action) ?? [];
  if (!to || before.state !== from) {
    const detail = `The action ${action || '(none)'} cannot be applied on the current state ${before.state}. Please update the action and try again.`;
    throw invalid('1422-400', detail, { id });
  }
  if (action === 'publish') checkFlow(call, before.body);
  return kept(world, call, { ...before, state: to });
}

export function deleteFlow(_world: World, call: AdmittedCall, id: string): Answer {
  existing(call, id);
  call.sandbox.flows.remove(id);
  return empty(204);
}

/** Every change starts the warm-up anew. */
function kept(world: World, call: AdmittedCall, flow: Flow): Answer {
  const after = { ...flow, etag: world.ids.etag(), updatedAt: world.clock.now(), acceptsFrom: warmAt(world) };
  call.sandbox.flows.put(flow.id, after);
  return json(200, { id: flow.id, etag: after.etag }, { etag: after.etag });
}

function warmAt(world: World): number {
  return world.clock.now() + world.settings.warmUpMs;
}

function existing(call: AdmittedCall, id: string): Flow {
  const found = call.sandbox.flows.get(id);
  if (found) return found;
  throw missing(call, 'flows', id, 404);
}
