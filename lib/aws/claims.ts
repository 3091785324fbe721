// Claims on objects of the dead-letter store, so that no two redrives send the same one.
import type { Objects } from './objects.ts';

interface Claim {
  readonly owner: string;
  /** When the claim expires, ms since the epoch; the invocation that made it has ended by then. */
  readonly until: number;
}

/**
 * Claims are objects of their own, made only where none is. An expired one stays, and the next claim takes the next
 * number. So nothing is ever overwritten, and only one of several redrives gets the next claim.
 */
export function createClaims(objects: Objects, keyOf: (key: string, number: number) => string) {
  return {
    async claim(key: string, claim: Claim, now: number): Promise<boolean> {
      const text = JSON.stringify(claim);
      for (let number = 0; ; number++) {
        if (await objects.create(keyOf(key, number), text)) return true;
        const held = await objects.read(keyOf(key, number));
        // The claim was released at this moment: its holder may have finished all there was to do.
        if (held === undefined || isLive(held.text, now)) return false;
      }
    },

    /** An expired claim is never removed: the next number follows it, and may belong to another redrive by now. */
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

/** A claim that cannot be read counts as none. */
function claimIn(text: string): Partial<Claim> | undefined {
  try {
    return (JSON.parse(text) as Partial<Claim> | null) ?? undefined;
  } catch {
    return undefined;
  }
}
