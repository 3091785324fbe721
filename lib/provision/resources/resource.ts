// What a resource is: how to find, compare, make, change and remove it. And the one decision about what was
// found.
import type { Aep } from '../../aep/client.ts';
import type { Schema } from '../../aep/schema-registry.ts';
import { Failure, isFailure } from '../../failure.ts';
import type { Manifest } from '../../manifest.ts';
import type { Made, Pipeline, ResourceKey } from '../../pipeline.ts';
import type { LedgerRuntime, ProvisionRuntime, Runtime } from '../../runtime.ts';
import { clip } from '../clip.ts';
import { executionTag, type OwnershipTag } from './ownership-tag.ts';

/** What a step works with besides the document. */
export interface Context<R extends Runtime = Runtime> {
  readonly aep: Aep;
  readonly runtime: R;
  /**
   * Whether no other step has worked on the pipeline since this document was written; not even an earlier try
   * of this one.
   */
  readonly first: boolean;
}

/** The same for the steps that also read what is published. */
export type PublishedContext = Context<LedgerRuntime>;

/** The same for the steps that also read triggers. */
export type StreamContext = Context<ProvisionRuntime>;

/** The part of the pipeline that resources read: what is wanted, and what exists so far. */
export type Situation = Pick<
  Pipeline,
  'mode' | 'manifest' | 'samples' | 'resources' | 'old' | 'execution' | 'plan' | 'streamArn' | 'tenant'
>;

/** What to do about a difference: change in place, make a new one beside the old, or leave it to the user. */
export type Remedy = 'update' | 'replace' | 'conflict';

export interface Difference {
  readonly field: string;
  readonly found: string;
  readonly wanted: string;
  readonly remedy: Remedy;
  /** AEP did not tell it, so it may be equal. */
  readonly untold?: boolean;
  /** It names the place that is read, and the two are different places. */
  readonly elsewhere?: boolean;
}

/** One candidate in AEP. */
export interface Found {
  readonly id: string;
  /** Its name in AEP, where somebody may have changed it. */
  readonly name?: string | undefined;
  readonly ownershipTag: OwnershipTag | undefined;
  /** Its differences from what is wanted; empty if there are none. */
  readonly differences: readonly Difference[];
  /** Milliseconds since the epoch. */
  readonly createdAt?: number | null | undefined;
  /** More of it that later steps need. */
  readonly details?: Partial<Pick<Made, 'version' | 'union' | 'createdAt' | 'changedAt' | 'inlet'>>;
  /** For a flow: whether it reads. */
  readonly running?: boolean;
  /** For a flow: `enabled`, `disabled`, `draft` and the like. */
  readonly state?: string | undefined;
  /** Another one after whoever has changed it in AEP: its etag, where it has one. Absent if AEP tells none. */
  readonly revision?: string | undefined;
  /** What of ours it refers to; removed with it. */
  readonly refers?: readonly { readonly resource: ResourceKey; readonly id: string }[];
}

/** When a schema or a field group was last changed, as AEP tells it. */
export function changeOf({
  'meta:registryMetadata': told,
}: Pick<Schema, 'meta:registryMetadata'>): Pick<Made, 'changedAt'> {
  const changedAt = told?.['repo:lastModifiedDate'];
  return typeof changedAt === 'number' ? { changedAt } : {};
}

/** In ms since the execution began. Later than that, somebody else may have changed what the plan has seen. */
const PLAN_FRESH_MS = 60_000;

/** Whether the plan has just looked, so that nobody need look again. */
export function isPlanFresh({ startedAt }: Situation['execution'], now: number): boolean {
  return now - Date.parse(startedAt) < PLAN_FRESH_MS;
}

export type CreatedResource = Pick<Made, 'id'> & Found['details'];

/** What every resource has, of whichever kind. */
interface AnyResource {
  readonly key: ResourceKey;
  /** What it belongs to. If that has just been made, this cannot exist yet. */
  readonly of?: ResourceKey;
  /** Whether this pipeline has one at all. */
  needed(manifest: Manifest): boolean;
  /** All candidates: of its name, or with its ownership tag. */
  find(context: Context, situation: Situation): Promise<Found[]>;
  create(context: Context, situation: Situation, ownershipTag: OwnershipTag): Promise<CreatedResource>;
}

