// Functions that make identifiers.

import { createHash } from 'node:crypto';
import { ExpressionError } from '../tokens.ts';
import { asText } from '../values.ts';
import { type Definition, define, unlessNull } from './definition.ts';

const SPECIAL = 'Special operations';

/** Adobe does not publish how it is calculated, only this pair. */
const PUBLISHED: ReadonlyMap<string, string> = new Map([
  ['4ed70bee-b654-420a-a3fd-b58b6b65e991', '28880788470263023831040523038280731744'],
]);

/** Two positive 64-bit integers, as ECIDs are made; the same for the same FPID, but not the ones that Adobe makes. */
function ecidLike(fpid: string): string {
  const digest = createHash('sha256').update(fpid).digest();
  return [0, 8]
    .map((at) => BigInt.asUintN(63, digest.readBigUInt64BE(at)).toString().padStart(19, '0'))
    .join('');
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const IDENTIFIERS: readonly Definition[] = [
  ...['uuid', 'guid'].map((name) => define(SPECIAL, `${name}()`, (_inputs, around) => around.uuid())),
  define(
    SPECIAL,
    'fpid_to_ecid(STRING)',
    unlessNull((subject) => {
      const fpid = asText(subject).toLowerCase();
      if (!UUID.test(fpid)) throw new ExpressionError(`'${fpid}' is no FPID: a UUID is expected`);
      return PUBLISHED.get(fpid) ?? ecidLike(fpid);
    }),
  ),
];
