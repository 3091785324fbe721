// Finds the known word that a mistyped word most likely stands for.
import { closest, distance } from 'fastest-levenshtein';

/**
 * The part of a word's letters that may be wrong; two swapped letters count twice. A bad guess is worse than
 * none.
 */
const MAX_WRONG = 1 / 3;

/** The nearest of the known words; `undefined` if none is near. Case does not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = new Map(known.map((one) => [one.toLowerCase(), one]));
  const asked = word.toLowerCase();
  const found = closest(asked, [...plain.keys()]);
  const most = Math.ceil(asked.length * MAX_WRONG);
  return known.length > 0 && distance(asked, found) <= most ? plain.get(found) : undefined;
}

/** Text to append to a message: the known words that were most likely meant; empty if none is near. */
export function didYouMean(words: readonly string[], known: readonly string[]): string {
  const near = words.map((word) => nearest(word, known)).filter((word) => word !== undefined);
  return near.length === 0 ? '' : `; did you mean ${near.map((word) => JSON.stringify(word)).join(', ')}?`;
}

/**
 * Text to append to a message about a `$id`: the known one that was most likely meant. Only last parts are
 * compared, because beginnings are alike and easily confused (`…/context/…`, `…/mixins/…`).
 */
export function didYouMeanId(id: string, known: readonly string[]): string {
  const last = (one: string) => one.slice(one.lastIndexOf('/') + 1);
  const near = nearest(last(id), known.map(last));
  const alike = known.filter((one) => last(one) === near);
  return alike.length === 0 ? '' : `; did you mean ${JSON.stringify(closest(id, alike))}?`;
}
