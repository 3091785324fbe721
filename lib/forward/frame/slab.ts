// The memory of messages until they are sent: one behind the other, with a comma between. A request is mostly one
// piece of it.

/** A piece of memory with a message in it. */
export interface Place {
  readonly slab: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Writes a message at `at`. Returns where it ends, or `undefined` if it is not to be kept. */
export type Write<End extends number | undefined = number | undefined> = (slab: Buffer, at: number) => End;

/** Memory in pieces, filled one message after the other. */
export interface Slabs {
  /** The place of the message that `write` wrote, at most so many bytes; `undefined` if it wrote none. */
  append<End extends number | undefined>(most: number, write: Write<End>): Place | Extract<End, undefined>;
}

/**
 * The first is small, as most events of a quiet stream are. Each further one is twice as large, up to most of a
 * request.
 */
const SLAB_BYTES = { first: 32 * 1024, most: 512 * 1024 };
const COMMA = 0x2c;

export function createSlabs(): Slabs {
  let slab = Buffer.alloc(0);
  let at = 0;
  return {
    append<End extends number | undefined>(most: number, write: Write<End>) {
      // Includes room for the comma behind it.
      if (at + most >= slab.length) {
        const next = Math.min(Math.max(2 * slab.length, SLAB_BYTES.first), SLAB_BYTES.most);
        slab = Buffer.allocUnsafeSlow(Math.max(next, most + 1));
        at = 0;
      }
      const start = at;
      const end = write(slab, start);
      if (end === undefined) return end as Extract<End, undefined>;
      slab[end] = COMMA;
      at = end + 1;
      return { slab, start, end };
    },
  };
}

/** The places in as few pieces as possible: neighbours become one piece, with the commas between them. */
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

/** Copies the places to `body`, one behind the other with a comma between. Returns where the copy ends. */
export function gather(places: readonly Place[], body: Buffer, from: number): number {
  let at = from;
  for (const { slab, start, end } of piecesOf(places)) {
    if (at > from) body[at++] = COMMA;
    at += slab.copy(body, at, start, end);
  }
  return at;
}
