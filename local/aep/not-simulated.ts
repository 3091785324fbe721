// Answers 501 for endpoints that Experience Platform has and this simulation lacks: a 404 would say that they do not exist.

import { legacyProblem, Refusal } from './errors.ts';
import type { Call } from './http.ts';
import type { JsonObject } from './json.ts';
import { type Endpoint, PUBLISHED } from './published.ts';
import type { Route } from './router.ts';

/** The value of `penstock` in header and body, which tells this answer from Adobe's. */
export const NOT_SIMULATED = 'not simulated';

/** The endpoints of Experience Platform that none of these routes answers. */
export function unanswered(routes: readonly Pick<Endpoint, 'method' | 'pattern'>[]): Endpoint[] {
  const answered = new Set(routes.map(spelled));
  return PUBLISHED.filter((each) => !answered.has(spelled(each)));
}

/** A route for each, so that the router finds them beside those that are simulated. */
export function notSimulatedRoutes<C extends Call>(endpoints: readonly Endpoint[]): Route<C>[] {
  return endpoints.map(({ method, pattern }) => [
    method,
    pattern,
    (call) => {
      throw notSimulated(`${call.method} ${call.path}`, `It is ${method} ${pattern} of Experience Platform`);
    },
  ]);
}

/** 501, in the legacy problem shape and marked: no service of Adobe's answers so. */
export function notSimulated(what: string, why: string): Refusal {
  const detail = `${what} is not simulated. ${why}; GET /_simulator/ lists what else is not.`;
  const body = { ...legacyProblem(501, 'NotImplementedError', detail), penstock: NOT_SIMULATED };
  return new Refusal(501, body, { penstock: NOT_SIMULATED });
}

/** By service: the methods and paths below its base. */
export function listed(endpoints: readonly Endpoint[]): JsonObject {
  const services: Record<string, string[]> = {};
  for (const { method, pattern, base } of endpoints) {
    services[base] ??= [];
    services[base].push(`${method} ${pattern.slice(base.length) || '/'}`);
  }
  return services;
}

function spelled({ method, pattern }: Pick<Endpoint, 'method' | 'pattern'>): string {
  return `${method} ${pattern.replace(/:[^/]+/g, ':')}`;
}
