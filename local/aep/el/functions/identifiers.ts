// Functions that make identifiers.

import { createHash } from 'node:crypto';
import { ExpressionError } from '../tokens.ts';
import { asText } from '../values.ts';
import { type Definition, define } from './definition.ts';

const SPECIAL = 'Special operations';

/**
 * As adobe/target-cdn-experimentation-nodejs-sdk makes an ECID of an FPID (`generateEcidFromFpid`): MD5 of organization and FPID, as two
 * positive 64-bit integers of 19 digits each. So it is another one in each organization.
 */
function ecidOf(organization: string, fpid: string): string {
  const digest = createHash('md5').update(`${organization}:${fpid}`).digest();
  return [0, 8]
    .map((at) => BigInt.asUintN(63, digest.readBigUInt64BE(at)).toString().padStart(19, '0'))
    .join('');
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const IDENTIFIERS: readonly Definition[] = [
  ...['uuid', 'guid'].map((name) => define(SPECIAL, `${name}()`, (_inputs, around) => around.uuid())),
  define(SPECIAL, 'fpid_to_ecid(STRING)', (inputs, around) => {
    const [subject = null] = inputs;
    if (subject === null) return null;
    const fpid = asText(subject);
    if (!UUID.test(fpid)) throw new ExpressionError(`'${fpid}' is no FPID: a UUID is expected`);
    return ecidOf(around.organization, fpid);
  }),
];
