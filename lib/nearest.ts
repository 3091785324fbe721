// The known word that a mistyped one was most likely meant to be.
import { closest, distance } from 'fastest-levenshtein';

/** Of a word's letters, the part that may be wrong; two that change places count twice. A guess far off is worse than none. */
const MAX_WRONG = 1 / 3;

/** The nearest of the known words; `undefined` where none is near. Upper and lower case are the same letter. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = new Map(known.map((one) => [one.toLowerCase(), one]));
  const asked = word.toLowerCase();
  const found = closest(asked, [...plain.keys()]);
  const most = Math.ceil(asked.length * MAX_WRONG);
  return known.length > 0 && distance(asked, found) <= most ? plain.get(found) : undefined;
}

/** Behind a message: the known words that these were most likely meant to be; nothing where none is near. */
export function didYouMean(words: readonly string[], known: readonly string[]): string {
  const near = words.map((word) => nearest(word, known)).filter((word) => word !== undefined);
  return near.length === 0 ? '' : `; did you mean ${near.map((word) => JSON.stringify(word)).join(', ')}?`;
}

/**
 * Behind a message about a `$id`: the known one that was most likely meant. What `$id`s begin with is much the same, and easily
 * confused (`…/context/…`, `…/mixins/…`): their last parts are compared.
 */
export function didYouMeanId(id: string, known: readonly string[]): string {
  const last = (one: string) => one.slice(one.lastIndexOf('/') + 1);
  const near = nearest(last(id), known.map(last));
  const alike = known.filter((one) => last(one) === near);
  return alike.length === 0 ? '' : `; did you mean ${JSON.stringify(closest(id, alike))}?`;
}
