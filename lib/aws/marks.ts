// The marks of a shard's routes, in DynamoDB: an item for each shard that has any, beside those of the pipelines.
import { type Clock, systemClock } from '../aep/transport.ts';
import type { Mark, Marks, ShardName } from '../runtime.ts';
import { type TableCall, type TableValue, tableName } from './dynamodb.ts';

/** Far longer than the trigger keeps a record waiting. DynamoDB removes the item itself, some time after that. */
const MARK_DAYS = 8;

/** Stands before a pipeline's name in the name of an attribute: no other attribute begins with it. */
const PREFIX = 'mark ';

/**
 * `{stream's name}#{shard}#marks` has an attribute for each route. No pipeline's name contains the `#`.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, and `SETTINGS_INVALID` if the table has no name
 */
export function createMarks(
  table: string | undefined,
  call: TableCall,
  clock: Pick<Clock, 'now'> = systemClock,
): Marks {
  const at = ({ stream, shardId }: ShardName) => ({
    TableName: tableName(table, 'it names the table of the marks'),
    Key: { pipeline: { S: `${stream}#${shardId}#marks` } },
  });
  const what = ({ stream, shardId }: ShardName) => `the marks of ${shardId} of the stream ${stream}`;
  return {
    async read(shard) {
      const { Item = {} } = await call(what(shard), 'GetItem', { ...at(shard), ConsistentRead: true });
      return new Map(
        Object.entries(Item).flatMap(([name, value]) => {
          const mark = name.startsWith(PREFIX) ? markIn(value) : undefined;
          return mark === undefined ? [] : [[name.slice(PREFIX.length), mark] as const];
        }),
      );
    },

    async write(shard, pipeline, { datasetId, through, keys }) {
      const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString('base64');
      const mark = { datasetId: { S: datasetId }, through: { S: through }, keys: { B: bytes } };
      const expires = Math.round(clock.now() / 1_000) + MARK_DAYS * 86_400;
      await call(what(shard), 'UpdateItem', {
        ...at(shard),
        UpdateExpression: 'SET #mark = :mark, expires = :expires',
        ExpressionAttributeNames: { '#mark': PREFIX + pipeline },
        ExpressionAttributeValues: { ':mark': { M: mark }, ':expires': { N: String(expires) } },
      });
    },

    async clear(shard, pipelines) {
      if (pipelines.length === 0) return;
      const names = pipelines.map((pipeline, index) => [`#m${index}`, PREFIX + pipeline] as const);
      await call(what(shard), 'UpdateItem', {
        ...at(shard),
        UpdateExpression: `REMOVE ${names.map(([name]) => name).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(names),
      });
    },
  };
}

/** One that cannot be understood counts as none: its records are sent once more. */
function markIn({ M: { datasetId, through, keys } = {} }: TableValue): Mark | undefined {
  if (datasetId?.S === undefined || through?.S === undefined || keys?.B === undefined) return undefined;
  if (!/^\d{1,128}$/.test(through.S)) return undefined;
  return { datasetId: datasetId.S, through: through.S, keys: Buffer.from(keys.B, 'base64') };
}
