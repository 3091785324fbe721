// What a sandbox holds, told by its ownership tags and nothing of ours; and what people do there by hand.
import type { world } from './provisioning.ts';

export type World = ReturnType<typeof world>;
type Body = Readonly<Record<string, unknown>>;

/** In the order in which one refers to the other; field groups are `mixins` to the registry. */
export const KINDS = [
  'mixins',
  'schemas',
  'dataSets',
  'connections',
  'mappingSets',
  'sourceConnections',
  'targetConnections',
  'flows',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Thing {
  readonly kind: Kind;
  readonly id: string;
  readonly name: string;
  /** What was sent to make it and change it. */
  readonly body: Body;
  /** All of it, as it is kept. */
  readonly text: string;
  readonly state: string | undefined;
  /** Whose it says it is. */
  readonly ownershipTag:
    | { readonly pipeline: string; readonly execution?: string; readonly adopted: boolean }
    | undefined;
}

const DESCRIBED = /\[penstock pipeline=(\S+) execution=(\S+?)((?: \S+?)*)\]\s*$/;
const NAMED = /\[penstock (\S+) [0-9a-f]{12}\]$/;

export function sandboxOf({ platform }: World) {
  const sandbox = platform.state.sandboxes.get('dev1');
  if (sandbox === undefined) throw new Error('There is no sandbox dev1.');
  return sandbox;
}

interface Shelf {
  values(): unknown[];
  put(id: string, value: unknown): unknown;
  remove(id: string): boolean;
}

function shelfOf(own: World, kind: Kind): Shelf {
  const sandbox = sandboxOf(own);
  const shelf = isRegistry(kind) ? sandbox.registry[kind] : sandbox[kind];
  return shelf as Shelf;
}

export function thingsIn(own: World): Thing[] {
  return KINDS.flatMap((kind) =>
    shelfOf(own, kind)
      .values()
      .map((value) => thingOf(kind, value as Body)),
  );
}

function thingOf(kind: Kind, value: Body): Thing {
  const body = (value.body ?? value) as Body;
  return {
    kind,
    id: String(value.id ?? value.$id),
    name: String(body.name ?? body.title),
    body,
    text: JSON.stringify(value),
    state: value.state as string | undefined,
    ownershipTag: tagOf(kind, body),
  };
}

function tagOf(kind: Kind, body: Body): Thing['ownershipTag'] {
  if (kind === 'mappingSets') {
    const pipeline = NAMED.exec(String(body.name))?.[1];
    return pipeline === undefined ? undefined : { pipeline, adopted: false };
  }
  const text = kind === 'dataSets' ? fromTags(body) : String(body.description ?? '');
  const [, pipeline, execution, notes = ''] = DESCRIBED.exec(text) ?? [];
  if (pipeline === undefined || execution === undefined) return undefined;
  return { pipeline, execution, adopted: / adopted$/.test(notes) };
}

/** A dataset's tags in the words of a description. */
function fromTags({ tags }: Body): string {
  const own = (tags as Body | undefined)?.penstock;
  if (!Array.isArray(own)) return '';
  const value = (key: string) =>
    String(own.find((one) => String(one).startsWith(`${key}:`)) ?? '').slice(key.length + 1);
  const adopted = own.includes('adopted:true') ? ' adopted' : '';
  return `[penstock pipeline=${value('pipeline')} execution=${value('execution')}${adopted}]`;
}

export function oursIn(own: World, pipeline: string): Thing[] {
  return thingsIn(own).filter(({ ownershipTag }) => ownershipTag?.pipeline === pipeline);
}

export function foreignIn(own: World): Thing[] {
  return thingsIn(own).filter(({ ownershipTag }) => ownershipTag === undefined);
}

const edits = new WeakMap<World, number>();

/** Of what is done by hand in one world, the next. */
function nextIn(own: World): number {
  const count = (edits.get(own) ?? 0) + 1;
  edits.set(own, count);
  return count;
}

/** Keeps it with another body, as a change by hand does: with a version of its own. */
function change(own: World, { kind, id, body, text }: Thing, more: Body): void {
  const value = JSON.parse(text) as Body;
  const changed = { ...body, ...more };
  if (isRegistry(kind)) shelfOf(own, kind).put(id, changed);
  else shelfOf(own, kind).put(id, { ...value, ...versionAfter(own, kind, value), body: changed });
}

function versionAfter(own: World, kind: Kind, { revision }: Body): Body {
  if (kind === 'dataSets') return { revision: Number(revision) + 1 };
  return kind === 'mappingSets' ? {} : { updatedAt: own.time.now, etag: `"by-hand-${nextIn(own)}"` };
}

export function rename(own: World, thing: Thing, name: string): void {
  change(own, thing, isRegistry(thing.kind) ? { title: name } : { name });
}

/** Somebody opens it and stores it as it was. */
export function touch(own: World, thing: Thing): void {
  change(own, thing, {});
}

export function disable(own: World, thing: Thing): void {
  touch(own, thing);
  const flow = sandboxOf(own).flows.get(thing.id);
  if (flow !== undefined) shelfOf(own, 'flows').put(flow.id, { ...flow, state: 'disabled' });
}

/** Whether AEP lets somebody delete it. */
export function deletable(own: World, { kind, id, body }: Thing): boolean {
  const things = thingsIn(own);
  const users = (user: Kind, of = id) => things.filter((one) => one.kind === user && refers(one, of));
  switch (kind) {
    case 'mixins':
      return users('schemas').length === 0;
    case 'schemas':
      return users('dataSets').length === 0 && !isInUnion(body);
    case 'sourceConnections':
    case 'targetConnections':
      return users('flows').length === 0;
    case 'connections':
      return users('sourceConnections').every((source) => users('flows', source.id).length === 0);
    default:
      return true;
  }
}

/** Whether the one names the other, notes in its description aside. */
export function refers({ body }: Thing, id: string): boolean {
  return JSON.stringify({ ...body, description: '' }).includes(id);
}

export function isInUnion(body: Body): boolean {
  return JSON.stringify(body['meta:immutableTags'] ?? []).includes('union');
}

export function remove(own: World, { kind, id, body }: Thing): void {
  shelfOf(own, kind).remove(id);
  const { descriptors } = sandboxOf(own);
  for (const one of descriptors.values())
    if (one['xdm:sourceSchema'] === id) descriptors.remove(String(one['@id']));
  const inlet = inletOf(body);
  if (inlet !== undefined) own.platform.state.inlets.delete(inlet);
}

function isRegistry(kind: Kind): kind is 'mixins' | 'schemas' {
  return kind === 'mixins' || kind === 'schemas';
}

function inletOf(body: Body): string | undefined {
  return (body.auth as { params?: { inletId?: string } } | undefined)?.params?.inletId;
}

/** The body without whose it is. */
function unmarked({ kind, body }: Thing): Body {
  if (kind === 'mappingSets') return { ...body, name: String(body.name).replace(NAMED, '').trim() };
  if (kind !== 'dataSets')
    return {
      ...body,
      description: String(body.description ?? '')
        .replace(DESCRIBED, '')
        .trim(),
    };
  const { penstock: _, ...tags } = body.tags as Body;
  return { ...body, tags };
}

/**
 * Copies things of another world, as if somebody had made them here by hand: without an ownership tag, with ids of their own. Ids
 * that they refer to become those in `known`.
 */
export function makeByHand(own: World, things: readonly Thing[], known: ReadonlyMap<string, string>): void {
  const ids = new Map(known);
  for (const { id, body } of things) {
    ids.set(id, anew(own, id));
    const inlet = inletOf(body);
    if (inlet !== undefined) ids.set(inlet, anew(own, inlet));
  }
  const inThisWorld = (text: string) => [...ids].reduce((so, [from, to]) => so.replaceAll(from, to), text);
  for (const thing of things) {
    if (isTaken(own, thing)) continue;
    const value = JSON.parse(thing.text) as Body;
    const body = unmarked(thing);
    const whole = isRegistry(thing.kind) ? body : { ...value, body, versions: [body] };
    shelfOf(own, thing.kind).put(ids.get(thing.id) ?? '', JSON.parse(inThisWorld(JSON.stringify(whole))));
  }
}

/** Titles are unique in the registry. */
function isTaken(own: World, { kind, name }: Thing): boolean {
  if (!isRegistry(kind)) return false;
  return thingsIn(own).some((one) => isRegistry(one.kind) && one.name === name);
}

/** An id of the same shape. */
function anew(own: World, id: string): string {
  const count = nextIn(own).toString(16);
  return `${id.slice(0, -8 - count.length)}${'0'.repeat(8)}${count}`;
}
