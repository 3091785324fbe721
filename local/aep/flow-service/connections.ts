// Base connections: the credential for a source. An HTTP API connection comes with its inlet (contract §4.3).

import { type Answer, empty, json } from '../answer.ts';
import type { Refusal } from '../errors.ts';
import { type AdmittedCall, jsonBody, jsonObjectBody } from '../http.ts';
import { arrayAt, type JsonObject, objectAt, own, textAt } from '../json.ts';
import type { Entity, World } from '../state.ts';
import { created, invalid, missing, newEntity, one, patchedBody, shown } from './entities.ts';
import { CONNECTION_SPECS, type ConnectionSpec, HTTP_API } from './specs.ts';

export function createConnection(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  const draft = call.query.get('mode') === 'draft';
  const spec = specOf(body);
  if (!draft) checkAuth(spec, body);
  const entity = newEntity(world, call, body, draft ? 'draft' : 'enabled');
  const kept = !draft && spec.id === HTTP_API ? { ...entity, body: withInlet(world, call, entity) } : entity;
  call.sandbox.connections.put(kept.id, kept);
  return created('connections', kept);
}

export function getConnection(world: World, call: AdmittedCall, id: string): Answer {
  return one(shown(world, call, connection(call, id)));
}

/** Lists streams or topics; the simulator knows none. */
export function exploreConnection(call: AdmittedCall, id: string): Answer {
  connection(call, id);
  return json(200, []);
}

export function patchConnection(world: World, call: AdmittedCall, id: string): Answer {
  const before = connection(call, id);
  const body = patchedBody(world, call, 'connections', before, jsonBody(call));
  if (
    textAt(objectAt(body, 'connectionSpec'), 'id') !== textAt(objectAt(before.body, 'connectionSpec'), 'id')
  ) {
    throw invalid('1414-400', 'The connection spec of a connection cannot be updated.');
  }
  if (before.state !== 'draft') checkAuth(specOf(body), body);
  const after = {
    ...before,
    body: keepingInlet(before.body, body),
    etag: world.ids.etag(),
    updatedAt: world.clock.now(),
  };
  call.sandbox.connections.put(id, after);
  return json(200, { id, etag: after.etag }, { etag: after.etag });
}

export function actOnConnection(world: World, call: AdmittedCall, id: string): Answer {
  const before = connection(call, id);
  const action = call.query.get('op')?.toLowerCase() ?? '';
  const [from, to] = own(ACTIONS, action) ?? [];
  if (!to || before.state !== from) {
    throw invalid('1422-400', `The action ${action} cannot be applied on the current state ${before.state}.`);
  }
  const spec = specOf(before.body);
  if (action === 'publish') checkAuth(spec, before.body);
  const body = action === 'publish' && spec.id === HTTP_API ? withInlet(world, call, before) : before.body;
  const after = { ...before, body, state: to, etag: world.ids.etag(), updatedAt: world.clock.now() };
  call.sandbox.connections.put(id, after);
  return json(200, { id, etag: after.etag });
}

export const ACTIONS: { readonly [action: string]: readonly [from: string, to: string] } = {
  enable: ['disabled', 'enabled'],
  disable: ['enabled', 'disabled'],
  publish: ['draft', 'enabled'],
};

export function deleteConnection(world: World, call: AdmittedCall, id: string): Answer {
  const entity = connection(call, id);
  const sources = call.sandbox.sourceConnections
    .values()
    .filter((source) => source.body.baseConnectionId === id);
  const used = call.sandbox.flows
    .values()
    .some((flow) => sources.some((source) => arrayAt(flow.body, 'sourceConnectionIds').includes(source.id)));
  if (used) {
    const detail = `The base connection with the ID ${id} cannot be deleted because the base connection is being used in one or more flows. Please ensure that corresponding flows are deleted before deleting a base connection.`;
    throw invalid('1418-400', detail, { id });
  }
  const inletId = textAt(objectAt(objectAt(entity.body, 'auth'), 'params'), 'inletId');
  if (inletId) world.state.inlets.delete(inletId);
  call.sandbox.connections.remove(id);
  return empty(204);
}

export function connection(call: AdmittedCall, id: string): Entity {
  const found = call.sandbox.connections.get(id);
  if (found) return found;
  throw missing(call, 'connections', id, 404);
}

export function specOf(body: JsonObject): ConnectionSpec {
  const id = textAt(objectAt(body, 'connectionSpec'), 'id');
  const spec = CONNECTION_SPECS.find((each) => each.id === id);
  if (spec) return spec;
  throw invalid(
    '1413-400',
    `The spec ID provided is invalid: ${id ?? 'connectionSpec.id is missing'}. Please provide a valid spec ID and try again.`,
  );
}

function checkAuth(spec: ConnectionSpec, body: JsonObject): void {
  if (spec.auth.length === 0) return;
  const given = objectAt(body, 'auth');
  const name = textAt(given, 'specName') ?? '';
  const auth = spec.auth.find((each) => each.name === name);
  if (!auth) {
    throw invalid(
      '1415-400',
      `The auth spec '${name}' could not be found for the connection spec ID ${spec.id}.`,
    );
  }
  const params = objectAt(given, 'params') ?? {};
  const lacking = auth.required.filter((param) => typeof params[param] !== 'string' || params[param] === '');
  if (lacking.length > 0) throw provider(`auth.params lacks ${lacking.join(', ')}`);
  if (spec.id !== HTTP_API) return;
  if (params.dataType !== undefined && params.dataType !== 'xdm' && params.dataType !== 'raw') {
    throw provider(`auth.params.dataType must be 'xdm' or 'raw', not '${params.dataType}'`);
  }
}

/** The source's own error for a request. The exact code for a missing parameter is not documented. */
export function provider(reason: string): Refusal {
  return invalid('1100-400', `The request could not be processed. Error from flow provider: ${reason}.`);
}

/** `sourceId` defaults to the name, `authenticationRequired` to false: whoever holds the URL can write. */
function withInlet(world: World, call: AdmittedCall, entity: Entity): JsonObject {
  const auth = objectAt(entity.body, 'auth') ?? {};
  const given = objectAt(auth, 'params') ?? {};
  const inletId = world.ids.hex(64);
  world.state.inlets.set(inletId, { id: inletId, sandbox: call.sandbox, connectionId: entity.id });
  const params = {
    sourceId: given.name ?? null,
    dataType: 'xdm',
    authenticationRequired: false,
    ...given,
    inletId,
    inletUrl: `${world.origin}/collection/${inletId}`,
  };
  return { ...entity.body, auth: { ...auth, params } };
}

function keepingInlet(before: JsonObject, after: JsonObject): JsonObject {
  const old = objectAt(objectAt(before, 'auth'), 'params');
  const auth = objectAt(after, 'auth');
  if (!old?.inletId || !auth) return after;
  const { inletId, inletUrl = null } = old;
  return { ...after, auth: { ...auth, params: { ...objectAt(auth, 'params'), inletId, inletUrl } } };
}
