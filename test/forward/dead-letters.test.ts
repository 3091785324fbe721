import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { createMetrics } from '../../lib/aws/metrics.ts';
import type { DeadLetterDocument } from '../../lib/runtime.ts';

const DOCUMENT: DeadLetterDocument = {
  version: 1,
  pipeline: 'customers',
  streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers',
  shardId: 'shardId-000000000002',
  invocationId: 'i-1',
  storedAt: '2026-01-31T12:00:00.000Z',
  entries: [
    { reason: 'not-json', message: 'not JSON', sequenceNumber: '41', partitionKey: 'a/../b', data: 'bm8=' },
    {
      reason: 'refused',
      message: '400: ü\n',
      sequenceNumber: '42',
      subSequenceNumber: 0,
      partitionKey: 'k',
      arrivedAt: 1.5,
      data: '',
    },
  ],
};
const KEY = 'rejected/customers/2026/01/31/shardId-000000000002-41-i-1.json';

describe('a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('holds the document under its key, whole, with nothing beside it', async () => {
    const store = createDeadLetters(pathToFileURL(folder).href);
    expect(await store.put(DOCUMENT)).toEqual({ key: KEY, entries: 2 });
    expect(JSON.parse(await readFile(join(folder, KEY), 'utf8'))).toEqual(DOCUMENT);
    expect(await store.put(DOCUMENT)).toEqual({ key: KEY, entries: 2 });
    expect(await readdir(join(folder, KEY, '..'))).toEqual([KEY.split('/').at(-1)]);
  });

  it('is not left, whatever the names are', async () => {
    const store = createDeadLetters(pathToFileURL(folder).href);
    const { key } = await store.put({
      ...DOCUMENT,
      pipeline: '..',
      shardId: '../../x',
      invocationId: '\0/é',
    });
    expect(key).toBe('rejected/_/2026/01/31/__.._x-41-___.json');
    expect(await readdir(folder)).toEqual(['rejected']);
  });

  it('that cannot be written to is a failure, and leaves nothing behind', async () => {
    await writeFile(join(folder, 'rejected'), '');
    const store = createDeadLetters(pathToFileURL(folder).href);
    await expect(store.put(DOCUMENT)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });
});

describe('S3', () => {
  it.each([
    ['s3://bucket', KEY],
    ['s3://bucket/', KEY],
    ['s3://bucket/penstock/dev', `penstock/dev/${KEY}`],
    ['s3://bucket/penstock/dev/', `penstock/dev/${KEY}`],
  ])('puts one object (%s)', async (url, key) => {
    const sent: PutObjectCommand['input'][] = [];
    const send = async (command: unknown) => {
      if (!(command instanceof PutObjectCommand)) throw new Error('another command');
      sent.push(command.input);
      return {};
    };
    const store = createDeadLetters(url, async () => ({ send }) as never);
    expect(await store.put(DOCUMENT)).toEqual({ key, entries: 2 });
    expect(sent).toEqual([
      expect.objectContaining({ Bucket: 'bucket', Key: key, ContentType: 'application/json' }),
    ]);
    expect(JSON.parse(sent[0]?.Body as string)).toEqual(DOCUMENT);
  });

  it('that refuses is a failure that names the error and not the record', async () => {
    const denied = Object.assign(new Error('bm8='), { name: 'AccessDenied' });
    const store = createDeadLetters(
      's3://bucket',
      async () => ({ send: () => Promise.reject(denied) }) as never,
    );
    const error = await store.put(DOCUMENT).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('AccessDenied'),
    });
    expect((error as Error).message).not.toContain('bm8=');
  });
});

it.each(['http://bucket/x', 's3:///x', 'bucket', ''])('%j is no store', (url) => {
  expect(() => createDeadLetters(url)).toThrow(/SETTINGS_INVALID/);
});

describe('metrics', () => {
  it('are one line of EMF an invocation, dimensions service, stage and pipeline', () => {
    const lines: string[] = [];
    // Powertools writes to stdout past the console.
    const write = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      const metrics = createMetrics('dev');
      metrics.count('RecordsReceived', 3);
      metrics.count('Requests', 0);
      metrics.flush({ pipeline: 'customers' });
      metrics.count('RecordsReceived', 4);
      metrics.flush({ pipeline: 'orders' });
    } finally {
      write.mockRestore();
    }
    const documents = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    expect(documents).toMatchObject([
      { service: 'penstock', stage: 'dev', pipeline: 'customers', RecordsReceived: 3, Requests: 0 },
      { service: 'penstock', stage: 'dev', pipeline: 'orders', RecordsReceived: 4 },
    ]);
    expect(documents[1]).not.toHaveProperty('Requests');
    for (const { _aws } of documents) {
      const [{ Namespace, Dimensions }] = _aws.CloudWatchMetrics;
      expect(Namespace).toBe('Penstock');
      expect(Dimensions[0].toSorted()).toEqual(['pipeline', 'service', 'stage']);
    }
  });
});
