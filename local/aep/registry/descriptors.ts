// Descriptors: which field identifies a record, and in which namespace (contract §2.7).

import { createHash } from 'node:crypto';
import { type Answer, empty, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { condition, fits } from '../filter.ts';
import { type AdmittedCall, jsonObjectBody } from '../http.ts';
import { namespaces } from '../identity.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import type { World } from '../state.ts';
import type { Field } from '../xdm/field.ts';
import { checkDescriptorAccept, descriptorsAccept, type Representation } from './accept.ts';
import { notFound } from './crud.ts';
import { fieldAt, identities, pathSteps, resolved } from './resolve.ts';
import { lookUp } from './resources.ts';
import { inUnion, invalid } from './rules.ts';

const PER_SANDBOX = 4000;
/** The code for a missing descriptor is INFERRED: the last of `XDM-1010-404`…`XDM-1017-404`. */
const MISSING = 'XDM-1017-404';

export function createDescriptor(world: World, call: AdmittedCall): Answer {
  if (call.sandbox.descriptors.size >= PER_SANDBOX)
    throw invalid(`a sandbox holds at most ${PER_SANDBOX} descriptors`);
  const id = world.ids.hex(48);
  const descriptor = completed(world, call, id, jsonObjectBody(call));
  check(call, descriptor);
  call.sandbox.descriptors.put(id, descriptor);
  return json(201, descriptor);
}

/** CONFLICT: one Adobe source says 201 for a rewrite, the other 200 (quirk `descriptor-put`). */
export function replaceDescriptor(world: World, call: AdmittedCall, id: string): Answer {
  const before = existing(world, call, id);
  const created = Number(objectAt(before, 'meta:registryMetadata')?.['repo:createdDate']);
  const descriptor = completed(world, call, id, jsonObjectBody(call), created);
  check(call, descriptor);
  call.sandbox.descriptors.put(id, descriptor);
  return json(world.settings.quirks['descriptor-put'] === '201' ? 201 : 200, descriptor);
}

export function removeDescriptor(world: World, call: AdmittedCall, id: string): Answer {
  const descriptor = existing(world, call, id);
  const schema = lookUp(call.sandbox, 'schemas', String(descriptor['xdm:sourceSchema']));
  if (schema && inUnion(schema) && descriptor['xdm:isPrimary'] === true) {
    throw Refusal.problem(
      403,
      'ForbiddenError',
      'The primary identity of a schema enabled for Profile cannot be deleted.',
    );
  }
  call.sandbox.descriptors.remove(id);
  return empty(204);
}

export function lookUpDescriptor(world: World, call: AdmittedCall, id: string): Answer {
  checkDescriptorAccept(world, call);
  return json(200, existing(world, call, id));
}

/** Grouped by `@type`; the `xdm-v2` representations come as one paged list instead. */
export function listDescriptors(world: World, call: AdmittedCall): Answer {
  const asked = descriptorsAccept(world, call);
  const conditions = call.query.getAll('property').map(condition);
  const wanted = call.sandbox.descriptors
    .values(call.staleMs)
    .filter((descriptor) => conditions.every((each) => fits(descriptor, each)));
  if (asked.paged) {
    const results = wanted.map((each) => shown(each, asked));
    return json(200, { results, _page: { orderby: null, next: null, count: results.length }, _links: {} });
  }
  const groups: Record<string, Json[]> = {};
  for (const descriptor of wanted) {
    const type = String(descriptor['@type']);
    groups[type] ??= [];
    groups[type].push(shown(descriptor, asked));
  }
  return json(200, groups);
}

function shown(descriptor: JsonObject, asked: Representation): Json {
  if (asked.idOnly) return String(descriptor['@id']);
  return asked.linkOnly ? `/tenant/descriptors/${descriptor['@id']}` : descriptor;
}

function existing(world: World, call: AdmittedCall, id: string): JsonObject {
  const found = call.sandbox.descriptors.get(id);
  if (found) return found;
  throw notFound(world, call, MISSING, id, 1);
}

function completed(
  world: World,
  call: AdmittedCall,
  id: string,
  given: JsonObject,
  created = world.clock.now(),
): JsonObject {
  return {
    ...given,
    '@id': id,
    imsOrg: world.settings.organization,
    version: '1',
    'meta:containerId': 'tenant',
    'meta:sandboxId': call.sandbox.id,
    'meta:sandboxType': call.sandbox.type,
    'meta:registryMetadata': {
      'repo:createdDate': created,
      'repo:lastModifiedDate': world.clock.now(),
      'xdm:createdClientId': call.clientId,
      'xdm:lastModifiedClientId': call.clientId,
      eTag: createHash('sha256').update(JSON.stringify(given)).digest('hex'),
    },
  };
}

/** Friendly names are the one kind whose `@type` does not begin as the others do. */
const KIND = /^xdm:(descriptor[A-Z]\w*|alternateDisplayInfo)$/;
/** Belongs to a schema as a whole. */
const OF_THE_SCHEMA = 'xdm:descriptorTimeSeriesGranularity';

function check(call: AdmittedCall, descriptor: JsonObject): void {
  const type = textAt(descriptor, '@type');
  if (!type || !KIND.test(type)) throw invalid('@type must name a kind of descriptor');
  const schemaId = textAt(descriptor, 'xdm:sourceSchema') ?? '';
  const schema = lookUp(call.sandbox, 'schemas', schemaId);
  if (!schema) throw invalid(`xdm:sourceSchema ${schemaId} does not exist`);
  if (type === OF_THE_SCHEMA) return;
  const root = resolved(call.sandbox, schema);
  const fields = properties(descriptor, type).map((property) => {
    if (!property.startsWith('/')) throw invalid("xdm:sourceProperty must start with '/'");
    const field = fieldAt(root, pathSteps(property));
    if (!field) throw invalid(`xdm:sourceProperty ${property} is not a field of ${schemaId}`);
    return field;
  });
  if (type === 'xdm:descriptorIdentity') checkIdentity(call, descriptor, schemaId, fields);
}

/** One path; a primary key may have several (Adobe's page on descriptors). Where else a list is taken is UNVERIFIED. */
function properties(descriptor: JsonObject, type: string): string[] {
  const given = descriptor['xdm:sourceProperty'];
  if (!Array.isArray(given)) return [typeof given === 'string' ? given : ''];
  if (type === 'xdm:descriptorIdentity') throw invalid('xdm:sourceProperty of an identity is one path');
  if (given.length === 0) throw invalid('xdm:sourceProperty names no field');
  return given.map((each) => (typeof each === 'string' ? each : ''));
}

function checkIdentity(
  call: AdmittedCall,
  descriptor: JsonObject,
  schemaId: string,
  fields: readonly Field[],
): void {
  if (fields.some((field) => field.type !== 'string')) {
    throw invalid(`an identity must be a string; ${descriptor['xdm:sourceProperty']} is not`);
  }
  checkNamespace(call, descriptor);
  const primary = identities(call.sandbox, schemaId).find(
    (each) => each['xdm:isPrimary'] === true && each['@id'] !== descriptor['@id'],
  );
  if (descriptor['xdm:isPrimary'] === true && primary) {
    throw invalid(`${schemaId} already has a primary identity, ${primary['xdm:sourceProperty']}`);
  }
}

/** By code, or by number where `xdm:property` says so. What an unknown one is answered with is UNVERIFIED. */
function checkNamespace(call: AdmittedCall, descriptor: JsonObject): void {
  const given = descriptor['xdm:namespace'];
  if (given === undefined || given === null || given === '') throw invalid('xdm:namespace is required');
  const key = descriptor['xdm:property'] === 'xdm:id' ? 'id' : 'code';
  if (namespaces(call.sandbox).some((each) => String(each[key]) === String(given))) return;
  throw invalid(`xdm:namespace ${given} is not the ${key} of an identity namespace`);
}
