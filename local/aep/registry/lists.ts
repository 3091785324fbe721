// Lists of the registry: filtered, ordered, paged by the value of the sort key, or by a cursor where none is asked for (contract §2.5).

import { type Answer, json } from '../answer.ts';
import { condition, fits } from '../filter.ts';
import { type AdmittedCall, wholeNumber } from '../http.ts';
import type { Json, JsonObject } from '../json.ts';
import { objectAt, valuesAt } from '../json.ts';
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
  const orderBy = call.query.get('orderby');
  // An empty one is as good as none: so observed by others, see `byCursor`.
  const start = call.query.get('start') || null;
  const limit = wholeNumber(call, 'limit', UNPAGED_CAP, 0, 500) || UNPAGED_CAP;
  const { page, next } =
    orderBy === null ? byCursor(wanted, start, limit) : byKey(wanted, orderBy, start, limit);
  const other = container === 'global' ? 'tenant' : 'global';
  return json(200, {
    results: page.map((resource) => summary(resource, asked)),
    _page: { orderby: orderBy ?? 'updated', next, count: page.length },
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

interface Page {
  readonly page: JsonObject[];
  /** What `start` has to be to get the next one; null behind the last. */
  readonly next: string | null;
}

/**
 * Without `orderby`, by the last change: Adobe's samples say `"orderby": "updated"`. Its description takes neither `limit` nor `start`
 * then; live they were taken (Focus-GTS/aep-mcp-server, list-schemas.ts, 2026-08-14, 20 schemas): `limit=10` gave ten, with an empty
 * `start` too, and `limit=10&start=0` none. Newest first, from behind a cursor, is the reading of ours that does the same.
 */
function byCursor(all: readonly JsonObject[], start: string | null, limit: number): Page {
  const from = start === null ? undefined : placeOf(start);
  const sorted = all
    .map((resource) => ({ resource, place: { at: changedAt(resource), id: String(resource.$id) } }))
    .sort((a, b) => later(a.place, b.place))
    .filter(({ place }) => start === null || (from !== undefined && later(from, place) < 0));
  const page = sorted.slice(0, limit);
  const last = page.at(-1);
  const next = last !== undefined && page.length < sorted.length ? `${last.place.at},${last.place.id}` : null;
  return { page: page.map(({ resource }) => resource), next };
}

interface Place {
  readonly at: number;
  readonly id: string;
}

/** Of a number alone: behind all that was changed then. Of anything else: behind everything. */
function placeOf(cursor: string): Place | undefined {
  const found = /^(\d+)(?:,(.+))?$/.exec(cursor);
  return found ? { at: Number(found[1]), id: found[2] ?? '\uffff' } : undefined;
}

function later(a: Place, b: Place): number {
  return b.at - a.at || compare(a.id, b.id);
}

function changedAt(resource: JsonObject): number {
  return Number(objectAt(resource, 'meta:registryMetadata')?.['repo:lastModifiedDate'] ?? 0);
}

/**
 * `start` is a value of the sort key, and a page has what comes strictly after it. So a page that would end between equal values is
 * larger than `limit`. Adobe's description of `limit` says so.
 */
function byKey(all: readonly JsonObject[], orderBy: string, start: string | null, limit: number): Page {
  const [first = '', ...others] = orderBy.split(',');
  const sorted = all
    .map((resource) => ({ resource, key: sortKey(resource, first) }))
    .filter(({ key }) => start === null || sign(first) * compare(key, start) > 0)
    .sort((a, b) => sign(first) * compare(a.key, b.key) || compareBy(others, a.resource, b.resource));
  const last = sorted[limit - 1]?.key;
  const page = sorted.filter(({ key }, index) => index < limit || key === last);
  const next = last !== undefined && page.length < sorted.length ? last : null;
  return { page: page.map(({ resource }) => resource), next };
}

function compareBy(fields: readonly string[], a: JsonObject, b: JsonObject): number {
  const orders = fields.map((field) => sign(field) * compare(sortKey(a, field), sortKey(b, field)));
  return orders.find((order) => order !== 0) ?? 0;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sign = (field: string): number => (field.startsWith('-') ? -1 : 1);

function sortKey(resource: JsonObject, field: string): string {
  const name = field.replace(/^[+\- ]/, '');
  return name === 'updated' ? String(changedAt(resource)) : String(valuesAt(resource, name)[0] ?? '');
}

function summary(resource: JsonObject, asked: Representation): Json {
  if (!asked.idOnly) return resource;
  const { $id = null, 'meta:altId': alternative = null, version = null, title = null } = resource;
  return { $id, 'meta:altId': alternative, version, title };
}
