// Finds the field that divides the records into shapes: each of its values has members of its own.
import type { Kind } from './formats.ts';
import { plainName } from './known.ts';
import { MAX_FEW, type Node } from './tally.ts';

/** A value of the field that divides, as a condition compares it. */
export type Value = string | number | boolean;

export interface Division {
  /** Names from the record's beginning to the field. */
  readonly steps: readonly string[];
  /** The values of each shape. */
  readonly shapes: readonly (readonly Value[])[];
}

/** Counts, for each field of few values, which members stand beside which value. */
export interface Dividers {
  /** @param present the ids of the nodes that the record has, each once */
  add(record: Readonly<Record<string, unknown>>, present: readonly number[]): void;
  /** Counts a message for the one field that divides messages of its format. */
  addOfKind(kind: Kind | undefined, present: readonly number[]): void;
  /** `undefined` where the records have one shape. */
  division(root: Node): Division | undefined;
}

interface Beside {
  count: number;
  /** How many records had a member, by the id of the node. */
  readonly present: Map<number, number>;
  /** How many had a set of members, by its place among the sets: not counted in `present` yet. */
  readonly sets: Map<number, number>;
}

interface Divider {
  readonly steps: readonly string[];
  readonly values: Map<Value, Beside>;
}

/** Members that this part of the records of a value have belong to its shape. */
const MOSTLY = 0.5;
/** Two values whose shapes have this part of their members in common are of one shape. */
const ALIKE = 0.6;
/** With as many members of its own, each value of a field that names a kind has a shape of its own. */
const OWN = 3;
/** Records of a value, on the average: below that it is no kind, but a name. */
const MIN_RECORDS = 2;
const MAX_VALUE = 100;
/** Only so many fields of the first record may divide. */
const MAX_DIVIDERS = 60;
/** Sets of members that are told apart before they are counted. */
const MAX_SETS = 1_000;

export function createDividers(): Dividers {
  const sets = createSets();
  let dividers: readonly Divider[] = [];
  let records = 0;

  /** A field that is missing once, or has no such value, does not divide. */
  function look(valueAt: (steps: readonly string[]) => unknown, present: readonly number[]): void {
    if (dividers.length === 0) return;
    const set = sets.placeOf(present);
    dividers = dividers.filter((one) => isCounted(one, valueAt(one.steps), set));
    if (sets.size < MAX_SETS) return;
    settle(dividers, sets.at);
    sets.clear();
  }

  return {
    add(record, present) {
      records += 1;
      // A field that was not there from the first record on is missing somewhere.
      if (records === 1) dividers = fieldsOf(record).slice(0, MAX_DIVIDERS).map(dividerAt);
      look((steps) => valueIn(record, steps), present);
    },
    addOfKind(kind, present) {
      records += 1;
      if (records === 1 && kind !== undefined) dividers = [dividerAt(kind.steps)];
      const path = kind?.steps.join('\u0000');
      look((steps) => (steps.join('\u0000') === path ? kind?.value : undefined), present);
    },
    division(root) {
      settle(dividers, sets.at);
      sets.clear();
      const ways = dividers.flatMap((one) => {
        if (total(one) !== root.count) return [];
        const way = divided(one, root.id);
        return way === undefined ? [] : [way];
      });
      const [best] = ways.toSorted((one, other) => rank(one) - rank(other));
      return best === undefined ? undefined : { steps: best.steps, shapes: best.shapes };
    },
  };
}

function dividerAt(steps: readonly string[]): Divider {
  return { steps: [...steps], values: new Map() };
}

/** The fields of a record, and those of its objects. */
function fieldsOf(record: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(record).flatMap(([name, value]) =>
    isPlain(value) ? Object.keys(value).map((inner) => [name, inner]) : [[name]],
  );
}

