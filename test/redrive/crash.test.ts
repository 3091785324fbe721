import { afterAll, describe, expect, it } from 'vitest';
import { SHARD_ID, seq, virtualClock } from '../support/forwarding.ts';
import { acknowledgeBut, type FakeInlet, fakeInlet } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import { type MemoryMarks, memoryMarks } from '../support/marks.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  type RedriveWorld,
  redriveWorld,
} from '../support/redriving.ts';
import { type MemoryS3, memoryS3 } from '../support/s3.ts';

// Row 34 of the promises: wherever a redrive dies, nothing is lost, and what comes twice has the same id.

const HOUR_MS = 3_600_000;
const SHARD = { stream: 'customers', shardId: SHARD_ID };
const PUBLISHED = { records: { derive: ['_id' as const] } };

/** Everything of one process ends at a moment: no call of its gets through any more. */
class Killed extends Error {
  override readonly name = 'Killed';
}

interface Crash {
  /** Of all calls to the store and the inlet together, from 1. */
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Lives through the calls of one process, and kills it at one of them. */
function mortal(crash: Crash | undefined) {
  let [calls, dead] = [0, false];
  return {
    get calls() {
      return calls;
    },
    step(when: 'before' | 'after') {
      if (dead) throw new Killed();
      if (when === 'before') calls++;
      if (crash !== undefined && calls === crash.at && when === crash.when) dead = true;
      if (dead) throw new Killed();
    },
  };
}

interface Scene {
  readonly s3: MemoryS3;
  readonly clock: ReturnType<typeof virtualClock>;
  readonly inlet: FakeInlet;
  readonly marks: MemoryMarks;
}

/** Entries of an odd kind: some the inlet refuses, some are no JSON, some it is not ready for the first time. */
function newScene(): Scene {
  const busy = new Set<string>();
  const inlet = fakeInlet(
    acknowledgeBut((message) => {
      if (message.includes('"bad"')) return { statusCode: 400, message: 'still no' };
      if (!message.includes('"busy"') || busy.has(message)) return undefined;
      busy.add(message);
      return { statusCode: 503 };
    }),
  );
  return { s3: memoryS3(), clock: virtualClock(), inlet, marks: memoryMarks() };
}

const KINDS = ['good', 'bad', 'busy', 'good'] as const;
const dataOf = (index: number) =>
  index % 5 === 4 ? `{"broken":${index}` : `{"n":${index},"kind":"${KINDS[index % 4]}"}`;
const isDeliverable = (index: number) => index % 5 !== 4 && KINDS[index % 4] !== 'bad';

async function fill(scene: Scene, documents: number, onFailure: number, parked = 0): Promise<number> {
  const own = redriveWorld(scene);
  let index = 0;
  for (let at = 0; at < documents; at++) {
    const entries = Array.from({ length: (at % 3) + 1 }, () => entry(index, dataOf(index++)));
    await own.store(document(entries, { invocationId: `i-${String(at).padStart(4, '0')}` }));
  }
  // It has begun a while ago, and new messages are parked.
  const since = scene.clock.now() - 1_000;
  if (parked > 0) await scene.marks.outage(SHARD, 'customers', { since, parkedSince: since });
  for (let at = 0; at < parked; at++) {
    const entries = Array.from({ length: 4 }, () => entry(index, dataOf(index++), { reason: 'parked' }));
    await own.store(document(entries, { invocationId: `p-${at}` }), 'parked');
  }
  for (let at = 0; at < onFailure; at++) {
    const records = Array.from({ length: 3 }, (_, n) => dataOf(index + n));
    const text = onFailureDocument({ records, first: index, payload: at % 2 === 0 ? 'object' : 'text' });
    scene.s3.objects.set(`${ON_FAILURE_KEY}-${at}`, text);
    index += records.length;
  }
  return index;
}

function mortalInlet({ inlet }: Scene, life: ReturnType<typeof mortal>): FakeInlet {
  return {
    ...inlet,
    async fetch(url, init) {
      life.step('before');
      const response = await inlet.fetch(url, init);
      life.step('after');
      return response;
    },
  };
}

function mortalMarks({ marks }: Scene, life: ReturnType<typeof mortal>): MemoryMarks {
  const lived = async <T>(call: () => Promise<T>): Promise<T> => {
    life.step('before');
    const answer = await call();
    life.step('after');
    return answer;
  };
  return {
    ...marks,
    read: (...given) => lived(() => marks.read(...given)),
    outageEnded: (...given) => lived(() => marks.outageEnded(...given)),
  };
}

/** One process: all sources one after the other, until it ends or dies. Returns the calls it made. */
async function live(
  scene: Scene,
  crash?: Crash,
): Promise<{ calls: number; died: boolean; own: RedriveWorld }> {
  const life = mortal(crash);
  scene.s3.fault = (when) => life.step(when);
  const own = redriveWorld({
    ...scene,
    inlet: mortalInlet(scene, life),
    marks: mortalMarks(scene, life),
    published: PUBLISHED,
  });
  let died = false;
  for (const source of ['parked', 'rejected', 'on-failure']) {
    // An inlet that cannot be reached is a reply; a store that cannot be is a failure or an end. Dead is dead.
    await own.run({ source }).catch(() => {
      died = true;
    });
  }
  scene.s3.fault = () => undefined;
  return { calls: life.calls, died, own };
}

const idOf = (index: number) => `customers:shardId-000000000002:${seq(index)}`;

/** Where each record is: acknowledged so often, and in the store. */
function whereabouts(scene: Scene, records: number) {
  const acknowledged = new Map<string, string[]>();
  for (const message of scene.inlet.acknowledged) {
    const { _id } = JSON.parse(message) as { _id: string };
    acknowledged.set(_id, [...(acknowledged.get(_id) ?? []), message]);
  }
  const stored = new Set<string>();
  for (const [key, text] of scene.s3.objects) {
    if (key.startsWith('claims/')) continue;
    for (const [, number = ''] of text.matchAll(/"sequenceNumber\\?":\\?"(\d+)/g)) stored.add(number);
  }
  const nowhere: number[] = [];
  for (let index = 0; index < records; index++) {
    if (!acknowledged.has(idOf(index)) && !stored.has(seq(index))) nowhere.push(index);
  }
  const altered = [...acknowledged.values()].filter((copies) => new Set(copies).size > 1);
  return { acknowledged, stored, nowhere, altered };
}

describe('A34: a redrive that is killed', () => {
  let points = 0;
  let copies = 0;
  afterAll(() => {
    console.log(`killed at ${points} points; ${copies} records were delivered a second time`);
  });

  it('at any call, before or after it took effect, loses nothing; and the next one ends it', async () => {
    const first = newScene();
    const records = await fill(first, 6, 2, 2);
    const { calls } = await live(first);
    const golden = whereabouts(first, records);
    const ending = [...first.s3.objects.keys()].sort();
    expect(calls).toBeGreaterThan(60);
    expect(golden.nowhere).toEqual([]);
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after'] as const) {
        const scene = newScene();
        await fill(scene, 6, 2, 2);
        await live(scene, { at, when });
        const between = whereabouts(scene, records);
        // The outage ends when all that was parked is sent, and not before.
        const isParked = [...scene.s3.objects.keys()].some((key) => key.startsWith('parked/'));
        expect({ at, when, isEnded: isParked && scene.marks.outages.size === 0 }).toMatchObject({
          isEnded: false,
        });
        expect({ at, when, nowhere: between.nowhere }).toEqual({ at, when, nowhere: [] });
        await scene.clock.sleep(HOUR_MS);
        await live(scene);
        const end = whereabouts(scene, records);
        expect({ at, when, ...end }).toMatchObject({ nowhere: [], altered: [] });
        expect({ at, when, outages: scene.marks.outages.size }).toEqual({ at, when, outages: 0 });
        expect([...end.acknowledged.keys()].sort()).toEqual([...golden.acknowledged.keys()].sort());
        expect([...end.stored].sort()).toEqual([...golden.stored].sort());
        // Claims of the dead run out and stay; everything else is as after one undisturbed run.
        expect([...scene.s3.objects.keys()].filter((key) => !key.startsWith('claims/')).sort()).toEqual(
          ending,
        );
        points++;
        copies += scene.inlet.acknowledged.length - end.acknowledged.size;
      }
    }
    expect(copies).toBeGreaterThan(0);
  });

  it('again and again among 1,000 documents: the same ids, all delivered or stored, none twice without cause', async () => {
    const scene = newScene();
    const records = await fill(scene, 1_000, 0);
    let [kills, at] = [0, 40];
    for (let lives = 0; lives < 60; lives++) {
      const { died } = await live(scene, { at, when: lives % 2 === 0 ? 'before' : 'after' });
      expect(whereabouts(scene, records).nowhere).toEqual([]);
      if (!died) break;
      kills++;
      at += 97;
      await scene.clock.sleep(HOUR_MS);
    }
    await scene.clock.sleep(HOUR_MS);
    const { own } = await live(scene);
    const end = whereabouts(scene, records);
    const deliverable = Array.from({ length: records }, (_, index) => index).filter(isDeliverable);
    expect(kills).toBeGreaterThan(10);
    expect(end).toMatchObject({ nowhere: [], altered: [] });
    expect([...end.acknowledged.keys()].sort()).toEqual(deliverable.map(idOf).sort());
    expect([...end.stored].sort()).toEqual(
      Array.from({ length: records }, (_, index) => index)
        .filter((index) => !isDeliverable(index))
        .map(seq)
        .sort(),
    );
    // A process dies with at most one group of 40 documents under way.
    expect(scene.inlet.acknowledged.length - end.acknowledged.size).toBeLessThanOrEqual(kills * 120);
    const again = await own.run({ source: 'rejected' });
    expect(again.delivered).toBe(0);
  });

  it('with a claim that has not run out leaves it to that one, and says so', async () => {
    const scene = newScene();
    await fill(scene, 3, 0);
    const calls = scene.s3.calls.length;
    await live(scene, { at: 12, when: 'after' });
    expect(scene.s3.calls.slice(calls).some((call) => call.startsWith('Put claims/'))).toBe(true);
    const { own } = await live(scene);
    expect(own.lines.some(({ fields }) => fields.reason === 'claimed')).toBe(true);
  });
});

/** Batches that Lambda discarded, of aggregates; the function's answer had settled the first record of each. */
const AGGREGATES = [
  ['good', 'bad'],
  ['good', 'bad', 'busy'],
  ['bad', 'good', 'broken', 'good'],
] as const;

/** The messages that are to go somewhere, as `sequence number:sub-sequence number`. */
function fillAggregates({ s3 }: Scene, documents: number): Map<string, string> {
  const due = new Map<string, string>();
  for (let at = 0; at < documents; at++) {
    const first = at * AGGREGATES.length;
    const event = JSON.parse(
      onFailureDocument({ records: AGGREGATES.map(() => ''), first, payload: 'object' }),
    ) as {
      KinesisBatchInfo: { startSequenceNumber: string };
      payload: { Records: { kinesis: { data: string } }[] };
    };
    event.KinesisBatchInfo.startSequenceNumber = seq(first + 1);
    for (const [n, kinds] of AGGREGATES.entries()) {
      const parts = kinds.map((kind, sub) => {
        if (n > 0) due.set(`${seq(first + n)}:${sub}`, kind);
        const text = `{"n":${at},"kind":"${kind}"${kind === 'broken' ? '' : '}'}`;
        return { key: 'k', data: Buffer.from(text) };
      });
      const record = event.payload.Records[n];
      if (record !== undefined) record.kinesis.data = aggregate(parts).toString('base64');
    }
    s3.objects.set(`${ON_FAILURE_KEY}-${at}`, JSON.stringify(event));
  }
  return due;
}

/** One process that sends a kind of messages first, then all, one by one, and then the rejects, two by two. */
async function liveByParts(scene: Scene, crash?: Crash): Promise<number> {
  const life = mortal(crash);
  scene.s3.fault = (when) => life.step(when);
  const own = redriveWorld({ ...scene, inlet: mortalInlet(scene, life), published: PUBLISHED });
  const where = { field: { pointer: '/kind', equals: 'good' } };
  for (const request of [
    { source: 'on-failure', where },
    { source: 'on-failure', limit: 1 },
    { source: 'rejected', limit: 2 },
  ]) {
    let next: object | undefined = request;
    for (let runs = 0; next !== undefined; runs++) {
      expect(runs).toBeLessThan(40);
      next = (await own.run(next).catch(() => undefined))?.next;
    }
  }
  scene.s3.fault = () => undefined;
  return life.calls;
}

interface Note {
  readonly routes?: { readonly customers?: readonly number[] };
}

/** What of it is acknowledged, a reject, or still to be sent from Lambda's document. */
function places({ s3, inlet }: Scene) {
  const acknowledged = inlet.acknowledged.map((message) =>
    (JSON.parse(message) as { _id: string })._id.split(':').slice(-2).join(':'),
  );
  const [rejects, waiting] = [[] as string[], [] as string[]];
  for (const [key, text] of s3.objects) {
    const value = JSON.parse(text) as {
      entries?: { sequenceNumber: string; subSequenceNumber: number }[];
      payload?: { Records: { kinesis: { sequenceNumber: string }; penstock?: Note }[] };
    };
    if (key.startsWith('claims/')) continue;
    for (const one of value.entries ?? []) rejects.push(`${one.sequenceNumber}:${one.subSequenceNumber}`);
    for (const { kinesis, penstock } of value.payload?.Records ?? []) {
      for (const sub of [0, 1, 2, 3]) {
        if (penstock?.routes?.customers?.includes(sub) !== true)
          waiting.push(`${kinesis.sequenceNumber}:${sub}`);
      }
    }
  }
  return { acknowledged, rejects, waiting };
}

describe("A34: a redrive of parts of Lambda's documents that is killed", () => {
  it('at any call, before or after it took effect, loses nothing; and the next one ends it', async () => {
    const first = newScene();
    const due = fillAggregates(first, 2);
    const calls = await liveByParts(first);
    const golden = places(first);
    const rejected = [...due].filter(([, kind]) => kind === 'bad' || kind === 'broken').map(([id]) => id);
    const delivered = [...due.keys()].filter((id) => !rejected.includes(id));
    expect(golden.waiting).toEqual([]);
    expect(golden.acknowledged.toSorted()).toEqual(delivered.toSorted());
    expect(golden.rejects.toSorted()).toEqual(rejected.toSorted());
    expect(calls).toBeGreaterThan(80);
    let again = 0;
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after'] as const) {
        const scene = newScene();
        fillAggregates(scene, 2);
        await liveByParts(scene, { at, when });
        const between = Object.values(places(scene)).flat();
        expect({ at, when, nowhere: [...due.keys()].filter((id) => !between.includes(id)) }).toEqual({
          at,
          when,
          nowhere: [],
        });
        await scene.clock.sleep(HOUR_MS);
        await liveByParts(scene);
        const end = places(scene);
        expect({ at, when, waiting: end.waiting }).toEqual({ at, when, waiting: [] });
        expect([...new Set(end.acknowledged)].sort()).toEqual(delivered.toSorted());
        expect([...new Set(end.rejects)].sort()).toEqual(rejected.toSorted());
        again += end.acknowledged.length - delivered.length;
      }
    }
    expect(again).toBeGreaterThan(0);
  });
});

