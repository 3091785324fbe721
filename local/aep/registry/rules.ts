// What the registry refuses to keep: bad references, taken titles, union tags without an identity, lost fields.

import { javaRegex } from '../el/java-regex.ts';
import { Refusal } from '../errors.ts';
import type { AdmittedCall } from '../http.ts';
import { arrayAt, type JsonObject, objectAt, textAt } from '../json.ts';
import type { Sandbox, World } from '../state.ts';
import type { Field } from '../xdm/field.ts';
import { EVENT_CLASS, IDENTITY_MAP } from '../xdm/names.ts';
import { namedOnly } from '../xdm/standard.ts';
import { identities, resolved } from './resolve.ts';
import { type Kind, referenced, refsOf, tenantNamespace, tenantResources } from './resources.ts';

/** Adobe's, but not this simulator's. */
const NOT_SIMULATED = "is Adobe's, and not simulated without --xdm DIR, a checkout of github.com/adobe/xdm";

function isNamed(ref: string): boolean {
  return namedOnly('classes').includes(ref) || namedOnly('mixins').includes(ref);
}

/** Throws unless the resource may be kept under its `$id`. */
export function check(world: World, call: AdmittedCall, kind: Kind, resource: JsonObject): void {
  const title = textAt(resource, 'title')?.trim();
  if (!title) throw invalid('title is required and must not be empty');
  if (resource.type !== 'object') throw invalid("type is required and must be 'object'");
  checkTitle(world, call, resource, title);
  for (const ref of refsOf(resource)) {
    if (!ref.startsWith('#/') && !referenced(call.sandbox, ref))
      throw invalid(`the $ref ${ref} ${isNamed(ref) ? NOT_SIMULATED : 'does not exist'}`);
  }
  if (kind === 'schemas') checkSchema(world, call, resource);
  else if (kind === 'mixins') checkFieldGroup(world, call, resource);
  checkPatterns(resolved(call.sandbox, resource), '');
}

/** That a pattern which is none is refused here, and not at the first record, is ours. */
function checkPatterns(field: Field, path: string): void {
  if (field.pattern !== undefined && !isRegex(field.pattern))
    throw invalid(
      `the pattern '${String(field.pattern).slice(0, 200)}' of ${path || '/'} is no regular expression`,
    );
  for (const [name, inner] of Object.entries(field.properties ?? {})) checkPatterns(inner, `${path}/${name}`);
  if (field.items) checkPatterns(field.items, `${path}/*`);
  if (typeof field.additionalProperties === 'object') checkPatterns(field.additionalProperties, `${path}/*`);
}

function isRegex(pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  try {
    // One that is too large fails only when it is used.
    javaRegex(pattern).test('');
    return true;
  } catch {
    return false;
  }
}

function checkTitle(world: World, call: AdmittedCall, resource: JsonObject, title: string): void {
  const holder = tenantResources(call.sandbox).find(
    (each) => each.title === title && each.$id !== resource.$id,
  );
  if (!holder) return;
  const detail = `Title must be unique. An object ${holder.$id} already exists with the same title`;
  throw Refusal.xdm('XDM-1521-400', 'Title not unique', detail, call.requestId, world.clock.now());
}

/** Of a relational schema: neither class nor field groups, and fields anywhere. Adobe's page xdm/api/schemas. */
const RELATIONAL = 'https://ns.adobe.com/xdm/data/adhoc-v2';

