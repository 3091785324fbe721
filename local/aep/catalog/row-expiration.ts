// How long rows of a dataset of events are kept: its bounds, and what a change of it has to be
// (catalog/datasets/experience-event-dataset-retention-ttl-guide). No row is deleted here: that takes AEP a week.

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { type JsonObject, objectAt, textAt } from '../json.ts';
import type { DataSet } from '../state.ts';

const STORES = ['adobe_lakeHouse', 'adobe_unifiedProfile'] as const;
type Store = (typeof STORES)[number];

const BOUNDS: Readonly<Record<Store, { minValue: string; maxValue: string }>> = {
  adobe_lakeHouse: { minValue: 'P30D', maxValue: 'P10Y' },
  adobe_unifiedProfile: { minValue: 'P1D', maxValue: 'P10Y' },
};

const DAYS: Readonly<Record<string, number>> = { D: 1, M: 30.4375, Y: 365.25 };
const PROFILE_REST_MS = 30 * 86_400_000;

/** The same for every dataset. */
export function getTtl(_dataSet: DataSet): Answer {
  const extensions = STORES.map((store) => [
    store,
    { rowExpiration: { defaultValue: BOUNDS[store].maxValue, ...BOUNDS[store] } },
  ]);
  return json(200, { extensions: Object.fromEntries(extensions) });
}

/** What decides whether the rows of a dataset may expire. */
export interface Expiring {
  readonly forEvents: boolean;
  readonly inProfile: boolean;
  readonly now: number;
}

/** The body with what the service adds to each period that is new. @throws Refusal */
export function withExpirations(before: DataSet, after: JsonObject, expiring: Expiring): JsonObject {
  const extensions = objectAt(after, 'extensions');
  if (extensions === undefined) return after;
  const set = STORES.flatMap((store) => {
    const wanted = objectAt(objectAt(extensions, store), 'rowExpiration');
    const had = objectAt(objectAt(objectAt(before.body, 'extensions'), store), 'rowExpiration');
    if (wanted === undefined || !('ttlValue' in wanted) || wanted.ttlValue === had?.ttlValue) return [];
    check(expiring, store, wanted, had);
    const rowExpiration = {
      ttlValue: wanted.ttlValue ?? null,
      valueStatus: 'custom',
      setBy: 'user',
      updated: expiring.now,
    };
    return [[store, { ...objectAt(extensions, store), rowExpiration }] as const];
  });
  return { ...after, extensions: { ...extensions, ...Object.fromEntries(set) } };
}

function check(
  { forEvents, inProfile, now }: Expiring,
  store: Store,
  wanted: JsonObject,
  had: JsonObject | undefined,
): void {
  if (!forEvents) throw refused('Row expiration needs a schema of time-series.');
  if (store === 'adobe_unifiedProfile' && !inProfile)
    throw refused('Row expiration in Profile needs a dataset that is enabled for it.');
  if (wanted.ttlValue !== null) {
    const days = daysOf(textAt(wanted, 'ttlValue') ?? '');
    const { minValue, maxValue } = BOUNDS[store];
    if (Number.isNaN(days)) throw refused('ttlValue must be an ISO 8601 period of days, months or years.');
    if (days < daysOf(minValue) || days > daysOf(maxValue))
      throw refused(`ttlValue must lie between ${minValue} and ${maxValue}.`);
  }
  if (store === 'adobe_unifiedProfile' && now < Number(had?.updated ?? -Infinity) + PROFILE_REST_MS)
    throw refused('The expiration in Profile can be changed once in 30 days.');
}

function daysOf(period: string): number {
  const [, count = '', unit = ''] = /^P(\d+)([DMY])$/.exec(period) ?? [];
  return Number(count) * (DAYS[unit] ?? Number.NaN);
}

function refused(detail: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', detail);
}
