import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTableCall, type DynamoDbAccess, type TableCall } from '../../lib/aws/dynamodb.ts';
import { createLedger } from '../../lib/aws/ledger.ts';
import type { Ledger } from '../../lib/runtime.ts';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';
import { type Integration, serviceIntegrations } from '../../local/aws/integrations.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { runStateMachine } from '../../local/aws/state-machine.ts';
import { type MemoryExecutions, memoryLedger } from '../support/ledger.ts';

// One contract for the ledger in DynamoDB and for its twin in memory: what the fast tests rely on holds for the real one.

const TABLE = 'penstock-test-pipelines';
const ME = 'arn:aws:states:eu-west-1:123456789012:execution:penstock-test-provision:me';
const OTHER = 'arn:aws:states:eu-west-1:123456789012:execution:penstock-test-provision:other';
const NOW = '2026-01-01T00:00:00.000Z';

let server: RunningServer;
let client: DynamoDBClient;
let access: DynamoDbAccess;
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
  access = { endpoint: server.endpoint, region: 'eu-west-1', ...credentials };
  call = createTableCall(() => access);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

interface Place {
  ledger: Ledger;
  integrations: Record<string, Integration>;
  executions: MemoryExecutions;
}

const places: Record<string, () => Place> = {
  'in memory': () => memoryLedger(TABLE),
  'in DynamoDB': () => {
    const { executions } = memoryLedger();
    const integrations = serviceIntegrations({ dynamoDb: client, describe: executions.describe });
    return { ledger: createLedger(TABLE, call), integrations, executions };
  },
};

/** The states that take, look at, take over and return a lease have these Parameters. */
const table = { TableName: TABLE };
const key = (pipeline: string) => ({ ...table, Key: { pipeline: { S: pipeline } } });
const owner = { ExpressionAttributeNames: { '#owner': 'owner' } };
const taking = 'SET #owner = :me, since = :now ADD entered :one';
const values = (me: string) => ({ ':me': { S: me }, ':now': { S: NOW }, ':one': { N: '1' } });

const protocol = (integrations: Record<string, Integration>) => {
  const update = (input: object) => integrations['arn:aws:states:::dynamodb:updateItem']?.(input);
  return {
    take: (pipeline: string, me: string) =>
      update({
        ...key(pipeline),
        ...owner,
        UpdateExpression: taking,
        ConditionExpression: 'attribute_not_exists(#owner) OR #owner = :me',
        ExpressionAttributeValues: values(me),
      }),
    look: (pipeline: string) =>
      integrations['arn:aws:states:::dynamodb:getItem']?.({ ...key(pipeline), ConsistentRead: true }),
    takeOver: (pipeline: string, me: string, old: string) =>
      update({
        ...key(pipeline),
        ...owner,
        UpdateExpression: taking,
        ConditionExpression: '#owner = :old',
        ExpressionAttributeValues: { ...values(me), ':old': { S: old } },
      }),
    giveBack: (pipeline: string, me: string) =>
      update({
        ...key(pipeline),
        ...owner,
        UpdateExpression: 'REMOVE #owner, since ADD entered :one',
        ConditionExpression: '#owner = :me',
        ExpressionAttributeValues: { ':me': { S: me }, ':one': { N: '1' } },
      }),
  };
};

const NOT_MET = { name: 'DynamoDB.ConditionalCheckFailedException' };
const lost = (words: string) => ({ code: 'LEASE_LOST', message: expect.stringContaining(words) });

