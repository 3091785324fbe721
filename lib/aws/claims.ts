// Claims: who works on an object of the dead-letter store, so that no two send the same one.
import type { Objects } from './objects.ts';

interface Claim {
  readonly owner: string;
  /** When it is over, ms since the epoch; whoever made it has ended by then. */
  readonly until: number;
}

/**
 * Claims as objects of their own, made only where none is. One that has run out stays, and the next number is taken:
 * so nothing is ever overwritten, and of several who see it run out only one comes next.
 */
export function createClaims(objects: Objects, keyOf: (key: string, number: number) => string) {
  return {
    async claim(key: string, claim: Claim, now: number): Promise<boolean> {
      const text = JSON.stringify(claim);
      for (let number = 0; ; number++) {
        if (await objects.create(keyOf(key, number), text)) return true;
        const held = await objects.read(keyOf(key, number));
        // Given back in this moment: whoever took it may have done all there was to do.
        if (held === undefined || isLive(held.text, now)) return false;
      }
    },

    /** Never one that has run out: the next number counts on it, and may be another's by now. */
    async release(key: string, owner: string, now: number): Promise<void> {
      for (let number = 0; ; number++) {
        const held = await objects.read(keyOf(key, number));
        if (held === undefined) return;
        if (claimIn(held.text)?.owner !== owner) continue;
        if (isLive(held.text, now)) await objects.remove(keyOf(key, number), held.version);
        return;
      }
    },
  };
}

function isLive(text: string, now: number): boolean {
  const until = claimIn(text)?.until;
  return typeof until === 'number' && until > now;
}

/** A claim that cannot be read is nobody's. */
function claimIn(text: string): Partial<Claim> | undefined {
  try {
    return (JSON.parse(text) as Partial<Claim> | null) ?? undefined;
  } catch {
    return undefined;
  }
}
