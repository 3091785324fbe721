// Finds the handler for a method and a path; a path pattern names its variable segments with a colon.

import type { Answer } from './answer.ts';

export type Handler<C> = (call: C, ...parts: string[]) => Answer | Promise<Answer>;
export type Route<C> = readonly [method: string, pattern: string, handler: Handler<C>];

interface Entry<C> {
  readonly method: string;
  /** `undefined` where a variable stands. */
  readonly segments: readonly (string | undefined)[];
  readonly variability: string;
  readonly handler: Handler<C>;
}

export interface Match<C> {
  readonly handler: Handler<C>;
  readonly parts: string[];
  /** Names before variables, from the left: what sorts first says more. */
  readonly variability: string;
}

/** What a router finds: `undefined` when the path is unknown, `'method'` when only the method is. */
export type Found<C> = Match<C> | 'method' | undefined;

export type Router<C> = (method: string, path: string) => Found<C>;

/** Finds the route that fits most literally: `/mappingSets/preview` is not the set called "preview". */
export function createRouter<C>(routes: readonly Route<C>[]): Router<C> {
  const entries = routes.map(([method, pattern, handler]) => {
    const segments = pattern
      .split('/')
      .slice(1)
      .map((segment) => (segment.startsWith(':') ? undefined : segment));
    return { method, segments, variability: variability(segments), handler };
  });
  const bySize = Map.groupBy(entries, ({ segments }) => segments.length);
  return (method, path) => {
    const given = path.split('/').slice(1);
    while (given.at(-1) === '') given.pop();
    return bestOf(bySize.get(given.length) ?? [], method, given);
  };
}

function bestOf<C>(entries: readonly Entry<C>[], method: string, given: readonly string[]): Found<C> {
  let known = false;
  let best: Match<C> | undefined;
  for (const { segments, handler, ...entry } of entries) {
    if (!segments.every((segment, index) => segment === undefined || segment === given[index])) continue;
    known = true;
    if (entry.method !== method) continue;
    if (best !== undefined && best.variability <= entry.variability) continue;
    best = { handler, parts: variables(segments, given), variability: entry.variability };
  }
  return best ?? (known ? 'method' : undefined);
}

/** The better one of what two routers found; the first, where both say the same. */
export function better<C>(one: Found<C>, other: Found<C>): Found<C> {
  if (typeof one !== 'object') return typeof other === 'object' ? other : (one ?? other);
  return typeof other === 'object' && other.variability < one.variability ? other : one;
}

function variability(segments: Entry<never>['segments']): string {
  return segments.map((segment) => (segment === undefined ? '1' : '0')).join('');
}

function variables(segments: Entry<never>['segments'], given: readonly string[]): string[] {
  return given.filter((_, index) => segments[index] === undefined).map(decoded);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
