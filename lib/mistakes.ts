// Describes mistakes in an input for the person who wrote it: the path, what is allowed, what was found.
import type * as z from 'zod';
import { didYouMean, nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/**
 * A sentence for each issue of `value`'s schema: `path: what is allowed; found …`. If a known word is near,
 * the sentence suggests it. Needs zod's `reportInput`, and `wording` as its `error`.
 */
export function mistakes(issues: readonly Issue[], value: unknown): string[] {
  return issues.flatMap(specific).map((issue) => {
    const path = issue.path.map(String).join('.') || '(top level)';
    const allowed = issueText(issue);
    // The message names the unknown key already.
    const found = issue.code === 'unrecognized_keys' ? '' : `; found ${foundAt(value, issue.path)}`;
    return `${path}: ${allowed}${found}${meant(issue, value)}`;
  });
}

/** What is allowed, if the schema has no words of its own. `mistakes` adds what was found. */
export function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code !== 'invalid_value') return undefined;
  const values = issue.values.map((value) =>
    typeof value === 'string' ? JSON.stringify(value) : String(value),
  );
  return `expected ${values.length > 1 ? 'one of ' : ''}${values.join('|')}`;
}

/** For unknown words, the nearest known ones. */
function meant(issue: Issue, value: unknown): string {
  const found = issue.code === 'unrecognized_keys' ? issue.keys : [valueAtPath(value, issue.path)];
  const words = found.filter((word) => typeof word === 'string');
  return didYouMean(words, allowedBy(issue));
}

/** A word that is not known, and the known one that is near. */
export interface MeantWord {
  readonly path: readonly PropertyKey[];
  readonly found: string;
  readonly meant: string;
  /** Whether it is the name of a member at the path, and not the value there. */
  readonly isKey: boolean;
}

/** The misspelt words among the issues of `value`'s schema. */
export function meantWords(issues: readonly Issue[], value: unknown): MeantWord[] {
  return issues.flatMap(specific).flatMap((issue) => {
    const isKey = issue.code === 'unrecognized_keys';
    const words = isKey ? issue.keys : [valueAtPath(value, issue.path)];
    return words.flatMap((found) => {
      const meant = typeof found === 'string' ? nearest(found, allowedBy(issue)) : undefined;
      return typeof found === 'string' && meant !== undefined && meant !== found
        ? [{ path: issue.path, found, meant, isKey }]
        : [];
    });
  });
}

/** The words that an issue allows: its own, or those written on it (lib/strict-object.ts). */
function allowedBy(issue: Issue & { readonly allowed?: readonly string[] }): readonly string[] {
  if (issue.allowed !== undefined) return issue.allowed;
  const values = issue.code === 'invalid_value' ? issue.values : 'options' in issue ? issue.options : [];
  return Array.isArray(values) ? values.filter((one) => typeof one === 'string') : [];
}

/** Why a key is not allowed. */
function issueText(issue: Issue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

/** Instead of a secret's name this may be the secret itself, and messages go into logs. */
function foundAt(value: unknown, path: readonly PropertyKey[]): string {
  const found = valueAtPath(value, path);
  return path.includes('credentials') && found !== undefined ? 'something else' : valueText(found);
}

/**
 * For a failed union, the issues of the one variant that was meant: the one whose own keys are used. A union
 * of plain values, or an object that fits no variant, keeps the union's own sentence.
 */
function specific(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.filter((variant) => variant.every((inner) => !isForeign(inner)));
  const only = meant.length === 1 ? meant[0] : undefined;
  // Issues at the union's own place: it is a union of plain values, and its own sentence names all of them.
  if (only === undefined || only.every((inner) => inner.path.length === 0)) return [issue];
  return only.flatMap((inner) => specific({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
}

/**
 * Whether it shows that this variant was not meant. An unknown key further down does not: it is a slip in the
 * right one.
 */
function isForeign(issue: Issue): boolean {
  return (
    issue.path.length === 0 ||
    (issue.path.length === 1 && issue.input === undefined && issue.code === 'invalid_type')
  );
}

function valueAtPath(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[key];
  }
  return here;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = jsonOrWord(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

/** JSON, or a note if it is nested too deeply. */
function jsonOrWord(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'something too deep to show';
  }
}

/** Whether it is nested too deeply. Goes level by level, because recursion could exhaust the stack. */
export function isDeeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
