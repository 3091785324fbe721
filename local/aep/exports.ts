// Carrying what a tenant has made in the registry to another sandbox: `rpc/export` tells a resource with all it needs, `rpc/import` makes them.
//
// DOCUMENTED (Adobe's pages xdm/api/export and xdm/api/import, schema-registry.yaml): an array with what is needed first, the
// tenant's name replaced by a placeholder, ids kept; `XDM-3005-400` where an id or a title is taken; no Accept is asked for.
// INFERRED: that an import makes all or nothing; that descriptors and the `union` tag stay behind (neither is in the examples).
// UNKNOWN: how a resource that is Adobe's own is exported: 404 here, as there is nothing to carry.

import { type Answer, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, jsonBody } from './http.ts';
import { isObject, type Json, type JsonObject, textAt } from './json.ts';
import { completed, notFound } from './registry/crud.ts';
import { lookUp, NOT_FOUND } from './registry/resources.ts';
import { check } from './registry/rules.ts';
import type { Route } from './router.ts';
import type { RegistryKind, Sandbox, World } from './state.ts';

const BASE = '/data/foundation/schemaregistry/rpc';
const PLACEHOLDER = '<XDM_TENANTID_PLACEHOLDER>';
const KINDS: readonly RegistryKind[] = ['schemas', 'mixins', 'classes', 'datatypes'];

/** Of the sandbox and organization that a resource is in, not of the resource. */
const LEFT_OUT = [
  'refs',
  'imsOrg',
  'meta:registryMetadata',
  'meta:containerId',
  'meta:tenantNamespace',
  'meta:immutableTags',
];

export function exportRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', `${BASE}/export/:id`, (call, id = '') => exported(world, call, id)],
    ['POST', `${BASE}/import`, (call) => imported(world, call)],
  ];
}

function exported(world: World, call: AdmittedCall, id: string): Answer {
  const wanted = ofTenant(call.sandbox, id);
  if (!wanted) throw notFound(world, call, NOT_FOUND.schemas, id, 1);
  const all = [...withNeeds(call.sandbox, wanted)].map((resource) => without(resource, LEFT_OUT));
  return json(200, renamed(all, world.settings.tenant, PLACEHOLDER));
}

/** What it refers to comes before it, each once; two that refer to each other, in the order in which they are met. */
function withNeeds(
  sandbox: Sandbox,
  resource: JsonObject,
  done = new Set<JsonObject>(),
  met = new Set<JsonObject>(),
): Set<JsonObject> {
  met.add(resource);
  for (const [, ref = ''] of JSON.stringify(resource).matchAll(/"\$ref":"([^"#][^"]*)"/g)) {
    const needed = ofTenant(sandbox, ref);
    if (needed && !met.has(needed)) withNeeds(sandbox, needed, done, met);
  }
  return done.add(resource);
}

function ofTenant(sandbox: Sandbox, id: string): JsonObject | undefined {
  for (const kind of KINDS) {
    const found = lookUp(sandbox, kind, id, 'tenant');
    if (found) return found;
  }
  return undefined;
}

function imported(world: World, call: AdmittedCall): Answer {
  const given = renamed(jsonBody(call), PLACEHOLDER, world.settings.tenant);
  if (!Array.isArray(given) || given.length === 0 || !given.every(isObject))
    throw failed(world, call, 'The body must be an array of resources, as rpc/export gives it');
  const made: [RegistryKind, JsonObject][] = [];
  try {
    for (const each of given) made.push(importedOne(world, call, each));
    // When all are there: they may refer to each other.
    for (const [kind, resource] of made) check(world, call, kind, resource);
  } catch (error) {
    for (const [kind, { $id }] of made) call.sandbox.registry[kind].remove(String($id));
    if (!(error instanceof Refusal)) throw error;
    throw failed(world, call, textAt(error.answer.body, 'detail') ?? error.message);
  }
  return json(
    200,
    made.map(([, resource]) => resource),
  );
}

function importedOne(world: World, call: AdmittedCall, given: JsonObject): [RegistryKind, JsonObject] {
  const $id = textAt(given, '$id') ?? '';
  const kind = KINDS.find((each) => each === given['meta:resourceType']);
  if (!kind) throw refused(`meta:resourceType must be one of ${KINDS.join(', ')}`);
  if (!$id.startsWith(`https://ns.adobe.com/${world.settings.tenant}/${kind}/`))
    throw refused(`The $id ${$id} is not one of this tenant's ${kind}`);
  if (ofTenant(call.sandbox, $id)) throw refused(`$id must be unique. An object ${$id} already exists`);
  const version = textAt(given, 'version') ?? '1.0';
  const resource = completed(world, call, kind, $id, version, without(given, LEFT_OUT));
  return [kind, call.sandbox.registry[kind].put($id, resource)];
}

/** The tenant's name in ids and in the namespace of its fields, wherever they stand, names of members too. */
function renamed<T extends Json>(value: T, from: string, to: string): T {
  const name = from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const tenant = new RegExp(`(ns\\.adobe\\.com/)${name}(?=/)|(?<![A-Za-z0-9])_${name}(?![A-Za-z0-9_])`, 'g');
  const text = JSON.stringify(value).replace(tenant, (_all, host?: string) => `${host ?? '_'}${to}`);
  return JSON.parse(text) as T;
}

function without(resource: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name)));
}

function refused(reason: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', reason);
}

function failed(world: World, call: AdmittedCall, reason: string): Refusal {
  const detail = `Failed to import resources. Error: ${reason}`;
  return Refusal.xdm('XDM-3005-400', 'Import Resource Failed', detail, call.requestId, world.clock.now());
}
