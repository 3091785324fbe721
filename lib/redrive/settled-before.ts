// What the routes of a stream have settled of an item in runs before this one, by the notes in the store.
import type { DecodedPart } from '../forward/read/decode.ts';
import type { Message } from '../forward/read/message.ts';
import type { Item } from './parcel.ts';
import type { OtherRoute } from './routes.ts';

/** Whether there may be something to do for the route in it; or for none, so that it can leave the store. */
export function isOpenFor({ givenUp }: Item, pipeline: string, others: readonly OtherRoute[]): boolean {
  const { routes = {} } = givenUp?.note ?? {};
  return routes[pipeline] !== true || others.every((other) => routes[other.pipeline] === true);
}

/** Whether the route has settled a message of the item. */
export function isSettledBefore(
  { givenUp }: Item,
  { subSequenceNumber }: Message,
  pipeline: string,
): boolean {
  const settled = givenUp?.note.routes?.[pipeline];
  if (settled === undefined) return false;
  return settled === true || (subSequenceNumber !== undefined && settled.includes(subSequenceNumber));
}

/** The other routes that take a message of an item that belongs to all of them, and have not settled it. */
export function openForOthers(item: Item, part: DecodedPart, others: readonly OtherRoute[]): string[] {
  if (item.givenUp === undefined) return [];
  return others
    .filter((other) => !isSettledBefore(item, part.message, other.pipeline) && other.takes(part))
    .map(({ pipeline }) => pipeline);
}
