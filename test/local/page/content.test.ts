import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, RefusedRow } from '../../../local/aep/state.ts';
import { datasetDetail, datasetsFeed } from '../../../local/page/areas/datasets.ts';
import { deadLetter, deadLettersFeed } from '../../../local/page/areas/dead-letters.ts';
import { shownBytes, shownJson } from '../../../local/page/shown.ts';
import { createStore } from '../../../local/page/store.ts';
import { toldStack } from '../../support/watched.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('content that is shown', () => {
  it('is text where it is UTF-8, and else hex', () => {
    expect(shownBytes(Buffer.from('<b>é</b>'))).toEqual({
      text: '<b>é</b>',
      bytes: 9,
      form: 'text',
      isCut: false,
    });
    expect(shownBytes(Buffer.from([0xff, 0x00, 0x1b]))).toMatchObject({
      text: 'ff 00 1b ',
      form: 'hex',
      bytes: 3,
    });
    expect(shownBytes(Buffer.alloc(0))).toMatchObject({ text: '', bytes: 0 });
  });

  it('is its beginning where it is large, and says how large', () => {
    const large = 10_000_000;
    for (const shown of [
      shownBytes(Buffer.alloc(large, 'x')),
      shownBytes(Buffer.alloc(large, 0xff)),
      shownJson('x'.repeat(large)),
    ]) {
      expect(shown.isCut).toBe(true);
      expect(shown.bytes).toBeGreaterThanOrEqual(large);
      expect(shown.text.length).toBeLessThan(200_000);
    }
  });
});

describe('a dead letter', () => {
  it('is shown with its record, its place, and what is not as it was', async () => {
    const entry = {
      reason: 'not-json',
      message: 'no JSON',
      sequenceNumber: '12',
      subSequenceNumber: 3,
      partitionKey: 'k',
      arrivedAt: 1,
      data: Buffer.from('{broken').toString('base64'),
      piece: true,
    };
    const hidden = { reason: 'redaction', message: 'none', sequenceNumber: '13', data: '', withheld: true };
    const document = {
      version: 1,
      pipeline: 'p',
      streamArn: 'a',
      shardId: 's',
      invocationId: 'i',
      storedAt: 't',
    };
    await mkdir(join(folder, 'rejected'));
    await writeFile(
      join(folder, 'rejected', 'a.json'),
      JSON.stringify({ ...document, entries: [entry, hidden] }),
    );
    const looked = { watched: toldStack(folder), store: createStore(folder) };
    const { set } = (await deadLettersFeed(looked)()) as { set: { id: string; place: string }[] };
    expect(set.map(({ place }) => place)).toEqual(['12/3', '13']);
    const [one, other] = await Promise.all(set.map(({ id }) => deadLetter(looked, id)));
    expect(one).toMatchObject({ reason: 'not-json', partitionKey: 'k', record: { text: '{broken' } });
    expect(one?.notes).toEqual(['It is one of several messages of its record.']);
    expect(one?.facts).toContainEqual(['arrived', '1970-01-01T00:00:01.000Z']);
    expect(other?.notes[0]).toContain('could not be redacted');
    expect(await deadLetter(looked, 'another')).toBeUndefined();
  });
});

describe('a dataset', () => {
  it('has its newest rows and refusals, without those of a batch that was reverted', async () => {
    const watched = toldStack();
    const sandbox = watched.platform.platform.state.sandboxes.get('dev1');
    if (sandbox === undefined) throw new Error('there is no sandbox dev1');
    sandbox.dataSets.put('d', { id: 'd', revision: 1, created: 0, updated: 0, body: { name: 'orders' } });
    sandbox.tallies.set('d', { landed: 60, refused: 1, profileOnly: 0, lastBatchId: undefined });
    const batch = (id: string, more: Partial<Batch>): Batch => ({
      ...{ id, dataSetId: 'd', flowId: 'f', created: 0, sealAt: 0, updated: 0, bytes: 0, rowCount: 0 },
      rows: [],
      refused: [],
      ...more,
    });
    const rows = Array.from({ length: 60 }, (_, number) => ({ number }));
    const refused: RefusedRow = {
      stage: 'mapper',
      code: 'MAPPER-1',
      violations: [{ keyword: 'type', message: 'no number', pointerToViolation: '#/a', schemaLocation: '' }],
      header: {},
      body: { a: 'x' },
      source: { b: '<script>' },
    };
    for (const one of [
      batch('1', { rows }),
      batch('2', { rows: [{ number: -1 }], revertedAt: 5 }),
      batch('3', { refused: [refused] }),
    ])
      sandbox.batches.set(one.id, one);
    const looked = { watched, store: createStore('/nowhere') };
    expect(await datasetsFeed(looked)()).toEqual({
      set: [{ id: 'd', name: 'orders', sandbox: 'dev1', landed: 60, refused: 1, profileOnly: 0 }],
      gone: [],
    });
    const detail = datasetDetail(looked, 'd');
    expect(detail?.rows).toHaveLength(50);
    expect(detail?.rows[0]).toMatchObject({ text: '{\n  "number": 59\n}' });
    expect(detail?.refusals).toMatchObject([
      {
        batch: '3',
        stage: 'the mapping',
        reasons: ['#/a: no number'],
        source: { text: '{\n  "b": "<script>"\n}' },
      },
    ]);
    expect(datasetDetail(looked, 'other')).toBeUndefined();
  });
});
