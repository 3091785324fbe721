// The registry's two containers: what Adobe brings (global, read only) and what the tenant made.

import { isObject, type Json, type JsonObject } from '../json.ts';
import type { RegistryKind, Sandbox, World } from '../state.ts';

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

export function globals(sandbox: Sandbox, kind: Kind): readonly JsonObject[] {
  return kind === 'schemas' ? [] : sandbox.standard.all(kind);
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
  return kind === 'schemas' ? undefined : sandbox.standard.find(kind, id);
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
