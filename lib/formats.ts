// What a record of the stream holds: one JSON object, or several messages in one of these formats.
import { MAX_RECORDS_BYTES } from './bounds.ts';
import { allowing, leanObject as object } from './strict-object.ts';
import * as z from './zod.ts';

const jsonLines = object({
  kind: z
    .literal('json-lines')
    .check(z.describe('`json-lines`: a JSON object on each line (NDJSON). Each is a message.')),
});

const MAX_SCHEMA_FILES = 20;

const schemaIn = "In place of `schema`: in Glue's Schema Registry, under the id in the record's header.";

const avroShape = {
  kind: z
    .literal('avro')
    .check(z.describe("`avro`: a record in Avro's binary encoding, or a whole object container file.")),
  schema: z
    .optional(
      z.union([
        z.string().check(z.minLength(1)),
        z.array(z.unknown()).check(z.minLength(1)),
        z.record(z.string(), z.unknown()),
      ]),
    )
    .check(z.describe('The schema that records are written by, as JSON or as a text.')),
  schemaIn: z
    .optional(z.enum(['container', 'glue']))
    .check(z.describe(`${schemaIn} \`container\`: in the record, which is an object container file.`)),
  unions: z
    .optional(z.literal('tagged'))
    .check(z.describe('`tagged`: a union becomes `{"name": value}`. Left out: the value alone.')),
};

const protobufShape = {
  kind: z.literal('protobuf').check(z.describe('`protobuf`: a record is one message.')),
  schema: z
    .optional(
      z.union([
        z.string().check(z.minLength(1)),
        z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(MAX_SCHEMA_FILES)),
      ]),
    )
    .check(z.describe('The text of the `.proto` file, or of several.')),
  message: z
    .optional(
      z.string().check(z.regex(/^\.?[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'expected a name such as shop.Order')),
    )
    .check(z.describe("The message's full name, such as `shop.Order`. Needed with `schema`.")),
  schemaIn: z.optional(z.literal('glue')).check(z.describe(schemaIn)),
};

const avro = object(avroShape);
const protobuf = object(protobufShape);

const file = z.string().check(z.minLength(1), z.maxLength(1_000));
const FILE = "In place of `schema`: its file, by its path from the manifest's own folder.";
/** As written beside a manifest: whoever reads the file puts the schema in the place of its path. */
const avroInFile = object({ ...avroShape, schemaFile: z.optional(file).check(z.describe(FILE)) });
const protobufInFile = object({
  ...protobufShape,
  schemaFile: z
    .optional(z.union([file, z.array(file).check(z.minLength(1), z.maxLength(MAX_SCHEMA_FILES))]))
    .check(z.describe(`${FILE} Several files in a list.`)),
});

/** The formats that take messages out of a record. The forwarder knows these. */
const EXPANDING = [jsonLines, avro, protobuf] as const;

/** As it is published: with all of its options. */
export const PublishedFormat = z.discriminatedUnion('kind', EXPANDING);
export type PublishedFormat = z.infer<typeof PublishedFormat>;
/** Those that need a schema. */
export type SchemaFormat = Extract<PublishedFormat, { kind: 'avro' | 'protobuf' }>;

/** The formats that need no option, by name. `json` is one object in each record. */
const NAMES = ['json', 'json-lines'] as const;

const KINDS = ['json', ...EXPANDING.map(({ shape }) => shape.kind.def.values[0] as string)];
const EXPECTED = `expected ${KINDS.map((kind) => `"${kind}"`).join(', ')}, or {"kind"} of one of them with its options`;

type NamedFormat = Extract<PublishedFormat, { kind: (typeof NAMES)[number] }> | { kind: 'json' };

const named = z.pipe(
  z.enum(NAMES),
  z.transform((kind): NamedFormat => ({ kind })),
);

/** As a manifest has it: a name, or a kind with its options. A name is read as that kind. */
export const Format = z.union(
  [
    named,
    z.discriminatedUnion('kind', [
      object({ kind: z.literal('json') }),
      jsonLines,
      avroInFile,
      protobufInFile,
    ]),
  ],
  { error: allowing(KINDS, (issue) => (issue.code === 'invalid_union' ? EXPECTED : undefined)) },
);
export type Format = z.infer<typeof Format>;

/** What the forwarder has to know of it; `undefined` where each record is one JSON object. */
export function publishedFormat(format: Format | undefined): PublishedFormat | undefined {
  if (format === undefined || format.kind === 'json') return undefined;
  if (format.kind !== 'avro' && format.kind !== 'protobuf') return format;
  const { schemaFile: _, ...published } = format;
  return published as SchemaFormat;
}

type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** Rules between the options; `complain` gets paths below them. `beside`: what is published with the format. */
export function checkFormat(format: Format, beside: unknown, complain: Complain): void {
  if (format.kind !== 'avro' && format.kind !== 'protobuf') return;
  const { schema, schemaIn: place, schemaFile } = format;
  if (schemaFile !== undefined) {
    const why = "is read only where the manifest is a file: give the file's content as schema";
    complain(['schemaFile'], why, schemaFile);
  } else if ((schema === undefined) === (place === undefined)) {
    complain([], 'expected one of schema, schemaFile and schemaIn', '…');
  }
  if (format.kind === 'protobuf' && (schema ?? schemaFile) !== undefined && format.message === undefined)
    complain(['message'], 'expected the name of a message of the schema, such as shop.Order', undefined);
  if (format.kind === 'protobuf' && place !== undefined && format.message !== undefined)
    complain(['message'], 'not allowed with schemaIn: each record names its message', format.message);
  const bytes = Buffer.byteLength(JSON.stringify([format, beside]));
  if (bytes > MAX_RECORDS_BYTES)
    complain([], `has ${bytes} bytes with records, as JSON; at most ${MAX_RECORDS_BYTES} are published`, '…');
}
