// Removes, masks or hashes named fields. The record is written anew, and its numbers keep their digits.
import { hash } from 'node:crypto';
import { indexOf, stepsOf } from '../../pointer.ts';
import { covers, type Redacted, type Redaction, redactionsOf } from '../../records.ts';
import type { AppliedRule, History } from '../read/message.ts';

const MASK = '***';

/** ECMAScript's access to source text, which TypeScript's library does not describe yet. */
interface WithSourceText {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const { parse, rawJSON, isRawJSON } = JSON as unknown as WithSourceText;

type Holder = Record<string, unknown>;
type Hide = (holder: Holder, key: string) => void;

/** `json` must be a JSON object, with no more levels than the stack allows. */
export interface Redactor {
  /** The rules under which it redacts: one list for all records. */
  readonly applied: readonly AppliedRule[];
  /** The record without what the rules name. */
  redact(json: Buffer): Buffer;
  /**
   * Redacts a record that was redacted before. `undefined` if that cannot work: a rule hashes a value that is missing
   * now, or that may be a hash already.
   */
  redactAgain(json: Buffer, before: History): Buffer | undefined;
}

/** `undefined` where the pipeline hides nothing. */
export function createRedactor(pipeline: Redacted): Redactor | undefined {
  const rules = redactionsOf(pipeline);
  if (rules.length === 0) return undefined;
  const applied = rules.map(appliedRule);
  const redact = hider(rules);
  return {
    applied,
    redact,
    redactAgain(json, before) {
      if (before === 'unknown') return mayBeHashed(json, rules) ? undefined : redact(json);
      const left = rules.filter(
        (_, at) => !before.some((one) => isSameRule(one, applied[at] as AppliedRule)),
      );
      const isLost = ({ action, field }: Redaction) =>
        action === 'hash' && before.some((one) => covers(one.field, field) || covers(field, one.field));
      return left.some(isLost) ? undefined : hider(left)(json);
    },
  };
}

function appliedRule(rule: Redaction): AppliedRule {
  const { field, action } = rule;
  const salt = rule.action === 'hash' ? rule.salt : undefined;
  return { field, action, ...(salt !== undefined && { salt: hash('sha256', salt, 'hex').slice(0, 16) }) };
}

export function isSameRule(a: AppliedRule, b: AppliedRule): boolean {
  return a.field === b.field && a.action === b.action && a.salt === b.salt;
}

function hider(rules: readonly Redaction[]): (json: Buffer) => Buffer {
  const hides = rules.map((rule) => ({ steps: stepsOf(rule.field), hide: hideOf(rule) }));
  return (json) => {
    const record = parse(json.toString('utf8'), keepDigits);
    for (const { steps, hide } of hides) if (isContainer(record)) hideAt(record, steps, hide);
    return Buffer.from(JSON.stringify(record));
  };
}

/** The value that a hash or a mask rule puts in the place of another. */
const HIDDEN = /^([0-9a-f]{64}|\*\*\*)$/;

/** Whether a value that is to be hashed may be a hash already: hashed twice it would identify another person. */
function mayBeHashed(json: Buffer, rules: readonly Redaction[]): boolean {
  const record: unknown = JSON.parse(json.toString('utf8'));
  if (!isContainer(record)) return true;
  let found = false;
  const look: Hide = (holder, key) => {
    const value = holder[key];
    found ||= typeof value === 'string' && HIDDEN.test(value);
  };
  for (const { action, field } of rules) if (action === 'hash') hideAt(record, stepsOf(field), look);
  return found;
}

/** A number that JSON.stringify would write differently than the producer is kept as text. */
function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || source === String(value)) return value;
  return rawJSON(source);
}

function hideAt(holder: Holder, [step, ...further]: readonly string[], hide: Hide): void {
  if (step === undefined) return;
  for (const key of keysAt(holder, step)) {
    const value = holder[key];
    if (further.length === 0) hide(holder, key);
    else if (isContainer(value)) hideAt(value, further, hide);
  }
}

/** Where a step leads: to a member, to an item, or with `*` to all items of an array. */
function keysAt(holder: Holder, step: string): string[] {
  if (Array.isArray(holder)) {
    if (step === '*') return Object.keys(holder);
    if (indexOf(step) === undefined) return [];
  }
  return Object.hasOwn(holder, step) ? [step] : [];
}

function hideOf(rule: Redaction): Hide {
  if (rule.action === 'mask') return (holder, key) => setMember(holder, key, MASK);
  // In an array this leaves a hole, which is written as `null`: the others keep their positions.
  if (rule.action === 'drop') return (holder, key) => void Reflect.deleteProperty(holder, key);
  const { salt = '' } = rule;
  return (holder, key) => {
    const value = holder[key];
    if (value !== null) setMember(holder, key, hash('sha256', salt + plainText(value), 'hex'));
  };
}

/** A text is used as it is, any other value as JSON. */
function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The property exists already, so that even `__proto__` is an ordinary name. */
function setMember(holder: Holder, key: string, value: unknown): void {
  holder[key] = value;
}

function isContainer(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && !isRawJSON(value);
}
