// A TLS certificate for this machine, made when it is needed and trusted by whoever is told to.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;

/** Self-signed and good for two days, for localhost and an IPv4 address. X.509 v3 in DER, RFC 5280 §4.1. */
export function selfSigned(address = '127.0.0.1'): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = toBeSigned(publicKey, address);
  const signature = bits(sign('sha256', body, privateKey));
  const der = sequence(body, ECDSA_WITH_SHA256, signature);
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

const item = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const value = Buffer.concat(content);
  const length = value.length < 128 ? [value.length] : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
};
const sequence = (...content: readonly Uint8Array[]) => item(0x30, ...content);
const bits = (content: Uint8Array) => item(0x03, Buffer.of(0), content);
const octets = (content: Uint8Array) => item(0x04, content);
const id = (hex: string) => item(0x06, Buffer.from(hex, 'hex'));

/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(id('2a8648ce3d040302'));
/** 2.5.4.3 */
const NAME = sequence(item(0x31, sequence(id('550403'), item(0x0c, Buffer.from('localhost')))));

function toBeSigned(publicKey: KeyObject, address: string): Buffer {
  const now = Date.now();
  const names = sequence(
    item(0x82, Buffer.from('localhost')),
    item(0x87, Buffer.from(address.split('.').map(Number))),
  );
  return sequence(
    item(0xa0, item(0x02, Buffer.of(2))),
    item(0x02, Buffer.of(1), randomBytes(8)),
    ECDSA_WITH_SHA256,
    NAME,
    sequence(time(now - DAY_MS), time(now + 2 * DAY_MS)),
    NAME,
    publicKey.export({ type: 'spki', format: 'der' }),
    // 2.5.29.19, critical: a CA, of itself; 2.5.29.17: the names.
    item(
      0xa3,
      sequence(
        sequence(id('551d13'), item(0x01, Buffer.of(0xff)), octets(sequence(item(0x01, Buffer.of(0xff))))),
        sequence(id('551d11'), octets(names)),
      ),
    ),
  );
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return item(0x18, Buffer.from(digits));
}
