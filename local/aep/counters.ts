// Counts what happens to a resource, minute by minute, for the observability service.

export const MINUTE = 60_000;

/** Five weeks of minutes. The observability service looks 30 days back where no range is given. */
const KEPT_MINUTES = 35 * 24 * 60;

export type Counts<Name extends string> = { readonly [name in Name]?: number };

export interface Minute<Name extends string> {
  /** Its beginning, in milliseconds. */
  readonly at: number;
  readonly counts: { [name in Name]?: number };
}

/** By resource, in order of time. One minute of one resource is one small object, made when something happens in it. */
export type Counters<Name extends string> = Map<string, Minute<Name>[]>;

export function count<Name extends string>(
  counters: Counters<Name>,
  id: string,
  now: number,
  counts: Counts<Name>,
): void {
  const { counts: present } = minuteOf(counters, id, now);
  for (const name in counts) present[name] = (present[name] ?? 0) + (counts[name] ?? 0);
}

function minuteOf<Name extends string>(counters: Counters<Name>, id: string, now: number): Minute<Name> {
  const at = now - (now % MINUTE);
  const minutes = counters.get(id) ?? [];
  if (minutes.length === 0) counters.set(id, minutes);
  const last = minutes.at(-1);
  if (last?.at === at) return last;
  const fresh: Minute<Name> = { at, counts: {} };
  minutes.push(fresh);
  if (minutes.length > KEPT_MINUTES * 1.1) minutes.splice(0, minutes.length - KEPT_MINUTES);
  return fresh;
}

/** `messages` and `bytes` of the calls that an inlet took; `successes` and `failures` are HTTP calls. */
export type InletCount = 'messages' | 'bytes' | 'successes' | 'failures';

/** The others count refused messages, by what was wrong. A message can be refused for several reasons. */
export type DataSetCount = 'records' | 'bytes' | 'batches' | 'failedBatches' | Category;

export type Category = 'presence' | 'type' | 'range' | 'format' | 'pattern' | 'enum' | 'unclassified';

const CATEGORIES: { readonly [keyword: string]: Category } = {
  required: 'presence',
  type: 'type',
  minimum: 'range',
  maximum: 'range',
  minLength: 'range',
  maxLength: 'range',
  minItems: 'range',
  maxItems: 'range',
  format: 'format',
  pattern: 'pattern',
  enum: 'enum',
};

/** How many messages were wrong in which way, by the keywords that each failed at. */
export function byCategory(refused: readonly { violations: readonly { keyword: string }[] }[]): {
  [name in Category]?: number;
} {
  const found: { [name in Category]?: number } = {};
  for (const { violations } of refused) {
    const wrong = new Set(violations.map(({ keyword }) => CATEGORIES[keyword] ?? 'unclassified'));
    for (const category of wrong) found[category] = (found[category] ?? 0) + 1;
  }
  return found;
}
