// The known word that a mistyped one was most likely meant to be.
import { closest, distance } from 'fastest-levenshtein';

/** Of a word's letters, the part that may be wrong. A guess that is far off is worse than none. */
const MOST_WRONG = 1 / 3;

/** The nearest of the known words; `undefined` where none is near. Upper and lower case are the same letter. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = new Map(known.map((one) => [one.toLowerCase(), one]));
  const asked = word.toLowerCase();
  const found = closest(asked, [...plain.keys()]);
  const most = Math.max(1, Math.floor(asked.length * MOST_WRONG));
  return known.length > 0 && distance(asked, found) <= most ? plain.get(found) : undefined;
}
