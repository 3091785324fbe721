// How a mapping function is written down: its name as in Adobe's list, how many arguments, what it does.

import type { JsonObject } from '../../json.ts';
import type { Surroundings, Value } from '../values.ts';

export type Body = (inputs: readonly Value[], around: Surroundings, row: JsonObject) => Value;

export interface Definition {
  readonly name: string;
  readonly category: string;
  readonly syntax: string;
  readonly least: number;
  readonly most: number;
  readonly call: Body;
}

export const MANY = Number.POSITIVE_INFINITY;

/** `least` and `most` follow from the syntax: `[X]` is optional, `…` is any number. */
export function define(category: string, syntax: string, call: Body): Definition {
  const [, name, list] = /^(\w+)\((.*)\)$/.exec(syntax) as unknown as [string, string, string];
  const inputs = list
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
  const least = inputs.filter((each) => !each.startsWith('[') && !each.endsWith('…')).length;
  const most = inputs.some((each) => each.endsWith('…')) ? MANY : inputs.length;
  return { name, category, syntax, least, most, call };
}

/** Most functions answer null when their subject is null. */
export function unlessNull(call: (subject: NonNullable<Value>, rest: readonly Value[]) => Value): Body {
  return (inputs) => {
    const subject = inputs[0] ?? null;
    return subject === null ? null : call(subject, inputs.slice(1));
  };
}