describe.each(Object.entries(places))('the ledger %s', (_, place) => {
  let { ledger, integrations, executions }: Place = memoryLedger();
  let pipeline = '';
  let lease: ReturnType<typeof protocol>;
  let made = 0;
  beforeEach(() => {
    ({ ledger, integrations, executions } = place());
    pipeline = `orders-${++made}`;
    lease = protocol(integrations);
  });

  it('knows nothing of a pipeline that nobody entered', async () => {
    expect(await ledger.read(pipeline)).toBeUndefined();
    await expect(ledger.check(pipeline, ME, 1)).rejects.toMatchObject(lost(pipeline));
    expect(await ledger.read(pipeline)).toBeUndefined();
  });

  it('lets the last one in change something, and nobody before', async () => {
    const first = await ledger.takeFencingToken(pipeline, ME);
    await ledger.check(pipeline, ME, first);
    const second = await ledger.takeFencingToken(pipeline, ME);
    expect(second).toBe(first + 1);
    await ledger.check(pipeline, ME, second);
    await expect(ledger.check(pipeline, ME, first)).rejects.toMatchObject(lost('later fencing token'));
    expect(await ledger.read(pipeline)).toEqual({ pipeline, entered: second });
  });

  it('lets nobody in while another execution holds the pipeline, and says which', async () => {
    const entered = await ledger.takeFencingToken(pipeline, ME);
    await lease.take(pipeline, OTHER);
    await expect(ledger.takeFencingToken(pipeline, ME)).rejects.toMatchObject({
      ...lost(`${OTHER} holds the pipeline ${pipeline} since ${NOW}`),
      retryable: false,
    });
    await expect(ledger.check(pipeline, ME, entered)).rejects.toMatchObject(lost(OTHER));
    await expect(ledger.check(pipeline, ME, entered + 1)).rejects.toMatchObject(lost(OTHER));
  });

  it('keeps report and manifest, and each by itself', async () => {
    const at = (updatedAt: string) => ({ updatedAt });
    expect(await ledger.write(pipeline, ME, { manifest: { name: 'A' }, report: [1], ...at('1') })).toBe(true);
    expect(await ledger.read(pipeline)).toEqual({
      pipeline,
      manifest: { name: 'A' },
      report: [1],
      updatedAt: '1',
    });
    await ledger.write(pipeline, ME, { report: { done: 'ä€😀' }, ...at('2') });
    expect(await ledger.read(pipeline)).toEqual({
      pipeline,
      manifest: { name: 'A' },
      report: { done: 'ä€😀' },
      updatedAt: '2',
    });
    await ledger.write(pipeline, ME, { manifest: null, report: null, ...at('3') });
    expect(await ledger.read(pipeline)).toEqual({ pipeline, report: null, updatedAt: '3' });
    const succeeded = { id: ME, startedAt: NOW };
    await ledger.write(pipeline, ME, { succeeded, ...at('4') });
    await ledger.write(pipeline, ME, { report: 'failed', ...at('5') });
    expect(await ledger.read(pipeline)).toEqual({ pipeline, report: 'failed', succeeded, updatedAt: '5' });
  });

  it('keeps nothing of somebody who no longer holds the pipeline', async () => {
    await lease.take(pipeline, OTHER);
    const before = await ledger.read(pipeline);
    const entry = { manifest: {}, report: {}, updatedAt: NOW };
    expect(await ledger.write(pipeline, ME, entry)).toBe(false);
    expect(await ledger.read(pipeline)).toEqual(before);
    expect(await ledger.write(pipeline, OTHER, entry)).toBe(true);
    expect(await ledger.read(pipeline)).toEqual({ ...before, ...entry });
  });

  it('names all pipelines, sorted, however many pages they fill', async () => {
    const names = Array.from({ length: 24 }, (_, i) => `${pipeline}-many-${String(i).padStart(2, '0')}`);
    const report = 'x'.repeat(60_000);
    for (const name of names.toReversed()) await ledger.write(name, ME, { report, updatedAt: NOW });
    const found = await ledger.names();
    expect(found).toEqual([...found].sort());
    expect(found.filter((name) => name.startsWith(`${pipeline}-many-`))).toEqual(names);
  });

  it('has a lease that is taken, kept, looked at and returned', async () => {
    const entered = await ledger.takeFencingToken(pipeline, ME);
    await lease.take(pipeline, ME);
    await expect(ledger.check(pipeline, ME, entered)).rejects.toMatchObject(lost('later fencing token'));
    const mine = await ledger.takeFencingToken(pipeline, ME);
    // The answer to a take may be lost: the execution takes again what is its own, and its steps enter anew.
    await lease.take(pipeline, ME);
    expect(await ledger.read(pipeline)).toEqual({ pipeline, owner: ME, since: NOW, entered: mine + 1 });
    expect(await lease.look(pipeline)).toMatchObject({
      Item: { pipeline: { S: pipeline }, owner: { S: ME }, since: { S: NOW }, entered: { N: `${mine + 1}` } },
    });
    await expect(lease.take(pipeline, OTHER)).rejects.toMatchObject(NOT_MET);
    await expect(lease.giveBack(pipeline, OTHER)).rejects.toMatchObject(NOT_MET);
    const last = await ledger.takeFencingToken(pipeline, ME);
    await lease.giveBack(pipeline, ME);
    // A step that is still at work after the lease was returned.
    await expect(ledger.check(pipeline, ME, last)).rejects.toMatchObject(lost('later fencing token'));
    expect(await ledger.read(pipeline)).toEqual({ pipeline, entered: last + 1 });
    await expect(lease.giveBack(pipeline, ME)).rejects.toMatchObject(NOT_MET);
    await lease.take(pipeline, OTHER);
  });

  it('is taken over from the one who was looked at, and from nobody else', async () => {
    await lease.take(pipeline, OTHER);
    const entered = await ledger.takeFencingToken(pipeline, OTHER);
    await lease.takeOver(pipeline, ME, OTHER);
    await expect(ledger.check(pipeline, OTHER, entered)).rejects.toMatchObject(lost(ME));
    await expect(lease.takeOver(pipeline, OTHER, OTHER)).rejects.toMatchObject(NOT_MET);
    await lease.giveBack(pipeline, ME);
    await expect(lease.takeOver(pipeline, OTHER, ME)).rejects.toMatchObject(NOT_MET);
    // Who takes the lease, takes it over or returns it counts as well.
    expect(await ledger.read(pipeline)).toEqual({ pipeline, entered: entered + 2 });
  });

  it('goes to one of many who ask at once', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => lease.take(pipeline, `${ME}${i}`)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const numbers = await Promise.all(
      Array.from({ length: 8 }, () => ledger.takeFencingToken(`${pipeline}-free`, ME)),
    );
    expect(new Set(numbers).size).toBe(8);
  });

  it.each([
    ['a value nothing mentions', { ExpressionAttributeValues: { ...values(ME), ':old': { S: 'x' } } }],
    ['a name nothing mentions', { ExpressionAttributeNames: { '#owner': 'owner', '#since': 'since' } }],
    ['a value there is not', { ConditionExpression: '#owner = :old' }],
    ["a word of DynamoDB's own", { ConditionExpression: 'owner = :me' }],
    ['half a condition', { ConditionExpression: '#owner = :me OR' }],
    ['an unknown action', { UpdateExpression: 'PUT #owner = :me' }],
  ])('refuses %s', async (_, wrong) => {
    const take = {
      ...key(pipeline),
      ...owner,
      UpdateExpression: taking,
      ExpressionAttributeValues: values(ME),
    };
    const updateItem = integrations['arn:aws:states:::dynamodb:updateItem'];
    await expect(updateItem?.({ ...take, ...wrong })).rejects.toMatchObject({
      name: 'DynamoDB.AmazonDynamoDBException',
    });
    await expect(updateItem?.({ ...take, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })).rejects.toThrow(
      'not supported by Step Functions',
    );
    expect(await ledger.read(pipeline)).toBeUndefined();
    // AND binds closer than OR, and parentheses closer than both.
    const condition = '(attribute_not_exists(#owner) OR #owner = :me) AND attribute_exists(since)';
    await expect(updateItem?.({ ...take, ConditionExpression: condition })).rejects.toMatchObject(NOT_MET);
    const loose = 'attribute_not_exists(#owner) OR #owner = :me AND attribute_exists(since)';
    await updateItem?.({ ...take, ConditionExpression: loose });
  });

  it('says what an execution does that holds a lease, to a state machine that asks', async () => {
    const definition = {
      StartAt: 'take',
      States: {
        take: {
          Type: 'Task',
          Resource: 'arn:aws:states:::dynamodb:updateItem',
          Parameters: {
            TableName: { Ref: 'PipelineTable' },
            Key: { pipeline: { 'S.$': '$.pipeline' } },
            ...owner,
            UpdateExpression: taking,
            ConditionExpression: 'attribute_not_exists(#owner) OR #owner = :me',
            ExpressionAttributeValues: {
              ':me': { 'S.$': '$$.Execution.Id' },
              ':now': { 'S.$': '$$.Execution.StartTime' },
              ':one': { N: '1' },
            },
          },
          ResultPath: null,
          Catch: [
            {
              ErrorEquals: ['DynamoDB.ConditionalCheckFailedException'],
              ResultPath: '$.error',
              Next: 'look',
            },
          ],
          Next: 'taken',
        },
        taken: { Type: 'Pass', Result: 'taken', End: true },
        look: {
          Type: 'Task',
          Resource: 'arn:aws:states:::dynamodb:getItem',
          Parameters: {
            TableName: { Ref: 'PipelineTable' },
            Key: { pipeline: { 'S.$': '$.pipeline' } },
            ProjectionExpression: '#owner',
            ...owner,
            ConsistentRead: true,
          },
          ResultPath: '$.lease',
          Next: 'ask',
        },
        ask: {
          Type: 'Task',
          Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
          Parameters: { 'ExecutionArn.$': '$.lease.Item.owner.S' },
          OutputPath: '$.Status',
          Catch: [{ ErrorEquals: ['Sfn.ExecutionDoesNotExistException'], Next: 'gone' }],
          End: true,
        },
        gone: { Type: 'Pass', Result: 'gone', End: true },
      },
    };
    const run = (executionName: string, refs: Record<string, string> = { PipelineTable: TABLE }) =>
      runStateMachine({
        definition,
        input: { pipeline },
        executionName,
        integrations,
        refs,
        tasks: () => Promise.reject(new Error('there is no function')),
      });
    expect(await run('first')).toMatchObject({ output: 'taken' });
    expect(await run('first')).toMatchObject({ output: 'taken' });
    const { owner: first = '' } = (await ledger.read(pipeline)) ?? {};
    expect(first).toMatch(/:execution:local:first$/);
    expect(await run('second')).toMatchObject({ output: 'gone' });
    executions.running(first);
    expect(await run('second')).toMatchObject({ output: 'RUNNING' });
    executions.ended(first, 'ABORTED');
    expect(await run('second')).toMatchObject({ output: 'ABORTED' });
    await expect(run('third', {})).rejects.toMatchObject({ name: 'DefinitionError' });
    expect(await run('third', { PipelineTable: 'penstock-no-table' })).toMatchObject({
      status: 'FAILED',
      error: 'DynamoDB.ResourceNotFoundException',
    });
  });
});

