// What a record of the stream holds: one JSON object, or several messages in one of these formats.
import {
  avro,
  avroInFile,
  checkSchemaFormat,
  protobuf,
  protobufInFile,
  withoutFile,
} from './schema-formats.ts';
import { allowing, leanObject as object } from './strict-object.ts';
import * as z from './zod.ts';

/** The most columns of a row. */
export const MAX_COLUMNS = 1_000;

const listPointer = z
  .string()
  .check(z.maxLength(500), z.regex(/^(\/([^~/]|~[01])*)+$/, 'expected a JSON Pointer such as /events'));

/** Where the list of messages is, for the formats of JSON. */
const listOptions = {
  items: z
    .optional(listPointer)
    .check(
      z.describe(
        'JSON Pointer of the list of messages in an object. Left out: the text itself is the list, or a message.',
      ),
    ),
  envelope: z
    .optional(z.array(listPointer).check(z.minLength(1), z.maxLength(50)))
    .check(
      z.describe(
        'JSON Pointers of fields outside the list. Each message gets them under their last names, unless it has such a field.',
      ),
    ),
};

const jsonLines = object({
  kind: z.literal('json-lines').check(z.describe('`json-lines`: a JSON text on each line (NDJSON).')),
  ...listOptions,
});

const jsonArray = object({
  kind: z.literal('json-array').check(z.describe('`json-array`: one JSON text, which is or has a list.')),
  ...listOptions,
});

const jsonSequence = object({
  kind: z
    .literal('json-sequence')
    .check(
      z.describe('`json-sequence`: JSON texts one after the other, also with the separator of RFC 7464.'),
    ),
  ...listOptions,
});

const cloudWatchLogs = object({
  kind: z
    .literal('cloudwatch-logs')
    .check(
      z.describe(
        '`cloudwatch-logs`: what a CloudWatch Logs subscription writes. Each log event is a message. It is unpacked without `compression`.',
      ),
    ),
  message: z
    .optional(z.literal('json'))
    .check(z.describe('`json`: a message that is the text of a JSON object becomes that object.')),
});

const cloudEvents = object({
  kind: z
    .literal('cloudevents')
    .check(
      z.describe(
        "`cloudevents`: CloudEvents in structured mode, one or a batch. Its `data` is sent, also from `data_base64`, with the event's id and time.",
      ),
    ),
});

const dynamoDbKind = z
  .literal('dynamodb')
  .check(
    z.describe(
      '`dynamodb`: what Kinesis Data Streams for DynamoDB writes. The item is sent as plain JSON, with all digits of its numbers.',
    ),
  );

const columnName = z.string().check(z.minLength(1), z.maxLength(200));

