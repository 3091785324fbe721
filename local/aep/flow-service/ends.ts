// Source and target connections: the two ends a flow joins (contract §4.4, §4.5).

import { type Answer, empty, json } from '../answer.ts';
import { type AdmittedCall, jsonBody, jsonObjectBody } from '../http.ts';
import { arrayAt, type JsonObject, objectAt, textAt } from '../json.ts';
import type { Shelf } from '../shelf.ts';
import type { Entity, World } from '../state.ts';
import { connection, provider, specOf } from './connections.ts';
import { created, invalid, missing, newEntity, one, patchedBody, shown } from './entities.ts';
import { DATA_LAKE } from './specs.ts';

export type End = 'sourceConnections' | 'targetConnections';

const CHECKS: { readonly [end in End]: (call: AdmittedCall, body: JsonObject) => void } = {
  sourceConnections: checkSource,
  targetConnections: checkTarget,
};

export function createEnd(world: World, call: AdmittedCall, end: End): Answer {
  const body = jsonObjectBody(call);
  const draft = call.query.get('mode') === 'draft';
  if (!draft) CHECKS[end](call, body);
  const entity = newEntity(world, call, body, draft ? 'draft' : 'enabled');
  shelf(call, end).put(entity.id, entity);
  return created(end, entity);
}

export function getEnd(world: World, call: AdmittedCall, end: End, id: string): Answer {
  return one(shown(world, call, existing(call, end, id)));
}

/** A live flow does not pick the change up (contract §4.6); the resource itself changes. */
export function patchEnd(world: World, call: AdmittedCall, end: End, id: string): Answer {
  const before = existing(call, end, id);
  const body = patchedBody(world, call, end, before, jsonBody(call));
  if (before.state !== 'draft') CHECKS[end](call, body);
  const after = { ...before, body, etag: world.ids.etag(), updatedAt: world.clock.now() };
  shelf(call, end).put(id, after);
  if (world.settings.quirks['patch-reply'] === 'items') return one(shown(world, call, after));
  return json(200, { id, etag: after.etag }, { etag: after.etag });
}

export function publishEnd(world: World, call: AdmittedCall, end: End, id: string): Answer {
  const before = existing(call, end, id);
  const action = call.query.get('op')?.toLowerCase() ?? '';
  if (action !== 'publish' || before.state !== 'draft') {
    throw invalid('1422-400', `The action ${action} cannot be applied on the current state ${before.state}.`);
  }
  CHECKS[end](call, before.body);
  const after = { ...before, state: 'enabled', etag: world.ids.etag(), updatedAt: world.clock.now() };
  shelf(call, end).put(id, after);
  return json(200, { id, etag: after.etag });
}

export function deleteEnd(_world: World, call: AdmittedCall, end: End, id: string): Answer {
  existing(call, end, id);
  const ids = end === 'sourceConnections' ? 'sourceConnectionIds' : 'targetConnectionIds';
  const flow = call.sandbox.flows.values().find((each) => arrayAt(each.body, ids).includes(id));
  if (flow) throw invalid('1447-400', `Found active flows containing id ${id}.`, { id, flowId: flow.id });
  shelf(call, end).remove(id);
  return empty(204);
}

export function shelf(call: AdmittedCall, end: End): Shelf<Entity> {
  return call.sandbox[end];
}

function existing(call: AdmittedCall, end: End, id: string): Entity {
  const found = shelf(call, end).get(id);
  if (found) return found;
  throw missing(call, end, id, 404);
}

function checkSource(call: AdmittedCall, body: JsonObject): void {
  const spec = specOf(body);
  if (!textAt(body, 'name')) throw provider('name is required');
  const baseId = textAt(body, 'baseConnectionId');
  if (!baseId) throw provider('baseConnectionId is required');
  const base = call.sandbox.connections.get(baseId);
  if (!base) throw missing(call, 'connections', baseId, 400);
  if (specOf(connection(call, baseId).body).id !== spec.id) {
    throw invalid(
      '1413-400',
      `The spec ID provided is invalid: base connection ${baseId} is of another connection spec.`,
    );
  }
  const params = objectAt(body, 'params') ?? {};
  const lacking = spec.params.filter((name) => params[name] === undefined);
  if (lacking.length > 0) throw provider(`params lacks ${lacking.join(', ')}`);
  if (params.reset !== undefined && params.reset !== 'latest' && params.reset !== 'earliest') {
    throw provider(`params.reset must be 'latest' or 'earliest', not '${params.reset}'`);
  }
  if (params.dataType !== undefined && params.dataType !== 'raw' && params.dataType !== 'xdm') {
    throw provider(`params.dataType must be 'raw' or 'xdm', not '${params.dataType}'`);
  }
}

function checkTarget(call: AdmittedCall, body: JsonObject): void {
  const spec = specOf(body);
  if (!objectAt(body, 'data')) throw provider('data is required');
  if (spec.id !== DATA_LAKE) return;
  const dataSetId = textAt(objectAt(body, 'params'), 'dataSetId');
  if (!dataSetId) throw provider('params.dataSetId is required');
  if (!call.sandbox.dataSets.get(dataSetId)) throw missing(call, 'dataSets', dataSetId, 400);
}
