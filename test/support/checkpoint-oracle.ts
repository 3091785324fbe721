// A second reading of Lambda's rules for a stream, from AWS's description and the recordings alone; shares no code with the first.

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

interface SeenRecord {
  readonly sequenceNumber: string;
  readonly arrivedAt: number;
}

interface SeenShard<R> {
  readonly parents: readonly string[];
  readonly records: readonly R[];
}

/** What of Lambda's document of records it discarded says which they are. */
interface SeenDocument {
  readonly requestContext: { readonly condition: string };
  readonly KinesisBatchInfo: {
    readonly shardId: string;
    readonly startSequenceNumber: string;
    readonly endSequenceNumber: string;
    readonly batchSize: number;
  };
}

interface Place {
  /** So many records of the shard need not come again. */
  passed: number;
  /** Of the batch that is with the function. */
  handed: number;
  /** A batch that failed as a whole is cut in two: no more than so many come next. */
  most: number;
}

/**
 * Keeps the checkpoint of every shard by what the function is given and what it answers, and says where Lambda, as it is
 * pictured, does anything else: for a mapping with one batch per shard, `ReportBatchItemFailures` and bisecting on.
 */
export class CheckpointOracle<R extends SeenRecord> {
  readonly #shardOf: (shardId: string) => SeenShard<R>;
  readonly #maxAgeMs: number;
  readonly #wrong: (what: string) => void;
  readonly #places = new Map<string, Place>();

  constructor(
    shardOf: (shardId: string) => SeenShard<R>,
    { maxAgeMs, wrong }: { maxAgeMs: number; wrong: (what: string) => void },
  ) {
    this.#shardOf = shardOf;
    this.#maxAgeMs = maxAgeMs;
    this.#wrong = wrong;
  }

  /** How many records of a shard are behind its checkpoint. */
  passed(shardId: string): number {
    return this.#place(shardId).passed;
  }

  /** The function is given an event of these. @returns them */
  handed(shardId: string, numbers: readonly string[], now: number): readonly R[] {
    const place = this.#place(shardId);
    const batch = this.#shardOf(shardId).records.slice(place.passed, place.passed + numbers.length);
    const about = `${shardId} after ${place.passed}`;
    if (numbers.length === 0 || numbers.join() !== batch.map((one) => one.sequenceNumber).join())
      this.#wrong(`an event is not what comes next: ${about}`);
    for (const parent of this.#shardOf(shardId).parents)
      if (this.passed(parent) < this.#shardOf(parent).records.length)
        this.#wrong(`an event comes before the parent's last: ${about}`);
    if (batch.some(({ arrivedAt }) => now - arrivedAt > this.#maxAgeMs))
      this.#wrong(`an event has a record that is too old: ${about}`);
    if (batch.length > place.most) this.#wrong(`a batch that failed was not cut in two: ${about}`);
    place.handed = batch.length;
    return batch;
  }

  /** The function has answered with this text, or failed. @returns the records that need not come again */
  answered(shardId: string, text: string | undefined): readonly R[] {
    const place = this.#place(shardId);
    const { records } = this.#shardOf(shardId);
    const batch = records.slice(place.passed, place.passed + place.handed);
    const settled = settledBy(
      batch.map(({ sequenceNumber }) => sequenceNumber),
      text,
    );
    place.most = text === undefined ? Math.ceil(batch.length / 2) : Number.POSITIVE_INFINITY;
    place.passed += settled;
    place.handed = 0;
    return batch.slice(0, settled);
  }

  /** Lambda has left a document of records that it discards. @returns them */
  givenUp({ requestContext, KinesisBatchInfo: about }: SeenDocument, now: number): readonly R[] {
    const place = this.#place(about.shardId);
    const { records } = this.#shardOf(about.shardId);
    const given = records.slice(place.passed, place.passed + about.batchSize);
    const [first, last] = [given[0]?.sequenceNumber, given.at(-1)?.sequenceNumber];
    if (first !== about.startSequenceNumber || last !== about.endSequenceNumber)
      this.#wrong(`a document is not about what comes next: ${about.shardId} after ${place.passed}`);
    if (requestContext.condition !== 'RecordAgeExceeded')
      this.#wrong(`a document says ${requestContext.condition}`);
    if (given.some(({ arrivedAt }) => now - arrivedAt <= this.#maxAgeMs))
      this.#wrong(`a document is about a record that is not too old: ${about.shardId}`);
    place.passed += given.length;
    return given;
  }

  /** What Lambda says of itself after an invocation: how far it takes the batch for done. */
  said(shardId: string, settled: number, outcome: 'delivered' | 'partial' | 'failed', records: number): void {
    const seen = settled === records ? 'delivered' : settled > 0 ? 'partial' : 'failed';
    if (seen !== outcome) this.#wrong(`an answer is read in two ways: ${seen}, ${outcome}: ${shardId}`);
  }

  /** The mapping is switched off: the parts into which batches were cut are forgotten. */
  stopped(checkpoints: readonly { shardId: string; checkpoint: string | undefined }[]): void {
    for (const { shardId, checkpoint } of checkpoints) {
      const place = this.#place(shardId);
      place.most = Number.POSITIVE_INFINITY;
      const last = this.#shardOf(shardId).records[place.passed - 1]?.sequenceNumber;
      if (last !== checkpoint) this.#wrong(`the checkpoint is ${checkpoint}, not ${last}: ${shardId}`);
    }
  }

  #place(shardId: string): Place {
    const known = this.#places.get(shardId);
    if (known !== undefined) return known;
    const place = { passed: 0, handed: 0, most: Number.POSITIVE_INFINITY };
    this.#places.set(shardId, place);
    return place;
  }
}