const column = z.union(
  [
    columnName,
    object({
      name: columnName,
      type: z
        .enum(['text', 'number', 'boolean', 'json'])
        .check(z.describe('What the value becomes. A row with any other value is rejected.')),
    }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'expected the name of a column, or {"name", "type"} with "text", "number", "boolean" or "json"'
        : undefined,
  },
);
/** A column with the type of its values. */
export type NamedColumn = Exclude<z.infer<typeof column>, string>;

const COLUMNS = 'expected "snowplow-enriched", or a list of the names of columns in their order';

/** What the columns of a table are called. */
const tableOptions = {
  columns: z
    .optional(
      z.union(
        [z.enum(['snowplow-enriched']), z.array(column).check(z.minLength(1), z.maxLength(MAX_COLUMNS))],
        { error: (issue) => (issue.code === 'invalid_union' ? COLUMNS : undefined) },
      ),
    )
    .check(
      z.describe(
        "Names of the columns in their order, or `snowplow-enriched` for those of Snowplow's enriched events. Left out: the header has them.",
      ),
    ),
  header: z
    .optional(z.boolean())
    .check(z.describe('Whether each record begins with a line that names the columns. Default: no.')),
};

const csv = object({
  kind: z.literal('csv').check(z.describe('`csv`: rows of RFC 4180. Each is a message.')),
  ...tableOptions,
});

const tsv = object({
  kind: z
    .literal('tsv')
    .check(z.describe('`tsv`: rows with tabs between the values, and no quotation marks.')),
  ...tableOptions,
});

/** The formats that take messages out of a record. The forwarder knows these. */
const WITHOUT_SCHEMA = [jsonLines, jsonArray, jsonSequence, cloudWatchLogs, csv, tsv, cloudEvents] as const;
const EXPANDING = [...WITHOUT_SCHEMA, avro, protobuf] as const;

const deletes = z
  .optional(z.enum(['apply', 'keep', 'drop']))
  .check(
    z.describe(
      'What becomes of a deletion. `keep` (the default): a reject with the reason `deletion`. `apply`: a deletion in Profile, which cannot be undone. `drop`: it is counted as filtered.',
    ),
  );

/** Change streams: of each change the row is sent. */
const CHANGE_STREAMS = [
  object({
    kind: z
      .literal('debezium')
      .check(
        z.describe(
          '`debezium`: change events of Debezium, with the schemas of its JSON converter or without.',
        ),
      ),
    deletes,
  }),
  object({
    kind: z.literal('dms').check(z.describe('`dms`: what AWS DMS writes. Control records are passed over.')),
    deletes,
  }),
  object({ kind: dynamoDbKind, deletes }),
] as const;

const eventBridge = object({
  kind: z
    .literal('eventbridge')
    .check(
      z.describe("`eventbridge`: events of EventBridge. `detail` is sent, with the event's id and time."),
    ),
});

/** The formats that a manifest can name besides: they stand for rules of `records`. */
const NAMED_RULES = [eventBridge, ...CHANGE_STREAMS] as const;

/** As it is published: with all of its options. */
export const PublishedFormat = z.discriminatedUnion('kind', [...EXPANDING, object({ kind: dynamoDbKind })]);
export type PublishedFormat = z.infer<typeof PublishedFormat>;

/** The formats that need no option, by name. `json` is one object in each record. */
const NAMES = [
  'json',
  'json-lines',
  'json-array',
  'json-sequence',
  'cloudwatch-logs',
  'cloudevents',
  'eventbridge',
  'debezium',
  'dms',
  'dynamodb',
] as const;

/** What a format may be. */
export const FORMAT_KINDS = [
  'json',
  ...[...EXPANDING, ...NAMED_RULES].map(({ shape }) => shape.kind.def.values[0] as string),
];
const EXPECTED = `expected ${FORMAT_KINDS.map((kind) => `"${kind}"`).join(', ')}, or {"kind"} of one of them with its options`;

const kinds = z.discriminatedUnion(
  'kind',
  [object({ kind: z.literal('json') }), ...WITHOUT_SCHEMA, avroInFile, protobufInFile, ...NAMED_RULES],
  { error: allowing(FORMAT_KINDS, (issue) => (issue.code === 'invalid_union' ? EXPECTED : undefined)) },
);

type NamedFormat = Extract<z.infer<typeof kinds>, { kind: (typeof NAMES)[number] }>;

const named = z.pipe(
  z.enum(NAMES),
  z.transform((kind): NamedFormat => ({ kind })),
);

/** What a format needs that its name alone does not say. */
const NEEDED: Readonly<Record<string, string>> = {
  csv: '"columns", "header" or both',
  tsv: '"columns", "header" or both',
  avro: '"schemaFile", "schema" or "schemaIn"',
  protobuf: '"message" and "schemaFile", or with "schemaIn"',
};
/** Other names of what there is. */
const OTHER_NAMES: Readonly<Record<string, string>> = { ndjson: 'json-lines', jsonl: 'json-lines' };

/** What to write in the place of a name; `undefined` for a name of nothing. */
function insteadOf(found: unknown): string | undefined {
  if (typeof found !== 'string') return undefined;
  const name = found.toLowerCase();
  if (Object.hasOwn(NEEDED, name)) return `expected {"kind": "${name}"} with ${NEEDED[name]}`;
  return Object.hasOwn(OTHER_NAMES, name) ? `expected "${OTHER_NAMES[name]}"` : undefined;
}

const unknownFormat = allowing(FORMAT_KINDS, (issue) =>
  issue.code === 'invalid_union' ? EXPECTED : undefined,
);

/** As a manifest has it: a name, or a kind with its options. A name is read as that kind. */
export const Format = z.union([named, kinds], {
  error: (issue) => insteadOf(issue.input) ?? unknownFormat(issue),
});
export type Format = z.infer<typeof Format>;
/** A change stream, with what becomes of its deletions. */
export type ChangeFormat = Extract<Format, { kind: 'debezium' | 'dms' | 'dynamodb' }>;

/** What the forwarder has to know of it; `undefined` where each record is one JSON object. */
export function publishedFormat(format: Format | undefined): PublishedFormat | undefined {
  switch (format?.kind) {
    case undefined:
    case 'json':
    case 'eventbridge':
    case 'debezium':
    case 'dms':
      return undefined;
    case 'dynamodb':
      return { kind: format.kind };
    case 'avro':
    case 'protobuf':
      return withoutFile(format);
    default:
      return format;
  }
}

type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** Rules between the options; `complain` gets paths below the format. */
export function checkFormat(format: Format, complain: Complain): void {
  if (format.kind === 'avro' || format.kind === 'protobuf') checkSchemaFormat(format, complain);
  if ('envelope' in format && format.envelope !== undefined) checkEnvelopeOf(format, complain);
  if (format.kind === 'csv' || format.kind === 'tsv') checkColumns(format, complain);
}

function checkEnvelopeOf(
  {
    items,
    envelope = [],
  }: { readonly items?: string | undefined; readonly envelope?: readonly string[] | undefined },
  complain: Complain,
): void {
  if (items === undefined)
    complain(['items'], 'required, because there is an envelope around the list', undefined);
  const names = envelope.map((one) => one.slice(one.lastIndexOf('/') + 1));
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      complain(['envelope', index], 'expected each last name once', envelope[index]);
    // Each message would get the whole list.
    if (`${items}/`.startsWith(`${envelope[index]}/`))
      complain(['envelope', index], 'expected a field outside the list', envelope[index]);
  });
}

type Table = Extract<PublishedFormat, { kind: 'csv' | 'tsv' }>;

function checkColumns({ columns, header }: Table, complain: Complain): void {
  if (columns === undefined && header !== true)
    complain(['columns'], 'required, unless a header names the columns', undefined);
  if (!Array.isArray(columns)) return;
  const names = columns.map((one) => (typeof one === 'string' ? one : one.name));
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) complain(['columns', index], 'expected each column once', name);
  });
}
