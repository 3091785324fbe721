// Which resource of the real service stands for one of the simulated platform: one of the same name, else any of its kind.
import { PUBLISHED } from '../published.ts';
import type { Seen } from './shapes.ts';

/** An id, or what looks like one, in a path or a query, percent-encoded. */
export const ID = /[0-9a-f]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9A-HJKMNP-TV-Z]{26}|%2F|%3A|^_[^/]*\.|^@/i;
/** Whole ids as they stand in a query's value. */
const IDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{20,}|https:\/\/ns\.adobe\.com\/[\w/.-]+/gi;
const MAX_PAIRS = 10_000;
/** Paths of lists, without variables. */
const LISTS = new Set(PUBLISHED.filter(({ method }) => method === 'GET').map(({ pattern }) => pattern));

interface Item {
  readonly id: string;
  readonly name: string | undefined;
}

export interface Counterparts {
  /** What the real service has listed, by the path of the list. */
  readonly listed: Map<string, readonly Item[]>;
  /** Ids there by ids here. */
  readonly pairs: Map<string, string>;
  /** Lists that have been asked for. */
  readonly wanted: Set<string>;
}

export function noCounterparts(): Counterparts {
  return { listed: new Map(), pairs: new Map(), wanted: new Set() };
}

/** Takes note of a list. Two resources are the same where each is the only one of its name. */
export function learn(known: Counterparts, path: string, here: Seen, there: Seen): void {
  if (there.status !== 200) return;
  const found = itemsIn(there.body);
  if (found.length === 0) return;
  known.listed.set(path.replace(/\/$/, ''), found);
  for (const item of here.status === 200 ? itemsIn(here.body) : []) pair(known, item, found);
}

/** Takes note of one resource here, whose list over there may be known. */
export function meet(known: Counterparts, path: string, { status, body }: Seen): void {
  const { list, id } = splitAt(path.split('/'));
  const listed = known.listed.get(list);
  if (status !== 200 || id === undefined || !path.endsWith(id) || listed === undefined) return;
  pair(known, { id: plain(id), name: nameIn(body) ?? itemsIn(body)[0]?.name }, listed);
}

/** The list that must be read first, because a path names a resource of it and nothing of it is known. Each list is returned once. */
export function missingList(known: Counterparts, path: string): string | undefined {
  const { list, id } = splitAt(path.split('/'));
  if (id === undefined || known.pairs.has(plain(id)) || known.listed.has(list)) return undefined;
  if (known.wanted.has(list) || !LISTS.has(list)) return undefined;
  known.wanted.add(list);
  return list;
}

/** The same path there. `undefined` where a resource in it has no counterpart. */
export function pathOf(known: Counterparts, path: string): string | undefined {
  const segments = path.split('/');
  const { list, id } = splitAt(segments);
  if (id === undefined) return path;
  const [standIn] = known.listed.get(list) ?? [];
  const at = segments.indexOf(id);
  const there = segments.map((segment, index) => {
    if (!ID.test(segment)) return segment;
    const found = known.pairs.get(plain(segment)) ?? (index === at ? standIn?.id : undefined);
    return found === undefined ? undefined : encodeURIComponent(found);
  });
  return there.includes(undefined) ? undefined : there.join('/');
}

/** The same query there, as in a URL. `undefined` where an id in it has no counterpart of the same name. */
export function queryOf(known: Counterparts, query: URLSearchParams): string | undefined {
  const there = new URLSearchParams();
  for (const [name, value] of query) {
    if (ID.test(encodeURIComponent(value.replace(IDS, '')))) return undefined;
    let isKnown = true;
    const translated = value.replace(IDS, (id) => {
      const found = known.pairs.get(id);
      isKnown &&= found !== undefined;
      return found ?? '';
    });
    if (!isKnown) return undefined;
    there.append(name, translated);
  }
  return there.size > 0 ? `?${there}` : '';
}

function pair(known: Counterparts, { id, name }: Item, listed: readonly Item[]): void {
  const same = name === undefined ? [] : listed.filter((each) => each.name === name);
  if (same.length === 1 && known.pairs.size < MAX_PAIRS) known.pairs.set(id, (same[0] as Item).id);
}

function splitAt(segments: readonly string[]): { list: string; id: string | undefined } {
  const at = segments.findIndex((segment) => ID.test(segment));
  return { list: segments.slice(0, at < 0 ? 0 : at).join('/'), id: segments[at] };
}

/** In Flow Service's `items`, the registry's `results`, Data Prep's `data`, and Catalog's map by id. */
function itemsIn(body: unknown): Item[] {
  if (typeof body !== 'object' || body === null) return [];
  const lists = body as { readonly [name: string]: unknown };
  const [list] = ['items', 'results', 'data'].map((name) => lists[name]).filter(Array.isArray);
  const entries = list
    ? list.map((each) => [each?.$id ?? each?.id, each])
    : Object.entries(body).filter(([key]) => ID.test(key));
  return entries.flatMap(([id, each]) => (typeof id === 'string' ? [{ id, name: nameIn(each) }] : []));
}

function nameIn(item: unknown): string | undefined {
  const { name, title } = (item ?? {}) as { name?: unknown; title?: unknown };
  return [name, title].find((each) => typeof each === 'string') as string | undefined;
}

function plain(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
