// What a resource is: how it is found, compared, made and removed; and the one decision taken from what was found.
import type { Aep } from '../aep/client.ts';
import { Failure } from '../failure.ts';
import type { Manifest } from '../manifest.ts';
import type { Made, Pipeline, ResourceKind } from '../pipeline.ts';
import type { ProvisionRuntime, Runtime } from '../runtime.ts';
import type { Mark } from './mark.ts';

/** What a step works with besides the document. */
export interface Context<R extends Runtime = Runtime> {
  readonly aep: Aep;
  readonly runtime: R;
}

/** The same for the steps that also look at streams and intakes. */
export type StreamContext = Context<ProvisionRuntime>;

/** The part of the pipeline that resources look at: what is wanted and what is there so far. */
export type Situation = Pick<Pipeline, 'manifest' | 'resources' | 'execution' | 'plan' | 'streamArn'>;

/** One candidate in AEP. */
export interface Found {
  readonly id: string;
  /** As it is called in AEP, which may have been changed there. */
  readonly name?: string | undefined;
  readonly mark: Mark | undefined;
  /** What differs from what is wanted, `field: found …, wanted …`; empty where it is what is wanted. */
  readonly differences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt?: number | null | undefined;
  /** More of it that later steps need. */
  readonly details?: Partial<Pick<Made, 'version' | 'changedAt'>>;
}

export interface Resource {
  readonly kind: ResourceKind;
  /** Whether this pipeline has one at all. */
  needed(manifest: Manifest): boolean;
  /** The id of one that the manifest names and that is never changed. */
  given?(manifest: Manifest): string | undefined;
  /** Looks the given one up. @throws Failure `AEP_NOT_FOUND` */
  checkGiven?(context: Context, id: string): Promise<void>;
  /** All that could be it: of its name, or with its mark. */
  find(context: Context, situation: Situation): Promise<Found[]>;
  create(
    context: Context,
    situation: Situation,
    mark: Mark,
  ): Promise<Pick<Made, 'id' | 'version' | 'changedAt'>>;
  remove(context: Context, id: string): Promise<void>;
  /** Why this one must not be removed even where it is ours. */
  keepBecause?(context: Context, id: string): Promise<string | undefined>;
}

export type Decision =
  | { readonly action: 'create'; readonly reason: string }
  | { readonly action: 'keep'; readonly reason: string; readonly found: Found }
  | { readonly action: 'conflict'; readonly reason: string; readonly found: Found };

/** What a difference says where the thing referred to is not there (any more). */
const GONE = 'one still to be made';

/** What to do about a resource, given everything that was found. Pure; `plan` and every step take it from here. */
export function decide(found: readonly Found[], pipeline: string): Decision {
  const ours = found.filter((one) => one.mark?.pipeline === pipeline).sort(bestFirst);
  const [first, ...surplus] = ours;
  if (first !== undefined) {
    if (first.differences.length > 0) return { action: 'conflict', reason: changed(first), found: first };
    const more =
      surplus.length === 0 ? '' : `; surplus copies of it: ${surplus.map(({ id }) => id).join(', ')}`;
    return { action: 'keep', reason: `made by ${first.mark?.execution}${more}`, found: first };
  }
  const [foreign] = found;
  if (foreign === undefined) return { action: 'create', reason: 'not there yet' };
  const owner =
    foreign.mark === undefined ? 'nobody marked it as ours' : `it is pipeline ${foreign.mark.pipeline}'s`;
  return {
    action: 'conflict',
    reason: `the name is taken by ${found.map(({ id }) => id).join(', ')} and ${owner}`,
    found: foreign,
  };
}

function changed({ id, differences }: Found): string {
  const advice = differences.some((one) => one.endsWith(GONE))
    ? 'What it refers to is not in AEP any more: delete it there too, then run again'
    : 'Changing it in place is not supported: undo the change in the manifest, or give the pipeline another name';
  return `${id} is this pipeline's, but ${differences.join('; ')}. ${advice}`;
}

/** What can be used goes before what cannot, the elder before the younger. */
function bestFirst(a: Found, b: Found): number {
  return (
    Math.min(1, a.differences.length) - Math.min(1, b.differences.length) ||
    (a.createdAt ?? 0) - (b.createdAt ?? 0) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** `field: found …, wanted …` where the two differ. A wanted id that is not known yet differs from everything. */
export function difference(field: string, found: unknown, wanted: unknown): string[] {
  if (wanted !== undefined && found === wanted) return [];
  return [`${field}: found ${found ?? 'nothing'}, wanted ${wanted ?? GONE}`];
}

/** The same for what AEP need not tell: where it says nothing, nothing is known to differ. */
export function differenceIfTold(field: string, found: unknown, wanted: unknown): string[] {
  return found === undefined || found === null ? [] : difference(field, found, wanted);
}

/** The mark of this execution. */
export function markOf(situation: Situation): Mark {
  return { pipeline: situation.manifest.name, execution: situation.execution.name };
}

/** The id of a resource that an earlier step has made. */
export function idOfMade(situation: Situation, kind: ResourceKind): string | undefined {
  return situation.resources[kind]?.id;
}

/** The id of a resource that must be there by now. @throws Failure `EVENT_INVALID` naming the step that is missing */
export function required(situation: Pick<Pipeline, 'resources'>, kind: ResourceKind): string {
  const made = situation.resources[kind];
  if (made !== undefined) return made.id;
  throw new Failure('EVENT_INVALID', `the document has no ${kind} yet`, {
    next: `Run the step ${kind} first, or start the whole state machine.`,
  });
}
