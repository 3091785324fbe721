// Whether a record of the stream is the one behind a refused row: by what the pipeline and its mapping make of the record.
import { check, isObject } from '../forward/json/check.ts';
import type { Decoded } from '../forward/read/decode.ts';
import { coordinatesIn } from '../forward/read/record-id.ts';
import { createTransform, type Transform } from '../forward/transform/transform.ts';
import type { KeptMappingRow } from '../kept-manifest.ts';
import type { PublishedPipeline } from '../published.ts';
import { memberOf, ownMembers } from '../records.ts';

/** The compared values of a row or of a sent record, in the same order; `undefined` for a value that is missing. */
export type Likeness = readonly (string | undefined)[];

export interface Matcher {
  /** The values of the object in a row; `undefined` if there are none to compare. */
  ofRow(row: unknown): Likeness | undefined;
  /**
   * The values of a record in each form in which it may have been sent: with the redaction of now, or without. None
   * if it was never sent.
   */
  ofRecord(decoded: Decoded): readonly Likeness[];
}

/** From path to path: an attribute that is mapped unchanged. */
interface Copied {
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

/**
 * @param mapping the manifest's
 * @param mapped whether rows hold what the mapping makes of a record, and not the record
 */
export function createMatcher(
  pipeline: PublishedPipeline,
  mapping: readonly KeptMappingRow[],
  mapped: boolean,
): Matcher {
  const derived: readonly string[] = ownMembers(pipeline.records ?? {});
  // A derived time is in every row, but in no record.
  const copied = copiedIn(mapping).filter(({ source }) => !isDerived(source, 'timestamp', derived));
  const likeness = (value: unknown, side: keyof Copied): Likeness | undefined => {
    const values = mapped
      ? copied.map((one) => {
          const found = comparable(valueAtKeys(value, one[side]));
          return isDerived(one.source, '_id', derived) ? derivedId(found) : found;
        })
      : [canonical(withoutDerived(value, derived))];
    return hasValues(values) ? values : undefined;
  };
  const transforms = transformsOf(pipeline);
  return {
    ofRow: (row) => likeness(row, 'destination'),
    ofRecord: (decoded) =>
      transforms.flatMap((transform) => {
        const sent = sentBy(transform, decoded, pipeline);
        const found = sent === undefined ? undefined : likeness(sent, 'source');
        return found === undefined ? [] : [found];
      }),
  };
}

/** Whether some values are equal and none differs. A value that AEP could not take over is missing in the row. */
export function isLike(row: Likeness, record: Likeness): boolean {
  const shared = row.filter((value, at) => value === record[at]);
  return row.every((value, at) => value === undefined || value === record[at]) && hasValues(shared);
}

/** Whether all values are equal. This is required where the row names no place. */
export function isSame(row: Likeness, record: Likeness): boolean {
  return row.every((value, at) => value === record[at]);
}

/** An `_id` that Penstock derives, or that looks like one: it does not identify the record's content. */
const DERIVED = 'derived';

function hasValues(values: Likeness): boolean {
  return values.some((value) => value !== undefined && value !== DERIVED);
}

function derivedId(found: string | undefined): string {
  return found === undefined || isCoordinates(found.replace(/^text /, '')) ? DERIVED : found;
}

function isCoordinates(id: unknown): boolean {
  return typeof id === 'string' && coordinatesIn(id) !== undefined;
}

function isDerived(source: readonly string[], name: string, derived: readonly string[]): boolean {
  return source.length === 1 && source[0] === name && derived.includes(name);
}

/** The value without members that the forwarder may have added. */
function withoutDerived(value: unknown, derived: readonly string[]): unknown {
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([name, member]) =>
    name === '_id' ? !derived.includes(name) || !isCoordinates(member) : !derived.includes(name),
  );
  return Object.fromEntries(own);
}

/** The pipeline's own transform, and the same without redaction: its rules may not have been in force. */
function transformsOf(pipeline: PublishedPipeline): (Transform | undefined)[] {
  const { redact, ...rest } = pipeline.records ?? {};
  const plain = createTransform({ data: pipeline.data, records: rest });
  return redact === undefined ? [plain] : [plain, createTransform(pipeline)];
}

/** What was sent of it. What is derived from its fields is as good as its own. */
function sentBy(
  transform: Transform | undefined,
  decoded: Decoded,
  { data, records }: PublishedPipeline,
): unknown {
  const transformed = transform === undefined ? decoded : transform(decoded);
  if (!('payload' in transformed)) return undefined;
  const checked = check(transformed.payload, data);
  if ('kind' in checked) return undefined;
  const sent = JSON.parse(checked.toString('utf8')) as Record<string, unknown>;
  records?.derive?.forEach((rule, index) => {
    const value = transformed.fields?.[index];
    if (value !== undefined && !Object.hasOwn(sent, memberOf(rule))) sent[memberOf(rule)] = value;
  });
  return sent;
}

function copiedIn(mapping: readonly KeptMappingRow[]): Copied[] {
  return mapping.flatMap(({ source, destination }) => {
    const from = source === undefined ? undefined : pathIn(source);
    const to = pathIn(destination);
    return from === undefined || to === undefined ? [] : [{ source: from, destination: to }];
  });
}

/**
 * A path of names; `undefined` for one through lists, or in another notation. A dot in a name has a backslash before
 * it.
 */
function pathIn(path: string): string[] | undefined {
  const steps = path.split(/(?<!\\)\./).map((step) => step.replaceAll('\\.', '.'));
  return steps.every((step) => step === TENANT || /^[\w @:./-]+$/.test(step)) ? steps : undefined;
}

/** Stands for the organization's own namespace, a member whose name begins with an underscore. */
const TENANT = '{tenant}';

function valueAtKeys(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (!isObject(here)) return undefined;
    const name = step === TENANT ? tenantIn(here) : step;
    if (name === undefined || !Object.hasOwn(here, name)) return undefined;
    here = here[name];
  }
  return here;
}

function tenantIn(value: Record<string, unknown>): string | undefined {
  return Object.keys(value).find((name) => /^_[a-z0-9]+$/.test(name) && isObject(value[name]));
}

/** As text that is the same for all notations of a mapping: numbers as text, days as moments. */
function comparable(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') return canonical(value);
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return `time ${Date.parse(text)}`;
  // Beyond 15 digits different numbers can be equal.
  const isNumber = /^-?\d{1,15}(\.\d*)?$/.test(text) || /^-?\d(\.\d{1,14})?e[+-]?\d+$/i.test(text);
  return isNumber ? `number ${Number(text)}` : `text ${text}`;
}

/** JSON with its members in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
