// A list that comes in pages: read to its end, each item once, or not at all.
import { Failure } from '../failure.ts';

/** More pages than an honest list has: one whose every page brings something new must end, too. */
const MAX_PAGES = 50;

export interface ListPage<T> {
  readonly items: readonly T[];
  /** What leads to the next page; `undefined` behind the last. */
  readonly next: string | undefined;
}

/**
 * All items, in their order. A list that changes while it is read may show one twice: it is kept once.
 * @param what the list, for a message
 * @param page asks for the first page, or for that behind a cursor
 * @throws Failure `AEP_UNEXPECTED`, not retryable, where the list does not end: half of it looks like a missing resource
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
    // A page may be empty and the list go on; a cursor that came before and brings nothing new leads nowhere.
    if (followed.has(next) && found.size === before) break;
    followed.add(next);
    cursor = next;
  }
  throw new Failure('AEP_UNEXPECTED', `GET ${what} does not come to an end after ${read} pages`, {
    retryable: false,
  });
}

/** A part of a link's query as it stands, unescaped but not read as a form: a `+` in it is a plus. */
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
