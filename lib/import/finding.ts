// What an imported manifest does not say of a pipeline, and why.
import { clip } from '../provision/clip.ts';

/**
 * `missing`: AEP does not tell it, and the manifest needs it. `kept`: it stays in AEP as it is, and the manifest
 * does not say it. `prevents`: as long as it is so, the plan would not say that nothing changes.
 */
export type Effect = 'missing' | 'kept' | 'prevents';

export interface ImportFinding {
  /** A path in the manifest such as `dataset.labels`, or a resource of the plan such as `flow`. */
  readonly path: string;
  readonly effect: Effect;
  /** What is there, and why the manifest does not say it. For people. */
  readonly reason: string;
}

/** Most bytes of a reason. */
const MAX_FINDING_BYTES = 1_000;

const finding =
  (effect: Effect) =>
  (path: string, reason: string): ImportFinding => ({
    path,
    effect,
    reason: clip(reason, MAX_FINDING_BYTES),
  });

export const notTold = finding('missing');
export const kept = finding('kept');
export const prevents = finding('prevents');

/** Members that a manifest has no word for; names alone, since a value may be a secret. */
export function unsaidMembers(
  path: string,
  what: string,
  members: object | undefined,
  said: readonly string[],
): ImportFinding[] {
  const names = Object.keys(members ?? {}).filter((name) => !said.includes(name));
  return names.length === 0
    ? []
    : [kept(path, `${what} ${names.join(', ')}: a manifest has no word for that`)];
}

/** A part of a manifest, and what it does not say. */
export interface Expressed<T> {
  readonly value: T;
  readonly findings: readonly ImportFinding[];
}