describe('B84: a redrive that is killed between the acknowledgement and the removal', () => {
  it('sends the same id once more, and then the document goes', async () => {
    const scene = newScene();
    const own = redriveWorld(scene);
    await own.store(document([entry(0, '{"n":0}')]));
    scene.s3.fault = (_, call) => {
      if (call.startsWith('Delete rejected/')) throw new Killed();
    };
    const first = redriveWorld({ ...scene, published: PUBLISHED });
    expect(await first.run({ source: 'rejected' })).toMatchObject({
      complete: false,
      delivered: 1,
      stopped: { why: 'store', code: 'STORE_UNAVAILABLE' },
    });
    scene.s3.fault = () => undefined;
    const second = redriveWorld({ ...scene, published: PUBLISHED });
    expect(await second.run({ source: 'rejected' })).toMatchObject({ complete: true, delivered: 1 });
    expect(scene.inlet.acknowledged).toHaveLength(2);
    expect(new Set(scene.inlet.acknowledged).size).toBe(1);
    expect(scene.s3.objects.size).toBe(0);
  });
});

describe('a store that takes nothing any more', () => {
  it.each(['Put rejected/', 'Put claims/', 'Delete rejected/'])('(%s) loses nothing', async (call) => {
    const scene = newScene();
    const records = await fill(scene, 5, 0);
    scene.s3.fault = (when, made) => {
      if (when === 'before' && made.startsWith(call)) throw new Error('no room');
    };
    await redriveWorld({ ...scene, published: PUBLISHED })
      .run({ source: 'rejected' })
      .catch(() => undefined);
    expect(whereabouts(scene, records).nowhere).toEqual([]);
  });
});
