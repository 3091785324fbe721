import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GetObjectCommand, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import type { DeadLetterDocument } from '../../lib/runtime.ts';

// A document under a key that was given: there once, whoever comes with it and how often.

const KEY = 'rejected/customers/2026/01/31/refused-later-b-f-0-1-unknown.json';
const document = (invocationId: string): DeadLetterDocument => ({
  version: 1,
  pipeline: 'customers',
  streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers',
  shardId: 'unknown',
  invocationId,
  storedAt: '2026-01-31T12:00:00.000Z',
  entries: [{ reason: 'refused-later', message: 'm', sequenceNumber: '4', partitionKey: '', data: 'e30=' }],
});

describe('in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('the first stays, whole and alone, also of many at once', async () => {
    const stores = Array.from({ length: 20 }, () => createDeadLetters(pathToFileURL(folder).href));
    const outcomes = await Promise.all(
      stores.map((store, index) => store.putOnce(KEY, document(`i-${index}`))),
    );
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'already there')).toHaveLength(19);
    const kept = JSON.parse(await readFile(join(folder, KEY), 'utf8')) as DeadLetterDocument;
    expect(kept).toEqual(document(`i-${outcomes.indexOf('stored')}`));
    expect(await readdir(join(folder, KEY, '..'))).toEqual([KEY.split('/').at(-1)]);
    expect(await stores[0]?.putOnce(KEY, document('late'))).toBe('already there');
    expect(JSON.parse(await readFile(join(folder, KEY), 'utf8'))).toEqual(kept);
  });

  it('that cannot be written to it is a failure', async () => {
    await writeFile(join(folder, 'rejected'), '');
    const store = createDeadLetters(pathToFileURL(folder).href);
    await expect(store.putOnce(KEY, document('i'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('in S3', () => {
  /** `there`: what can be read. */
  const storeAnswering = (name?: string, there?: string) => {
    const sent: PutObjectCommand['input'][] = [];
    const send = async (command: unknown) => {
      if (command instanceof GetObjectCommand) {
        if (there === undefined)
          throw new S3ServiceException({ name: 'NoSuchKey', $fault: 'client', $metadata: {} });
        return { Body: { transformToString: async () => there }, ETag: 'e' };
      }
      if (!(command instanceof PutObjectCommand)) throw new Error('another command');
      sent.push(command.input);
      if (name === undefined) return {};
      throw new S3ServiceException({ name, $fault: 'client', $metadata: {} });
    };
    return { sent, store: createDeadLetters('s3://bucket/below', async () => ({ send }) as never) };
  };

  it('it is put under the condition that nothing is there', async () => {
    const { sent, store } = storeAnswering();
    expect(await store.putOnce(KEY, document('i'))).toBe('stored');
    expect(sent).toMatchObject([{ Bucket: 'bucket', Key: `below/${KEY}`, IfNoneMatch: '*' }]);
    expect(JSON.parse(String(sent[0]?.Body))).toEqual(document('i'));
  });

  it('it is there already where the condition is not met', async () => {
    const { store } = storeAnswering('PreconditionFailed', 'another');
    expect(await store.putOnce(KEY, document('i'))).toBe('already there');
  });

  it('it is not there where another write stands in the way of which nothing has come yet', async () => {
    const { store } = storeAnswering('ConditionalRequestConflict');
    await expect(store.putOnce(KEY, document('i'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it.each(['AccessDenied', 'SlowDown'])('%s is a failure', async (name) => {
    const { store } = storeAnswering(name);
    await expect(store.putOnce(KEY, document('i'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
