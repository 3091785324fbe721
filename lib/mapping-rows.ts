// The rows of a mapping: in our form, or as AEP writes them, which become the same rows in our form.
import * as z from 'zod';
import { object } from './strict-object.ts';
import { xdmPath } from './xdm-path.ts';

/** The longest calculated field that Data Prep takes. Contract §5.2. */
const MAX_EXPRESSION = 4_096;

const notBlank = z.string().regex(/\S/, 'expected something').max(MAX_EXPRESSION);

const attributeRow = object({ source: notBlank, destination: xdmPath });
const expressionRow = object({ expression: notBlank, destination: xdmPath });

/**
 * What Data Prep or its pages write beside a row: it changes nothing of what the row does. Adobe's API description,
 * `MappingOperation`. Identities are descriptors of the schema, so `identity` of the older form decides nothing. Its
 * `identityGroup` and `namespaceCode` stand in Adobe's tutorials for sources (experience-platform.en, `sources/tutorials/api`).
 */
const ignored = {
  id: z.unknown().optional(),
  version: z.unknown().optional(),
  name: z.unknown().optional(),
  description: z.unknown().optional(),
  identity: z.unknown().optional(),
  primaryIdentity: z.unknown().optional(),
  identityGroup: z.unknown().optional(),
  namespaceCode: z.unknown().optional(),
  matchScore: z.unknown().optional(),
  functionVersion: z.unknown().optional(),
  expressionAttributes: z.unknown().optional(),
  createdBy: z.unknown().optional(),
  createdDate: z.unknown().optional(),
  modifiedBy: z.unknown().optional(),
  modifiedDate: z.unknown().optional(),
};

/** The words of Data Prep for the two kinds: those that it is sent, and those that its answers have. Contract §5.1. */
const KINDS = /^(ATTRIBUTE|EXPRESSION|text\/x\.schema-path|text\/x\.aep-xl)$/;

/** As Data Prep takes a row and gives it back; an answer has the older names beside the current ones. */
const aepRow = object({
  sourceType: z
    .string()
    .regex(KINDS, 'expected "ATTRIBUTE" or "EXPRESSION"; a constant is an EXPRESSION, a text in quotes'),
  source: notBlank.optional(),
  sourceAttribute: notBlank.optional(),
  destination: xdmPath.optional(),
  destinationXdmPath: xdmPath.optional(),
  ...ignored,
});

/** The older form without a kind: a path in the record. What cannot be one must say that it is calculated. */
const olderRow = object({
  sourceAttribute: notBlank.regex(
    /^([^\s()'"+*/]|\[\*\])+$/,
    'expected a path in the record; a calculated field needs "sourceType": "EXPRESSION" beside it',
  ),
  destinationXdmPath: xdmPath,
  ...ignored,
});

type AepRow = z.infer<typeof aepRow> | z.infer<typeof olderRow>;
type OurRow = z.infer<typeof attributeRow> | z.infer<typeof expressionRow>;

/** A row in our form. What AEP writes beside it is left out. */
function inOurForm(row: AepRow | OurRow, context: z.RefinementCtx): OurRow {
  if (!('sourceType' in row || 'sourceAttribute' in row)) return row;
  const source = sameValue(row, 'source', 'sourceAttribute', context);
  const destination = sameValue(row, 'destination', 'destinationXdmPath', context);
  return isCalculated(row) ? { expression: source, destination } : { source, destination };
}

function isCalculated(row: AepRow): boolean {
  return 'sourceType' in row && (row.sourceType === 'EXPRESSION' || row.sourceType === 'text/x.aep-xl');
}

/** The value under the current and the older name of the same thing; the two must not differ. */
function sameValue(row: AepRow, current: string, older: string, context: z.RefinementCtx): string {
  const names = row as Readonly<Record<string, string | undefined>>;
  const complain = (message: string) =>
    context.addIssue({ code: 'custom', path: [current], message, input: names[current] });
  const value = names[current] ?? names[older];
  if (value === undefined) complain('expected string');
  if ((names[older] ?? value) !== value) complain(`differs from ${older}; expected one of the two`);
  return value ?? '';
}

/** Of a row that fits forms but for unknown members: the message of the one form that has fewest of them. */
function unknownMembers(forms: readonly (readonly z.core.$ZodIssue[])[]): string | undefined {
  const [nearest, next] = forms
    .flatMap(([only, ...more]) => (only?.code === 'unrecognized_keys' && more.length === 0 ? [only] : []))
    .sort((one, other) => one.keys.length - other.keys.length);
  return nearest?.keys.length === next?.keys.length ? undefined : nearest?.message;
}

export const mappingRow = z
  .union([attributeRow, expressionRow, aepRow, olderRow], {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? (unknownMembers(issue.errors) ??
          'expected {"source", "destination"} (a path in the record), {"expression", "destination"} (a calculated field), or a row as AEP writes it, with "sourceType"')
        : undefined,
  })
  .transform(inOurForm);
