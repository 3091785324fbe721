// How far each pipeline has been reconciled, in DynamoDB: attributes of its item in the ledger's table.
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { Failure } from '../failure.ts';
import type { Progress } from '../runtime.ts';
import { limited } from './client.ts';
import { awsFailure } from './failure.ts';
import type { DynamoDb } from './ledger.ts';

/**
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, and `SETTINGS_INVALID` where there is no name
 */
export function createProgress(table: string | undefined, client: DynamoDb = createClient()): Progress {
  const at = (pipeline: string) => ({ TableName: nameOf(table), Key: { pipeline: { S: pipeline } } });
  return {
    async read(pipeline) {
      const command = new GetItemCommand({
        ...at(pipeline),
        ProjectionExpression: 'reconciled, reconciledVersion',
        ConsistentRead: true,
      });
      const { Item } = await attempt(pipeline, () => client.send(command));
      return { value: parsed(Item?.reconciled?.S), version: Number(Item?.reconciledVersion?.N ?? 0) };
    },

    async write(pipeline, value, version) {
      const command = new UpdateItemCommand({
        ...at(pipeline),
        UpdateExpression: 'SET reconciled = :value, reconciledVersion = :next',
        ConditionExpression:
          version === 0 ? 'attribute_not_exists(reconciledVersion)' : 'reconciledVersion = :version',
        ExpressionAttributeValues: {
          ':value': { S: JSON.stringify(value) },
          ':next': { N: String(version + 1) },
          ...(version !== 0 && { ':version': { N: String(version) } }),
        },
      });
      try {
        await attempt(pipeline, () => client.send(command));
        return true;
      } catch (error) {
        if ((error as Failure).cause instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}

function createClient(): DynamoDBClient {
  return limited((config) => new DynamoDBClient(config), { connectMs: 2_000, answerMs: 5_000 });
}

async function attempt<T>(pipeline: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw awsFailure(error, `how far the pipeline ${pipeline} is reconciled`);
  }
}

/** Damaged is like never written: everything is looked at again. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function nameOf(table: string | undefined): string {
  if (table !== undefined) return table;
  throw new Failure('SETTINGS_INVALID', 'PENSTOCK_TABLE is not set: nothing would say how far it has come');
}