describe('the ledger', () => {
  it('says what is missing where no table is configured', async () => {
    const ledger = createLedger(undefined, call);
    const missing = { code: 'SETTINGS_INVALID', message: expect.stringContaining('PENSTOCK_TABLE') };
    await expect(ledger.takeFencingToken('orders', ME)).rejects.toMatchObject(missing);
    await expect(ledger.check('orders', ME, 1)).rejects.toMatchObject(missing);
    await expect(ledger.write('orders', ME, { report: {}, updatedAt: NOW })).rejects.toMatchObject(missing);
    await expect(ledger.read('orders')).rejects.toMatchObject(missing);
    await expect(ledger.names()).rejects.toMatchObject(missing);
  });

  it('says what was being done where DynamoDB refuses, or is not there', async () => {
    const elsewhere = createLedger('penstock-no-table', call);
    await expect(elsewhere.takeFencingToken('orders', ME)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
      message: expect.stringContaining(
        'taking a fencing token of the pipeline orders: ResourceNotFoundException',
      ),
    });
    const large = { report: 'x'.repeat(410_000), updatedAt: NOW };
    // Said before DynamoDB would have to: what each may have is in lib/bounds.ts.
    await expect(createLedger(TABLE, call).write('large', ME, large)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
    const nobody = createTableCall(() => ({ ...access, endpoint: 'http://127.0.0.1:9' }));
    await expect(createLedger(TABLE, nobody).read('orders')).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      retryable: true,
    });
  });
});
