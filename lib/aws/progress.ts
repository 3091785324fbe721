// How far each pipeline has been reconciled, in DynamoDB: small items beside the pipeline's own.
import { type Clock, systemClock } from '../aep/transport.ts';
import { checkBytes, MAX_PROGRESS_BYTES } from '../bounds.ts';
import type { Progress } from '../runtime.ts';
import { conditionNotMet, type TableCall, type TableValue, tableName } from './dynamodb.ts';
import { PART } from './ledger.ts';

/** A mark has 22 bytes: an item of them costs 22 write units at most, and is read in one call. */
const MAX_MARKS = 1_000;
/** Of one request. */
const MARKS_AT_ONCE = 100;
/** No run looks back further than 31 days. DynamoDB removes the items itself, some time after that. */
const KEPT_DAYS = 40;

/**
 * `{pipeline}#reconciled` is read and written as a whole. `{pipeline}#read#{day}#{n}` holds the marks of a day, in as
 * many items as they need.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, `TOO_LARGE`, and `SETTINGS_INVALID` if the
 * table has no name
 */
export function createProgress(
  table: string | undefined,
  call: TableCall,
  clock: Pick<Clock, 'now'> = systemClock,
): Progress {
  const at = (key: string) => ({
    TableName: tableName(table, 'it names the table of the progress'),
    Key: { pipeline: { S: key } },
  });
  const what = (pipeline: string) => `how far the pipeline ${pipeline} is reconciled`;
  const get = async (pipeline: string, key: string, projection: string) => {
    const input = { ...at(key), ProjectionExpression: projection, ConsistentRead: true };
    return (await call(what(pipeline), 'GetItem', input)).Item;
  };
  /** `false` if the condition does not hold. */
  const update = async (pipeline: string, key: string, change: ItemChange): Promise<boolean> => {
    try {
      await call(what(pipeline), 'UpdateItem', { ...at(key), ...change });
      return true;
    } catch (error) {
      if (conditionNotMet(error)) return false;
      throw error;
    }
  };
  const expires = () => ({ N: String(Math.round(clock.now() / 1_000) + KEPT_DAYS * 86_400) });
  const dayItem = (pipeline: string, day: string, n: number) =>
    `${pipeline}${PART}read${PART}${day}${PART}${n}`;
  /** The item of a day to which marks are added, as last seen: the real one is never before it. */
  const open = new Map<string, number>();

  return {
    async read(pipeline) {
      const item = await get(pipeline, `${pipeline}${PART}reconciled`, 'reconciled, reconciledVersion');
      return { value: parsedProgress(item?.reconciled?.S), version: Number(item?.reconciledVersion?.N ?? 0) };
    },

    async write(pipeline, value, version) {
      const text = JSON.stringify(value);
      checkBytes(what(pipeline), text, MAX_PROGRESS_BYTES);
      return update(pipeline, `${pipeline}${PART}reconciled`, {
        UpdateExpression: 'SET reconciled = :value, reconciledVersion = :next, expires = :expires',
        ConditionExpression:
          version === 0 ? 'attribute_not_exists(reconciledVersion)' : 'reconciledVersion = :version',
        ExpressionAttributeValues: {
          ':value': { S: text },
          ':next': { N: String(version + 1) },
          ':expires': expires(),
          ...(version !== 0 && { ':version': { N: String(version) } }),
        },
      });
    },

    async marks(pipeline, day) {
      const all = new Set<string>();
      open.delete(dayItem(pipeline, day, 0));
      for (let n = 0; ; n++) {
        const item = await get(pipeline, dayItem(pipeline, day, n), 'marks');
        if (item?.marks?.SS === undefined) return all;
        for (const mark of item.marks.SS) all.add(mark);
        open.set(dayItem(pipeline, day, 0), n);
      }
    },

    async mark(pipeline, day, marks) {
      const first = dayItem(pipeline, day, 0);
      for (let from = 0; from < marks.length; from += MARKS_AT_ONCE) {
        const some = marks.slice(from, from + MARKS_AT_ONCE);
        const added = (n: number) =>
          update(pipeline, dayItem(pipeline, day, n), {
            UpdateExpression: 'SET expires = :expires ADD marks :some',
            ConditionExpression: 'attribute_not_exists(marks) OR size(marks) <= :most',
            ExpressionAttributeValues: {
              ':some': { SS: some },
              ':most': { N: String(MAX_MARKS - some.length) },
              ':expires': expires(),
            },
          });
        let n = open.get(first) ?? 0;
        while (!(await added(n))) n++;
        open.set(first, n);
      }
    },

    old: async (pipeline) => (await get(pipeline, pipeline, 'reconciled'))?.reconciled?.S,

    async forgetOld(pipeline) {
      await update(pipeline, pipeline, {
        UpdateExpression: 'REMOVE reconciled, reconciledVersion',
        // An update would create a missing item.
        ConditionExpression: 'attribute_exists(reconciledVersion)',
      });
    },
  };
}

interface ItemChange {
  readonly UpdateExpression: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeValues?: Record<string, TableValue>;
}

/** A damaged item counts as missing: everything is looked at again. */
function parsedProgress(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
