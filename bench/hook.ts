// `npm run bench:hook`: whether the time that a wrong signature takes tells where its first wrong byte is.
import { createHmac, randomBytes } from 'node:crypto';
import { github } from '../lib/hook/senders/github.ts';
import { standardWebhooks } from '../lib/hook/senders/standard-webhooks.ts';

/** Where the first wrong byte is, of 32: all others are held against the first. */
const POSITIONS = [0, 1, 8, 16, 31] as const;
const SAMPLES = 6_000;
const WARM_UP = 500;
/** Verified one after the other for one sample, so that the clock's own grain does not count. */
const PER_SAMPLE = 4;
/** The slowest are interruptions: garbage, other processes. Of every position the same share is left out. */
const KEPT = 0.9;
/** What dudect takes for a leak: https://github.com/oreparaz/dudect */
const LIMIT = 4.5;

const BODY = Buffer.from(JSON.stringify({ pipeline: 'clicks', id: 'x'.repeat(200) }));
const NOW = Date.parse('2026-11-27T12:00:00Z');
const STAMP = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(NOW / 1_000) };

type Headers = Record<string, string>;

interface Candidate {
  readonly name: string;
  sign(key: Buffer): Buffer;
  headers(signature: Buffer): Headers;
  verify(headers: Headers, key: Buffer): boolean;
  /** Whether a leak is to be found. */
  readonly leaks?: true;
}

const ofBody = (key: Buffer) => createHmac('sha256', key).update(BODY).digest();
const githubHeaders = (signature: Buffer) => ({
  'x-hub-signature-256': `sha256=${signature.toString('hex')}`,
});

const CANDIDATES: readonly Candidate[] = [
  {
    name: 'GitHub',
    sign: ofBody,
    headers: githubHeaders,
    verify: (headers, key) => 'id' in github.verify(headers, BODY, [key, key], NOW),
  },
  {
    name: 'Standard Webhooks',
    sign: (key) =>
      createHmac('sha256', key).update(`msg_1.${STAMP['webhook-timestamp']}.`).update(BODY).digest(),
    headers: (signature) => ({ ...STAMP, 'webhook-signature': `v1,${signature.toString('base64')}` }),
    verify: (headers, key) => 'id' in standardWebhooks.verify(headers, BODY, [key, key], NOW),
  },
  {
    // That it is found shows that the method finds something.
    name: 'the witness, which compares digit by digit until one is wrong',
    sign: ofBody,
    headers: githubHeaders,
    verify: (headers, key) => {
      const given = headers['x-hub-signature-256'] ?? '';
      const expected = ofBody(key);
      let index = 0;
      while (
        index < 32 &&
        given.slice(7 + 2 * index, 9 + 2 * index) === expected.toString('hex', index, index + 1)
      )
        index++;
      return index === 32;
    },
    leaks: true,
  },
];

interface Delivery {
  readonly key: Buffer;
  readonly headers: Headers;
}

/**
 * A signature that is right up to `position` and wrong from there on. With a key of its own for each, the bytes are equally
 * random whatever the position: nothing but how they stand to the key is different. The work is the same too.
 */
function wrongAt(position: number, { sign, headers }: Candidate): Delivery {
  const key = randomBytes(32);
  const right = sign(key);
  const noise = randomBytes(right.length);
  const wrong = right.map((byte, index) => byte ^ (((noise[index] ?? 0) || 1) * Number(index >= position)));
  return { key, headers: headers(Buffer.from(wrong)) };
}

/** ns by position, taken in an order that nothing can adapt to. */
function measured(candidate: Candidate, samples: number): number[][] {
  const times: number[][] = POSITIONS.map(() => []);
  for (const which of shuffled(samples * POSITIONS.length)) {
    const deliveries = Array.from({ length: PER_SAMPLE }, () => wrongAt(POSITIONS[which] ?? 0, candidate));
    const began = process.hrtime.bigint();
    let right = false;
    for (const { headers, key } of deliveries) right = candidate.verify(headers, key) || right;
    times[which]?.push(Number(process.hrtime.bigint() - began) / PER_SAMPLE);
    if (right) throw new Error('a wrong signature was taken for a right one');
  }
  return times;
}

/** Each position equally often. */
function shuffled(length: number): number[] {
  const order = Array.from({ length }, (_, index) => index % POSITIONS.length);
  const random = randomBytes(length * 4);
  for (let index = length - 1; index > 0; index--) {
    const other = random.readUInt32LE(index * 4) % (index + 1);
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  return order;
}

interface Mean {
  readonly mean: number;
  /** Standard error of it, squared. */
  readonly error: number;
}

function meanOf(times: readonly number[]): Mean {
  const kept = times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * KEPT));
  const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length;
  const variance = kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (kept.length - 1);
  return { mean, error: variance / kept.length };
}

/** Says what was found, and whether it is what should be. */
function judged(candidate: Candidate): boolean {
  const key = randomBytes(32);
  if (!candidate.verify(candidate.headers(candidate.sign(key)), key))
    throw new Error(`${candidate.name}: a right signature was refused`);
  measured(candidate, WARM_UP);
  const [first = { mean: 0, error: 0 }, ...others] = measured(candidate, SAMPLES).map(meanOf);
  // Welch's t: how many standard errors the means are apart.
  const errors = others.map(({ error }) => Math.sqrt(error + first.error));
  const ts = others.map(({ mean }, index) => (mean - first.mean) / (errors[index] ?? 0));
  const list = ts.map((t, index) => `${POSITIONS[index + 1]}: ${t.toFixed(1)}`).join(', ');
  const found = LIMIT * Math.max(...errors);
  console.log(
    `${candidate.name}: ${(first.mean / 1_000).toFixed(1)} µs; t against byte 0 at byte ${list}; ${found.toFixed(0)} ns would be found`,
  );
  const leaks = ts.some((t) => Math.abs(t) > LIMIT);
  if (leaks !== (candidate.leaks ?? false))
    console.error(leaks ? '  its time tells the position' : '  nothing was found');
  return leaks === (candidate.leaks ?? false);
}

const results = CANDIDATES.map(judged);
process.exitCode = results.every(Boolean) ? 0 : 1;
