// Reads a list with pages to its end, each item once, or fails.
import { Failure } from '../failure.ts';

/** More pages than a real list has: a list whose every page brings something new must end, too. */
const MAX_PAGES = 50;

export interface ListPage<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; `undefined` on the last. */
  readonly next: string | undefined;
}

/**
 * All items, in their order. A list that changes while it is read may show an item twice: it is kept once.
 * @param what the list, for a message
 * @param page asks for the first page, or for that behind a cursor
 * @throws Failure `AEP_UNEXPECTED`, not retryable, if the list does not end: half of it looks like a missing resource
 */
export async function everyItem<T>(
  what: string,
  idOf: (item: T) => string,
  page: (cursor: string | undefined) => Promise<ListPage<T>>,
): Promise<T[]> {
  const found = new Map<string, T>();
  const followed = new Set<string>();
  let cursor: string | undefined;
  let read = 0;
  while (read < MAX_PAGES) {
    read++;
    const { items, next } = await page(cursor);
    const before = found.size;
    for (const item of items) found.set(idOf(item), item);
    if (next === undefined) return [...found.values()];
    // A page may be empty although the list goes on. A repeated cursor without new items is the end.
    if (followed.has(next) && found.size === before) break;
    followed.add(next);
    cursor = next;
  }
  throw new Failure('AEP_UNEXPECTED', `GET ${what} has not ended after ${read} pages`, {
    retryable: false,
  });
}

/** A parameter of a link's query, unescaped but not decoded as a form: `+` stays `+`. */
export function partOfLink(link: string, name: string): string | undefined {
  const found = new RegExp(`[?&]${name}=([^&#]+)`).exec(link)?.[1];
  return found === undefined ? undefined : unescaped(found);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