function valueIn(record: Readonly<Record<string, unknown>>, [name = '', inner]: readonly string[]): unknown {
  const value = record[name];
  if (inner === undefined) return value;
  return isPlain(value) ? value[inner] : undefined;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it may still divide the records. */
function isCounted({ values }: Divider, value: unknown, set: number): boolean {
  if (!isValue(value)) return false;
  let beside = values.get(value);
  if (beside === undefined) {
    if (values.size >= MAX_FEW) return false;
    beside = { count: 0, present: new Map(), sets: new Map() };
    values.set(value, beside);
  }
  beside.count += 1;
  beside.sets.set(set, (beside.sets.get(set) ?? 0) + 1);
  return true;
}

/** Counts the members of all sets. */
function settle(dividers: readonly Divider[], setAt: (place: number) => readonly number[]): void {
  for (const { present, sets } of dividers.flatMap(({ values }) => [...values.values()])) {
    for (const [place, count] of sets)
      for (const id of setAt(place)) present.set(id, (present.get(id) ?? 0) + count);
    sets.clear();
  }
}

/** Sets of members, each once: nearly all records have one of a few. */
function createSets() {
  let all: (readonly number[])[] = [];
  const byHash = new Map<number, number[]>();
  return {
    get size() {
      return all.length;
    },
    at: (place: number): readonly number[] => all[place] ?? [],
    placeOf(ids: readonly number[]): number {
      const hash = ids.reduce((sum, id) => Math.imul(sum ^ id, 0x01000193), 0);
      const places = byHash.get(hash) ?? [];
      const known = places.find((place) => isSame(all[place] ?? [], ids));
      if (known !== undefined) return known;
      byHash.set(hash, [...places, all.length]);
      return all.push(ids) - 1;
    },
    clear() {
      all = [];
      byHash.clear();
    },
  };
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((id, at) => id === other[at]);
}

interface Way extends Division {
  /** The largest part that two shapes have in common. */
  readonly alike: number;
}

/** The name of a kind counts more than a little less in common. */
function rank({ steps, alike }: Way): number {
  return alike - (namesKind(steps) ? 0.5 : 0) + steps.length / 100;
}

function namesKind(steps: readonly string[]): boolean {
  const isKind = /^(?:event)?(?:type|name|kind)$|^(?:event|action|table|entity|object|category|detailtype)$/;
  return isKind.test(plainName(steps.at(-1) ?? ''));
}

function isValue(value: unknown): value is Value {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_VALUE;
  return typeof value === 'boolean' || Number.isSafeInteger(value);
}

function total({ values }: Divider): number {
  return [...values.values()].reduce((sum, { count }) => sum + count, 0);
}

/** @param root the id of the record itself, which is no member */
function divided(divider: Divider, root: number): Way | undefined {
  const { steps, values } = divider;
  if (values.size < 2 || total(divider) < MIN_RECORDS * values.size) return undefined;
  const all = new Map([...values].map(([value, beside]) => [value, membersOf(beside, root)]));
  const members = namesKind(steps) ? withoutEnvelope(all) : all;
  const shapes: Value[][] = [];
  for (const value of members.keys()) {
    const near = shapes.find((shape) => shape.some((one) => alike(members, one, value) >= ALIKE));
    if (near === undefined) shapes.push([value]);
    else near.push(value);
  }
  if (shapes.length < 2) return undefined;
  const pairs = shapes.flatMap((one, index) =>
    shapes.slice(index + 1).flatMap((other) => one.flatMap((a) => other.map((b) => alike(members, a, b)))),
  );
  const most = Math.max(...pairs);
  return most >= ALIKE ? undefined : { steps, shapes, alike: most };
}

type Members = ReadonlyMap<Value, ReadonlySet<number>>;

function membersOf({ count, present }: Beside, root: number): ReadonlySet<number> {
  return new Set([...present].flatMap(([id, times]) => (id !== root && times >= MOSTLY * count ? [id] : [])));
}

/**
 * Events of all kinds have an envelope in common: an id, a time, a context. However large it is, it tells nothing of their
 * shapes. If one kind has hardly anything else, it does.
 */
function withoutEnvelope(all: Members): Members {
  const [first = new Set<number>(), ...others] = all.values();
  const envelope = new Set([...first].filter((id) => others.every((one) => one.has(id))));
  const own = new Map(
    [...all].map(([value, members]) => [value, new Set([...members].filter((id) => !envelope.has(id)))]),
  );
  return [...own.values()].every(({ size }) => size >= OWN) ? own : all;
}

/** The part that two values have in common of the members that one of them has. */
function alike(members: Members, one: Value, other: Value): number {
  const [a, b] = [members.get(one) ?? new Set<number>(), members.get(other) ?? new Set<number>()];
  const both = [...a].filter((id) => b.has(id)).length;
  return both / Math.max(1, a.size + b.size - both);
}
