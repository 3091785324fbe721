// Which routes each stream has, in DynamoDB: an item for each stream, beside those of the pipelines.
import { randomUUID } from 'node:crypto';
import { checkBytes, MAX_ROUTES_BYTES } from '../bounds.ts';
import type { Routes } from '../runtime.ts';
import { conditionNotMet, type TableCall, tableName } from './dynamodb.ts';

/**
 * `{stream's name}#routes` holds the list as JSON, and a version that no two writes share. No pipeline's name contains
 * the `#`.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, `TOO_LARGE`, and `SETTINGS_INVALID` if the
 * table has no name
 */
export function createRoutes(table: string | undefined, call: TableCall): Routes {
  const keyOf = (stream: string) => ({ pipeline: { S: `${stream}#routes` } });
  const change = async (stream: string, operation: 'PutItem' | 'DeleteItem', input: object) => {
    try {
      const what = `writing the routes of the stream ${stream}`;
      await call(what, operation, {
        TableName: tableName(table, 'it names the table of the routes'),
        ...input,
      });
      return true;
    } catch (error) {
      if (conditionNotMet(error)) return false;
      throw error;
    }
  };
  return {
    async read(stream) {
      const input = {
        TableName: tableName(table, 'it names the table of the routes'),
        Key: keyOf(stream),
        ConsistentRead: true,
      };
      const { Item } = await call(`reading the routes of the stream ${stream}`, 'GetItem', input);
      return { value: parsedList(Item?.routes?.S), version: Item?.routesVersion?.S };
    },

    async write(stream, value, version) {
      const text = JSON.stringify(value);
      checkBytes(`the list of the routes of ${stream}`, text, MAX_ROUTES_BYTES);
      const Item = { ...keyOf(stream), routes: { S: text }, routesVersion: { S: randomUUID() } };
      return change(stream, 'PutItem', { Item, ...conditionOf(version) });
    },

    remove: async (stream, version) =>
      version === undefined || change(stream, 'DeleteItem', { Key: keyOf(stream), ...conditionOf(version) }),
  };
}

/** Nobody has written since that version. */
function conditionOf(version: string | undefined) {
  if (version === undefined) return { ConditionExpression: 'attribute_not_exists(routesVersion)' };
  return {
    ConditionExpression: 'routesVersion = :version',
    ExpressionAttributeValues: { ':version': { S: version } },
  };
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
