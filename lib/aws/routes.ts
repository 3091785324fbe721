// Which routes each stream has, in DynamoDB: an item for each stream, beside those of the pipelines.
import { randomUUID } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { checkBytes, MAX_ROUTES_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';
import type { Routes } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall } from './failure.ts';
import { type DynamoDb, PART } from './ledger.ts';

/**
 * `{stream's name}#routes` holds the list as JSON, and a version that no two writes share.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, `TOO_LARGE`, and `SETTINGS_INVALID` if the
 * table has no name
 */
export function createRoutes(table: string | undefined, client: DynamoDb = createClient()): Routes {
  const keyOf = (stream: string) => ({
    TableName: tableName(table),
    Key: { pipeline: { S: `${stream}${PART}routes` } },
  });
  return {
    read: (stream) =>
      awsCall(`reading the routes of the stream ${stream}`, async () => {
        const { Item } = await client.send(new GetItemCommand({ ...keyOf(stream), ConsistentRead: true }));
        return { value: parsedList(Item?.routes?.S), version: Item?.routesVersion?.S };
      }),

    write: (stream, value, version) =>
      awsCall(`writing the routes of the stream ${stream}`, async () => {
        const { TableName, Key } = keyOf(stream);
        const condition =
          version === undefined
            ? { ConditionExpression: 'attribute_not_exists(routesVersion)' }
            : {
                ConditionExpression: 'routesVersion = :version',
                ExpressionAttributeValues: { ':version': { S: version } },
              };
        try {
          if (value === undefined) await client.send(new DeleteItemCommand({ TableName, Key, ...condition }));
          else {
            const text = JSON.stringify(value);
            checkBytes(`the routes of the stream ${stream}`, text, MAX_ROUTES_BYTES);
            const Item = { ...Key, routes: { S: text }, routesVersion: { S: randomUUID() } };
            await client.send(new PutItemCommand({ TableName, Item, ...condition }));
          }
          return true;
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return false;
          throw error;
        }
      }),
  };
}

/** Calls take milliseconds. */
function createClient(): DynamoDBClient {
  return limited((config) => new DynamoDBClient(config), { connectMs: 2_000, answerMs: 5_000 });
}

/** What is no JSON counts as there, and damaged: a list that seems missing would let two pipelines write. */
function parsedList(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function tableName(table: string | undefined): string {
  if (table !== undefined) return table;
  throw new Failure('SETTINGS_INVALID', 'PENSTOCK_TABLE is not set: it names the table of the routes');
}
