// The marks of a shard's routes, in DynamoDB: an item for each shard that has any, beside those of the pipelines.
import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../aep/transport.ts';
import { Failure } from '../failure.ts';
import type { Mark, Marks, ShardName } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall } from './failure.ts';
import { type DynamoDb, PART } from './ledger.ts';

/** Far longer than the trigger keeps a record waiting. DynamoDB removes the item itself, some time after that. */
const MARK_DAYS = 8;

/** Stands before a pipeline's name in the name of an attribute: no other attribute begins with it. */
const PREFIX = 'mark ';

/**
 * `{stream's name}#{shard}#marks` has an attribute for each route.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, and `SETTINGS_INVALID` if the table has no name
 */
export function createMarks(
  table: string | undefined,
  given?: DynamoDb,
  clock: Pick<Clock, 'now'> = systemClock,
): Marks {
  // Most streams have one route, and need none.
  let made = given;
  const client = () => {
    made ??= createClient();
    return made;
  };
  const at = ({ stream, shardId }: ShardName) => ({
    TableName: tableName(table),
    Key: { pipeline: { S: `${stream}${PART}${shardId}${PART}marks` } },
  });
  const what = ({ stream, shardId }: ShardName) => `the marks of ${shardId} of the stream ${stream}`;
  return {
    read: (shard) =>
      awsCall(what(shard), async () => {
        const { Item = {} } = await client().send(new GetItemCommand({ ...at(shard), ConsistentRead: true }));
        return new Map(
          Object.entries(Item).flatMap(([name, value]) => {
            const mark = name.startsWith(PREFIX) ? markIn(value) : undefined;
            return mark === undefined ? [] : [[name.slice(PREFIX.length), mark] as const];
          }),
        );
      }),

    write: (shard, pipeline, { datasetId, through, keys }) =>
      awsCall(what(shard), async () => {
        const expires = Math.round(clock.now() / 1_000) + MARK_DAYS * 86_400;
        await client().send(
          new UpdateItemCommand({
            ...at(shard),
            UpdateExpression: 'SET #mark = :mark, expires = :expires',
            ExpressionAttributeNames: { '#mark': PREFIX + pipeline },
            ExpressionAttributeValues: {
              ':mark': { M: { datasetId: { S: datasetId }, through: { S: through }, keys: { B: keys } } },
              ':expires': { N: String(expires) },
            },
          }),
        );
      }),

    clear: (shard, pipelines) =>
      awsCall(what(shard), async () => {
        if (pipelines.length === 0) return;
        const names = pipelines.map((pipeline, index) => [`#m${index}`, PREFIX + pipeline] as const);
        await client().send(
          new UpdateItemCommand({
            ...at(shard),
            UpdateExpression: `REMOVE ${names.map(([name]) => name).join(', ')}`,
            ExpressionAttributeNames: Object.fromEntries(names),
          }),
        );
      }),
  };
}

function markIn(value: AttributeValue): Mark | undefined {
  const { datasetId, through, keys } = value.M ?? {};
  if (datasetId?.S === undefined || through?.S === undefined || keys?.B === undefined) return undefined;
  return /^\d{1,128}$/.test(through.S)
    ? { datasetId: datasetId.S, through: through.S, keys: keys.B }
    : undefined;
}

/** An invocation waits for them, so they may not take long. */
function createClient(): DynamoDBClient {
  return limited((config) => new DynamoDBClient(config), { connectMs: 1_000, answerMs: 2_000 });
}

function tableName(table: string | undefined): string {
  if (table !== undefined) return table;
  throw new Failure('SETTINGS_INVALID', 'PENSTOCK_TABLE is not set: it names the table of the marks');
}
