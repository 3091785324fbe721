// How long the lake and Profile keep the rows of a dataset of events. What the manifest leaves out stays as it is.
import type { Dataset, TtlBounds } from '../../aep/catalog.ts';
import type { Aep } from '../../aep/client.ts';
import type { Manifest } from '../../manifest.ts';
import { daysIn, isSamePeriod } from '../../retention.ts';
import { type Difference, difference } from './resource.ts';

const STORES = { lake: 'adobe_lakeHouse', profile: 'adobe_unifiedProfile' } as const;
type Store = keyof typeof STORES;

/** Profile's own value is changed once in so many days. Decision 0108 says who says so. */
const PROFILE_REST_DAYS = 30;
const DAY_MS = 86_400_000;

interface Change {
  readonly store: Store;
  readonly found: string;
  readonly wanted: string;
  /** When it was last set by somebody, ms since the epoch. */
  readonly setAt: number | undefined;
}

function changesIn(there: Dataset, { dataset }: Manifest): Change[] {
  return (['lake', 'profile'] as const).flatMap((store) => {
    const wanted = dataset.retention?.[store];
    const set = there.extensions?.[STORES[store]]?.rowExpiration;
    const found = set?.ttlValue ?? 'forever';
    if (wanted === undefined || isSamePeriod(found, wanted)) return [];
    const setAt = set?.setBy === 'service' ? undefined : (set?.updated ?? undefined);
    return [{ store, found, wanted, setAt }];
  });
}

/** Costs a call only where the manifest names a retention, and one more where it differs. */
export async function retentionDifferences(
  { aep, now }: { readonly aep: Aep; readonly now: number },
  id: string,
  manifest: Manifest,
): Promise<Difference[]> {
  if (manifest.dataset.retention === undefined) return [];
  const { dataset: there } = await aep.catalog.getDataset(id);
  const behavior = there.classification?.dataBehavior;
  if (typeof behavior === 'string' && behavior !== 'time-series')
    return difference(
      'dataset.retention',
      `a dataset of behavior ${behavior}`,
      'one of events (time-series)',
      'conflict',
    );
  const changes = changesIn(there, manifest);
  if (changes.length === 0) return [];
  const bounds = await aep.catalog.ttlBounds(id);
  return changes.map((one) => {
    const reason = outOfBounds(one, bounds) ?? tooSoon(one, now);
    const wanted = reason === undefined ? one.wanted : `${one.wanted}, but ${reason}`;
    const remedy = reason === undefined ? ('update' as const) : ('conflict' as const);
    return { field: `dataset.retention.${one.store}`, found: one.found, wanted, remedy };
  });
}

/** Only where it certainly is: a month has 28 to 31 days. */
function outOfBounds({ store, wanted }: Change, bounds: TtlBounds): string | undefined {
  const { minValue, maxValue } = bounds[STORES[store]] ?? {};
  const [days, least, most] = [wanted, minValue ?? '', maxValue ?? ''].map(daysIn);
  if (days && least && days.most < least.fewest) return `AEP takes ${minValue} at least`;
  return days && most && days.fewest > most.most ? `AEP takes ${maxValue} at most` : undefined;
}

function tooSoon({ store, setAt }: Change, now: number): string | undefined {
  if (store !== 'profile' || setAt === undefined) return undefined;
  const from = setAt + PROFILE_REST_DAYS * DAY_MS;
  if (now >= from) return undefined;
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  return `Profile's value is changed once in ${PROFILE_REST_DAYS} days: it was on ${day(setAt)}, so from ${day(from)} on`;
}

/** @throws Failure `AEP_CHANGED` if somebody changed the dataset meanwhile */
export async function setRetention(aep: Aep, id: string, manifest: Manifest): Promise<void> {
  if (manifest.dataset.retention === undefined) return;
  const { dataset: there, etag } = await aep.catalog.getDataset(id);
  const periods = changesIn(there, manifest).map(({ store, wanted }) => [STORES[store], wanted] as const);
  if (periods.length > 0) await aep.catalog.setRowExpiration(id, Object.fromEntries(periods), etag);
}
