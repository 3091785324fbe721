// Samples: records with the XDM expected of them, in a file beside the manifest; and how the two are
// compared.
import * as z from 'zod';
import { Failure, issuesText } from './failure.ts';
import { canonicalNumber, isExact, jsonIn, withDigits } from './json-text.ts';
import { isDeeper } from './mistakes.ts';

/** Real records are less deep; deeper ones could exhaust the stack of their reader. */
const MAX_SAMPLE_DEPTH = 100;

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isDeeper(value, MAX_SAMPLE_DEPTH);
  } catch {
    return false;
  }
}

/**
 * An object. Or its JSON text, if it has numbers that JavaScript would change: so their digits survive every
 * parser.
 */
const ObjectOrText = z.union([
  z.record(z.string(), z.json()),
  z.string().refine(isObjectText, 'is no JSON text of an object, or too deep'),
]);

const Sample = z.strictObject({
  /** Its name in messages; its position if left out. */
  name: z.string().max(100).optional(),
  record: ObjectOrText,
  /** The whole XDM entity. `{tenant}` as a key stands for the organization's own namespace. */
  xdm: ObjectOrText,
});

/** At most 50, so that they fit into the state machine's input beside the manifest. */
export const Samples = z.array(Sample).min(1).max(50);
export type Samples = z.infer<typeof Samples>;
export type Sample = Samples[number];

/** The name of the samples file beside a manifest: `orders.json` → `orders.samples.json`. */
export function samplesFileOf(manifestFile: string): string {
  return manifestFile.replace(/(\.json)?$/, '.samples.json');
}

/**
 * The samples in a file's text.
 * @throws Failure `MANIFEST_INVALID` naming each mistake
 */
export function parseSamplesText(text: string, origin: string): Samples {
  const value = jsonIn(text, origin);
  if (isDeeper(value, MAX_SAMPLE_DEPTH))
    throw new Failure('MANIFEST_INVALID', `${origin} is nested deeper than ${MAX_SAMPLE_DEPTH} levels`);
  const result = Samples.safeParse(keepingDigits(value, text));
  if (result.success) return result.data;
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} is not a list of samples:\n${issuesText(result.error.issues)}\n`,
    { next: 'Write [{"record": {…}, "xdm": {…}}]: each record with the XDM entity it must become.' },
  );
}

/**
 * The samples; objects whose numbers JavaScript would change become text. Anything else is returned
 * unchanged.
 */
function keepingDigits(samples: unknown, text: string): unknown {
  const exact = withDigits(text);
  if (!Array.isArray(samples) || !Array.isArray(exact)) return samples;
  return samples.map((sample, index) => {
    if (!isObject(sample)) return sample;
    const changed = Object.entries(exact[index]).flatMap(([key, value]) => {
      const written = JSON.stringify(value);
      return isObject(value) && written !== JSON.stringify(sample[key]) ? [[key, written]] : [];
    });
    return { ...sample, ...Object.fromEntries(changed) };
  });
}

/** The record to send, as JSON; its numbers keep their digits. */
export function sampleRecord({ record }: Pick<Sample, 'record'>): Readonly<Record<string, unknown>> {
  return typeof record === 'string' ? (withDigits(record) as Record<string, unknown>) : record;
}

/** The record's JSON, with all digits that it has in its file. */
export function sampleText({ record }: Pick<Sample, 'record'>): string {
  return typeof record === 'string' ? record : JSON.stringify(record);
}

/**
 * The expected entity, with the organization's own namespace for `{tenant}`; its numbers as in `recordOf`.
 */
export function inOwnNamespace(
  xdm: Sample['xdm'],
  tenant: string | undefined,
): Readonly<Record<string, unknown>> {
  const whole = sampleRecord({ record: xdm });
  const { '{tenant}': own, ...rest } = whole;
  return own === undefined || tenant === undefined ? whole : { ...rest, [`_${tenant}`]: own };
}

/** A place where two JSON values differ. */
export interface Mismatch {
  /** `person.tags[0].name`; empty where they differ as a whole. */
  readonly path: string;
  /** `path: expected …, got …` */
  readonly text: string;
}

/** Where two JSON values differ; at most `most` places. */
export function mismatches(expected: unknown, got: unknown, path = '', most = 20): Mismatch[] {
  if (isObject(expected) && isObject(got)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
    return keys
      .flatMap((key) =>
        mismatches(own(expected, key), own(got, key), path === '' ? key : `${path}.${key}`, most),
      )
      .slice(0, most);
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length)
    return expected
      .flatMap((entry, index) => mismatches(entry, got[index], `${path}[${index}]`, most))
      .slice(0, most);
  return sameText(JSON.stringify(expected), JSON.stringify(got))
    ? []
    : [
        {
          path,
          text: `${path || '(all of it)'}: expected ${shortText(expected)}, got ${shortText(got)}`,
        },
      ];
}

/** As JSON; a number may be written in more than one way. */
function sameText(expected: string | undefined, got: string | undefined): boolean {
  if (expected === got || expected === undefined || got === undefined) return expected === got;
  const number = canonicalNumber(expected);
  return number !== undefined && number === canonicalNumber(got);
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value);
}

function shortText(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
