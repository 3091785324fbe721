// Hashes of the values of a field: whether one came before. A table of plain numbers, which costs a third of a Set's time and half of its room.

export interface Hashes {
  readonly size: number;
  /** @returns whether it is a new one */
  add(hash: number): boolean;
}

/** The least that is kept room for; doubled whenever half of it is taken. */
const LEAST = 16;

export function createHashes(): Hashes {
  /** Open addressing: a hash stands at its place, or at the next free one. Zero is a free one. */
  let places = new Float64Array(0);
  let size = 0;

  const placeOf = (entry: number): number => {
    const mask = places.length - 1;
    // Of a larger number these are its last 32 bits.
    let at = entry & mask;
    while (places[at] !== 0 && places[at] !== entry) at = (at + 1) & mask;
    return at;
  };
  const grow = () => {
    const before = places;
    places = new Float64Array(Math.max(LEAST, before.length * 2));
    for (const entry of before) if (entry !== 0) places[placeOf(entry)] = entry;
  };
  return {
    get size() {
      return size;
    },
    add(hash) {
      if (size * 2 >= places.length) grow();
      const at = placeOf(hash + 1);
      if (places[at] !== 0) return false;
      places[at] = hash + 1;
      size += 1;
      return true;
    },
  };
}

/** FNV-1a, twice with different beginnings: 52 bits, so that a hundred thousand values have hashes of their own. */
export function hashOf(text: string): number {
  let [one, other] = [0x811c9dc5, 0x1b873593];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x85ebca6b);
  }
  return (one >>> 0) * 0x100000 + ((other >>> 0) & 0xfffff);
}
