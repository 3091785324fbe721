// What the soak's producer writes: records of every kind, sound and unsound, each noted by the oracle as it is made.
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { aggregate } from '../support/kpl.ts';
import { type Fate, markOf, type Oracle } from './oracle.ts';

/** One Kinesis record. */
export interface Put {
  readonly PartitionKey: string;
  readonly Data: Buffer;
}

/** One record as a pipeline's producer makes it. */
export interface Made {
  readonly fate: Fate;
  readonly bytes: Buffer;
  /** Where it is not all of the bytes. */
  readonly json?: Buffer;
  /** Whether the fields of one that is unfit can be read all the same. */
  readonly isReadable?: boolean;
}

/** Uniform in [0, 1), the same for the same seed. */
export type Random = () => number;

/** Messages with this in them are refused one by one, in the answer. */
export const REFUSED = 'refuse-me';
/** Requests with this in them are refused as a whole, until it stands alone. */
export const POISON = 'poison-me';
/** Sub-records of each aggregate. */
export const AGGREGATED = 20;
/** One in so many is nearly as large as Kinesis takes; half of those are larger than a request may be. */
const RARE = 10_000;
const KEYS = 500;

type Kind = (mark: string, random: Random) => Made;

const buffer = (text: string) => Buffer.from(text);
const lands = (text: string): Made => ({ fate: 'lands', bytes: buffer(text) });
const unfit = (bytes: Buffer | string): Made => ({ fate: 'unfit', bytes: Buffer.from(bytes) });
const filler = (random: Random, most: number) => 'x'.repeat(Math.floor(random() * most));
const raw = (mark: string, rest: string) => `{"id":"${mark}","firstName":"Ana"${rest}}`;

type Weighed = readonly (readonly [weight: number, kind: Kind])[];

/** Kinds of raw records that the forwarder can send without looking at each by itself, with their weights. */
const ORDINARY: Weighed = [
  [8_000, (mark, random) => lands(raw(mark, `,"pad":"${filler(random, 600)}"`))],
  [
    500,
    (mark) => lands(raw(mark, ',"n":[9007199254740993,1e400,-0,1E+2,0.10,123456789012345678901234567890]')),
  ],
  [300, (mark) => lands(raw(mark, ',"a":1,"a":2,"__proto__":{"x":1},"constructor":null,"_aws":{}'))],
  [300, (mark) => lands(raw(mark, ',"t":"\u{1f600} \u2028\u00e9\\ud800\\u0000\\/\\"},{\\\\"'))],
  [
    300,
    (mark) =>
      lands(
        ` \r\n{ "id" :\t"${mark}" ,\n  "firstName" : "Ana", "deep":${'['.repeat(200)}${']'.repeat(200)}} \n`,
      ),
  ],
  [50, (mark, random) => lands(raw(mark, `,"pad":"${filler(random, 20_000)}"`))],
  [60, (mark) => ({ ...lands(raw(mark, `,"note":"${REFUSED}"`)), fate: 'refused' })],
  [1, (mark) => ({ ...lands(raw(mark, `,"note":"${POISON}"`)), fate: 'refused' })],
];

/** Kinds of raw records with their weights. All of what a parser that writes anew would change is among them. */
const RAW: Weighed = [
  ...ORDINARY,
  [
    200,
    (mark) => {
      const json = buffer(raw(mark, ''));
      return { fate: 'lands', bytes: Buffer.concat([buffer('\ufeff'), json]), json };
    },
  ],
  [20, (mark) => unfit(`${mark} is no JSON`)],
  [20, (mark) => unfit(`${raw(mark, '')},${raw(mark, '')}`)],
  [20, (mark) => unfit(`[${raw(mark, '')}]`)],
  [20, (mark) => unfit(raw(mark, '').slice(0, -1))],
  [
    20,
    (mark) =>
      unfit(
        Buffer.concat([buffer(raw(mark, ',"t":"').slice(0, -1)), Buffer.from([0xc3, 0x28]), buffer('"}')]),
      ),
  ],
  [10, (mark) => unfit(`{"header":{"flowId":"another"},"body":${raw(mark, '')}}`)],
];
/** Of so many records in a row none is out of the ordinary; then as many are of all kinds. */
const STRETCH = 3_000;