/** It has an id of its own in AEP. */
interface WithId extends AnyResource {
  /** One by its id, whatever its name. @throws Failure `AEP_NOT_FOUND` */
  get(context: Context, situation: Situation, id: string): Promise<Found>;
  remove(context: Context, id: string, situation: Situation): Promise<void>;
}

/** It has an id of its own, AEP changes it in place, and it has a place for our ownership tag. */
export interface ChangeableResource extends WithId {
  readonly kind: 'changeable';
  /** Its name is unique in AEP: one that is known by its id need not be looked for. */
  readonly unique?: true;
  /** The existing one that the manifest names. */
  given?(manifest: Manifest): GivenResource | undefined;
  /** `unfinished`: it exists, and `update` has to complete it. */
  create(
    context: Context,
    situation: Situation,
    ownershipTag: OwnershipTag,
  ): Promise<CreatedResource & { readonly unfinished?: boolean }>;
  /** Changes in place what can be changed. It looks for itself what is left to do, so it can be repeated. */
  update(context: Context, situation: Situation, id: string): Promise<void>;
  /** Writes our ownership tag on a hand-made one. */
  adopt(context: Context, situation: Situation, id: string, ownershipTag: OwnershipTag): Promise<void>;
  /** Why it can be neither made nor changed as the manifest wants. Asked before anything is made. */
  impossible?(context: Context, situation: Situation): Promise<string | undefined>;
  /** Why this one must not be removed, even if it is ours. */
  keepBecause?(context: Context, id: string): Promise<string | undefined>;
}

/** One that exists already. It is used, and never changed. */
export interface GivenResource {
  readonly id: string;
  /** How it differs from what is needed. We change none of it. @throws Failure `AEP_NOT_FOUND` */
  check(context: Context, situation: Situation): Promise<Pick<Found, 'differences' | 'revision' | 'details'>>;
}

/** It has an id of its own and is never changed. If it differs, another one takes its place. */
export interface FixedResource extends WithId {
  readonly kind: 'fixed';
  readonly of: ResourceKey;
  /** Writes our ownership tag on a hand-made one. Absent if there is no place for a tag. */
  adopt?(context: Context, situation: Situation, id: string, ownershipTag: OwnershipTag): Promise<void>;
}

/**
 * Entries in the resource that it belongs to. It has the id of that resource. Entries are made one by one, and only a list
 * shows them. An entry in doubt is looked for before it is made again.
 */
export interface EntriesResource extends AnyResource {
  readonly kind: 'entries';
  readonly of: ResourceKey;
  /** Makes the missing ones. It looks for itself which these are, so it can be repeated. */
  update(context: Context, situation: Situation, id: string): Promise<void>;
  /** Why they cannot be made as the manifest wants. Asked before anything is made. */
  impossible(context: Context, situation: Situation): Promise<string | undefined>;
  remove(context: Context, id: string, situation: Situation): Promise<void>;
}

/** A switch of the resource that it belongs to. It has the id of that resource. AEP never switches it off again. */
export interface SwitchResource extends AnyResource {
  readonly kind: 'switch';
  readonly of: ResourceKey;
  /** What AEP cannot undo about making it. */
  readonly irreversible: string;
}

/** All that AEP can remove. */
export type RemovableResource = Exclude<Resource, SwitchResource>;

export type Resource = ChangeableResource | FixedResource | EntriesResource | SwitchResource;

/** The existing one that the manifest names, if it names one. */
export function givenIn(manifest: Manifest, resource: Resource): GivenResource | undefined {
  return resource.kind === 'changeable' ? resource.given?.(manifest) : undefined;
}

/** Whether AEP can be asked for it by an id of its own. */
export function hasOwnId(resource: Resource): resource is ChangeableResource | FixedResource {
  return resource.kind === 'changeable' || resource.kind === 'fixed';
}

export interface Decision {
  readonly action: 'create' | 'keep' | 'adopt' | 'update' | 'replace' | 'conflict';
  /** Without the differences: those are listed beside it. */
  readonly reason: string;
  /** The resource that it is about; absent for `create`. */
  readonly found?: Found;
  /** Ours, and not (or no longer) needed. */
  readonly others: readonly Found[];
}

