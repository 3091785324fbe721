// One step of the contract suite: what it is given, and what it may say of a platform.

import type { Aep, Connection } from '../../lib/aep/index.ts';
import type { inletAddress, postBatch } from '../../lib/aep/inlet.ts';
import { type Failure, isFailure } from '../../lib/failure.ts';
import type { Resource } from './removal.ts';

/** What the steps before have made; a step whose ground is missing is not asked. */
export interface Made {
  schemaId?: string;
  datasetId?: string;
  connectionId?: string;
  sourceId?: string;
  targetId?: string;
  mapping?: { readonly id: string; readonly version: number };
  flowId?: string;
  fieldGroupId?: string;
  otherSchemaId?: string;
  descriptorId?: string;
  kinesisId?: string;
  kinesisSourceId?: string;
}

export interface Around {
  readonly aep: Aep;
  readonly inlet: { readonly inletAddress: typeof inletAddress; readonly postBatch: typeof postBatch };
  readonly made: Made;
  /** In the name of whatever is made: nobody else's is ever touched. */
  readonly mark: string;
  readonly sandbox: string;
  /** A call without the client, with the given headers more or less. */
  bare(method: string, path: string, more?: Bare): Promise<Response>;
  /** Makes sure that it goes, whatever comes. */
  later(kind: Resource['kind'], id: string): void;
  /** What the client's code relies on, in words that hold no value of the platform, and whether it is so there. */
  holds(what: string, isSo: boolean): void;
  /** Looks again, a few times: a list may be late. The last answer, whatever it is. */
  soon<T>(look: () => Promise<T>, isThere: (found: T) => boolean): Promise<T>;
}

export interface Bare {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  /** Instead of the platform's. */
  readonly url?: string;
}

export interface Step {
  readonly name: string;
  readonly run: (around: Around) => Promise<unknown>;
}

/** A step's ground is not there. */
export class Missing extends Error {}

export function of<K extends keyof Made>(made: Made, key: K): NonNullable<Made[K]> {
  const found = made[key];
  if (found === undefined || found === null) throw new Missing(`there is no ${key}`);
  return found;
}

export async function inletOf({ aep, made }: Around): Promise<string> {
  return inletUrlIn(await aep.flowService.getConnection(of(made, 'connectionId')));
}

export function inletUrlIn({ auth }: Connection): string {
  const url = (auth?.params as { inletUrl?: unknown } | undefined)?.inletUrl;
  if (typeof url !== 'string') throw new Missing('the connection has no inlet');
  return url;
}

/** What a call failed with; `undefined` where it did not. Anything but a `Failure` is thrown on. */
export async function failureOf(call: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
}
