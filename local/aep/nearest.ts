// The known word that a mistyped one was most likely meant to be.

import { closest, distance } from 'fastest-levenshtein';

/** The end of a message about an unknown word; empty where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = closest(word.toLowerCase(), [...known]);
  const near = distance(word.toLowerCase(), nearest) <= Math.max(1, Math.floor(word.length / 3));
  return known.length > 0 && near ? `; did you mean '${nearest}'?` : '';
}
