// What a record of the stream holds: one JSON object, or several messages in one of these formats.
import { allowing, leanObject as object } from './strict-object.ts';
import * as z from './zod.ts';

const jsonLines = object({
  kind: z
    .literal('json-lines')
    .check(z.describe('`json-lines`: a JSON object on each line (NDJSON). Each is a message.')),
});

/** The formats that take messages out of a record. The forwarder knows these. */
const EXPANDING = [jsonLines] as const;

/** As it is published: with all of its options. */
export const PublishedFormat = z.discriminatedUnion('kind', EXPANDING);
export type PublishedFormat = z.infer<typeof PublishedFormat>;

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
  [named, z.discriminatedUnion('kind', [object({ kind: z.literal('json') }), ...EXPANDING])],
  { error: allowing(KINDS, (issue) => (issue.code === 'invalid_union' ? EXPECTED : undefined)) },
);
export type Format = z.infer<typeof Format>;

/** What the forwarder has to know of it; `undefined` where each record is one JSON object. */
export function publishedFormat(format: Format | undefined): PublishedFormat | undefined {
  return format === undefined || format.kind === 'json' ? undefined : format;
}
