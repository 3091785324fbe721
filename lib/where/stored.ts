// Looks through the dead-letter store for one record: by its place in the stream, or by the `_id` that is in it.
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { isFailure } from '../failure.ts';
import { parseJson } from '../forward/json/check.ts';
import type { AppliedRule } from '../forward/read/message.ts';
import { recordId } from '../forward/read/record-id.ts';
import { unpack } from '../forward/read/unpack.ts';
import { createFieldReader } from '../forward/transform/derive.ts';
import { createRedactor, isSameRule } from '../forward/transform/redact.ts';
import { stepsOf, valueAt } from '../pointer.ts';
import { type PublishedRoute, readRoute, streamNameOf } from '../published.ts';
import { memberOf, partsOf, type Records } from '../records.ts';
import { type Item, readParcel } from '../redrive/parcel.ts';
import type { DocumentKind, StoredKind, WhereRuntime } from '../runtime.ts';

/** What is looked through. */
export interface Scope {
  readonly pipeline: string;
  readonly streamArn: string;
  /** When to stop looking, ms since the epoch. */
  readonly until: number;
}

export interface Spot {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number | undefined;
}

/** Where in the store it is, and why. */
export interface FoundRecord {
  readonly key: string;
  /** When it was put there (ISO 8601). */
  readonly storedAt: string;
  readonly reason: string;
  /** What Penstock or AEP said about it. */
  readonly message?: string;
  readonly shardId: string;
  readonly sequenceNumber?: string;
  readonly subSequenceNumber?: number;
  /** Of a document of Lambda's: pipelines whose routes a redrive has sent it through. */
  readonly settledBy?: readonly string[];
}

export interface Searched {
  readonly found: readonly FoundRecord[];
  readonly objects: number;
  /** Whether all objects were looked at. */
  readonly complete: boolean;
}

/** Searches what is parked and the rejects, from the day on which the record came. */
export async function searchOwn(
  scope: Scope,
  arrivedAt: number | undefined,
  wanted: Spot | { readonly _id: string },
  runtime: WhereRuntime,
): Promise<Searched> {
  const route = await routeInForce(scope, runtime);
  const rules = route === undefined ? 'unknown' : (createRedactor(route)?.applied ?? []);
  const since = arrivedAt === undefined ? undefined : new Date(arrivedAt).toISOString();
  const isWanted =
    '_id' in wanted ? hasId(wanted._id, streamNameOf(scope.streamArn), route?.records) : isAt(wanted);
  const of = (kind: DocumentKind) => searchKind({ kind, since, rules, isWanted }, scope, runtime);
  // In this order: what a redrive moves in between is found twice, and not overlooked.
  const parked = await of('parked');
  const rejected = await of('rejected');
  return {
    found: [...parked.found, ...rejected.found],
    objects: parked.objects + rejected.objects,
    complete: parked.complete && rejected.complete,
  };
}

interface OwnSearch {
  readonly kind: DocumentKind;
  readonly since: string | undefined;
  readonly rules: readonly AppliedRule[] | 'unknown';
  readonly isWanted: (item: Item) => boolean;
}

function searchKind(
  { kind, since, rules, isWanted }: OwnSearch,
  scope: Scope,
  runtime: WhereRuntime,
): Promise<Searched> {
  const what: StoredKind = { kind, pipeline: scope.pipeline, ...(since !== undefined && { since }) };
  return search(what, scope, runtime, (key, text) => {
    const parcel = readParcel(text, kind, scope);
    if (typeof parcel !== 'object') return [];
    return parcel.items.filter(isWanted).map((item) => ({
      key,
      storedAt: parcel.storedAt,
      reason: item.reason ?? 'unknown',
      ...(mayBeSaid(item, rules) && { message: item.entry?.message ?? '' }),
      shardId: item.shardId,
      sequenceNumber: item.record.kinesis.sequenceNumber,
      ...(item.entry?.subSequenceNumber !== undefined && {
        subSequenceNumber: item.entry.subSequenceNumber,
      }),
    }));
  });
}

