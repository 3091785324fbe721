// The manifest: what a user asks for, one pipeline in one file, checked by schema.
import * as z from 'zod';
import { Failure } from './failure.ts';
import { mistakes } from './mistakes.ts';

/** Short names for Adobe's classes and field groups. Contract §2.2. */
export const CLASSES = {
  profile: 'https://ns.adobe.com/xdm/context/profile',
  experienceevent: 'https://ns.adobe.com/xdm/context/experienceevent',
} as const;

export const FIELD_GROUPS = {
  'profile-person-details': 'https://ns.adobe.com/xdm/context/profile-person-details',
  'profile-personal-details': 'https://ns.adobe.com/xdm/context/profile-personal-details',
  'profile-work-details': 'https://ns.adobe.com/xdm/context/profile-work-details',
  identitymap: 'https://ns.adobe.com/xdm/context/identitymap',
} as const;

/** Data Prep takes no longer calculated field. Contract §5.2. */
const LONGEST_EXPRESSION = 4_096;

/** An object that refuses keys it does not know, and says which it does. */
function object<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; allowed: ${Object.keys(shape).join(', ')}`
        : undefined,
  });
}

/** A name in AEP. Without what AEP's list filters read as "or", "anything", "not" and as comparisons. */
const resourceName = z
  .string()
  .min(1)
  .max(100)
  .regex(
    /^(?! )[^,*"\\!=<>~\p{C}]+(?<! )$/u,
    'expected a name without blanks around it and without , * " \\ ! = < > ~ and control characters',
  );

const URI = 'https://[^\\s"]+';

/** One of the short names, or a URI. */
const named = (names: object) => new RegExp(`^(${Object.keys(names).join('|')}|${URI})$`);

const schemaById = object({
  id: z
    .string()
    .regex(new RegExp(`^${URI}$`), 'expected an https URI such as https://ns.adobe.com/…')
    .describe('`$id` of an existing schema, which is used and never changed.'),
});

const schemaByParts = object({
  class: z
    .string()
    .regex(named(CLASSES), 'expected "profile", "experienceevent" or the $id of a class')
    .describe('XDM class: a short name or its `$id`.'),
  fieldGroups: z
    .array(
      z
        .string()
        .regex(
          named(FIELD_GROUPS),
          `expected ${Object.keys(FIELD_GROUPS).join(', ')} or the $id of a field group`,
        ),
    )
    .default([])
    .describe('Field groups: short names or `$id`s.'),
  title: resourceName.optional().describe('Default: `{name}-schema`. Unique in the organization.'),
  description: z.string().max(500).optional(),
});

const source = object({
  kind: z.literal('inlet').describe('`inlet`: an HTTP API inlet that Penstock feeds from a Kinesis stream.'),
  stream: z
    .string()
    .regex(
      /^([a-zA-Z0-9_.-]{1,128}|arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128})$/,
      'expected the name or the ARN of a Kinesis stream',
    )
    .describe('Name or ARN of the Kinesis stream.'),
  startAt: z
    .string()
    .regex(
      /^(now|earliest|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))$/,
      'expected "now", "earliest" or a time such as 2026-01-31T12:00:00Z',
    )
    .default('now')
    .describe('Where reading starts: when the pipeline was asked for, the oldest record kept, or a time.'),
  data: z
    .enum(['raw', 'xdm'])
    .describe('`raw`: any JSON object, mapped by the flow. `xdm`: each record is an XDM entity already.'),
  compression: z
    .enum(['none', 'gzip'])
    .default('none')
    .describe('Whether gzip is looked for in the records.'),
  authenticationRequired: z
    .boolean()
    .default(true)
    .describe("Whether the inlet wants a token. If not, whoever knows the inlet's URL can write."),
});

/** A destination in XDM. Keys, dots, and what Data Prep escapes. */
const destination = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\s.]+(\.[^\s.]+)*$/, 'expected an XDM path such as person.name.firstName');

const notBlank = z.string().regex(/\S/, 'expected something').max(LONGEST_EXPRESSION);

const mapping = z.union(
  [object({ source: notBlank, destination }), object({ expression: notBlank, destination })],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'expected {"source", "destination"} (a path in the record) or {"expression", "destination"} (a calculated field)'
        : undefined,
  },
);

const manifest = object({
  $schema: z.string().optional().describe('Path of this JSON Schema, for editors.'),
  version: z.literal(1).describe('Version of the manifest format.'),
  name: z
    .string()
    .regex(
      /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/,
      'expected 1 to 64 of letters, digits, ".", "_", "-", the first a letter or digit',
    )
    .describe("The pipeline's name. Everything made in AEP is named after it unless named below."),
  description: z.string().max(500).optional(),
  sandbox: z
    .string()
    .regex(/^[a-z0-9-]{1,256}$/, 'expected the name of a sandbox: lower-case letters, digits and "-"')
    .describe('The AEP sandbox.'),
  source,
  schema: z
    .union([schemaById, schemaByParts], {
      error: (issue) =>
        issue.code === 'invalid_union'
          ? 'expected {"id"} of an existing schema, or {"class", "fieldGroups"} of one to be made'
          : undefined,
    })
    .describe('The XDM schema: an existing one, or what to make it of.'),
  dataset: object({
    name: resourceName.optional().describe('Default: `{name}-dataset`.'),
    description: z.string().max(500).optional(),
  }).default({}),
  mapping: z
    .array(mapping)
    .min(1)
    .optional()
    .describe('From the record to XDM, for `raw` data: attributes and calculated fields of Data Prep.'),
  names: object({
    baseConnection: resourceName.optional(),
    sourceConnection: resourceName.optional(),
    targetConnection: resourceName.optional(),
    mapping: resourceName.optional(),
    flow: resourceName.optional(),
  })
    .default({})
    .describe('Names in AEP that differ from `{name}-inlet`, `-source`, `-target`, `-mapping`, `-flow`.'),
});

export const Manifest = manifest.superRefine((value, context) => {
  if (value.source.data === 'raw' && value.mapping === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['mapping'],
      message: 'required, because source.data is "raw"',
      input: undefined,
    });
  }
  if (value.source.data === 'xdm' && value.mapping !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['mapping'],
      message: 'not allowed, because source.data is "xdm"',
      input: '…',
    });
  }
  const groups =
    'id' in value.schema ? [] : value.schema.fieldGroups.map((group) => idOf(group, FIELD_GROUPS));
  groups.forEach((group, index) => {
    if (groups.indexOf(group) === index) return;
    const path = ['schema', 'fieldGroups', index];
    context.addIssue({ code: 'custom', path, message: 'expected each field group once', input: group });
  });
  const seen = new Set<string>();
  if (/^\d{4}-/.test(value.source.startAt) && !exists(value.source.startAt)) {
    context.addIssue({
      code: 'custom',
      path: ['source', 'startAt'],
      message: 'expected a time that exists',
      input: value.source.startAt,
    });
  }
  value.mapping?.forEach((entry, index) => {
    if (seen.has(entry.destination)) {
      context.addIssue({
        code: 'custom',
        path: ['mapping', index, 'destination'],
        message: 'mapped to twice; expected each destination once',
        input: entry.destination,
      });
    }
    seen.add(entry.destination);
  });
});

/** A manifest as checked, its defaults filled in. */
export type Manifest = z.infer<typeof Manifest>;

/** Whether it is a day of the calendar: Date.parse makes 30 February the second of March. */
function exists(time: string): boolean {
  const [year, month, day] = time.slice(0, 10).split('-').map(Number) as [number, number, number];
  const there = new Date(Date.UTC(year, month - 1, day));
  return there.getUTCMonth() === month - 1 && there.getUTCDate() === day && !Number.isNaN(Date.parse(time));
}

/** The `$id` that a short name stands for; a `$id` stands for itself. */
export function idOf(name: string, names: Readonly<Record<string, string>>): string {
  return Object.hasOwn(names, name) ? (names[name] as string) : name;
}

/**
 * The manifest in `value`. `origin` is what messages call it, e.g. the file's name.
 * @throws Failure `MANIFEST_INVALID`: for each mistake the path, what was found and what is allowed
 */
export function parseManifest(value: unknown, origin = 'the manifest'): Manifest {
  const result = Manifest.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const lines = mistakes(result.error.issues, value);
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} has ${lines.length === 1 ? 'a mistake' : `${lines.length} mistakes`}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`,
  );
}

/** The manifest in a file's text. @throws Failure `MANIFEST_INVALID`, also where it is not JSON */
export function parseManifestText(text: string, origin: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Failure('MANIFEST_INVALID', `${origin} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return parseManifest(value, origin);
}

/** JSON Schema (draft 2020-12) of what a user may write; the rules between fields included. */
export function manifestJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(manifest, { io: 'input' }) as Record<string, unknown>;
  const when = (data: string, rule: object) => ({
    if: { properties: { source: { properties: { data: { const: data } } } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: rule,
  });
  return {
    ...schema,
    title: 'Penstock manifest',
    description: 'One pipeline from a Kinesis stream to an Experience Platform dataset.',
    allOf: [when('raw', { required: ['mapping'] }), when('xdm', { properties: { mapping: false } })],
  };
}
