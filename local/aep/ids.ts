// Identifiers in the shapes the platform gives them, the same ones in the same order for the same seed.

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Random numbers of a seed. */
export interface Random {
  (): number;
  /** A generator of this seed goes on where this one is. */
  readonly nextSeed: number;
}

/** A small seeded generator (mulberry32): good enough for ids and faults, useless for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return Object.defineProperty(random, 'nextSeed', { get: () => state }) as Random;
}

export interface Ids {
  /** Ids made from this seed are those that come next. */
  readonly nextSeed: number;
  /** Lower-case hex digits: 24 for a dataset, 32 for a mapping set, 64 for an inlet. */
  hex(length: number): string;
  uuid(): string;
  /** A batch id: 26 characters that sort by time, like the platform's ULIDs. */
  ulid(now: number): string;
  /** An etag as Flow Service writes it: the quotes are part of the value. */
  etag(): string;
}

export function createIds(seed: number): Ids {
  const random = seededRandom(seed);
  const hex = (length: number): string => {
    let text = '';
    while (text.length < length) text += ((random() * 0x10000) | 0).toString(16).padStart(4, '0');
    return text.slice(0, length);
  };
  return {
    get nextSeed() {
      return random.nextSeed;
    },
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[(random() * 4) | 0]}${hex(3)}-${hex(12)}`,
    ulid: (now) => {
      let time = '';
      for (let rest = now, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32)) {
        time = CROCKFORD[rest % 32] + time;
      }
      let tail = '';
      while (tail.length < 16) tail += CROCKFORD[(random() * 32) | 0];
      return time + tail;
    },
    etag: () => `"${hex(8)}-0000-0200-0000-${hex(12)}"`,
  };
}
