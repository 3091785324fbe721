// Which items of the store belong to several routes, and what each has settled of them in runs before this one.
import type { DecodedPart } from '../forward/read/decode.ts';
import type { Message } from '../forward/read/message.ts';
import type { Item } from './parcel.ts';
import type { OtherRoute } from './routes.ts';

/** Rejected with one of these, a message was read, and a route took it: it is that route's alone. */
const OF_ONE_ROUTE: ReadonlySet<string> = new Set([
  'not-an-object',
  'too-large',
  'envelope',
  'nothing-selected',
  'no-operation',
  'deletion',
  'parked',
  'redacted-otherwise',
  'refused',
  'refused-later',
]);

export function isOfOneRoute(reason: string): boolean {
  return OF_ONE_ROUTE.has(reason);
}

/**
 * Whether an entry was kept once for all routes of its stream. Either no route takes it, or it could not be read. Then
 * it is not known whose it is.
 */
export function isOfAllRoutes({ entry, reason = '' }: Item, others: readonly OtherRoute[]): boolean {
  if (entry === undefined) return false;
  return reason === 'unrouted' || (others.length > 0 && !isOfOneRoute(reason));
}

/** Whether there may be something to do for the route in it; or for none, so that it can leave the store. */
export function isOpenFor({ settled = {} }: Item, pipeline: string, others: readonly OtherRoute[]): boolean {
  return settled[pipeline] !== true || others.every((other) => settled[other.pipeline] === true);
}

/** Whether the route has settled a message of the item. */
export function isSettledBefore(
  { settled }: Item,
  { subSequenceNumber }: Message,
  pipeline: string,
): boolean {
  const own = settled?.[pipeline];
  if (own === undefined) return false;
  return own === true || (subSequenceNumber !== undefined && own.includes(subSequenceNumber));
}

/** The other routes that take a message of an item that belongs to all of them, and have not settled it. */
export function openForOthers(item: Item, part: DecodedPart, others: readonly OtherRoute[]): string[] {
  if (item.givenUp === undefined && !isOfAllRoutes(item, others)) return [];
  // A route that takes everything has kept what could not be read for itself.
  const isUnread = item.givenUp === undefined && item.reason !== 'unrouted';
  return others
    .filter(({ chooses }) => chooses || !isUnread)
    .filter((other) => !isSettledBefore(item, part.message, other.pipeline) && other.takes(part))
    .map(({ pipeline }) => pipeline);
}
