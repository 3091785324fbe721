// Functions that choose. A branch that is not chosen is not evaluated, so errors in it do not count.

import { asTruth, type Evaluate, same } from '../values.ts';
import { type Definition, define } from './definition.ts';

const LOGIC = 'Logical';

export const LOGICS: readonly Definition[] = [
  define(LOGIC, 'iif(EXPRESSION, TRUE_VALUE, FALSE_VALUE)', () => null),
  // Not in Adobe's published list; taken as coalesce of two.
  define(LOGIC, 'nvl(VALUE, DEFAULT)', () => null),
  define(LOGIC, 'decode(KEY, OPTIONS…)', ([key, ...options]) => {
    for (let at = 0; at + 1 < options.length; at += 2) {
      if (same(key ?? null, options[at] ?? null)) return options[at + 1] ?? null;
    }
    return options.length % 2 === 1 ? (options.at(-1) ?? null) : null;
  }),
];

type Inputs = readonly Evaluate[];

export const LAZY: { readonly [name: string]: (inputs: Inputs) => Evaluate } = {
  iif: (inputs) => {
    const [condition, yes, no] = inputs as readonly [Evaluate, Evaluate, Evaluate];
    return (row, around) => (asTruth(condition(row, around)) ? yes(row, around) : no(row, around));
  },
  nvl: (inputs) => {
    const [value, fallback] = inputs as readonly [Evaluate, Evaluate];
    return (row, around) => value(row, around) ?? fallback(row, around);
  },
};
