import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { MAX_WRITTEN_BYTES } from '../../lib/bounds.ts';
import type { DeadLetterDocument, DeadLetterStore } from '../../lib/runtime.ts';
import { seq } from '../support/forwarding.ts';
import { document, entry } from '../support/redriving.ts';
import { type MemoryS3, memoryS3 } from '../support/s3.ts';

// The store as those see it who take things out again: the same of a bucket and of a folder.

const STORED = document([entry(1, '{"a":1}')]);
const ofPipeline = { kind: 'rejected', pipeline: 'customers' } as const;

interface Place {
  readonly store: DeadLetterStore;
  readonly end: () => Promise<void>;
}

const PLACES: [string, () => Promise<Place>][] = [
  [
    'a folder',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
      return {
        store: createDeadLetters(pathToFileURL(folder).href),
        end: () => rm(folder, { recursive: true }),
      };
    },
  ],
  [
    'a bucket',
    async () => {
      const s3 = memoryS3();
      return { store: createDeadLetters('s3://bucket', async () => s3.client), end: async () => undefined };
    },
  ],
];

describe.each(PLACES)('%s', (_, open) => {
  let place: Place;
  beforeEach(async () => {
    place = await open();
  });
  afterEach(() => place.end());

  it('is listed in the order of the keys, from behind one on', async () => {
    const { store } = place;
    expect(await store.list(ofPipeline)).toEqual({ objects: [], more: false });
    const keys = [];
    for (const invocationId of ['b', 'a', 'é', 'c'])
      keys.push((await store.put({ ...STORED, invocationId })).key);
    await store.put({ ...STORED, pipeline: 'customers-2' });
    const { objects, more } = await store.list(ofPipeline);
    expect(objects.map(({ key }) => key)).toEqual(keys.sort());
    expect(more).toBe(false);
    expect(objects[0]?.bytes).toBe(Buffer.byteLength((await store.read(keys[0] ?? ''))?.text ?? ''));
    const behind = await store.list(ofPipeline, keys[1]);
    expect(behind.objects.map(({ key }) => key)).toEqual(keys.slice(2));
    expect((await store.list({ kind: 'on-failure' })).objects).toEqual([]);
  });

  it('14 A 3: what is parked has a folder of its own, and is listed by itself', async () => {
    const { store } = place;
    const parked = { kind: 'parked', pipeline: 'customers' } as const;
    expect(await store.list(parked)).toEqual({ objects: [], more: false });
    const rejected = await store.put(STORED);
    const { key, entries } = await store.put(STORED, 'parked');
    await store.put({ ...STORED, pipeline: 'customers-2' }, 'parked');
    expect(entries).toBe(1);
    expect(key).toBe(rejected.key.replace('rejected/', 'parked/'));
    expect((await store.list(parked)).objects.map((object) => object.key)).toEqual([key]);
    expect((await store.list(ofPipeline)).objects.map((object) => object.key)).toEqual([rejected.key]);
    expect((await store.list({ ...parked, since: '2026-01-31T00:00:00Z' })).objects).toEqual([]);
    expect(JSON.parse((await store.read(key))?.text ?? '')).toEqual(STORED);
  });

  it('14 A 3: what is parked is listed in its order, also where one document has too many bytes', async () => {
    const { store } = place;
    // As large as a document that is written, so that each has one of its own.
    const large = Buffer.alloc(MAX_WRITTEN_BYTES * 0.75).toString();
    const numbers = [1, 2, 3];
    await store.put(document(numbers.map((n) => entry(n, large))), 'parked');
    const { objects } = await store.list({ kind: 'parked', pipeline: 'customers' });
    const listed = await Promise.all(objects.map(({ key }) => store.read(key)));
    const entries = listed.flatMap((one) => (JSON.parse(one?.text ?? '') as DeadLetterDocument).entries);
    expect(entries.map(({ sequenceNumber }) => sequenceNumber)).toEqual(numbers.map(seq));
    expect(objects).toHaveLength(3);
  });

  it('changes and removes only the version that was read', async () => {
    const { store } = place;
    const { key } = await store.put(STORED);
    const first = await store.read(key);
    expect(JSON.parse(first?.text ?? '')).toEqual(STORED);
    expect(await store.replace(key, first?.version ?? '', 'two')).toBe(true);
    expect(await store.replace(key, first?.version ?? '', 'three')).toBe(false);
    expect(await store.remove(key, first?.version ?? '')).toBe(false);
    const second = await store.read(key);
    expect(second?.text).toBe('two');
    expect(await store.remove(key, second?.version ?? '')).toBe(true);
    expect(await store.remove(key, second?.version ?? '')).toBe(true);
    expect(await store.read(key)).toBeUndefined();
    expect(await store.replace(key, second?.version ?? '', 'four')).toBe(false);
  });

  it('gives a claim to one of many, until it is given back or runs out', async () => {
    const { store } = place;
    const owners = Array.from({ length: 20 }, (_, index) => `o-${index}`);
    const claim = (owner: string, now: number) => store.claim('rejected/x', owner, now, now + 100);
    const taken = await Promise.all(owners.map((owner) => claim(owner, 1_000)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const first = owners[taken.indexOf(true)] ?? '';
    await store.release('rejected/x', 'o-other', 1_050);
    expect(await claim('late', 1_099)).toBe(false);
    const after = await Promise.all(owners.map((owner) => claim(`again-${owner}`, 1_100)));
    expect(after.filter(Boolean)).toHaveLength(1);
    // The one that ran out comes back late, and gives back nothing but its own.
    await store.release('rejected/x', first, 1_140);
    expect(await claim('third', 1_150)).toBe(false);
    await store.release('rejected/x', `again-${owners[after.indexOf(true)] ?? ''}`, 1_150);
    expect(await claim('third', 1_150)).toBe(true);
    expect((await store.list(ofPipeline)).objects).toEqual([]);
  });

  it('keeps what it was told of a loss where it is not listed', async () => {
    await place.store.noteLoss('aws/lambda/x', 'gone');
    expect((await place.store.read('lost/aws/lambda/x'))?.text).toBe('gone');
    expect((await place.store.list({ kind: 'on-failure' })).objects).toEqual([]);
  });
});

describe('a bucket whose answers get lost', () => {
  const losing = (call: RegExp): { s3: MemoryS3; store: DeadLetterStore } => {
    const s3 = memoryS3();
    // The SDK repeats a request whose answer it did not get; the second finds the work of the first.
    let lost = false;
    const client = {
      async send(command: { input: object }) {
        const { Key = '' } = command.input as { Key?: string };
        const name = `${command.constructor.name} ${Key}`;
        if (!lost && call.test(name)) {
          lost = true;
          await s3.client.send(command as never);
        }
        return s3.client.send(command as never);
      },
    };
    return { s3, store: createDeadLetters('s3://bucket', async () => client as never) };
  };

  it('has taken the claim all the same', async () => {
    const { store } = losing(/^PutObjectCommand claims/);
    expect(await store.claim('k', 'me', 0, 10)).toBe(true);
  });

  it('has changed and removed all the same', async () => {
    const { s3, store } = losing(/^PutObjectCommand rejected/);
    s3.objects.set('rejected/k', 'one');
    const read = await store.read('rejected/k');
    expect(await store.replace('rejected/k', read?.version ?? '', 'two')).toBe(true);
    const removing = losing(/^DeleteObjectCommand/);
    removing.s3.objects.set('rejected/k', 'one');
    const there = await removing.store.read('rejected/k');
    expect(await removing.store.remove('rejected/k', there?.version ?? '')).toBe(true);
  });
});

it('a prefix is before everything of ours, and not before what Lambda writes', async () => {
  const s3 = memoryS3();
  const store = createDeadLetters('s3://bucket/penstock/dev', async () => s3.client);
  const { key } = await store.put(STORED);
  await store.claim(key, 'me', 0, 10);
  s3.objects.set('aws/lambda/x', '{}');
  expect((await store.list(ofPipeline)).objects.map((object) => object.key)).toEqual([key]);
  expect((await store.list({ kind: 'on-failure' })).objects.map((object) => object.key)).toEqual([
    'aws/lambda/x',
  ]);
  expect([...s3.objects.keys()].filter((one) => one.includes('claims'))).toEqual([
    `penstock/dev/claims/${key}.0.claim`,
  ]);
});

it('a folder shows nothing that is still being written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  try {
    const store = createDeadLetters(pathToFileURL(folder).href);
    const puts = Array.from({ length: 20 }, (_, index) =>
      store.put({ ...STORED, invocationId: `i-${index}` }),
    );
    const { objects } = await store.list(ofPipeline);
    for (const { key } of objects) JSON.parse((await store.read(key))?.text ?? '');
    await Promise.all(puts);
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    expect(files.filter((one) => one.isFile()).every(({ name }) => name.endsWith('.json'))).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
