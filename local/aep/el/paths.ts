// Source and destination paths: dotted, with `[n]`, `${…}` around odd names and `\.` for a dot inside a name.

import { type JsonObject, own } from '../json.ts';
import { ExpressionError } from './tokens.ts';
import { type Evaluate, inside, type Value } from './values.ts';

/** `contact.emails[0].address` → its names and positions. */
export function pathSteps(path: string): string[] {
  const steps: string[] = [];
  let rest = path.trim();
  if (rest === '') throw new ExpressionError('the path is empty');
  while (rest.length > 0) {
    const found = /^(?:\$\{((?:\\.|[^}\\])*)\}|((?:\\.|[^.[\]\\])+)|\[(\d+|\*)\])(\.(?=.)|(?=\[)|$)/s.exec(
      rest,
    );
    if (!found) throw new ExpressionError(`the path '${path}' cannot be read at '${rest}'`);
    const [all, quoted, plain, position] = found;
    if (quoted !== undefined) steps.push(...splitQuoted(quoted));
    else steps.push(position ?? unescaped((plain as string).trim()));
    rest = rest.slice(all.length);
  }
  return steps;
}

/** Inside `${…}` a dot still leads to a child, unless it is escaped. */
export function splitQuoted(text: string): string[] {
  return text
    .split(/(?<!\\)\./)
    .flatMap((part) => part.split(/\[(\d+|\*)\]/).filter((each) => each !== ''))
    .map(unescaped);
}

const unescaped = (text: string): string => text.replace(/\\(.)/gs, '$1');

export function readPath(steps: readonly string[]): Evaluate {
  const [first, ...others] = steps as [string, ...string[]];
  if (others.length === 0) return (row) => (own(row, first) as Value | undefined) ?? null;
  return (row) => {
    let value: Value = (own(row, first) as Value | undefined) ?? null;
    for (const step of others) {
      if (value === null) return null;
      value = inside(value, step);
    }
    return value;
  };
}

/** Ours: all positions before it are filled, in every row. */
const FARTHEST = 9_999;

export type Write = (target: JsonObject, value: JsonObject[string]) => void;

/** Sets a value deep inside, making the objects and lists on the way; `[*]` pairs list with list. */
export function writePath(steps: readonly string[]): Write {
  if (steps.some((step) => step === '__proto__')) throw new ExpressionError("'__proto__' is not a field");
  const far = steps.find((step) => /^\d+$/.test(step) && Number(step) > FARTHEST);
  if (far) throw new ExpressionError(`position ${far} of a list is beyond ${FARTHEST}`);
  return (target, value) => put(target, steps, 0, value);
}

type Container = JsonObject | JsonObject[string][];

function put(container: Container, steps: readonly string[], at: number, value: JsonObject[string]): void {
  const step = steps[at] as string;
  const holder = container as Record<string, JsonObject[string]>;
  if (at === steps.length - 1) {
    holder[step] = value;
    return;
  }
  const next = steps[at + 1] as string;
  if (next === '*') {
    fan(holder, step, steps, at, value);
    return;
  }
  const wantsList = /^\d+$/.test(next);
  const present = holder[step];
  const fits = typeof present === 'object' && present !== null && (Array.isArray(present) || !wantsList);
  const child = fits ? present : wantsList ? [] : {};
  holder[step] = child;
  put(child as Container, steps, at + 1, value);
}

function fan(
  holder: Record<string, JsonObject[string]>,
  step: string,
  steps: readonly string[],
  at: number,
  value: JsonObject[string],
): void {
  const values = Array.isArray(value) ? value : [value];
  const list = Array.isArray(holder[step]) ? (holder[step] as JsonObject[string][]) : [];
  holder[step] = list;
  const rest = steps.slice(at + 2);
  values.forEach((each, index) => {
    if (rest.length === 0) list[index] = each;
    else put(list as Container, [String(index), ...rest], 0, each);
  });
}
