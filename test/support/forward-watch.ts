// What is watched while a forwarder works: every request, token and stored entry, held against what was produced.
import { itemsOf } from './inlet.ts';

/** What the producer put into the stream: one message of a record. */
export interface Produced {
  readonly n: number;
  readonly key: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number;
  /** The producer's bytes, as text. */
  readonly text: string;
  /** `sound`: AEP takes it. `refused`: its entry says no. `poison`: the whole request does. `garbage`: it is no JSON. */
  readonly kind: 'sound' | 'refused' | 'poison' | 'garbage';
}

const MAX_BYTES = 1_000_000;

/** The serial number in a message's text: every one has it. */
export function serialOf(text: string): number {
  return Number(/"n":(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

/**
 * The entries of a 207, by a parser of its own: which messages a careful reader may take for acknowledged. All of them where
 * every entry is positive; else those whose entry, by its place, is positive and bears the number of that place, or none.
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
  if (all.every(positive)) return [...messages];
  const ids = all.map((entry) => entry?.xactionId).filter((id) => id !== undefined);
  const isShared = ids.length > 1 && ids.every((id) => id === ids[0]);
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

/** Everything that ever reached the inlet, and in which order. */
export class Deliveries {
  /** How often each message was taken, whether the forwarder came to know it or not. */
  readonly taken = new Map<number, number>();
  readonly #firstSends: number[] = [];
  readonly #sent = new Set<number>();
  readonly #produced: ReadonlyMap<number, Produced>;

  constructor(produced: ReadonlyMap<number, Produced>) {
    this.#produced = produced;
  }

  /** A request as it arrives. @returns its messages, and what is wrong with it */
  arrives(
    url: string,
    init: { readonly redirect?: string; readonly body?: string | Uint8Array },
    origin: string,
    told: ReadonlySet<number>,
  ): { messages: string[]; wrong: string[] } {
    const body = Buffer.from(init.body ?? '');
    const messages = itemsOf(body.toString('utf8'));
    const serials = messages.map(serialOf);
    const wrong = [
      ...(new URL(url).origin === origin && init.redirect === 'manual' ? [] : [`F13: ${url}`]),
      ...(body.length <= MAX_BYTES ? [] : [`F11: ${body.length} bytes`]),
      ...(new Set(serials).size === serials.length ? [] : ['F11: a message is in a request twice']),
      ...messages
        .filter((text, index) => this.#produced.get(serials[index] as number)?.text !== text)
        .map((text) => `F2: nobody produced ${text.slice(0, 60)}`),
      ...serials.filter((n) => told.has(n)).map((n) => `F7: ${n} is sent again after its acknowledgement`),
    ];
    for (const n of serials) {
      if (this.#sent.has(n)) continue;
      this.#sent.add(n);
      this.#firstSends.push(n);
    }
    return { messages, wrong };
  }

  take(serials: readonly number[]): void {
    for (const n of serials) this.taken.set(n, (this.taken.get(n) ?? 0) + 1);
  }

  /** F8: first sends of a key are in the order in which they were produced. */
  outOfOrder(): string[] {
    const last = new Map<string, number>();
    return this.#firstSends.flatMap((n) => {
      const key = this.#produced.get(n)?.key ?? '';
      const before = last.get(key) ?? -1;
      last.set(key, Math.max(before, n));
      return n < before ? [`F8: ${n} was first sent after ${before} of its key`] : [];
    });
  }

  get duplicates(): number {
    return [...this.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  }
}