function checkSchema(world: World, call: AdmittedCall, schema: JsonObject): void {
  const refs = refsOf(schema);
  if (arrayAt(schema, 'meta:extends').includes(RELATIONAL)) {
    const parts = refs.filter((ref) => !ref.startsWith('#/'));
    if (parts.length > 0) throw invalid('allOf of a relational schema names neither class nor field group');
    return;
  }
  const classes = refs.filter((ref) => referenced(call.sandbox, ref)?.kind === 'classes');
  if (classes.length !== 1) throw invalid(`allOf must name exactly one class; it names ${classes.length}`);
  if (arrayAt(schema, 'meta:immutableTags').includes('union') && !hasIdentity(call.sandbox, schema)) {
    const detail = `The schema ${schema.$id} cannot be part of the union: it has neither the IdentityMap field group nor a primary identity descriptor`;
    throw Refusal.xdm('XDM-1528-400', 'Union tag not allowed', detail, call.requestId, world.clock.now());
  }
  checkNamespace(world, call, objectAt(schema, 'properties'));
}

function hasIdentity(sandbox: Sandbox, schema: JsonObject): boolean {
  const refs = refsOf(schema);
  if (refs.includes(IDENTITY_MAP) || refs.includes(EVENT_CLASS)) return true;
  return identities(sandbox, String(schema.$id)).some((each) => each['xdm:isPrimary'] === true);
}

function checkFieldGroup(world: World, call: AdmittedCall, group: JsonObject): void {
  if (arrayAt(group, 'meta:intendedToExtend').length === 0)
    throw invalid('meta:intendedToExtend is required');
  checkNamespace(world, call, objectAt(group, 'properties'));
  for (const definition of Object.values(objectAt(group, 'definitions') ?? {})) {
    checkNamespace(world, call, objectAt(definition, 'properties'));
  }
}

/** A tenant's own fields live below `_{TENANT_ID}`. Which of `1020`…`1024` is used for what is not documented. */
function checkNamespace(world: World, call: AdmittedCall, properties: JsonObject | undefined): void {
  const own = tenantNamespace(world);
  const outside = Object.keys(properties ?? {}).filter((name) => name !== own);
  if (outside.length === 0) return;
  const detail = `The custom field ${outside[0]} must be placed below ${own}`;
  throw Refusal.xdm(
    'XDM-1020-400',
    'Custom field outside the tenant namespace',
    detail,
    call.requestId,
    world.clock.now(),
  );
}

/** After a dataset exists or Profile is on, only additive changes (contract §2.5). */
export function checkEvolution(sandbox: Sandbox, before: JsonObject, after: JsonObject): void {
  if (
    arrayAt(before, 'meta:immutableTags').some((tag) => !arrayAt(after, 'meta:immutableTags').includes(tag))
  ) {
    throw invalid('meta:immutableTags: a tag can be added but never removed');
  }
  if (!inUse(sandbox, before)) return;
  const lost = firstLost(resolved(sandbox, before), resolved(sandbox, after), '');
  if (lost)
    throw invalid(
      `the resource is in use: only additive changes are allowed, but ${lost} is removed or changes its type`,
    );
}

/** A schema used by a dataset or tagged for the union; a field group in such a schema. */
function inUse(sandbox: Sandbox, resource: JsonObject): boolean {
  const schemas = [
    resource,
    ...sandbox.registry.schemas.values().filter((schema) => refsOf(schema).includes(String(resource.$id))),
  ];
  return schemas.some((schema) => inUnion(schema) || usedByDataSet(sandbox, String(schema.$id)));
}

export function inUnion(schema: JsonObject): boolean {
  return arrayAt(schema, 'meta:immutableTags').includes('union');
}

export function usedByDataSet(sandbox: Sandbox, schemaId: string): boolean {
  return sandbox.dataSets.values().some(({ body }) => objectAt(body, 'schemaRef')?.id === schemaId);
}

function firstLost(before: Field, after: Field, path: string): string | undefined {
  for (const [name, field] of Object.entries(before.properties ?? {})) {
    const next = after.properties?.[name];
    if (!next || next.type !== field.type) return `${path}/${name}`;
    const deeper = firstLost(field, next, `${path}/${name}`);
    if (deeper) return deeper;
  }
  return undefined;
}

/** Error codes for these are UNVERIFIED, so the legacy body is used. */
export function invalid(detail: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', `The resource is not valid: ${detail}.`);
}
