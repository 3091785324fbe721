import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTableCall, type TableCall } from '../../lib/aws/dynamodb.ts';
import { createLedger } from '../../lib/aws/ledger.ts';
import { createProgress } from '../../lib/aws/progress.ts';
import { MAX_PROGRESS_BYTES } from '../../lib/bounds.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { itemBytes, LARGEST_ITEM, memoryLedger } from '../support/ledger.ts';

// One contract: over a DynamoDB, and over the table in memory that other tests have.

const TABLE = 'penstock-test-pipelines';
let server: RunningServer;
let client: DynamoDBClient;
let call: TableCall;

beforeAll(async () => {
  server = await startDynamoDb({ tables: { [TABLE]: 'pipeline' } });
  const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' };
  client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
  });
  const access = { endpoint: server.endpoint, region: 'eu-west-1', ...credentials };
  call = createTableCall(() => access);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

const itemAt = async (key: string) =>
  (await client.send(new GetItemCommand({ TableName: TABLE, Key: { pipeline: { S: key } } }))).Item ?? {};

describe.each([
  ['in DynamoDB', () => createProgress(TABLE, call)],
  ['in memory', () => createProgress(TABLE, memoryLedger(TABLE).call)],
])('how far it has come, %s', (_, make) => {
  it('is kept under the version that was read, and by one of two', async () => {
    const progress = make();
    expect(await progress.read('a')).toEqual({ value: undefined, version: 0 });
    expect(await progress.write('a', { read: 1 }, 0)).toBe(true);
    expect(await progress.write('a', { read: 'lost' }, 0)).toBe(false);
    expect(await progress.read('a')).toEqual({ value: { read: 1 }, version: 1 });
    expect(await Promise.all([progress.write('a', 2, 1), progress.write('a', 2, 1)])).toContain(false);
    expect(await progress.read('a')).toEqual({ value: 2, version: 2 });
    expect((await progress.read('b')).version).toBe(0);
  });

  it('marks of a day are kept besides those there are, in as many items as they need', async () => {
    const progress = make();
    const many = Array.from({ length: 2_345 }, (_, n) => `mark-${String(n).padStart(17, '0')}`);
    expect(await progress.marks('many', '2026-01-01')).toEqual(new Set());
    await progress.mark('many', '2026-01-01', many.slice(0, 1_250));
    await progress.mark('many', '2026-01-01', many.slice(1_200));
    await progress.mark('many', '2026-01-02', ['other']);
    expect(await progress.marks('many', '2026-01-01')).toEqual(new Set(many));
    expect(await progress.marks('many', '2026-01-02')).toEqual(new Set(['other']));
    expect(await progress.marks('many', '2026-01-03')).toEqual(new Set());
    expect(await progress.marks('man', '2026-01-01')).toEqual(new Set());
  });

  it('marks that two runs set at the same time are both there', async () => {
    const progress = make();
    const marks = Array.from({ length: 150 }, (_, n) => `both-${n}`);
    await Promise.all([
      progress.mark('twice', '2026-01-01', marks),
      progress.mark('twice', '2026-01-01', ['x', 'both-7']),
    ]);
    expect(await progress.marks('twice', '2026-01-01')).toEqual(new Set([...marks, 'x']));
  });
});

