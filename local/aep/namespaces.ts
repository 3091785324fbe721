// One identity namespace by its number: read and rewritten.
//
// DOCUMENTED (identity-service.yaml): paths, the 404, that a rewrite needs all that a namespace needs, and that it changes neither
// the code nor the type. CONFLICTING: the answer of a rewrite, an array in the file's schema and one namespace in its text (quirk
// `namespace-put`). UNKNOWN: what becomes of a rewrite of one of Adobe's own namespaces: it is refused here.

import { type Answer, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, jsonObjectBody } from './http.ts';
import { idTypeOf, namespaces } from './identity.ts';
import { type JsonObject, textAt } from './json.ts';
import type { Route } from './router.ts';
import type { World } from './state.ts';

const PATH = '/data/core/idnamespace/identities/:id';

export function namespaceRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', PATH, (call, id = '') => json(200, existing(world, call, id))],
    ['PUT', PATH, (call, id = '') => rewrite(world, call, id)],
  ];
}

function rewrite(world: World, call: AdmittedCall, id: string): Answer {
  const before = existing(world, call, id);
  const body = jsonObjectBody(call);
  const [name, code, idType, description] = ['name', 'code', 'idType', 'description'].map((key) =>
    textAt(body, key),
  );
  if (!name || !code || !idType) throw problem(world, 400, 'name, code and idType are required.');
  if (!idTypeOf(idType)) throw problem(world, 400, `idType '${idType}' is none that there is.`);
  if (before.custom !== true) throw problem(world, 400, `The namespace ${id} is one of Adobe's own.`);
  if (code !== before.code || idType.toUpperCase() !== String(before.idType).toUpperCase())
    throw problem(world, 400, 'code and idType are non editable fields');
  const { description: _before, ...kept } = before;
  const after = {
    ...kept,
    name,
    ...(description ? { description } : {}),
    updateTime: world.clock.now(),
  };
  const stored = call.sandbox.namespaces.put(code, after);
  return json(200, world.settings.quirks['namespace-put'] === 'object' ? stored : [stored]);
}

function existing(world: World, call: AdmittedCall, id: string): JsonObject {
  const found = namespaces(call.sandbox, call.staleMs).find((each) => String(each.id) === id);
  if (found) return found;
  const organization = world.settings.organization;
  throw problem(
    world,
    404,
    `Namespace id not found for given IMS Org ${organization}`,
    'NAMESPACE_NOT_FOUND',
  );
}

/** The body of this service's errors; it has a code for some of them only. */
function problem(world: World, status: number, description: string, code?: string): Refusal {
  return new Refusal(status, {
    timestamp: new Date(world.clock.now()).toISOString(),
    type: 'http://ns.adobe.com/adobecloud/problem/namespacevalidation',
    status,
    title: 'Namespace validation',
    ...(code ? { error: code } : {}),
    description,
    report: { code: code ?? 'INVALID_REQUEST_PARAMS' },
  });
}
