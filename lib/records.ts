// What a pipeline does with its records on their way: filter, redact, select, derive, and choose the
// operation.
import { MAX_RECORDS_BYTES } from './bounds.ts';
import { linearPattern } from './linear-pattern.ts';
import { momentIn } from './moment.ts';
import { leanObject as object } from './strict-object.ts';
import * as z from './zod.ts';

const MAX_POINTER = 500;
const MAX_PARTS = 10;

/** A JSON Pointer (RFC 6901) with at least one step. */
const pointer = z
  .string()
  .check(
    z.maxLength(MAX_POINTER),
    z.regex(
      /^(\/([^~/]|~[01])*)+$/,
      'expected a JSON Pointer such as /customer/email, in which "~1" stands for "/" and "~0" for "~"',
    ),
  );

const SCALAR = 'expected text, a number within ±2^53, true, false or null';

/** JavaScript cannot distinguish all numbers beyond 2^53. */
const scalar = z.union(
  [
    z.string().check(z.maxLength(1_000)),
    z.number().check(z.minimum(-Number.MAX_SAFE_INTEGER, SCALAR), z.maximum(Number.MAX_SAFE_INTEGER, SCALAR)),
    z.boolean(),
    z.null(),
  ],
  { error: SCALAR },
);

const conditionField = pointer.check(
  z.describe(
    'JSON Pointer into the record as its producer wrote it; `*` stands for any item of an array, of which one has to meet the condition.',
  ),
);

const scalars = z.array(scalar).check(z.minLength(1), z.maxLength(100));

const LIMIT = 'expected a number within ±2^53, or a time such as 2026-01-31T12:00:00Z';

/** A number, or a time. Whatever is compared with it must be of the same kind. */
const limit = z.union(
  [
    z.number().check(z.minimum(-Number.MAX_SAFE_INTEGER, LIMIT), z.maximum(Number.MAX_SAFE_INTEGER, LIMIT)),
    z.string().check(
      z.maxLength(50),
      z.refine((text) => momentIn(text) !== undefined, LIMIT),
    ),
  ],
  { error: LIMIT },
);

const expression = z.string().check(
  z.maxLength(500),
  z.refine((text) => typeof linearPattern(text) !== 'string', {
    error: ({ input }) => String(linearPattern(String(input))),
  }),
  z.describe(
    'Regular expression that is found somewhere in its text. It has no lookaround and no back references, so that it takes time in proportion to the text.',
  ),
);

const tests = [
  object({ field: conditionField, equals: scalar.check(z.describe('The value it has.')) }),
  object({
    field: conditionField,
    notEquals: scalar.check(z.describe('The value that it must not have; it may also be absent.')),
  }),
  object({ field: conditionField, oneOf: scalars.check(z.describe('Values of which it must have one.')) }),
  object({
    field: conditionField,
    notOneOf: scalars.check(z.describe('Values of which it must have none; it may also be absent.')),
  }),
  object({
    field: conditionField,
    exists: z.boolean().check(z.describe('Whether it exists; `null` counts as existing.')),
  }),
  object({ field: conditionField, matches: expression }),
  object({
    field: conditionField,
    greaterThan: limit.check(z.describe('A number that it is above, or a time that it is after.')),
  }),
  object({
    field: conditionField,
    lessThan: limit.check(z.describe('A number that it is below, or a time that it is before.')),
  }),
] as const;

const TESTS = '"equals", "notEquals", "oneOf", "notOneOf", "exists", "matches", "greaterThan" and "lessThan"';

const fieldCondition = z.union(tests, {
  error: (issue) => (issue.code === 'invalid_union' ? `expected {"field"} with one of ${TESTS}` : undefined),
});

