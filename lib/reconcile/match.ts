// Whether a record of the stream is the one behind a refused row: by what the pipeline and its mapping make of the record.
import { check, isObject } from '../forward/json/check.ts';
import type { Decoded } from '../forward/read/decode.ts';
import { coordinatesIn } from '../forward/read/record-id.ts';
import { createTransform, type Transform } from '../forward/transform/transform.ts';
import type { KeptMappingRow } from '../kept-manifest.ts';
import type { PublishedPipeline } from '../published.ts';

/**
 * What of a row, or of a record as it was sent, is compared, in one order for both; `undefined` where it has nothing there.
 */
export type Likeness = readonly (string | undefined)[];

export interface Matcher {
  /** Of the object in a row; `undefined` where there is nothing to go by. */
  ofRow(row: unknown): Likeness | undefined;
  /** Of a record in each form in which it may have been sent, none where it never was: redacted as now, or not at all. */
  ofRecord(decoded: Decoded): readonly Likeness[];
}

/** From path to path: an attribute that is mapped as it is. */
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
  const derived: readonly string[] = pipeline.records?.derive ?? [];
  // A time that is derived is in no record, and in every row.
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

/** Whether nothing speaks against it and something for it. What AEP could not take over is missing in the row. */
export function isLike(row: Likeness, record: Likeness): boolean {
  const shared = row.filter((value, at) => value === record[at]);
  return row.every((value, at) => value === undefined || value === record[at]) && hasValues(shared);
}

/** Whether both have the same everywhere: what nothing else leads to has to be told by all of it. */
export function isSame(row: Likeness, record: Likeness): boolean {
  return row.every((value, at) => value === record[at]);
}

/** An `_id` that Penstock derives, or that looks like one: whose it is, it does not say. */
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

/** Without what the forwarder may have put into it. */
function withoutDerived(value: unknown, derived: readonly string[]): unknown {
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([name, member]) =>
    name === '_id' ? !derived.includes(name) || !isCoordinates(member) : !derived.includes(name),
  );
  return Object.fromEntries(own);
}

/** The pipeline's own, and the same without rules that may not have been in force. */
function transformsOf(pipeline: PublishedPipeline): (Transform | undefined)[] {
  const { redact, ...rest } = pipeline.records ?? {};
  const plain = createTransform({ data: pipeline.data, records: rest });
  return redact === undefined ? [plain] : [plain, createTransform(pipeline)];
}

function sentBy(transform: Transform | undefined, decoded: Decoded, { data }: PublishedPipeline): unknown {
  const transformed = transform === undefined ? decoded : transform(decoded);
  if (!('payload' in transformed)) return undefined;
  const checked = check(transformed.payload, data);
  return 'kind' in checked ? undefined : JSON.parse(checked.toString('utf8'));
}

function copiedIn(mapping: readonly KeptMappingRow[]): Copied[] {
  return mapping.flatMap(({ source, destination }) => {
    const from = source === undefined ? undefined : pathIn(source);
    const to = pathIn(destination);
    return from === undefined || to === undefined ? [] : [{ source: from, destination: to }];
  });
}

/** A path of names; `undefined` for one that leads through lists, or is written otherwise. A dot in a name has a backslash before it. */
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

/** As text, the same for what a mapping may write in more than one way: numbers as text, days as moments. */
function comparable(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') return canonical(value);
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return `time ${Date.parse(text)}`;
  // Beyond 15 digits numbers that differ are equal.
  const isNumber = /^-?\d{1,15}(\.\d*)?$/.test(text) || /^-?\d(\.\d{1,14})?e[+-]?\d+$/i.test(text);
  return isNumber ? `number ${Number(text)}` : `text ${text}`;
}

/** JSON with its members in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