describe('A 3: in the table of the pipelines', () => {
  it('it has items of its own, which nobody takes for a pipeline, and which DynamoDB removes in time', async () => {
    const ledger = createLedger(TABLE, call);
    const progress = createProgress(TABLE, call, { now: () => Date.parse('2026-01-01T00:00:00Z') });
    const updatedAt = '2026-01-01T00:00:00.000Z';
    await ledger.write('both', 'me', { manifest: { name: 'both' }, updatedAt });
    expect(await progress.write('both', ['x'], 0)).toBe(true);
    await progress.mark('both', '2026-01-01', ['m']);
    await ledger.write('both', 'me', { report: 'r', updatedAt });
    expect(await progress.read('both')).toEqual({ value: ['x'], version: 1 });
    expect(await ledger.read('both')).toMatchObject({ manifest: { name: 'both' }, report: 'r' });
    expect(await itemAt('both')).not.toHaveProperty('reconciled');
    expect((await ledger.names()).filter((name) => name.startsWith('both'))).toEqual(['both']);
    const inForty = { N: String(Date.parse('2026-02-10T00:00:00Z') / 1_000) };
    expect(await itemAt('both#reconciled')).toMatchObject({ expires: inForty });
    expect(await itemAt('both#read#2026-01-01#0')).toMatchObject({ expires: inForty });
  });

  it('pipelines are listed past whole pages of the table that hold nothing else', async () => {
    const ledger = createLedger(TABLE, call);
    const progress = createProgress(TABLE, call);
    const updatedAt = '2026-01-01T00:00:00.000Z';
    for (const name of ['paged-a', 'paged-b']) await ledger.write(name, 'me', { report: 'r', updatedAt });
    // DynamoDB ends a page at 1 MB: these need four.
    const some = Array.from({ length: 100 }, (_, n) => String(n).padStart(3_500, 'x'));
    for (let day = 1; day <= 10; day++)
      await progress.mark('paged-a', `2026-01-${String(day).padStart(2, '0')}`, some);
    const found = await ledger.names();
    expect(found.filter((name) => name.startsWith('paged'))).toEqual(['paged-a', 'paged-b']);
  });

  it('no item of marks has more than a sixth of what DynamoDB takes, however many there are and whatever is in them', async () => {
    const progress = createProgress(TABLE, call);
    for (let n = 0; n < 3_000; n += 300) {
      const some = Array.from({ length: 300 }, (_, at) => String(n + at).padStart(22, '字'));
      await progress.mark('bounded', '2026-01-01', some);
    }
    const sizes = await Promise.all(
      [0, 1, 2].map(async (n) => itemBytes(await itemAt(`bounded#read#2026-01-01#${n}`))),
    );
    expect(Math.max(...sizes)).toBeLessThan(LARGEST_ITEM / 6);
    expect(await itemAt('bounded#read#2026-01-01#3')).toEqual({});
  });

  it('what is written as a whole is refused with its size where it is too large, before DynamoDB refuses it', async () => {
    const progress = createProgress(TABLE, call);
    await expect(progress.write('large', 'x'.repeat(MAX_PROGRESS_BYTES), 0)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      what: `how far the pipeline large is reconciled has ${MAX_PROGRESS_BYTES + 2} bytes; at most ${MAX_PROGRESS_BYTES} are kept`,
    });
    expect(await progress.write('large', 'x'.repeat(MAX_PROGRESS_BYTES - 2), 0)).toBe(true);
  });

  it('what 0.1.0 kept is read once, and leaves the pipeline its item', async () => {
    const ledger = createLedger(TABLE, call);
    const updatedAt = '2026-01-01T00:00:00.000Z';
    await ledger.write('older', 'me', { manifest: { name: 'older' }, updatedAt });
    await client.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: { pipeline: { S: 'older' } },
        UpdateExpression: 'SET reconciled = :v, reconciledVersion = :n',
        ExpressionAttributeValues: { ':v': { S: '{"flows":[]}' }, ':n': { N: '4' } },
      }),
    );
    const progress = createProgress(TABLE, call);
    expect(await progress.old('older')).toBe('{"flows":[]}');
    await progress.forgetOld('older');
    await progress.forgetOld('older');
    expect(await progress.old('older')).toBeUndefined();
    expect(Object.keys(await itemAt('older')).sort()).toEqual([
      'manifest',
      'pipeline',
      'updatedAt',
      'version',
    ]);
    await progress.forgetOld('nobody');
    expect(await itemAt('nobody')).toEqual({});
  });

  it('what is damaged counts as never written', async () => {
    const damage = { ':v': { S: '{' }, ':n': { N: '4' } };
    await client.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: { pipeline: { S: 'damaged#reconciled' } },
        UpdateExpression: 'SET reconciled = :v, reconciledVersion = :n',
        ExpressionAttributeValues: damage,
      }),
    );
    const progress = createProgress(TABLE, call);
    expect(await progress.read('damaged')).toEqual({ value: undefined, version: 4 });
    expect(await progress.write('damaged', 'new', 4)).toBe(true);
  });

  it('a table that is not there, or has no name, is a failure', async () => {
    await expect(createProgress('other', call).read('a')).rejects.toMatchObject({ code: 'AWS_REFUSED' });
    await expect(createProgress('other', call).write('a', 1, 0)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
    });
    await expect(createProgress('other', call).mark('a', '2026-01-01', ['m'])).rejects.toMatchObject({
      code: 'AWS_REFUSED',
    });
    await expect(createProgress(undefined, call).read('a')).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });
});