const condition = z.union(
  [
    ...tests,
    object({
      any: z
        .array(fieldCondition)
        .check(z.minLength(1), z.maxLength(20), z.describe('Conditions of which one must hold.')),
    }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? `expected {"field"} with one of ${TESTS}, or {"any"} with a list of such conditions`
        : undefined,
  },
);

const field = pointer.check(
  z.describe('JSON Pointer into the record; `*` stands for all items of an array.'),
);

const redaction = z.discriminatedUnion(
  'action',
  [
    object({
      field,
      action: z.literal('drop').check(z.describe('Removes it; an item of an array becomes `null`.')),
    }),
    object({
      field,
      action: z.literal('mask').check(z.describe('Replaces it by `"***"`.')),
    }),
    object({
      field,
      action: z
        .literal('hash')
        .check(z.describe('Replaces it by the SHA-256 of `salt` and its text, in hex.')),
      salt: z
        .optional(z.string().check(z.maxLength(200)))
        .check(z.describe('Not a secret: it only makes tables of common hashes useless. Default: none.')),
    }),
  ],
  {
    error: (issue) => (issue.code === 'invalid_union' ? 'expected "drop", "mask" or "hash"' : undefined),
  },
);

const operation = object({
  data: z
    .enum(['create', 'merge', 'delete'])
    .check(z.describe('What is done to the profile. `delete` cannot be undone.')),
  identity: z
    .optional(z.literal('create'))
    .check(
      z.describe('Whether new identities are linked too. That needs a dataset of its own, which is made.'),
    ),
  identityDatasetId: z
    .optional(z.string().check(z.regex(/^[A-Za-z0-9]{1,64}$/, 'expected the id of a dataset')))
    .check(
      z.describe(
        'Id of an identity dataset that exists: of the same schema, with identity, outside Profile, its validation switched off. Left out: one is made.',
      ),
    ),
});

const SELECTION = `expected a JSON Pointer such as /customer/email, or a list of 1 to ${MAX_PARTS} of them`;

const operations = z.union(
  [
    operation,
    object({
      field: z
        .union([pointer, z.array(pointer).check(z.minLength(1), z.maxLength(MAX_PARTS))], {
          error: (issue) => (issue.code === 'invalid_union' ? SELECTION : undefined),
        })
        .check(
          z.describe(
            'JSON Pointer of the field that names the operation. Of several, the first that is there.',
          ),
        ),
      values: z.record(z.string().check(z.maxLength(200)), operation).check(
        z.refine((values) => Object.keys(values).length > 0, 'expected at least one value'),
        z.describe('The operation for each value of the field. A record with any other is rejected.'),
      ),
    }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'expected {"data"} of one operation for all records, or {"field", "values"} of a table of them'
        : undefined,
  },
);

const selection = z.union([pointer, z.array(pointer).check(z.minLength(1), z.maxLength(MAX_PARTS))], {
  error: (issue) => (issue.code === 'invalid_union' ? SELECTION : undefined),
});

/** Forms of a time, and what they count since the epoch. */
export const TIME_FORMS = ['iso', 'epoch-seconds', 'epoch-millis', 'epoch-micros', 'epoch-nanos'] as const;

const derivation = z.union(
  [
    z.enum(['_id', 'timestamp']),
    object({
      member: z.literal('_id').check(z.describe('`_id`: the text or the whole number in a field.')),
      from: pointer.check(z.describe('JSON Pointer of the field in the record as its producer wrote it.')),
    }),
    object({
      member: z.literal('timestamp').check(z.describe('`timestamp`: the time in a field.')),
      from: pointer.check(z.describe('JSON Pointer of the field in the record as its producer wrote it.')),
      as: z
        .enum(TIME_FORMS)
        .check(
          z.describe(
            'How the time is written: `iso` with a zone, or what a number, also one in a text, counts since 1970.',
          ),
        ),
    }),
  ],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'expected "_id", "timestamp", {"member": "_id", "from"} or {"member": "timestamp", "from", "as"}'
        : undefined,
  },
);

export const Records = object({
  where: z
    .optional(z.array(condition).check(z.minLength(1), z.maxLength(50)))
    .check(
      z.describe(
        'Which records are sent: those that meet all conditions. The others are counted and not sent.',
      ),
    ),
  passOver: z
    .optional(z.array(condition).check(z.minLength(1), z.maxLength(50)))
    .check(
      z.describe(
        'Records that tell of no row, such as control records: those that meet all conditions, and `null`. They are counted as filtered, and are never unrouted, whatever `where` says.',
      ),
    ),
  deletions: z
    .optional(
      object({
        where: z
          .array(condition)
          .check(
            z.minLength(1),
            z.maxLength(50),
            z.describe('What a deletion is known by: it meets all conditions.'),
          ),
        are: z
          .enum(['kept', 'dropped'])
          .check(z.describe('`kept`: rejects with the reason `deletion`. `dropped`: counted as filtered.')),
      }),
    )
    .check(
      z.describe(
        'Records that tell of a deletion and are not sent. Left out: none are; `operations` may apply them.',
      ),
    ),
  redact: z
    .optional(z.array(redaction).check(z.minLength(1), z.maxLength(100)))
    .check(
      z.describe(
        'Fields that neither AEP nor the dead-letter store may see. Records with such fields are rewritten.',
      ),
    ),
  select: z
    .optional(selection)
    .check(
      z.describe(
        'JSON Pointer of the part to send instead of the whole record. Of several, the first that leads to an object.',
      ),
    ),
  derive: z
    .optional(z.array(derivation).check(z.minLength(1), z.maxLength(10)))
    .check(
      z.describe(
        'Members to add if the record lacks them: `_id` from the place in the stream, `timestamp` from the time of arrival, or either from a field. Of several for one member the first that has a value.',
      ),
    ),
  operations: z.optional(operations).check(z.describe('Operations of Data Prep, for `raw` data.')),
});

/** What is done with the records; each part only if it is set. */
export type Records = z.infer<typeof Records>;
export type Condition = NonNullable<Records['where']>[number];
/** A condition on one field. */
export type FieldCondition = z.infer<typeof fieldCondition>;
export type Derivation = NonNullable<Records['derive']>[number];
export type TimeForm = (typeof TIME_FORMS)[number];
export type Redaction = NonNullable<Records['redact']>[number];
export type Operation = z.infer<typeof operation>;
/** Operations that a field of the record chooses from. */
export type OperationTable = Extract<NonNullable<Records['operations']>, { field: unknown }>;

type Complain = (path: (string | number)[], message: string, input: unknown) => void;

/** Rules between the options; `complain` gets paths below them. */
export function checkRecords(records: Records, data: 'raw' | 'xdm', complain: Complain): void {
  const bytes = Buffer.byteLength(JSON.stringify(records));
  if (bytes > MAX_RECORDS_BYTES)
    complain([], `has ${bytes} bytes as JSON; at most ${MAX_RECORDS_BYTES} are published`, '…');
  const { operations, deletions, redact = [] } = records;
  const known = (deletions?.where ?? [])
    .flatMap((one) => ('any' in one ? one.any : one))
    .map(({ field }) => field);
  const parts = partsOf(records);
  parts.forEach((part, index) => {
    if (parts.indexOf(part) < index) complain(['select', index], 'expected each part once', part);
  });
  if (operations !== undefined && data === 'xdm')
    complain(['operations'], 'not allowed, because source.data is "xdm"', operations);
  redact.forEach(({ field }, index) => {
    if (redact.findIndex((one) => one.field === field) < index)
      complain(['redact', index, 'field'], 'expected each field once', field);
    if (operationFields(operations).some((one) => covers(field, one)))
      complain(['redact', index, 'field'], 'hides the field that operations are chosen by', field);
    if (known.some((one) => covers(field, one)))
      complain(['redact', index, 'field'], 'hides the field that deletions are known by', field);
  });
  checkDerive(records, data, complain);
}

/** A value that is hidden before is derived as it is then: a hash identifies still, and nothing else does. */
function checkDerive(records: Records, data: 'raw' | 'xdm', complain: Complain): void {
  const { derive = [] } = records;
  const hidden = redactionsOf({ records, data });
  const keys = derive.map((one) => (typeof one === 'string' ? one : `${one.member} ${one.from}`));
  derive.forEach((one, index) => {
    if (keys.indexOf(keys[index] as string) < index)
      complain(['derive', index], 'expected each member once, or from another field', one);
    if (typeof one === 'string') return;
    if (derive.indexOf(one.member) >= 0 && derive.indexOf(one.member) < index)
      complain(
        ['derive', index],
        `is never used: "${one.member}" before it has a value for every record`,
        one,
      );
    const rule = hidden.find(({ field }) => covers(field, one.from));
    if (rule !== undefined && !(one.member === '_id' && rule.action === 'hash'))
      complain(['derive', index, 'from'], `is hidden by redact (${rule.field})`, one.from);
  });
}

/** The name of the member that a rule derives. */
export function memberOf(rule: Derivation): '_id' | 'timestamp' {
  return typeof rule === 'string' ? rule : rule.member;
}

/** Members that are derived from where and when the record came. */
export function ownMembers({ derive = [] }: Pick<Records, 'derive'>): readonly ('_id' | 'timestamp')[] {
  return derive.filter((one) => typeof one === 'string');
}

/** The fields of which the first that is there names the operation. */
export function operationFields(operations: Records['operations']): readonly string[] {
  if (operations === undefined || !('field' in operations)) return [];
  return typeof operations.field === 'string' ? [operations.field] : operations.field;
}

/** The parts of a record to send: the first one that exists. None: the whole record. */
export function partsOf({ select }: Pick<Records, 'select'>): readonly string[] {
  return select === undefined ? [] : typeof select === 'string' ? [select] : select;
}

/** Whether one pointer equals or contains the other. `*` may be any step. */
export function covers(a: string, b: string): boolean {
  const [as, bs] = [a.split('/'), b.split('/')];
  return as.length <= bs.length && as.every((step, at) => step === '*' || bs[at] === '*' || step === bs[at]);
}

/** What decides which fields are hidden. */
export interface Redacted {
  readonly data: 'raw' | 'xdm';
  readonly records?: Records | undefined;
}

/** Where an XDM message has its entity. */
const ENTITY = '/body/xdmEntity';

/**
 * The rules, and their copies for other places from which the same field may be sent. Any part of a list of parts may
 * be sent. Where records are XDM, each is an entity or a whole message. A pointer into one form names the same field
 * in the other. A place that has a rule of its own keeps that one.
 */
export function redactionsOf({ data, records = {} }: Redacted): Redaction[] {
  const { redact = [] } = records;
  const parts = partsOf(records);
  const roots = parts.length === 0 ? [''] : parts;
  const all = [...redact];
  for (const rule of redact) {
    for (const field of roots.flatMap((root) => elsewhere(rule.field, root, roots, data))) {
      if (!all.some((one) => one.field === field)) all.push({ ...rule, field });
    }
  }
  return all;
}

/** The places where the same field may be, for a pointer below `root`; none for a field outside of what is sent. */
function elsewhere(field: string, root: string, roots: readonly string[], data: Redacted['data']): string[] {
  if (!field.startsWith(`${root}/`)) return [];
  const within = field.slice(root.length);
  if (data !== 'xdm') return roots.map((other) => other + within);
  const inEntity = within.startsWith(`${ENTITY}/`) ? within.slice(ENTITY.length) : within;
  return roots.flatMap((other) => [other + inEntity, other + ENTITY + inEntity]);
}
