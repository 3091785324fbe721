// Creating, changing and removing what a tenant keeps in the registry (contract §2.4–2.6).

import { type Answer, empty, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { type AdmittedCall, jsonBody, jsonObjectBody } from '../http.ts';
import { arrayAt, isObject, type JsonObject, objectAt } from '../json.ts';
import { patchedOrRefused } from '../json-patch.ts';
import type { RegistryKind, World } from '../state.ts';
import { altId } from '../xdm/names.ts';
import { lookUp, NOT_FOUND, referenced, refsOf, tenantNamespace } from './resources.ts';
import { check, checkEvolution, inUnion, invalid, usedByDataSet } from './rules.ts';

/** What the server decides; whatever the caller sends for it is dropped. */
const DERIVED = [
  '$id',
  'meta:altId',
  'version',
  'imsOrg',
  'refs',
  'meta:registryMetadata',
  'meta:class',
  'meta:extends',
];

export function create(world: World, call: AdmittedCall, kind: RegistryKind): Answer {
  const id = `https://ns.adobe.com/${world.settings.tenant}/${kind}/${world.ids.hex(48)}`;
  const resource = completed(world, call, kind, id, '1.0', jsonObjectBody(call));
  check(world, call, kind, resource);
  call.sandbox.registry[kind].put(id, resource);
  return json(201, resource);
}

export function replace(world: World, call: AdmittedCall, kind: RegistryKind, id: string): Answer {
  return change(world, call, kind, found(world, call, kind, id), jsonObjectBody(call));
}

export function patch(world: World, call: AdmittedCall, kind: RegistryKind, id: string): Answer {
  const before = found(world, call, kind, id);
  return change(world, call, kind, before, patchedOrRefused(before, jsonBody(call)));
}

/** Refused while a dataset or Profile uses the schema; the code for that is UNVERIFIED. Its descriptors stay. */
export function remove(world: World, call: AdmittedCall, kind: RegistryKind, id: string): Answer {
  const resource = found(world, call, kind, id);
  const key = String(resource.$id);
  if (kind === 'schemas' && inUnion(resource))
    throw invalid('the schema is enabled for Profile and cannot be deleted');
  if (kind === 'schemas' && usedByDataSet(call.sandbox, key)) {
    throw invalid('the schema is used by a dataset and cannot be deleted');
  }
  const user = call.sandbox.registry.schemas.values().find((schema) => refsOf(schema).includes(key));
  if (user) throw invalid(`the resource is used by the schema ${user.$id} and cannot be deleted`);
  call.sandbox.registry[kind].remove(key);
  return empty(204);
}

/** Last write wins: the registry has no concurrency control (UNVERIFIED). */
function change(
  world: World,
  call: AdmittedCall,
  kind: RegistryKind,
  before: JsonObject,
  wanted: JsonObject,
): Answer {
  const [major, minor] = String(before.version).split('.');
  const version = `${major}.${Number(minor ?? 0) + 1}`;
  const created = objectAt(before, 'meta:registryMetadata')?.['repo:createdDate'];
  const after = completed(world, call, kind, String(before.$id), version, wanted, Number(created));
  check(world, call, kind, after);
  checkEvolution(call.sandbox, before, after);
  call.sandbox.registry[kind].put(String(before.$id), after);
  return json(200, after);
}

export function found(world: World, call: AdmittedCall, kind: RegistryKind, id: string): JsonObject {
  const resource = lookUp(call.sandbox, kind, id, 'tenant');
  if (resource) return resource;
  throw notFound(world, call, NOT_FOUND[kind], id, 1);
}

export function notFound(
  world: World,
  call: AdmittedCall,
  code: string,
  id: string,
  version: number,
): Refusal {
  const detail = `Requested resource ${id} with version ${version} is not found`;
  return Refusal.xdm(code, 'Resource Not Found', detail, call.requestId, world.clock.now());
}

export function completed(
  world: World,
  call: AdmittedCall,
  kind: RegistryKind,
  id: string,
  version: string,
  given: JsonObject,
  created = world.clock.now(),
): JsonObject {
  const { sandbox } = call;
  const kept = Object.fromEntries(Object.entries(given).filter(([key]) => !DERIVED.includes(key)));
  const allOf = arrayAt(given, 'allOf').map((part) =>
    isObject(part) ? { type: 'object', 'meta:xdmType': 'object', ...part } : part,
  );
  const refs = refsOf(given).filter((ref) => !ref.startsWith('#/'));
  const classId = refs.find((ref) => referenced(sandbox, ref)?.kind === 'classes');
  const behaviors = classId ? arrayAt(referenced(sandbox, classId)?.resource ?? {}, 'meta:extends') : [];
  return {
    $id: id,
    'meta:altId': altId(id),
    'meta:resourceType': kind,
    version,
    // Adobe's description requires it and its client leaves it out.
    ...(kind === 'schemas' ? { type: 'object' } : {}),
    ...kept,
    allOf,
    refs,
    imsOrg: world.settings.organization,
    'meta:extensible': kind !== 'schemas',
    'meta:abstract': kind !== 'schemas',
    'meta:extends': [...new Set([...refs, ...behaviors, ...arrayAt(given, 'meta:extends')])],
    'meta:xdmType': 'object',
    'meta:registryMetadata': {
      'repo:createdDate': created,
      'repo:lastModifiedDate': world.clock.now(),
      'xdm:createdClientId': call.clientId,
      'xdm:lastModifiedClientId': call.clientId,
      eTag: world.ids.hex(64),
    },
    ...(classId ? { 'meta:class': classId } : {}),
    'meta:containerId': 'tenant',
    'meta:sandboxId': sandbox.id,
    'meta:sandboxType': sandbox.type,
    'meta:tenantNamespace': tenantNamespace(world),
  };
}