/** What the pipeline does with records now; `undefined` if that cannot be read. */
async function routeInForce(
  { streamArn, pipeline }: Scope,
  runtime: WhereRuntime,
): Promise<PublishedRoute | undefined> {
  try {
    return await readRoute(runtime, streamArn, pipeline);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}

const AEPS_WORDS: ReadonlySet<string> = new Set(['refused', 'refused-later', 'parked']);

/**
 * Words of AEP's quote the record as AEP had it. They may be shown if these rules had redacted it, or if there are
 * none. Penstock's own words quote nothing.
 */
function mayBeSaid({ entry, reason, redacted }: Item, rules: readonly AppliedRule[] | 'unknown'): boolean {
  if (entry === undefined) return false;
  if (!AEPS_WORDS.has(reason ?? '')) return true;
  if (rules === 'unknown') return false;
  return (
    rules.length === 0 ||
    (redacted !== undefined && redacted !== 'unknown' && areRulesWithin(rules, redacted))
  );
}

function areRulesWithin(rules: readonly AppliedRule[], others: readonly AppliedRule[]): boolean {
  return rules.every((rule) => others.some((other) => isSameRule(rule, other)));
}

/** Searches the batches that Lambda has discarded. Their documents name the first and the last record. */
export function searchDiscarded(scope: Scope, spot: Spot, runtime: WhereRuntime): Promise<Searched> {
  const number = BigInt(spot.sequenceNumber);
  return search({ kind: 'on-failure' }, scope, runtime, (key, text) => {
    // Their keys name the shard, so documents of other shards are not searched.
    const parcel = readParcel(text, 'on-failure', scope);
    if (typeof parcel !== 'object' || parcel.kind !== 'on-failure') return [];
    const { shardId, first, last, condition, storedAt } = parcel.document;
    if (shardId !== spot.shardId || number < BigInt(first) || number > BigInt(last)) return [];
    const item = parcel.items.find(({ record }) => record.kinesis.sequenceNumber === spot.sequenceNumber);
    // A redrive has taken it out, and has left others between which it was.
    if (item === undefined && parcel.document.records !== undefined) return [];
    const { routes = {} } = item?.givenUp.note ?? parcel.document.note;
    const settledBy = Object.keys(routes).filter((pipeline) => routes[pipeline] === true);
    return [{ key, storedAt, reason: condition, shardId, ...(settledBy.length > 0 && { settledBy }) }];
  });
}

async function search(
  what: StoredKind,
  { until }: Scope,
  { deadLetters, clock }: WhereRuntime,
  look: (key: string, text: string) => FoundRecord[],
): Promise<Searched> {
  const found: FoundRecord[] = [];
  let [after, objects] = ['', 0];
  let passedOver = false;
  for (;;) {
    const page = await deadLetters.list(what, after);
    for (const { key, bytes } of page.objects) {
      if (clock.now() > until) return { found, objects, complete: false };
      after = key;
      if (bytes > MAX_OBJECT_BYTES) {
        passedOver = true;
        continue;
      }
      objects++;
      const stored = await deadLetters.read(key);
      if (stored !== undefined) found.push(...look(key, stored.text));
    }
    if (!page.more || page.objects.length === 0) return { found, objects, complete: !passedOver };
  }
}

function isAt({ shardId, sequenceNumber, subSequenceNumber }: Spot): (item: Item) => boolean {
  return ({ shardId: its, record, entry }) =>
    its === shardId &&
    record.kinesis.sequenceNumber === sequenceNumber &&
    (subSequenceNumber === undefined || entry?.subSequenceNumber === subSequenceNumber);
}

/** Whether the record has this `_id`: itself, in the part that is sent, in the entity of a whole XDM message, or derived. */
function hasId(_id: string, stream: string, records: Records = {}): (item: Item) => boolean {
  const idsOf = idReader(records);
  return ({ shardId, record, entry }) => {
    const { sequenceNumber } = record.kinesis;
    const sub = entry?.subSequenceNumber;
    const derived = { stream, shardId, sequenceNumber, ...(sub !== undefined && { subSequenceNumber: sub }) };
    if (recordId(derived) === _id) return true;
    const payload = unpack(Buffer.from(entry?.data ?? '', 'base64'), 'auto');
    if ('kind' in payload) return false;
    const parsed = parseJson(payload);
    return !('kind' in parsed) && idsOf(parsed).includes(_id);
  };
}

/** Where an object has its `_id`, and a whole XDM message that of its entity. */
const ID_PLACES = [['_id'], ['body', 'xdmEntity', '_id']];

/** The ids that a record has. One that its rules would derive from a field is none where what is sent has its own. */
function idReader(records: Records): (parsed: { json: Buffer; value: unknown }) => readonly unknown[] {
  const { derive = [] } = records;
  const fieldsOf = createFieldReader(derive);
  const placesIn = (root: string) => ID_PLACES.map((place) => [...stepsOf(root), ...place]);
  const whole = placesIn('');
  const parts = partsOf(records);
  const sent = parts.length === 0 ? whole : parts.flatMap(placesIn);
  return ({ json, value }) => {
    const of = (places: readonly (readonly string[])[]) =>
      places.map((steps) => valueAt(value, steps)).filter((id) => id !== undefined);
    const own = of(sent);
    if (own.length > 0 || fieldsOf === undefined) return [...own, ...of(whole)];
    const values = fieldsOf(json);
    const derived = derive.findIndex((rule, at) => memberOf(rule) === '_id' && values[at] !== undefined);
    return [...of(whole), values[derived]];
  };
}
