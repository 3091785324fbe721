// What is watched while a forwarder works: every request, token and stored entry, held against what was produced.
import type { DeadLetterDocument } from '../../lib/runtime.ts';

/** What AEP makes of a message: it takes it, refuses its entry, or refuses any request with it. `garbage` is no JSON. */
export type Fate = 'sound' | 'refused' | 'poison' | 'garbage';

/** What the producer put into the stream: one message of a record. */
export interface Produced {
  readonly n: number;
  readonly key: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number;
  /** The producer's bytes, as text. */
  readonly text: string;
  readonly fate: Fate;
}

/** The serial number in a message's text: every one has it. */
export function serialOf(text: string): number {
  return Number(/"n":(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

const BODY = { start: '{"messages":[', end: ']}' };
const MAX_BYTES = 1_000_000;

/**
 * The messages of a body, told apart by how each of them begins: whatever is cut in the wrong place nobody has produced.
 * @returns them, and what is wrong with the body
 */
export function messagesIn(body: Uint8Array, beginning: '{"n":' | '{"header":'): [string[], wrong: string[]] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const good = body.length <= MAX_BYTES && text.startsWith(BODY.start) && text.endsWith(BODY.end);
  const [first = '', ...others] = text.slice(BODY.start.length, -BODY.end.length).split(`,${beginning}`);
  const messages = [first, ...others.map((rest) => beginning + rest)];
  return [messages, good ? [] : [`F11: a body of ${body.length} bytes`]];
}

/**
 * The entries of a 207, by a parser of its own: which messages a careful reader may take for acknowledged. All of them where
 * every entry is positive and none is there twice; else those whose entry, by its place, is positive and bears the number of that place, or none.
 */
export function acknowledgedIn(text: string, messages: readonly string[]): string[] {
  let entries: unknown;
  try {
    entries = (JSON.parse(text) as { responses?: unknown } | null)?.responses;
  } catch {
    return [];
  }
  if (!Array.isArray(entries) || entries.length !== messages.length) return [];
  const all = entries as (Record<string, unknown> | null)[];
  const fine = (status: unknown) =>
    status === undefined || status === null || /^[123]\d\d$/.test(`${status}`);
  const positive = (entry: Record<string, unknown> | null) =>
    typeof entry?.xactionId === 'string' && fine(entry.status) && fine(entry.statusCode);
  const ids = all.map((entry) => entry?.xactionId).filter((id) => id !== undefined);
  const isShared = ids.length > 3 && ids.every((id) => id === ids[0]);
  if (all.every(positive) && (isShared || new Set(ids).size === ids.length)) return [...messages];
  const numberOf = (entry: Record<string, unknown> | null) =>
    isShared ? Number.NaN : Number(/[-:](\d{1,9})$/.exec(`${entry?.xactionId}`)?.[1] ?? Number.NaN);
  return messages.filter((_, place) => {
    const entry = all[place] ?? null;
    const claims = all.filter((other, at) => at !== place && numberOf(other) === place);
    const isElsewhere = numberOf(entry) < all.length && numberOf(entry) !== place && claims.length === 0;
    return positive(entry) && claims.every(positive) && !isElsewhere;
  });
}

/** What one container has been told, and what it has in hand. */
export class ContainerWatch {
  /** Serial numbers of messages whose acknowledgement has reached this container. */
  readonly told = new Set<number>();
  /** Of messages that the store has taken from this container. */
  readonly kept = new Set<number>();
  /** In this invocation a request, or a message in it, was not taken. */
  inTrouble = false;
  #token: { value: string; renewableAt: number } | undefined;
  #asking = 0;

  /** @returns what is wrong about asking for a token now */
  asks(now: number): string | undefined {
    if (++this.#asking > 1) return 'F12: two token requests at once';
    if (this.#token !== undefined && now < this.#token.renewableAt)
      return 'F12: a token is asked for while there is one';
    return undefined;
  }

  answered(now: number, status: number, text: string): void {
    this.#asking--;
    if (status !== 200) return;
    try {
      const { access_token: value, expires_in: seconds } = JSON.parse(text) as Record<string, unknown>;
      if (typeof value !== 'string') return;
      this.#token = { value, renewableAt: now + Number(seconds) * 1_000 - 300_000 };
    } catch {
      // An answer that is cut has no token in it.
    }
  }

  /** @returns whether another request had this token refused before */
  refused(authorization: string | undefined): boolean {
    const late = authorization !== `Bearer ${this.#token?.value}`;
    if (!late) this.#token = undefined;
    return late;
  }
}

/** F16: what came in is what came out. @returns what does not add up in the metrics of one invocation */
export function unbalanced(counted: Readonly<Record<string, number>>): string | undefined {
  const of = (...names: string[]) => names.reduce((sum, name) => sum + (counted[`Records${name}`] ?? 0), 0);
  const out = of('Acknowledged', 'AcknowledgedBefore', 'Filtered', 'Rejected', 'Parked', 'Returned');
  const balanced = of('Received') === out && (counted.ConservationDifference ?? 0) === 0;
  return balanced ? undefined : `F16: it does not add up: ${JSON.stringify(counted)}`;
}

/** Everything that ever reached the inlet or the dead-letter store, and in which order. */
export class Deliveries {
  readonly produced = new Map<number, Produced>();
  /** How often each message was taken by AEP, whether the forwarder came to know it or not. */
  readonly taken = new Map<number, number>();
  /** Serial numbers in the dead-letter store, and why. */
  readonly stored = new Map<number, string>();
  /** First sends that were not in the order of their key. */
  inversions = 0;
  readonly #sent = new Set<number>();
  readonly #lastOf = new Map<string, number>();
  readonly #exact: boolean;

  /** @param exact messages are sent as they were produced, byte for byte */
  constructor({ exact = true }: { exact?: boolean } = {}) {
    this.#exact = exact;
  }

  /**
   * The messages of a request, as it arrives.
   * @param told acknowledgements that have reached the sender
   * @param mayProbe something was not taken in this invocation: one that was may be sent again, alone, to see whether anything is
   * @returns what is wrong with them
   */
  arrives(messages: readonly string[], told: ReadonlySet<number>, mayProbe = false): string[] {
    const wrong: string[] = [];
    const seen = new Set<number>();
    for (const text of messages) {
      const n = serialOf(text);
      if (seen.has(n)) wrong.push(`F11: ${n} is in a request twice`);
      seen.add(n);
      const produced = this.produced.get(n);
      if (produced === undefined || (this.#exact && produced.text !== text))
        wrong.push(`F2: nobody produced ${text.slice(0, 60)}`);
      else if (!this.#sent.has(n)) wrong.push(...this.#firstSent(produced));
      if (told.has(n) && !(mayProbe && messages.length === 1))
        wrong.push(`F7: ${n} is sent again after its acknowledgement`);
    }
    return wrong;
  }

  take(serials: readonly number[]): void {
    for (const n of serials) this.taken.set(n, (this.taken.get(n) ?? 0) + 1);
  }

  /** A document is given to the store. @returns what is wrong with it */
  keeps({ entries }: DeadLetterDocument, { kept }: { readonly kept: Set<number> }): string[] {
    const wrong: string[] = [];
    for (const { data, sequenceNumber, subSequenceNumber, reason } of entries) {
      const text = Buffer.from(data, 'base64').toString('utf8');
      const produced = this.produced.get(serialOf(text));
      if (
        produced?.text !== text ||
        produced.sequenceNumber !== sequenceNumber ||
        produced.subSequenceNumber !== subSequenceNumber ||
        reason === ''
      )
        wrong.push(`F9: ${text.slice(0, 60)} is not what was produced`);
      else {
        this.stored.set(produced.n, reason);
        kept.add(produced.n);
      }
    }
    return wrong;
  }

  /** Messages that AEP has more than once, counted for each further time. */
  get duplicates(): number {
    return [...this.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  }

  /** F8: first sends of a key are in the order in which they were produced. */
  #firstSent({ n, key }: Produced): string[] {
    this.#sent.add(n);
    const before = this.#lastOf.get(key) ?? -1;
    this.#lastOf.set(key, Math.max(before, n));
    if (n > before) return [];
    this.inversions++;
    return [`F8: ${n} was first sent after ${before} of its key`];
  }
}
