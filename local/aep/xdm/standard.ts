// What Adobe brings to every organization: behaviors, classes, field groups and data types, as the Schema Registry shows them.

import { readFileSync } from 'node:fs';
import type { JsonObject } from '../json.ts';
import { idOf, readFacts, type StandardKind, type StandardResource } from './facts.ts';
import { altId } from './names.ts';

/** Looked up by `$id` or `meta:altId`. Callers must not change the result. */
export interface Standard {
  all(kind: StandardKind): readonly JsonObject[];
  find(kind: StandardKind, id: string): JsonObject | undefined;
}

/** Of two with one `$id`, the later counts. */
export function standardOf(resources: Iterable<StandardResource>): Standard {
  const shelves = new Map<StandardKind, Map<string, JsonObject>>();
  for (const resource of resources) {
    const shelf = shelves.get(resource.kind) ?? new Map<string, JsonObject>();
    shelves.set(resource.kind, shelf.set(resource.id, shown(resource)));
  }
  const ids = new Map(
    [...shelves.values()].flatMap((shelf) => [...shelf.keys()].map((id) => [altId(id), id])),
  );
  return {
    all: (kind) => [...(shelves.get(kind)?.values() ?? [])],
    find: (kind, id) => shelves.get(kind)?.get(id) ?? shelves.get(kind)?.get(ids.get(id) ?? ''),
  };
}

function shown({ kind, id, title, description, content, ...more }: StandardResource): JsonObject {
  const name = id.split('/').at(-1) as string;
  const { type: _type, ...definition } = content;
  return {
    $id: id,
    'meta:altId': altId(id),
    'meta:resourceType': kind,
    version: '1',
    title,
    type: 'object',
    // Adobe's texts are not kept here, and its client (aepp) copies a field group by its description.
    description: description ?? title,
    ...(more.extends.length > 0 && { 'meta:extends': [...more.extends] }),
    ...(kind === 'mixins' && { 'meta:intendedToExtend': [...more.intendedToExtend] }),
    definitions: { [name]: definition },
    allOf: [{ $ref: `#/definitions/${name}`, type: 'object', 'meta:xdmType': 'object' }],
    imsOrg: 'Adobe',
    'meta:extensible': true,
    'meta:abstract': true,
    'meta:xdmType': 'object',
    'meta:containerId': 'global',
    'meta:tenantNamespace': '_xdm',
  };
}

/** What is known without a checkout of Adobe's repository: facts.txt says what it is, and where from. */
export function builtInResources(): readonly StandardResource[] {
  facts ??= readFacts(readFileSync(new URL('facts.txt', import.meta.url), 'utf8'));
  return facts;
}

let facts: readonly StandardResource[] | undefined;

/** Read when it is first asked for: a platform starts without it. */
export const builtIn: Standard = {
  all: (kind) => ofFacts().all(kind),
  find: (kind, id) => ofFacts().find(kind, id),
};

function ofFacts(): Standard {
  known ??= standardOf(builtInResources());
  return known;
}

let known: Standard | undefined;

/** `$id`s of Adobe's public classes and field groups whose fields are not built in: that they exist is known, and no more. */
export function namedOnly(kind: 'classes' | 'mixins'): readonly string[] {
  named ??= readFileSync(new URL('names.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split(' '));
  return named.flatMap(([of, id]) => (of === kind && id !== undefined ? [idOf(id)] : []));
}

/** Kind and id of each, read when it is first asked for. */
let named: string[][] | undefined;
