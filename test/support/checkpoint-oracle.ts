// A second reading of Lambda's checkpoint rule, from AWS's description and the recordings alone; shares no code with the first.

/**
 * How many records from the front of a batch Lambda need not deliver again.
 *
 * @param batch sequence numbers in order
 * @param answer the exact JSON text the function gave; undefined for a function that failed
 */
export function settledBy(batch: readonly string[], answer: string | undefined): number {
  if (answer === undefined) return 0;
  const failures = failuresIn(JSON.parse(answer));
  if (failures.length === 0) return batch.length;
  const named = failures.map((failure) =>
    Object.entries(Object(failure)).find(([key]) => key === 'itemIdentifier'),
  );
  const places = named.map((entry) => (typeof entry?.[1] === 'string' ? batch.indexOf(entry[1]) : -1));
  // One name that means nothing makes the whole answer mean nothing.
  return places.reduce((least, place) => Math.min(least, Math.max(place, 0)), batch.length);
}

/** Without a list of failures nothing failed; an answer that is no object is none of those that were recorded as successes. */
function failuresIn(answer: unknown): unknown[] {
  const recorded = ['""', '[]', 'null', '{}'];
  if (recorded.includes(JSON.stringify(answer))) return [];
  if (Object.prototype.toString.call(answer) !== '[object Object]') return [undefined];
  const [, list] = Object.entries(answer as object).find(([key]) => key === 'batchItemFailures') ?? [];
  if (list === undefined || list === null) return [];
  return Array.isArray(list) ? list : [undefined];
}
