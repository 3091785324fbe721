// Every function of the mapping language by name, and the error for an unknown one.

import { didYouMean } from '../../nearest.ts';
import { DATES } from './dates.ts';
import type { Definition } from './definition.ts';
import { HIERARCHIES } from './hierarchies.ts';
import { IDENTIFIERS } from './identifiers.ts';
import { LOGICS } from './logic.ts';
import { STRINGS } from './strings.ts';
import { URLS } from './urls.ts';
import { USER_AGENTS } from './user-agents.ts';

const ALL = [...STRINGS, ...DATES, ...HIERARCHIES, ...URLS, ...LOGICS, ...IDENTIFIERS, ...USER_AGENTS];

export const FUNCTIONS: ReadonlyMap<string, Definition> = new Map(ALL.map((each) => [each.name, each]));

/** On Adobe's list, but not for data that comes in. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...['array_to_string', 'filterArray', 'transformArray', 'flattenArray'].map(
    (name) => [name, 'destinations, where data is exported'] as const,
  ),
  ...[
    'aa_get_event_id',
    'aa_get_event_value',
    'aa_get_product_categories',
    'aa_get_product_names',
    'aa_get_product_quantities',
    'aa_get_product_prices',
    'aa_get_product_event_values',
    'aa_get_product_evars',
  ].map((name) => [name, 'flows of the Web SDK and of Adobe Analytics'] as const),
]);

/** Why a name is no function of a stream's mapping, with the nearest that is. */
export function unknownFunction(name: string): string {
  const elsewhere = ELSEWHERE.get(name);
  if (elsewhere) return `function '${name}' is for ${elsewhere} alone`;
  return `unknown function '${name}'${didYouMean(name, [...FUNCTIONS.keys()])}`;
}