const xdm = (mark: string, name: string) => `{"_id":"${mark}","person":{"name":{"firstName":"${name}"}}}`;
const packed = (pack: (bytes: Buffer) => Buffer): Kind => {
  return (mark) => {
    const json = buffer(xdm(mark, 'packed \u{1f600}'));
    return { fate: 'lands', bytes: pack(json), json };
  };
};

/** Kinds of pre-transformed records, which go out as sub-records of aggregates. */
const XDM: Weighed = [
  [700, (mark, random) => lands(xdm(mark, `Ana ${filler(random, 300)}`))],
  [100, (mark) => lands(` {\n "_id" : "${mark}" , "person":{"name":{"firstName":"\\u0041\\/\u2028"}}}`)],
  [80, packed(gzipSync)],
  [80, packed(zstdCompressSync)],
  [
    40,
    (mark) => {
      const json = buffer(xdm(mark, 'whole'));
      return {
        fate: 'lands',
        bytes: buffer(`{"header":{"schemaRef":{"id":"theirs"}},"body":{"xdmEntity":${json}}}`),
        json,
      };
    },
  ],
  [4, (mark) => unfit(gzipSync(buffer(xdm(mark, 'cut'))).subarray(0, -9))],
  [4, (mark) => unfit(zstdCompressSync(buffer(xdm(mark, 'cut'))).subarray(0, -3))],
  [4, (mark) => unfit(`${mark} is no JSON`)],
  [6, (mark) => ({ ...lands(xdm(mark, REFUSED)), fate: 'refused' })],
];

/** Raw records from number `from` up to `to`, not included; every kind comes up early. */
export function* rawPuts(oracle: Oracle, from: number, to: number, random: Random): Generator<Put> {
  for (let index = from; index < to; index++) {
    const made = rawRecord(index, index - from, random);
    oracle.write(index, made.fate, made.bytes, made.json);
    yield { PartitionKey: `key-${index % KEYS}`, Data: made.bytes };
  }
}

/** The raw record of this number, the so-manieth that is written. */
export function rawRecord(index: number, position: number, random: Random): Made {
  const mark = markOf(index);
  const isRare = position % RARE === 17;
  if (isRare) return large(mark, position % (2 * RARE) < RARE);
  const isMixed = position % (2 * STRETCH) < STRETCH;
  return (isMixed ? kindOf(RAW, position, random) : weighed(ORDINARY, random))(mark, random);
}

/** A request takes 1 MB; Kinesis takes 48 KB more. */
function large(mark: string, beyond: boolean): Made {
  const record = (bytes: number) => raw(mark, `,"pad":"${'x'.repeat(bytes)}"`);
  return beyond ? { ...unfit(record(1_000_000)), isReadable: true } : lands(record(900_000));
}

/** Pre-transformed records from number `from` up to `to`, aggregated as the Kinesis Producer Library does. */
export function* aggregatedPuts(oracle: Oracle, from: number, to: number, random: Random): Generator<Put> {
  for (let first = from; first < to; first += AGGREGATED) {
    const parts = Array.from({ length: AGGREGATED }, (_, part) => {
      const index = first + part;
      const made = kindOf(XDM, index - from, random)(markOf(index), random);
      oracle.write(index, made.fate, made.bytes, made.json);
      return { key: `sub-${index % KEYS}`, data: made.bytes };
    });
    yield { PartitionKey: `key-${first % KEYS}`, Data: aggregate(parts) };
  }
}

/** By weight; the first few dozen are one of each kind in turn, so that a short run has them all. */
function kindOf(kinds: Weighed, position: number, random: Random): Kind {
  const ofEach = kinds[position % 7 === 0 ? position / 7 : kinds.length];
  return ofEach === undefined ? weighed(kinds, random) : ofEach[1];
}

function weighed(kinds: Weighed, random: Random): Kind {
  let left = random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, kind] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  throw new RangeError('the weights do not add up');
}
