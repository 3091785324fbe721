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

/** A part of a manifest, and what it does not say. */
export interface Expressed<T> {
  readonly value: T;
  readonly findings: readonly ImportFinding[];
}
