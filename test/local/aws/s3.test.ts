import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { objectsInS3 } from '../../../lib/aws/objects-s3.ts';
import { accessKeyOf, type Call, createCalls } from '../../../local/aws/calls.ts';
import { startS3 } from '../../../local/aws/s3.ts';
import type { RunningServer } from '../../../local/aws/server.ts';

// An unmodified SDK client over the local S3.

let folder: string;
let server: RunningServer;
let client: S3Client;
const calls: Call[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  server = await startS3(
    folder,
    createCalls((call) => void calls.push(call)),
  );
  client = new S3Client({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: accessKeyOf('forward'), secretAccessKey: 'fake' },
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
  await rm(folder, { recursive: true });
});

it('objects are written, listed, changed and removed under their conditions', async () => {
  const objects = objectsInS3('dead-letters', async () => client);
  await objects.write('rejected/a/1 & 2.json', '{"a":"ä"}');
  expect(await objects.create('rejected/a/1 & 2.json', 'other')).toBe(false);
  expect(await objects.create('rejected/a/3.json', '{}')).toBe(true);
  const { text, version } = (await objects.read('rejected/a/1 & 2.json')) ?? { text: '', version: '' };
  expect(text).toBe('{"a":"ä"}');
  expect(await objects.list('rejected/a/', 'rejected/a/2')).toEqual({
    objects: [{ key: 'rejected/a/3.json', bytes: 2 }],
    more: false,
  });
  expect((await objects.list('rejected/a/', '')).objects.map(({ key }) => key)).toEqual([
    'rejected/a/1 & 2.json',
    'rejected/a/3.json',
  ]);
  expect(await objects.replace('rejected/a/1 & 2.json', version, 'new')).toBe(true);
  expect(await objects.replace('rejected/a/1 & 2.json', version, 'newer')).toBe(false);
  expect(await objects.replace('rejected/a/never.json', version, 'new')).toBe(false);
  expect(await objects.remove('rejected/a/1 & 2.json', version)).toBe(false);
  const { version: last = '' } = (await objects.read('rejected/a/1 & 2.json')) ?? {};
  expect(await objects.remove('rejected/a/1 & 2.json', last)).toBe(true);
  expect(await objects.read('rejected/a/1 & 2.json')).toBeUndefined();
});

it('and the journal has each kind of call once, and only of a caller with a role', async () => {
  expect(calls.map(({ by, action, resource }) => `${by} ${action} ${resource}`)).toEqual([
    'forward s3:PutObject arn:aws:s3:::dead-letters/rejected/a/1 & 2.json',
    'forward s3:GetObject arn:aws:s3:::dead-letters/rejected/a/1 & 2.json',
    'forward s3:ListBucket arn:aws:s3:::dead-letters',
    'forward s3:DeleteObject arn:aws:s3:::dead-letters/rejected/a/1 & 2.json',
  ]);
  const before = calls.length;
  const { endpoint } = server;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'fake' };
  const own = new S3Client({ endpoint, region: 'eu-west-1', credentials });
  await objectsInS3('dead-letters', async () => own).write('lost/a.json', '{}');
  own.destroy();
  expect(calls).toHaveLength(before);
});
