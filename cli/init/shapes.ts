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
  add(record: Readonly<Record<string, unknown>>, present: readonly number[]): void;
  /** Counts a message for the one field that divides messages of its format. */
  addOfKind(kind: Kind | undefined, present: readonly number[]): void;
  /** `undefined` where the records have one shape. */
  division(root: Node): Division | undefined;
}

interface Beside {
  count: number;
  /** By the id of the node. */
  readonly present: Map<number, number>;
}

interface Divider {
  readonly steps: readonly string[];
  readonly values: Map<Value, Beside>;
}

/** Members that this part of the records of a value have belong to its shape. */
const MOSTLY = 0.5;
/** Two values whose shapes have this part of their members in common are of one shape. */
const ALIKE = 0.6;
/** Records of a value, on the average: below that it is no kind, but a name. */
const MIN_RECORDS = 2;
const MAX_VALUE = 100;
/** Beyond that many members the fields of few values are not counted any more. */
const MAX_DIVIDERS = 60;

export function createDividers(): Dividers {
  const dividers = new Map<string, Divider | 'none'>();
  let records = 0;

  function look(key: string, steps: () => string[], value: unknown, present: readonly number[]): void {
    const known = dividers.get(key);
    if (known === 'none') return;
    const isFirst = known === undefined;
    // A field that was not there from the first record on is missing somewhere.
    if (isFirst && (records > 1 || dividers.size >= MAX_DIVIDERS)) return;
    const divider = known ?? { steps: steps(), values: new Map<Value, Beside>() };
    if (isFirst) dividers.set(key, divider);
    if (!isValue(value)) {
      dividers.set(key, 'none');
      return;
    }
    let beside = divider.values.get(value);
    if (beside === undefined) {
      if (divider.values.size >= MAX_FEW) {
        dividers.set(key, 'none');
        return;
      }
      beside = { count: 0, present: new Map() };
      divider.values.set(value, beside);
    }
    beside.count += 1;
    for (const id of present) beside.present.set(id, (beside.present.get(id) ?? 0) + 1);
  }

  return {
    add(record, all) {
      records += 1;
      const present = [...new Set(all)];
      for (const [name, value] of Object.entries(record)) {
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          for (const [inner, one] of Object.entries(value))
            look(`${name}\u0000${inner}`, () => [name, inner], one, present);
        } else look(name, () => [name], value, present);
      }
    },
    addOfKind(kind, all) {
      records += 1;
      if (kind === undefined) return;
      const { steps, value } = kind;
      look(steps.join('\u0000'), () => [...steps], value, [...new Set(all)]);
    },
    division(root) {
      const ways = [...dividers.values()].flatMap((one) => {
        if (one === 'none' || total(one) !== root.count) return [];
        const way = divided(one);
        return way === undefined ? [] : [way];
      });
      const [best] = ways.toSorted((one, other) => rank(one) - rank(other));
      return best === undefined ? undefined : { steps: best.steps, shapes: best.shapes };
    },
  };
}

interface Way extends Division {
  /** The largest part that two shapes have in common. */
  readonly alike: number;
}

/** The name of a kind counts more than a little less in common. */
function rank({ steps, alike }: Way): number {
  const isKind = /^(?:event)?(?:type|name|kind)$|^(?:event|action|table|entity|object|category|detailtype)$/;
  return alike - (isKind.test(plainName(steps.at(-1) ?? '')) ? 0.5 : 0) + steps.length / 100;
}

function isValue(value: unknown): value is Value {
  if (typeof value === 'string') return value.length > 0 && value.length <= MAX_VALUE;
  return typeof value === 'boolean' || Number.isSafeInteger(value);
}

function total({ values }: Divider): number {
  return [...values.values()].reduce((sum, { count }) => sum + count, 0);
}

function divided(divider: Divider): Way | undefined {
  const { steps, values } = divider;
  if (values.size < 2 || total(divider) < MIN_RECORDS * values.size) return undefined;
  const members = new Map(
    [...values].map(([value, { count, present }]) => [
      value,
      new Set([...present].flatMap(([id, times]) => (times >= MOSTLY * count ? [id] : []))),
    ]),
  );
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

/** The part that two values have in common of the members that one of them has; the record itself is no member. */
function alike(members: ReadonlyMap<Value, ReadonlySet<number>>, one: Value, other: Value): number {
  const [a, b] = [members.get(one) ?? new Set<number>(), members.get(other) ?? new Set<number>()];
  const both = [...a].filter((id) => b.has(id)).length - 1;
  return both / Math.max(1, a.size + b.size - both - 2);
}
