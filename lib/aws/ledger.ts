// The ledger in DynamoDB: one item per pipeline, with its lease, the last manifest and the last report.
import { checkBytes, MAX_IN_LEDGER_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';
import { checkVersion } from '../kept.ts';
import type { Ledger, LedgerEntry, LedgerRecord } from '../runtime.ts';
import { conditionNotMet, type TableCall, type TableItem, type TableValue, tableName } from './dynamodb.ts';

/**
 * Stands in a key behind a pipeline's name if the item is not the pipeline's own. No pipeline's name contains
 * it. A list of pipelines leaves such items out.
 */
export const PART = '#';

/**
 * The version of what an item holds; an item without one is of 0.1.0. The lease has no version: the state
 * machine takes it whatever the version is.
 */
const LEDGER_VERSION = 1;

/** The execution named `:me` holds the pipeline, or none does. `owner` is a reserved word of DynamoDB. */
const MINE = {
  ConditionExpression: 'attribute_not_exists(#owner) OR #owner = :me',
  ExpressionAttributeNames: { '#owner': 'owner' },
};

/**
 * The ledger in the table of this name.
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`; `SETTINGS_INVALID` if there is no
 * table's name.
 * @throws Failure `TOO_LARGE` from `write`, `NEWER_VERSION` from `read`
 */
export function createLedger(table: string | undefined, call: TableCall): Ledger {
  const at = (pipeline: string) => ({
    TableName: tableName(table, 'the ledger needs a table'),
    Key: { pipeline: { S: pipeline } },
  });

  return {
    async takeFencingToken(pipeline, owner) {
      const update = {
        ...at(pipeline),
        ...MINE,
        UpdateExpression: 'ADD entered :one',
        ExpressionAttributeValues: { ':me': { S: owner }, ':one': { N: '1' } },
        ReturnValues: 'UPDATED_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      };
      try {
        const { Attributes } = await call(
          `taking a fencing token of the pipeline ${pipeline}`,
          'UpdateItem',
          update,
        );
        return Number(Attributes?.entered?.N);
      } catch (error) {
        const cause = conditionNotMet(error);
        throw cause ? held(pipeline, cause.item, cause) : error;
      }
    },

    async check(pipeline, owner, fencingToken) {
      const { Item } = await call(`checking the lease of the pipeline ${pipeline}`, 'GetItem', {
        ...at(pipeline),
        ProjectionExpression: '#owner, entered',
        ExpressionAttributeNames: MINE.ExpressionAttributeNames,
        ConsistentRead: true,
      });
      if (Item?.owner?.S !== undefined && Item.owner.S !== owner) throw held(pipeline, Item);
      if (Item?.entered?.N !== String(fencingToken)) throw overtaken(pipeline);
    },

    async write(pipeline, owner, entry) {
      const update = { ...at(pipeline), ...keeping(pipeline, owner, entry) };
      try {
        await call(`writing to the ledger of the pipeline ${pipeline}`, 'UpdateItem', update);
        return true;
      } catch (error) {
        if (conditionNotMet(error)) return false;
        throw error;
      }
    },

    async read(pipeline) {
      const input = { ...at(pipeline), ConsistentRead: true };
      const { Item } = await call(`reading the ledger of the pipeline ${pipeline}`, 'GetItem', input);
      if (Item === undefined) return undefined;
      const version = Number(Item.version?.N ?? LEDGER_VERSION);
      checkVersion(`what the ledger keeps of the pipeline ${pipeline}`, { version }, LEDGER_VERSION);
      return ledgerRecord(pipeline, Item);
    },

    // A scan reads whole items, also those of reconcile, and costs a read unit for each 8 KB. A thousand
    // failed batches of a pipeline have 22 KB. A query would need an index, and each write would pay for it.
    async names() {
      const names: string[] = [];
      let after: TableItem | undefined;
      do {
        const page = await call('listing the pipelines in the ledger', 'Scan', {
          TableName: tableName(table, 'the ledger needs a table'),
          ProjectionExpression: 'pipeline',
          ...(after && { ExclusiveStartKey: after }),
        });
        for (const { pipeline } of page.Items ?? [])
          if (pipeline?.S !== undefined && !pipeline.S.includes(PART)) names.push(pipeline.S);
        after = page.LastEvaluatedKey;
      } while (after !== undefined);
      return names.sort();
    },
  };
}

function held(pipeline: string, item: TableItem | undefined, cause?: unknown): Failure {
  const { owner, since } = item ?? {};
  const holder = owner?.S ?? 'another execution';
  const when = since?.S === undefined ? '' : ` since ${since.S}`;
  return new Failure('LEASE_LOST', `${holder} holds the pipeline ${pipeline}${when}`, { cause });
}

function overtaken(pipeline: string): Failure {
  return new Failure(
    'LEASE_LOST',
    `another step has taken a later fencing token of the pipeline ${pipeline}`,
  );
}

/** The update that writes an entry, on condition that no other execution holds the pipeline. */
function keeping(
  pipeline: string,
  owner: string,
  { manifest, known, report, succeeded, updatedAt }: LedgerEntry,
) {
  const json = (name: keyof typeof MAX_IN_LEDGER_BYTES, value: unknown): TableValue => {
    const text = JSON.stringify(value) ?? 'null';
    checkBytes(`the ${name} of the pipeline ${pipeline}`, text, MAX_IN_LEDGER_BYTES[name]);
    return { S: text };
  };
  const set = ['updatedAt = :at', '#version = :version'];
  const values: Record<string, TableValue> = {
    ':me': { S: owner },
    ':at': { S: updatedAt },
    ':version': { N: String(LEDGER_VERSION) },
  };
  if (report !== undefined) {
    set.push('report = :report');
    values[':report'] = json('report', report);
  }
  if (manifest !== undefined && manifest !== null) {
    set.push('manifest = :manifest');
    values[':manifest'] = json('manifest', manifest);
  }
  if (known !== undefined) {
    set.push('known = :known');
    values[':known'] = json('known', known);
  }
  if (succeeded !== undefined) {
    set.push('succeeded = :succeeded');
    values[':succeeded'] = json('succeeded', succeeded);
  }
  return {
    // What a newer version keeps is never overwritten.
    ConditionExpression: `(${MINE.ConditionExpression}) AND (attribute_not_exists(#version) OR #version = :version)`,
    ExpressionAttributeNames: { ...MINE.ExpressionAttributeNames, '#version': 'version' },
    UpdateExpression: `SET ${set.join(', ')}${manifest === null ? ' REMOVE manifest' : ''}`,
    ExpressionAttributeValues: values,
  };
}

function ledgerRecord(
  pipeline: string,
  { owner, since, entered, manifest, known, report, succeeded, updatedAt }: TableItem,
): LedgerRecord {
  return {
    pipeline,
    ...(owner?.S !== undefined && { owner: owner.S }),
    ...(since?.S !== undefined && { since: since.S }),
    ...(entered?.N !== undefined && { entered: Number(entered.N) }),
    ...(manifest?.S !== undefined && { manifest: JSON.parse(manifest.S) as unknown }),
    ...(known?.S !== undefined && { known: JSON.parse(known.S) as unknown }),
    ...(report?.S !== undefined && { report: JSON.parse(report.S) as unknown }),
    ...(succeeded?.S !== undefined && { succeeded: JSON.parse(succeeded.S) as unknown }),
    ...(updatedAt?.S !== undefined && { updatedAt: updatedAt.S }),
  };
}
