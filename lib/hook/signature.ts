// Signatures by HMAC-SHA256, compared in constant time.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Of an HMAC-SHA256, in bytes. */
export const SIGNATURE_BYTES = 32;

type SignedPart = string | Uint8Array;

/**
 * Whether one of the keys made one of the signatures. Every key is tried with every signature, so the time
 * reveals only how many there are. A signature of another length never matches.
 */
export function isSigned(
  message: readonly SignedPart[],
  keys: readonly Uint8Array[],
  signatures: readonly Uint8Array[],
): boolean {
  const possible = signatures.filter(({ length }) => length === SIGNATURE_BYTES);
  let found = 0;
  for (const key of keys) {
    const hmac = createHmac('sha256', key);
    for (const part of message) hmac.update(part);
    const expected = hmac.digest();
    for (const signature of possible) found |= Number(timingSafeEqual(expected, signature));
  }
  return found !== 0;
}

/** SHA-256 in hex. */
export function digestOf(content: SignedPart): string {
  return createHash('sha256').update(content).digest('hex');
}
