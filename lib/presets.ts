// The rules of records that a format stands for: a manifest sees them, and overrides each by its own.
import type { ChangeFormat, Format } from './formats.ts';
import type { Condition, FieldCondition, Operation, Records } from './records.ts';

/** What of a manifest decides. */
interface Preset {
  readonly source: {
    readonly kind: string;
    readonly data: 'raw' | 'xdm';
    readonly format?: Format | undefined;
    readonly records?: Records | undefined;
  };
  readonly dataset: { readonly upsert?: boolean | undefined };
}

/**
 * The manifest with the rules of its format in `source.records`. What the manifest says itself stays, member by member.
 * A second time changes nothing.
 */
export function withPreset<M extends { readonly source: object; readonly dataset: Preset['dataset'] }>(
  manifest: M,
): M {
  const preset = presetOf(manifest as M & Preset);
  if (preset === undefined) return manifest;
  const { source } = manifest as M & Preset;
  return { ...manifest, source: { ...source, records: { ...preset, ...source.records } } };
}

/** `undefined` where the format stands for no rules. */
function presetOf({ source, dataset }: Preset): Records | undefined {
  const { format, data, kind } = source;
  if (kind !== 'inlet' || format === undefined) return undefined;
  switch (format.kind) {
    case 'eventbridge':
    case 'cloudevents':
      return eventPreset(EVENTS[format.kind]);
    case 'debezium':
    case 'dms':
    case 'dynamodb':
      // Only an upsert dataset applies operations; any other takes rows one after the other.
      return changePreset(CHANGES[format.kind], format, data === 'raw' && dataset.upsert === true);
    default:
      return undefined;
  }
}

/** Whether a format stands for rules of `source.records`. */
export function standsForRules(format: Format | undefined): boolean {
  return format !== undefined && (format.kind in CHANGES || format.kind in EVENTS);
}

/** What is sent of an event. AWS: "EventBridge event structure"; CloudEvents 1.0, "Event Data". */
const EVENTS = { eventbridge: '/detail', cloudevents: '/data' } as const;

/** Both have an id and a time beside it. */
function eventPreset(part: string): Records {
  return {
    select: part,
    derive: [
      { member: '_id', from: '/id' },
      { member: 'timestamp', from: '/time', as: 'iso' },
    ],
  };
}

/** How a change stream says what happened to a row. */
interface ChangeStream {
  /** Where the operation is; of several pointers one leads to it. */
  readonly operation: readonly string[];
  /** What leaves a row behind. */
  readonly writes: readonly string[];
  /** What its records are known by that tell of no row. Absent: it has none. */
  readonly control?: readonly Condition[];
  /** What deletes the row that is told. */
  readonly removal: string;
  /** What deletes rows that are not told. */
  readonly purges: readonly string[];
  /** The parts that may hold the row, the newest first. */
  readonly parts: readonly string[];
}

const CHANGES: Readonly<Record<ChangeFormat['kind'], ChangeStream>> = {
  /**
   * Debezium: "Data change events". With the JSON converter's schemas the event is in `payload`. `t` truncates a table.
   * Messages of the log have the operation `m`. Heartbeats, changes of the schema, and the beginnings and ends of
   * transactions have none. The time is in all of them by now; versions before 2 wrote some without it.
   */
  debezium: {
    operation: ['/payload/op', '/op'],
    writes: ['c', 'r', 'u'],
    control: [
      ...['/payload/op', '/op'].map((field) => ({
        any: [
          { field, exists: false },
          { field, equals: 'm' },
        ],
      })),
      {
        any: ['/payload', ''].flatMap((at): FieldCondition[] => [
          { field: `${at}/ts_ms`, exists: true },
          { field: `${at}/ddl`, exists: true },
          { field: `${at}/status`, oneOf: ['BEGIN', 'END'] },
        ]),
      },
    ],
    removal: 'd',
    purges: ['t'],
    parts: ['/payload/after', '/after', '/payload/before', '/before'],
  },
  /** AWS: "Using Amazon Kinesis Data Streams as a target for AWS DMS". Control records say so. */
  dms: {
    operation: ['/metadata/operation'],
    writes: ['load', 'insert', 'update'],
    control: [{ field: '/metadata/record-type', equals: 'control' }],
    removal: 'delete',
    purges: [],
    parts: ['/data', '/before-image'],
  },
  /** AWS: DynamoDB API, "Record". A stream of keys alone has neither image. */
  dynamodb: {
    operation: ['/eventName'],
    writes: ['INSERT', 'MODIFY'],
    removal: 'REMOVE',
    purges: [],
    parts: ['/dynamodb/NewImage', '/dynamodb/OldImage', '/dynamodb/Keys'],
  },
};

function changePreset(
  { operation, writes, control, removal, purges, parts }: ChangeStream,
  { deletes = 'keep' }: ChangeFormat,
  hasOperations: boolean,
): Records {
  const isApplied = deletes === 'apply' && hasOperations;
  // Nobody can say which profiles a truncated table had: that is never applied.
  const deletions = isApplied ? purges : [removal, ...purges];
  const merge = (name: string): [string, Operation] => [name, { data: 'merge' }];
  return {
    where: [oneOf(operation, [...writes, removal, ...purges])],
    ...(control !== undefined && { passOver: [...control] }),
    ...(deletions.length > 0 && {
      deletions: { where: [oneOf(operation, deletions)], are: deletes === 'drop' ? 'dropped' : 'kept' },
    }),
    ...(hasOperations && {
      operations: {
        field: operation.length === 1 ? (operation[0] as string) : [...operation],
        values: {
          ...Object.fromEntries(writes.map(merge)),
          ...(isApplied && { [removal]: { data: 'delete' as const } }),
        },
      },
    }),
    select: [...parts],
  };
}

function oneOf(fields: readonly string[], values: readonly string[]): Condition {
  const any = fields.map((field): FieldCondition => ({ field, oneOf: [...values] }));
  return any.length === 1 ? (any[0] as FieldCondition) : { any };
}

/** Rules between a format and the rest of its manifest, whose records have the format's rules by now. */
export function checkPreset(
  { source }: Preset,
  complain: (path: (string | number)[], message: string, input: unknown) => void,
): void {
  const { format, records, data } = source;
  if (format === undefined || !('deletes' in format) || format.deletes !== 'apply') return;
  if (records?.operations !== undefined) return;
  const what =
    data === 'xdm'
      ? 'source.data "raw", because a deletion is an operation of Data Prep'
      : 'dataset.profile and dataset.upsert true, because a deletion is applied to Profile alone';
  complain(['source', 'format', 'deletes'], `expected "keep" or "drop"; "apply" needs ${what}`, 'apply');
}
