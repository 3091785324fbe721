// The marks and outages of a shard's routes, in DynamoDB: an item for each shard that has any, beside those of the
// pipelines.
import { type Clock, systemClock } from '../aep/transport.ts';
import type { Mark, Marks, Outage, ShardName } from '../runtime.ts';
import { conditionNotMet, type TableCall, type TableValue, tableName } from './dynamodb.ts';

/** Far longer than the trigger keeps a record waiting. DynamoDB removes the item itself, some time after that. */
const MARK_DAYS = 8;

/** Stand before a pipeline's name in the name of an attribute: no other attribute begins with one. */
const PREFIX = 'mark ';
const OUTAGE = 'outage ';

/**
 * `{stream's name}#{shard}#marks` has attributes for each route. No pipeline's name contains the `#`.
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
  const expires = () => ({ N: String(Math.round(clock.now() / 1_000) + MARK_DAYS * 86_400) });
  const set = (shard: ShardName, name: string, member: TableValue['M']) =>
    call(what(shard), 'UpdateItem', {
      ...at(shard),
      UpdateExpression: 'SET #member = :member, expires = :expires',
      ExpressionAttributeNames: { '#member': name },
      ExpressionAttributeValues: { ':member': { M: member }, ':expires': expires() },
    });
  const remove = async (shard: ShardName, members: readonly string[]) => {
    if (members.length === 0) return;
    const names = members.map((name, index) => [`#m${index}`, name] as const);
    await call(what(shard), 'UpdateItem', {
      ...at(shard),
      UpdateExpression: `REMOVE ${names.map(([name]) => name).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names),
    });
  };
  return {
    async read(shard) {
      const { Item = {} } = await call(what(shard), 'GetItem', { ...at(shard), ConsistentRead: true });
      return { marks: membersIn(Item, PREFIX, markIn), outages: membersIn(Item, OUTAGE, outageIn) };
    },

    async write(shard, pipeline, { datasetId, through, keys }) {
      const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString('base64');
      const mark = { datasetId: { S: datasetId }, through: { S: through }, keys: { B: bytes } };
      await set(shard, PREFIX + pipeline, mark);
    },

    clear: (shard, pipelines) =>
      remove(
        shard,
        pipelines.map((pipeline) => PREFIX + pipeline),
      ),

    async outage(shard, pipeline, { since, waiting, parkedSince }) {
      const member = {
        since: { N: String(since) },
        ...(waiting && { from: { S: waiting.from }, through: { S: waiting.through } }),
        ...(parkedSince !== undefined && { parkedSince: { N: String(parkedSince) } }),
      };
      await set(shard, OUTAGE + pipeline, member);
    },

    async outageLasts(shard, pipeline) {
      try {
        await call(what(shard), 'UpdateItem', {
          ...at(shard),
          UpdateExpression: 'SET expires = :expires',
          ConditionExpression: 'attribute_exists(#outage)',
          ExpressionAttributeNames: { '#outage': OUTAGE + pipeline },
          ExpressionAttributeValues: { ':expires': expires() },
        });
        return true;
      } catch (error) {
        if (conditionNotMet(error)) return false;
        throw error;
      }
    },

    outageEnded: (shard, pipeline) => remove(shard, [OUTAGE + pipeline]),
  };
}

/** By pipeline, the members whose names begin so. */
function membersIn<T>(
  item: Readonly<Record<string, TableValue>>,
  prefix: string,
  read: (value: TableValue) => T | undefined,
): ReadonlyMap<string, T> {
  return new Map(
    Object.entries(item).flatMap(([name, value]) => {
      const member = name.startsWith(prefix) ? read(value) : undefined;
      return member === undefined ? [] : [[name.slice(prefix.length), member] as const];
    }),
  );
}

/** One that cannot be understood counts as none: nothing more is parked. */
function outageIn({ M: { since, from, through, parkedSince } = {} }: TableValue): Outage | undefined {
  const [began, parked] = [Number(since?.N), Number(parkedSince?.N)];
  if (!Number.isFinite(began)) return undefined;
  const isWhole = isSequenceNumber(from?.S) && isSequenceNumber(through?.S);
  return {
    since: began,
    ...(isWhole && { waiting: { from: from.S, through: through.S } }),
    ...(Number.isFinite(parked) && { parkedSince: parked }),
  };
}

function isSequenceNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,128}$/.test(text);
}

/** One that cannot be understood counts as none: its records are sent once more. */
function markIn({ M: { datasetId, through, keys } = {} }: TableValue): Mark | undefined {
  if (datasetId?.S === undefined || keys?.B === undefined || !isSequenceNumber(through?.S)) return undefined;
  return { datasetId: datasetId.S, through: through.S, keys: Buffer.from(keys.B, 'base64') };
}
