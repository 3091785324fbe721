// Promises 1 to 4, 6 and 35 of docs/promises.md under one great load: any request can go wrong, and the forwarder can die.
import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { depth, runs } from '../support/depth.ts';
import { AMBIGUOUS, type Asked, type Fate, Load, REFUSALS, serialOf } from '../support/load.ts';

const SEED = 20_261_124;
const RECORDS = runs(200_000);
const KEYS = runs(10_000);
const IN_FULL_BATCHES = depth === 'quick' ? 30_000 : 100_000;

/** What JSON can look like without anybody rewriting it. */
const SHAPES = [
  (n: number) => `{"n":${n},"name":"plain"}`,
  (n: number) => `{"n":${n},"big":9007199254740993,"huge":1e400,"zero":-0,"price":1.10}`,
  (n: number) => `{"n":${n},"emoji":"👩‍👩‍👧 é \\u00e9 \u2028"}`,
  (n: number) => `{"n":${n},"twice":1,"twice":2}`,
  (n: number) => `{"n":${n}, "spaced" : [ 1 , 2 ]\t}`,
  (n: number) => `{"n":${n},"__proto__":{"a":1},"_aws":{}}`,
];

/** So many of all requests go wrong; of those, a third in such a way that nobody knows what was taken. */
function troubles(load: () => Load, random: () => number, share: number) {
  const [refusals, ambiguous] = [Object.entries(REFUSALS), Object.entries(AMBIGUOUS)];
  return ({ texts }: Asked) => {
    if (random() >= share) return undefined;
    const all = random() < 0.35 ? ambiguous : refusals;
    const [name, trouble] = all[Math.floor(random() * all.length)] as (typeof all)[number];
    load().count('injected');
    load().count(name);
    if (all === ambiguous) for (const text of texts) load().count(`in doubt ${serialOf(text)}`);
    return trouble;
  };
}

function inDoubt(load: Load, n: number): number {
  return load.counts.get(`in doubt ${n}`) ?? 0;
}

describe(`${RECORDS} records of 4 shards, a third of all requests failing, the container dying now and then (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const load: Load = new Load({
    shards: 4,
    random,
    trouble: troubles(() => load, random, 0.33),
    dies: () => (random() < 0.002 ? (random() < 0.5 ? 'before' : 'after') : undefined),
  });

  beforeAll(async () => {
    for (let n = 0; n < RECORDS; n++) {
      const fate: Fate = random() < 0.002 ? 'refused' : 'sound';
      load.produce(
        `key-${Math.floor(random() * KEYS)}`,
        SHAPES[n % SHAPES.length] as (typeof SHAPES)[0],
        fate,
      );
    }
    // Few at a time, for the number of requests; some full batches, for lanes side by side.
    await load.drain(() => (random() < 0.0003 ? 5_000 : 1 + Math.floor(random() * 4)));
  });

  it('A 1: nothing is lost: each is in AEP or in the store, and none was passed over before it was', () => {
    expect(load.counts.get('injected')).toBeGreaterThanOrEqual(runs(20_000));
    for (const name of [...Object.keys(REFUSALS), ...Object.keys(AMBIGUOUS), 'killed'])
      expect(load.counts.get(name), name).toBeGreaterThanOrEqual(runs(50));
    expect(load.wrong).toEqual([]);
    expect([load.lost, load.misjudged]).toEqual([[], []]);
  });

  it('A 2: nothing is invented or altered: every request and every document held what was produced, byte for byte', () => {
    expect(load.wrong).toEqual([]);
    const sound = [...load.produced.values()].filter(({ fate }) => fate === 'sound');
    expect(load.taken.size).toBe(sound.length);
    expect(load.stored.size).toBe(RECORDS - sound.length);
    expect(new Set(load.stored.values())).toEqual(new Set(['refused']));
  });

  it('A 3: duplicates are no more than failed invocations and answers in doubt allow, and there are some', () => {
    const doubts = [...load.taken.keys()].reduce((sum, n) => sum + inDoubt(load, n), 0);
    expect(load.duplicates).toBeGreaterThan(0);
    expect(load.duplicates).toBeLessThanOrEqual((load.counts.get('possible copies') ?? 0) + doubts);
    const foretold = load.metrics.DuplicatesPossible ?? 0;
    expect(foretold).toBeGreaterThan(0);
    expect(load.duplicates).toBeLessThanOrEqual(
      foretold + (load.counts.get('copies nobody could foretell') ?? 0),
    );
  });

  it(`A 4: the first sends of each of ${KEYS} keys are in the order of the stream`, () => {
    expect(new Set([...load.produced.values()].map(({ key }) => key)).size).toBe(KEYS);
    expect(load.inversions).toBe(0);
  });

  it('A 6: every answer is read alike by the emulator and by a second reader, and never as a failure of all', () => {
    expect(load.counts.get('invocations')).toBeGreaterThan(runs(45_000));
    expect(load.wrong).toEqual([]);
  });

  it('A 35: what was received is what was acknowledged, rejected and returned, in every invocation and in all', () => {
    const of = (name: string) => load.metrics[`Records${name}`] ?? 0;
    expect(of('Received')).toBe(
      of('Acknowledged') + of('AcknowledgedBefore') + of('Rejected') + of('Returned'),
    );
    expect(load.metrics.ConservationDifference).toBe(0);
    expect(load.wrong).toEqual([]);
  });
});

it(`A 4: in full batches too, in lanes side by side, under faults and deaths: ${IN_FULL_BATCHES} records, ten of each key`, async () => {
  const random = seededRandom(SEED + 2);
  const load: Load = new Load({
    shards: 2,
    random,
    latencyMs: 20,
    trouble: troubles(() => load, random, 0.4),
    dies: () => (random() < 0.01 ? 'after' : undefined),
  });
  // A hundred records in a row are of ten keys.
  for (let n = 0; n < IN_FULL_BATCHES; n++)
    load.produce(`key-${Math.floor(n / 100) * 10 + (n % 10)}`, (m) => `{"n":${m}}`);
  await load.drain();
  expect(load.counts.get('injected')).toBeGreaterThanOrEqual(IN_FULL_BATCHES / 5_000);
  expect([load.wrong, load.lost, load.misjudged]).toEqual([[], [], []]);
  expect(load.inversions).toBe(0);
});

it('A 3: while the container lives a message is taken again only after an answer in doubt, and each copy has the same _id', async () => {
  const random = seededRandom(SEED + 1);
  const copies = new Map<number, Set<unknown>>();
  const trouble = troubles(() => load, random, 0.4);
  const load: Load = new Load({
    shards: 2,
    random,
    derived: true,
    published: { data: 'xdm', records: { derive: ['_id'] } },
    trouble: (asked) => {
      for (const text of asked.texts) {
        const id = (JSON.parse(text) as { body: { xdmEntity: { _id: unknown } } }).body.xdmEntity._id;
        copies.set(serialOf(text), (copies.get(serialOf(text)) ?? new Set()).add(id));
      }
      return trouble(asked);
    },
  });
  for (let n = 0; n < 10_000; n++) load.produce(`key-${n % 97}`, (m) => `{"n":${m}}`);
  await load.drain(() => 1 + Math.floor(random() * 40));
  expect(load.wrong).toEqual([]);
  expect(load.lost).toEqual([]);
  expect(load.duplicates).toBeGreaterThan(1_000);
  const beyond = [...load.taken].filter(([n, times]) => times - 1 > inDoubt(load, n));
  expect(beyond).toEqual([]);
  expect([...copies.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  expect(new Set([...copies.values()].map(([id]) => id)).size).toBe(10_000);
});
