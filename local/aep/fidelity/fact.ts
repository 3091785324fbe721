// What a fact about Experience Platform is: an endpoint or a behaviour, who says so, and how sure that makes us.

import type { Endpoint } from '../published.ts';

export const SURE = ['documented', 'observed', 'conflicting', 'ours'] as const;

/**
 * `documented`: a page or a published API description of Adobe's says so. `observed`: somebody's code or notes show it, Adobe's own
 * clients included. `conflicting`: Adobe's material says two things. `ours`: nobody says; this is what we took.
 */
export type Sure = (typeof SURE)[number];

/** A part of the platform, as written in the table. A line is `what | how sure | source`, and `| what we took` where that is not clear. */
export interface Part {
  readonly name: string;
  /** Path that all endpoints of the part begin with. */
  readonly base: string;
  /** `METHOD METHOD /path`, with `:id` for what varies and `{a,b}` for one of several words. */
  readonly endpoints: string;
  readonly behaviours: string;
}

export interface Fact {
  readonly what: string;
  readonly sure: Sure;
  readonly source: string;
  readonly note: string;
}

/** @throws Error for a line that is not of this form */
export function factsOf(text: string): Fact[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').map(factOf);
}

function factOf(line: string): Fact {
  const [what = '', sure = '', source = '', note = '', ...more] = line.split(' | ');
  if (!SURE.some((each) => each === sure) || source === '' || more.length > 0)
    throw new Error(`not 'what | ${SURE.join('/')} | source | note': ${line}`);
  return { what, sure: sure as Sure, source, note };
}

/** The endpoints that a line of a part is about. */
export function endpointsIn(base: string, { what }: Fact): Pick<Endpoint, 'method' | 'pattern'>[] {
  const words = what.split(' ');
  const path = words.pop() ?? '';
  const paths = spread(path === '/' ? base : base + path);
  return words.flatMap((method) => paths.map((pattern) => ({ method, pattern })));
}

function spread(path: string): string[] {
  const choice = /\{([^}]+)\}/.exec(path);
  if (!choice) return [path];
  return (choice[1] ?? '').split(',').flatMap((word) => spread(path.replace(choice[0], word)));
}
