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

/** The formats that take messages out of a record. The forwarder knows these. */
const WITHOUT_SCHEMA = [jsonLines, jsonArray, jsonSequence, cloudWatchLogs] as const;
const EXPANDING = [...WITHOUT_SCHEMA, avro, protobuf] as const;

/** As it is published: with all of its options. */
export const PublishedFormat = z.discriminatedUnion('kind', EXPANDING);
export type PublishedFormat = z.infer<typeof PublishedFormat>;

/** The formats that need no option, by name. `json` is one object in each record. */
const NAMES = ['json', 'json-lines', 'json-array', 'json-sequence', 'cloudwatch-logs'] as const;

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
    z.discriminatedUnion(
      'kind',
      [object({ kind: z.literal('json') }), ...WITHOUT_SCHEMA, avroInFile, protobufInFile],
      {
        error: allowing(KINDS, (issue) => (issue.code === 'invalid_union' ? EXPECTED : undefined)),
      },
    ),
  ],
  { error: allowing(KINDS, (issue) => (issue.code === 'invalid_union' ? EXPECTED : undefined)) },
);
export type Format = z.infer<typeof Format>;

/** What the forwarder has to know of it; `undefined` where each record is one JSON object. */
export function publishedFormat(format: Format | undefined): PublishedFormat | undefined {
  if (format === undefined || format.kind === 'json') return undefined;
  return format.kind === 'avro' || format.kind === 'protobuf' ? withoutFile(format) : format;
}

type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** Rules between the options; `complain` gets paths below the format. */
export function checkFormat(format: Format, complain: Complain): void {
  if (format.kind === 'avro' || format.kind === 'protobuf') checkSchemaFormat(format, complain);
  if ('envelope' in format && format.envelope !== undefined) checkEnvelopeOf(format, complain);
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
  });
}