/** Shown as a difference if the thing referred to does not exist. */
const GONE = 'one still to be made';
/** Shown as a difference if AEP tells nothing. */
const NOTHING_TOLD = 'nothing';

export interface Preference {
  readonly pipeline: string;
  readonly adopt: boolean;
  /** The id that an earlier execution reported. */
  readonly hint?: string | undefined;
}

/** What to do about a resource, given everything that was found. Pure; `plan` and every step use it. */
export function decide(found: readonly Found[], preference: Preference): Decision {
  const ours = found
    .filter((one) => one.ownershipTag?.pipeline === preference.pipeline)
    .sort(best(preference.hint));
  const [first, ...others] = ours;
  return first === undefined ? decideOnForeign(found, preference) : decideOnOurs(first, others);
}

function decideOnOurs(first: Found, others: readonly Found[]): Decision {
  const has = (remedy: Remedy) => first.differences.some((one) => one.remedy === remedy);
  const by = `made by ${first.ownershipTag?.execution}`;
  const surplus =
    others.length === 0 ? '' : `; not needed, and to be removed: ${others.map(({ id }) => id).join(', ')}`;
  if (first.differences.length === 0)
    return { action: 'keep', reason: `${by}${surplus}`, found: first, others };
  if (has('conflict')) {
    const reason = `${first.id} is this pipeline's, and what differs cannot be changed: undo the change in the manifest, or give the pipeline another name`;
    return { action: 'conflict', reason, found: first, others };
  }
  if (has('replace')) {
    const reason = `${by}${changeText(first, 'not changed in place')}`;
    return { action: 'replace', reason, found: first, others: [first, ...others] };
  }
  const reason = `${by}${changeText(first, 'changed in place')}${surplus}`;
  return { action: 'update', reason, found: first, others };
}

/**
 * What to do about the differences. If they only follow from another resource's change, it names that
 * resource.
 */
function changeText({ differences }: Found, done: string): string {
  const anew = differences.filter(isConsequence).map(({ field }) => field);
  const own = anew.length < differences.length ? `; what differs is ${done}` : '';
  return anew.length === 0 ? own : `${own}; refers to what is replaced: ${anew.join(', ')}`;
}

function decideOnForeign(found: readonly Found[], { adopt }: Preference): Decision {
  const [first, second] = found;
  if (first === undefined) return { action: 'create', reason: 'not there yet', others: [] };
  const ids = found.map(({ id }) => id).join(', ');
  const conflict = (reason: string): Decision => ({ action: 'conflict', reason, found: first, others: [] });
  if (first.ownershipTag !== undefined)
    return conflict(
      `the name is taken by ${ids} and it is pipeline ${first.ownershipTag.pipeline}'s; give this one another name, or retire that one`,
    );
  if (!adopt)
    return conflict(
      `the name is taken by ${ids} and it has no ownership tag; "adopt": true in the manifest adopts what was made by hand`,
    );
  if (second !== undefined) return conflict(severalText(found));
  if (first.differences.length > 0)
    return conflict(
      `${first.id} was made by hand and cannot be adopted, because it differs: change the manifest to match, or choose another name`,
    );
  return { action: 'adopt', reason: 'made by hand, and as wanted', found: first, others: [] };
}

/** Some resources are found by what they are made of: then another name would help nobody. */
function severalText(found: readonly Found[]): string {
  const ids = found.map(({ id }) => id).join(', ');
  if (new Set(found.map(({ name }) => name)).size === 1)
    return `the name is ambiguous: it is that of ${ids}. Rename or remove all but one`;
  const told = found.map(({ id, name, state }) =>
    [id, ...(name === undefined ? [] : [name]), ...(state === undefined ? [] : [state])].join(' '),
  );
  return `several are made of the same parts, and a pipeline has one: ${told.join(', ')}. Remove all but one; other names do not help`;
}

/**
 * In bytes. The document travels through every state: it must not hold a mapping of hundreds of lines several
 * times.
 */
const MAX_DIFFERENCE_TEXT = 1_000;

/** The reason with its differences, for a message that stands alone. */
export function inFull(
  reason: string,
  differences: readonly Pick<Difference, 'field' | 'found' | 'wanted'>[],
): string {
  if (differences.length === 0) return reason;
  const text = differences
    .map(({ field, found, wanted }) => `${field}: found ${found}, wanted ${wanted}`)
    .join('; ');
  return `${reason}: ${clip(text, MAX_DIFFERENCE_TEXT)}`;
}

