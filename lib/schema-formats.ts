// The formats that need a schema, as a manifest has them and as they are published.
import { leanObject as object } from './strict-object.ts';
import * as z from './zod.ts';

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

export const avro = object(avroShape);
export const protobuf = object(protobufShape);

const file = z.string().check(z.minLength(1), z.maxLength(1_000));
const FILE = "In place of `schema`: its file, by its path from the manifest's own folder.";
/** As written beside a manifest: whoever reads the file puts the schema in the place of its path. */
export const avroInFile = object({ ...avroShape, schemaFile: z.optional(file).check(z.describe(FILE)) });
export const protobufInFile = object({
  ...protobufShape,
  schemaFile: z
    .optional(z.union([file, z.array(file).check(z.minLength(1), z.maxLength(MAX_SCHEMA_FILES))]))
    .check(z.describe(`${FILE} Several files in a list.`)),
});

/** As it is published: with its schema, where that is not found record by record. */
export type SchemaFormat = z.infer<typeof avro> | z.infer<typeof protobuf>;
type WrittenFormat = z.infer<typeof avroInFile> | z.infer<typeof protobufInFile>;

/** The format without what only a file has. */
export function withoutFile({ schemaFile: _, ...format }: WrittenFormat): SchemaFormat {
  return format as SchemaFormat;
}

type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** Rules between the options; `complain` gets paths below the format. */
export function checkSchemaFormat(format: WrittenFormat, complain: Complain): void {
  const { schema, schemaIn: place, schemaFile } = format;
  if ([schema, place, schemaFile].filter((one) => one !== undefined).length !== 1)
    complain([], 'expected one of schema, schemaFile and schemaIn', '…');
  else if (schemaFile !== undefined) {
    const why = "is read only where the manifest is a file: give the file's content as schema";
    complain(['schemaFile'], why, schemaFile);
  }
  if (format.kind === 'avro') return;
  if ((schema ?? schemaFile) !== undefined && format.message === undefined)
    complain(['message'], 'expected the name of a message of the schema, such as shop.Order', undefined);
  if (place !== undefined && format.message !== undefined)
    complain(['message'], 'not allowed with schemaIn: each record names its message', format.message);
}
