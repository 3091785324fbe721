// Samples: records with the XDM that must become of them, kept beside a manifest; and how the two are compared.
import * as z from 'zod';
import { Failure, issuesText } from './failure.ts';
import { jsonIn, withDigits } from './json-text.ts';
import { isDeeper } from './mistakes.ts';

/** Records are flat beside it, and what is deeper exhausts the stack of whoever reads it. */
const DEEPEST = 100;

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isDeeper(value, DEEPEST);
  } catch {
    return false;
  }
}

const Sample = z.strictObject({
  /** What to call it in messages; its position where left out. */
  name: z.string().max(100).optional(),
  /** Or its JSON text, where it holds numbers that JavaScript would change: so their digits survive every parser on the way. */
  record: z.union([
    z.record(z.string(), z.json()),
    z.string().refine(isObjectText, 'is no JSON text of an object, or too deep'),
  ]),
  /** The whole XDM entity. `{tenant}` as a key stands for the organization's own namespace. */
  xdm: z.record(z.string(), z.json()),
});

/** At most 50, so that they fit into the state machine's input beside the manifest. */
export const Samples = z.array(Sample).min(1).max(50);
export type Samples = z.infer<typeof Samples>;
export type Sample = Samples[number];

/** What the file of samples beside a manifest's file is called: `orders.json` → `orders.samples.json`. */
export function samplesFileOf(manifestFile: string): string {
  return manifestFile.replace(/(\.json)?$/, '.samples.json');
}

/** The samples in a file's text. @throws Failure `MANIFEST_INVALID` naming each mistake */
export function parseSamplesText(text: string, origin: string): Samples {
  const value = jsonIn(text, origin);
  if (isDeeper(value, DEEPEST))
    throw new Failure('MANIFEST_INVALID', `${origin} is nested deeper than ${DEEPEST} levels`);
  const result = Samples.safeParse(value);
  if (result.success) return keepingDigits(result.data, text);
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} is not a list of samples:\n${issuesText(result.error.issues)}\n`,
    { next: 'Write [{"record": {…}, "xdm": {…}}]: each record with the XDM entity it must become.' },
  );
}

function keepingDigits(samples: Samples, text: string): Samples {
  const exact = withDigits(text) as readonly { readonly record: unknown }[];
  return samples.map((sample, index) => {
    const record = JSON.stringify(exact[index]?.record);
    return typeof sample.record === 'string' || record === JSON.stringify(sample.record)
      ? sample
      : { ...sample, record };
  });
}

/** The record as it is to be sent: written as JSON, its numbers have the digits they came with. */
export function recordOf({ record }: Sample): unknown {
  return typeof record === 'string' ? withDigits(record) : record;
}

/** The expected entity, with the organization's own namespace for `{tenant}`. */
export function inOwnNamespace(xdm: Sample['xdm'], tenant: string | undefined): Sample['xdm'] {
  const { '{tenant}': own, ...rest } = xdm;
  return own === undefined || tenant === undefined ? xdm : { ...rest, [`_${tenant}`]: own };
}

/** Where two JSON values differ, `path: expected …, got …` each; at most `most` of them. */
export function differencesOf(expected: unknown, got: unknown, path = '', most = 20): string[] {
  if (isObject(expected) && isObject(got)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
    return keys
      .flatMap((key) =>
        differencesOf(own(expected, key), own(got, key), path === '' ? key : `${path}.${key}`, most),
      )
      .slice(0, most);
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length)
    return expected
      .flatMap((entry, index) => differencesOf(entry, got[index], `${path}[${index}]`, most))
      .slice(0, most);
  return JSON.stringify(expected) === JSON.stringify(got)
    ? []
    : [`${path || '(all of it)'}: expected ${shown(expected)}, got ${shown(got)}`];
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
