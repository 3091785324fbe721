// Tells values apart by a short text that can be kept and shown in their place.
import { createHash } from 'node:crypto';

/** Twelve digits of a hash over the value's JSON. Of what is long and random, as keys are, they give nothing away. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
