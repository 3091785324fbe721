import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedger } from '../../lib/aws/ledger.ts';
import { createProgress } from '../../lib/aws/progress.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { memoryProgress } from '../support/reconciling.ts';

// One contract for the port and for its twin in memory.

const TABLE = 'penstock-test-pipelines';
let server: RunningServer;
let client: DynamoDBClient;

beforeAll(async () => {
  server = await startDynamoDb({ tables: { [TABLE]: 'pipeline' } });
  const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' };
  client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

describe.each([
  ['in DynamoDB', () => createProgress(TABLE, client)],
  ['in memory', () => memoryProgress()],
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
});

describe('in the table of the pipelines', () => {
  it('it leaves alone what else is kept, and what else is kept leaves it alone', async () => {
    const ledger = createLedger(TABLE, client);
    const progress = createProgress(TABLE, client);
    const updatedAt = '2026-01-01T00:00:00.000Z';
    await ledger.write('both', 'me', { manifest: { name: 'both' }, updatedAt });
    expect(await progress.write('both', ['x'], 0)).toBe(true);
    await ledger.write('both', 'me', { report: 'r', updatedAt });
    expect(await progress.read('both')).toEqual({ value: ['x'], version: 1 });
    expect(await ledger.read('both')).toMatchObject({ manifest: { name: 'both' }, report: 'r' });
  });

  it('what is damaged counts as never written', async () => {
    const damage = { ':v': { S: '{' }, ':n': { N: '4' } };
    await client.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: { pipeline: { S: 'damaged' } },
        UpdateExpression: 'SET reconciled = :v, reconciledVersion = :n',
        ExpressionAttributeValues: damage,
      }),
    );
    const progress = createProgress(TABLE, client);
    expect(await progress.read('damaged')).toEqual({ value: undefined, version: 4 });
    expect(await progress.write('damaged', 'new', 4)).toBe(true);
  });

  it('a table that is not there, or has no name, is a failure', async () => {
    await expect(createProgress('other', client).read('a')).rejects.toMatchObject({ code: 'AWS_REFUSED' });
    await expect(createProgress('other', client).write('a', 1, 0)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
    });
    await expect(createProgress(undefined, client).read('a')).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });
});