/**
 * Whether it differs only because what it refers to is made anew. The plan tells that at the other resource.
 */
export function isConsequence({ wanted }: Pick<Difference, 'wanted'>): boolean {
  return wanted === GONE;
}

/** Whether no difference is known. What is still to be made differs from everything. */
export function isUntold({ untold, wanted }: Difference): boolean {
  return untold === true && wanted !== GONE;
}

/** Usable ones first, then those with known values, then the older. */
function best(hint: string | undefined) {
  const rank = ({ differences }: Found) => {
    if (differences.length === 0) return 0;
    return differences.every(({ remedy }) => remedy === 'update') ? 1 : 2;
  };
  const known = ({ id }: Found) => (id === hint ? 0 : 1);
  return (a: Found, b: Found): number =>
    rank(a) - rank(b) ||
    known(a) - known(b) ||
    (a.createdAt ?? 0) - (b.createdAt ?? 0) ||
    (a.id < b.id ? -1 : 1);
}

/** Where the two differ. An unknown wanted id differs from everything. */
export function difference(field: string, found: unknown, wanted: unknown, remedy: Remedy): Difference[] {
  if (wanted !== undefined && found === wanted) return [];
  const untold = found === undefined || found === null;
  return [{ field, found: String(found ?? NOTHING_TOLD), wanted: String(wanted ?? GONE), remedy, untold }];
}

/** The same for what AEP need not tell: if it tells nothing, no difference is known. */
export function differenceIfTold(
  field: string,
  found: unknown,
  wanted: unknown,
  remedy: Remedy,
): Difference[] {
  return found === undefined || found === null ? [] : difference(field, found, wanted, remedy);
}

/** The ownership tag of this execution. */
export function tagOf(situation: Situation, notes?: OwnershipTag['notes']): OwnershipTag {
  return {
    pipeline: situation.manifest.name,
    execution: executionTag(situation.execution),
    ...(notes !== undefined && { notes }),
  };
}

/** In an ownership tag that does not tell. */
export const EARLIER = 'an earlier execution';

/** For what has no place for an ownership tag: it is this execution's if the plan found none. */
export function tagByPlan({ plan, manifest, execution }: Situation, key: ResourceKey): OwnershipTag {
  const mine = plan.some(
    ({ resource, action }) => resource === key && (action === 'create' || action === 'replace'),
  );
  return { pipeline: manifest.name, execution: mine ? executionTag(execution) : EARLIER };
}

/** The id of a resource that an earlier step has made. */
export function idOfMade(situation: Situation, key: ResourceKey): string | undefined {
  return situation.resources[key]?.id;
}

/** The resource by its id, or nothing: a list can be old, and name what has been removed. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Ids of the one in use and of those to be removed, to find what refers to any of them. */
export function idsOf(situation: Situation, key: ResourceKey): string[] {
  const own = idOfMade(situation, key);
  const old = situation.old.filter(({ resource }) => resource === key).map(({ id }) => id);
  return [...new Set([...(own === undefined ? [] : [own]), ...old])];
}

/**
 * The same, for a step that needs it.
 * @throws Failure `EVENT_INVALID` naming what is missing
 */
export function required(situation: Situation, key: ResourceKey): string {
  const id = idOfMade(situation, key);
  if (id !== undefined) return id;
  throw new Failure('EVENT_INVALID', `the document holds no ${key}`, {
    next: 'Start the state machine from its beginning; what was made is found again.',
  });
}

/** `{tenant}` in a path or an expression is the organization's own namespace. */
export function inTenant(text: string, { tenant }: Pick<Situation, 'tenant'>): string {
  return tenant === undefined ? text : text.replaceAll('{tenant}', `_${tenant}`);
}

/** Whether the manifest needs the organization's namespace. */
export function needsTenant(manifest: Manifest): boolean {
  return (
    JSON.stringify([manifest.schema, manifest.mapping ?? []]).includes('{tenant}') || hasOwnGroups(manifest)
  );
}

function hasOwnGroups({ schema }: Manifest): boolean {
  return !('id' in schema) && schema.fieldGroups.some((group) => typeof group !== 'string');
}
