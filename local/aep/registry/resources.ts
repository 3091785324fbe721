// The registry's two containers: what Adobe brings (global, read only) and what the tenant made.

import { isObject, type Json, type JsonObject } from '../json.ts';
import type { RegistryKind, Sandbox, World } from '../state.ts';
import { BEHAVIORS, CLASSES, type StandardClass } from '../xdm/classes.ts';
import { DATA_TYPES } from '../xdm/datatypes.ts';
import type { Field } from '../xdm/field.ts';
import { FIELD_GROUPS } from '../xdm/fieldgroups.ts';

export type Kind = RegistryKind | 'behaviors';

/** Path words of the API; field groups have two. */
export const KINDS: { readonly [word: string]: Kind } = {
  schemas: 'schemas',
  fieldgroups: 'mixins',
  mixins: 'mixins',
  classes: 'classes',
  datatypes: 'datatypes',
  behaviors: 'behaviors',
};

/** `XDM-1012-404` is documented for schemas; the others of `1010`…`1017` are INFERRED by order. */
export const NOT_FOUND: { readonly [kind in Kind]: string } = {
  classes: 'XDM-1010-404',
  mixins: 'XDM-1011-404',
  schemas: 'XDM-1012-404',
  datatypes: 'XDM-1013-404',
  behaviors: 'XDM-1014-404',
};

/** `https://ns.adobe.com/acmelab/schemas/71c0` → `_acmelab.schemas.71c0`. */
export function altId(id: string): string {
  return `_${id
    .replace(/^https:\/\/ns\.adobe\.com\//, '')
    .split('/')
    .join('.')}`;
}

function standard(kind: Kind, id: string, title: string, field: Field, more: JsonObject): JsonObject {
  const name = id.split('/').at(-1) as string;
  const { type: _type, ...definition } = field;
  return {
    $id: id,
    'meta:altId': altId(id),
    'meta:resourceType': kind,
    version: '1',
    title,
    type: 'object',
    ...more,
    definitions: { [name]: definition as JsonObject },
    allOf: [{ $ref: `#/definitions/${name}`, type: 'object', 'meta:xdmType': 'object' }],
    imsOrg: 'Adobe',
    'meta:extensible': true,
    'meta:abstract': true,
    'meta:xdmType': 'object',
    'meta:containerId': 'global',
    'meta:tenantNamespace': '_xdm',
  };
}

const standardClass = (kind: Kind) => (each: StandardClass) =>
  standard(kind, each.id, each.title, each.field, {
    description: each.description,
    'meta:extends': [...each.extends],
  });

const GLOBAL: { readonly [kind in Kind]: readonly JsonObject[] } = {
  schemas: [],
  behaviors: BEHAVIORS.map(standardClass('behaviors')),
  classes: CLASSES.map(standardClass('classes')),
  mixins: FIELD_GROUPS.map(({ id, title, description, intendedToExtend, field }) =>
    standard('mixins', id, title, field, { description, 'meta:intendedToExtend': [...intendedToExtend] }),
  ),
  datatypes: DATA_TYPES.map(({ id, title, field }) => standard('datatypes', id, title, field, {})),
};

export function globals(kind: Kind): readonly JsonObject[] {
  return GLOBAL[kind];
}

export function tenantShelf(sandbox: Sandbox, kind: Kind) {
  return kind === 'behaviors' ? undefined : sandbox.registry[kind];
}

/** By `$id` or `meta:altId`, in the tenant's container or in both. */
export function lookUp(
  sandbox: Sandbox,
  kind: Kind,
  id: string,
  container: 'tenant' | 'global' | 'any' = 'any',
): JsonObject | undefined {
  const shelf = tenantShelf(sandbox, kind);
  const own =
    container === 'global'
      ? undefined
      : (shelf?.get(id) ?? shelf?.values().find((each) => each['meta:altId'] === id));
  if (own || container === 'tenant') return own;
  return GLOBAL[kind].find((each) => each.$id === id || each['meta:altId'] === id);
}

/** The resource a `$ref` names, whatever its kind. */
export function referenced(sandbox: Sandbox, ref: string): { kind: Kind; resource: JsonObject } | undefined {
  for (const kind of ['classes', 'mixins', 'datatypes', 'behaviors'] as const) {
    const resource = lookUp(sandbox, kind, ref);
    if (resource) return { kind, resource };
  }
  return undefined;
}

/** Everything the tenant made, of every kind: titles are unique across all of it. */
export function tenantResources(sandbox: Sandbox): JsonObject[] {
  return Object.values(sandbox.registry).flatMap((shelf) => shelf.values());
}

export function refsOf(resource: JsonObject): string[] {
  const parts: Json[] = Array.isArray(resource.allOf) ? resource.allOf : [];
  return parts.flatMap((part) => (isObject(part) && typeof part.$ref === 'string' ? [part.$ref] : []));
}

export function tenantNamespace(world: World): string {
  return `_${world.settings.tenant}`;
}
