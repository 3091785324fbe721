// Lists of the registry: filtered, ordered, paged by the value of the sort key (contract §2.5).

import { condition, fits } from '../filter.ts';
import { type AdmittedCall, type Answer, json, wholeNumber } from '../http.ts';
import type { Json, JsonObject } from '../json.ts';
import { valuesAt } from '../json.ts';
import type { World } from '../state.ts';
import { listAccept, type Representation } from './accept.ts';
import { globals, type Kind, tenantShelf } from './resources.ts';

const UNPAGED_CAP = 300;

export function list(world: World, call: AdmittedCall, container: string, kind: Kind, word: string): Answer {
  const asked = listAccept(world, call);
  const all =
    container === 'global'
      ? [...globals(call.sandbox, kind)]
      : (tenantShelf(call.sandbox, kind)?.values(call.staleMs) ?? []);
  const conditions = call.query.getAll('property').map(condition);
  const wanted = all.filter((resource) => conditions.every((each) => fits(resource, each)));
  const paged = ['orderby', 'limit', 'start'].some((name) => call.query.has(name));
  const orderBy = call.query.get('orderby') ?? 'title';
  const limit = wholeNumber(call, 'limit', UNPAGED_CAP, 0, 500) || UNPAGED_CAP;
  const sorted = paged ? ordered(wanted, orderBy, call.query.get('start')) : wanted;
  const page = sorted.slice(0, limit);
  const next = page.length < sorted.length ? sortKey(page.at(-1) as JsonObject, orderBy) : null;
  const other = container === 'global' ? 'tenant' : 'global';
  return json(200, {
    results: page.map((resource) => summary(resource, asked)),
    _page: { orderby: paged ? orderBy : 'updated', next, count: page.length },
    _links: {
      next: next === null ? null : { href: nextHref(call, next) },
      [`${other}_${word}`]: {
        href: `${call.origin}/data/foundation/schemaregistry/${other}/${word}`,
      },
    },
  });
}

function nextHref(call: AdmittedCall, next: string): string {
  const query = new URLSearchParams(call.query);
  query.set('start', next);
  return `${call.origin}${call.path}?${query}`;
}

/** `start` is a value of the sort key; what is listed comes strictly after it. */
function ordered(resources: JsonObject[], orderBy: string, start: string | null): JsonObject[] {
  const direction = orderBy.startsWith('-') ? -1 : 1;
  const keyed = resources.map((resource) => ({ resource, key: sortKey(resource, orderBy) }));
  return keyed
    .filter(({ key }) => start === null || direction * order(key, start) > 0)
    .sort((a, b) => direction * order(a.key, b.key))
    .map(({ resource }) => resource);
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sortKey(resource: JsonObject, orderBy: string): string {
  return String(valuesAt(resource, orderBy.replace(/^[+-]/, ''))[0] ?? '');
}

function summary(resource: JsonObject, asked: Representation): Json {
  if (!asked.idOnly) return resource;
  const { $id = null, 'meta:altId': alternative = null, version = null, title = null } = resource;
  return { $id, 'meta:altId': alternative, version, title };
}
