// What a record of the stream holds, told by the shape of the first ones.
import { unpack } from '../../lib/forward/read/unpack.ts';

/** Formats that init can tell; the manifest names them by these words. */
export type FormatName =
  | 'json-array'
  | 'json-sequence'
  | 'cloudevents'
  | 'eventbridge'
  | 'debezium'
  | 'dms'
  | 'dynamodb'
  | 'cloudwatch-logs'
  | 'json-lines';

/** What the first records show of all of them. */
export interface Looks {
  readonly format: FormatName | undefined;
  /** Whether they are packed by gzip, zlib or zstd. */
  readonly isPacked: boolean;
}

export function looksOf(records: readonly Buffer[]): Looks {
  const contents = records.map((bytes) => {
    const content = unpack(bytes, 'auto');
    return 'kind' in content ? bytes : content;
  });
  const packed = contents.filter((content, index) => content !== records[index]).length;
  const format = formatOf(contents);
  // Logs of CloudWatch are unpacked without being asked.
  return { format, isPacked: format !== 'cloudwatch-logs' && packed >= neededOf(records) };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Each is told by members that its specification demands. */
const SHAPES: readonly (readonly [FormatName, (record: Json) => boolean])[] = [
  // CloudEvents 1.0, "Required Attributes".
  [
    'cloudevents',
    (record) =>
      typeof record.specversion === 'string' &&
      typeof record.id === 'string' &&
      typeof record.source === 'string' &&
      typeof record.type === 'string',
  ],
  // AWS: "EventBridge event structure".
  [
    'eventbridge',
    (record) =>
      typeof record['detail-type'] === 'string' &&
      isObject(record.detail) &&
      typeof record.source === 'string',
  ],
  // AWS: DynamoDB API, "Record".
  ['dynamodb', (record) => typeof record.eventName === 'string' && isObject(record.dynamodb)],
  // AWS: "Using Amazon Kinesis Data Streams as a target for AWS DMS". Control records have a record-type.
  [
    'dms',
    (record) =>
      isObject(record.metadata) &&
      typeof record.metadata.operation === 'string' &&
      typeof record.metadata['record-type'] === 'string',
  ],
  // Debezium: "Change events". With the schemas of its JSON converter the event is in `payload`.
  ['debezium', (record) => isDebezium(record) || (isObject(record.payload) && isDebezium(record.payload))],
  // AWS: "Subscription filters" of CloudWatch Logs.
  [
    'cloudwatch-logs',
    (record) =>
      typeof record.messageType === 'string' && Array.isArray(record.logEvents) && 'logGroup' in record,
  ],
];

/** Where a message of the format says of what kind it is, or of which table: from the record's beginning. */
const KINDS: Readonly<Partial<Record<FormatName, readonly (readonly string[])[]>>> = {
  cloudevents: [['type']],
  eventbridge: [['detail-type']],
  debezium: ['table', 'collection'].flatMap((name) => [
    ['source', name],
    ['payload', 'source', name],
  ]),
  dms: [['metadata', 'table-name']],
  dynamodb: [['tableName']],
};

export interface Kind {
  readonly steps: readonly string[];
  readonly value: unknown;
}

/** The kind that a record of the format names; `undefined` where it has none, or is no JSON. */
export function kindIn(format: FormatName | undefined, record: Buffer): Kind | undefined {
  const all = format === undefined ? undefined : KINDS[format];
  if (all === undefined) return undefined;
  const content = unpack(record, 'auto');
  const value = valueIn(('kind' in content ? record : content).toString('utf8'));
  return all
    .map((steps) => ({ steps, value: valueBelow(value, steps) }))
    .find((one) => one.value !== undefined && one.value !== null);
}

function valueBelow(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce((here, step) => (isObject(here) ? here[step] : undefined), value);
}

function isDebezium(event: Json): boolean {
  return typeof event.op === 'string' && isObject(event.source) && ('after' in event || 'before' in event);
}

/** This part of the records must have the shape: heartbeats and tombstones have another. */
const MOST = 0.6;

/**
 * The format of these records; `undefined` where each is one object of the user's own, or nothing can be told.
 * @param records the first ones
 */
function formatOf(records: readonly Buffer[]): FormatName | undefined {
  const texts = records.map((bytes) => bytes.toString('utf8').trim());
  const values = texts.map(valueIn);
  const needed = neededOf(records);
  const enough = (test: (index: number) => boolean) =>
    texts.filter((_, index) => test(index)).length >= needed;
  for (const [name, test] of SHAPES) {
    const isOf = (value: unknown) => isObject(value) && test(value);
    if (enough((index) => isOf(values[index]))) return name;
  }
  if (enough((index) => isListOfObjects(values[index]))) return 'json-array';
  // No JSON by itself, but one text after the other.
  if (enough((index) => values[index] === undefined && isLines(texts[index] ?? ''))) return 'json-lines';
  if (enough((index) => values[index] === undefined && isSequence(texts[index] ?? '')))
    return 'json-sequence';
  return undefined;
}

function neededOf(records: readonly Buffer[]): number {
  return Math.max(1, Math.ceil(MOST * records.length));
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

/** Lines that are objects; a record in a file of lines has none, one from a stream may. */
function isLines(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 1 && lines.every((line) => isObject(valueIn(line)));
}

const SEPARATOR = '\u001e';

/** Objects without anything between them, or with the separator of RFC 7464. */
function isSequence(text: string): boolean {
  const parts = text.startsWith(SEPARATOR) ? text.split(SEPARATOR).slice(1) : text.split(/(?<=\})\s*(?=\{)/);
  if (parts.length < 2 && !text.startsWith(SEPARATOR)) return false;
  // A brace within a text can be divided wrongly: then this is told from the first object alone.
  return isObject(valueIn((parts[0] ?? '').trim())) && text.endsWith('}');
}
