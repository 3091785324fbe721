// Finds the handler for a method and a path; a path pattern names its variable segments with a colon.

import type { Answer } from './http.ts';

export type Handler<C> = (call: C, ...parts: string[]) => Answer | Promise<Answer>;
export type Route<C> = readonly [method: string, pattern: string, handler: Handler<C>];

interface Entry<C> {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handler: Handler<C>;
}

export interface Match<C> {
  readonly handler: Handler<C>;
  readonly parts: string[];
}

export class Router<C> {
  readonly #bySize = new Map<number, Entry<C>[]>();

  constructor(routes: readonly Route<C>[]) {
    for (const [method, pattern, handler] of routes) {
      const segments = pattern.split('/').slice(1);
      const sameSize = this.#bySize.get(segments.length) ?? [];
      sameSize.push({ method, segments, handler });
      this.#bySize.set(segments.length, sameSize);
    }
    for (const sameSize of this.#bySize.values()) sameSize.sort(moreLiteral);
  }

  /**
   * The route that fits most literally; `undefined` when the path is unknown, `'method'` when only the method is. Among routes
   * that say the same, the one given first.
   */
  find(method: string, path: string): Match<C> | 'method' | undefined {
    const given = path.replace(/\/+$/, '').split('/').slice(1);
    let known = false;
    for (const entry of this.#bySize.get(given.length) ?? []) {
      if (!entry.segments.every((segment, index) => segment.startsWith(':') || segment === given[index]))
        continue;
      known = true;
      if (entry.method === method) return { handler: entry.handler, parts: variables(entry.segments, given) };
    }
    return known ? 'method' : undefined;
  }
}

/** A name before a variable, where they first differ: `/mappingSets/preview` is not the set called "preview". */
function moreLiteral(a: { segments: readonly string[] }, b: { segments: readonly string[] }): number {
  for (const [index, segment] of a.segments.entries()) {
    const difference = Number(segment.startsWith(':')) - Number(b.segments[index]?.startsWith(':'));
    if (difference !== 0) return difference;
  }
  return 0;
}

function variables(segments: readonly string[], given: readonly string[]): string[] {
  return given.filter((_, index) => segments[index]?.startsWith(':')).map(decoded);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
