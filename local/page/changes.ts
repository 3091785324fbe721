// Tells a list by its changes: with ten thousand lines, only those that are new or another are sent.
import type { Feed } from './events.ts';
import type { Changes } from './told.ts';

/** @param read all lines as they are now */
export function changesFeed<T>(
  keyOf: (line: T) => string,
  read: () => readonly T[] | Promise<readonly T[]>,
): Feed {
  const told = new Map<string, string>();
  let isFirst = true;
  return async (): Promise<Changes<T> | undefined> => {
    const lines = await read();
    const keys = new Set(lines.map(keyOf));
    const set = lines.filter((line) => {
      const text = JSON.stringify(line);
      if (told.get(keyOf(line)) === text) return false;
      told.set(keyOf(line), text);
      return true;
    });
    const gone = [...told.keys()].filter((key) => !keys.has(key));
    for (const key of gone) told.delete(key);
    if (set.length === 0 && gone.length === 0 && !isFirst) return undefined;
    isFirst = false;
    return { set, gone };
  };
}
