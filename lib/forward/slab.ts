// Where messages lie, one behind the other with a comma between, until they are sent: those of a request are mostly one piece.

/** A piece of memory with a message in it. */
export interface Place {
  readonly slab: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Memory in pieces; from `at` on, `slab` is free. */
export interface Slabs {
  readonly slab: Buffer;
  readonly at: number;
  /** Sees to it that so many bytes are free, and one for a comma. */
  reserve(bytes: number): void;
  /** What lies from `at` to `end` stays, with a comma behind it. */
  keep(end: number): void;
}

/** The first is small, as most events of a quiet stream are; each further one is twice as large, up to most of a request. */
const SLAB_BYTES = { first: 32 * 1024, most: 512 * 1024 };
const COMMA = 0x2c;

export function createSlabs(): Slabs {
  let slab = Buffer.alloc(0);
  let at = 0;
  return {
    get slab() {
      return slab;
    },
    get at() {
      return at;
    },
    reserve(bytes) {
      if (at + bytes < slab.length) return;
      const next = Math.min(Math.max(2 * slab.length, SLAB_BYTES.first), SLAB_BYTES.most);
      slab = Buffer.allocUnsafeSlow(Math.max(next, bytes + 1));
      at = 0;
    },
    keep(end) {
      slab[end] = COMMA;
      at = end + 1;
    },
  };
}

/** The places in as few pieces as they lie in: side by side they are one, commas and all. */
export function* piecesOf(places: readonly Place[]): Generator<Place> {
  let [next] = places;
  for (let index = 0; next !== undefined; ) {
    const { slab, start } = next;
    let { end } = next;
    for (next = places[++index]; next?.slab === slab && next.start === end + 1; next = places[++index])
      end = next.end;
    yield { slab, start, end };
  }
}

/** Copies the places to `body`, one behind the other with a comma between; returns where they end there. */
export function gather(places: readonly Place[], body: Buffer, from: number): number {
  let at = from;
  for (const { slab, start, end } of piecesOf(places)) {
    if (at > from) body[at++] = COMMA;
    at += slab.copy(body, at, start, end);
  }
  return at;
}
