// Decides which messages are sent again, by the conditions of the request.
import { isDeepStrictEqual } from 'node:util';
import { parseJson } from '../forward/json/check.ts';
import type { DecodedPart } from '../forward/read/decode.ts';
import { stepsOf, valueAt } from '../pointer.ts';
import type { Item } from './parcel.ts';
import type { Conditions } from './request.ts';

/** Whether the conditions about documents hold for this one. */
export function chosenByTime({ stored }: Conditions, storedAt: string): boolean {
  return isInSpan(stored, Date.parse(storedAt));
}

/** Whether the conditions hold for a record or an entry, as far as that shows without decoding it. */
export function chosenAsItem({ reasons, arrived, sequence }: Conditions, item: Item): boolean {
  const { sequenceNumber, approximateArrivalTimestamp: arrivedAt } = item.record.kinesis;
  if (reasons !== undefined && !reasons.includes(item.reason ?? '')) return false;
  const at = arrivedAt === undefined || arrivedAt === null ? undefined : arrivedAt * 1_000;
  if (arrived !== undefined && !isInSpan(arrived, at)) return false;
  if (sequence === undefined) return true;
  const number = BigInt(sequenceNumber);
  return (
    item.shardId === sequence.shardId && number >= BigInt(sequence.from) && number <= BigInt(sequence.to)
  );
}

/** Whether the record's own field has the required value. A record that is not JSON has no fields. */
export function chosenByField({ field }: Conditions, part: DecodedPart): boolean {
  if (field === undefined) return true;
  if (!('payload' in part)) return false;
  const parsed = parseJson(part.payload);
  return (
    !('kind' in parsed) && isDeepStrictEqual(valueAt(parsed.value, stepsOf(field.pointer)), field.equals)
  );
}

function isInSpan(
  span: { readonly from?: string | undefined; readonly to?: string | undefined } | undefined,
  at: number | undefined,
): boolean {
  if (span === undefined || (span.from === undefined && span.to === undefined)) return true;
  if (at === undefined) return false;
  const after = span.from === undefined || at >= Date.parse(span.from);
  return after && (span.to === undefined || at <= Date.parse(span.to));
}
