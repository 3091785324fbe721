// Takes out, masks or hashes named fields. Such records are written anew; numbers keep their digits all the same.
import { hash } from 'node:crypto';
import type { Redaction } from '../records.ts';
import { indexOf, stepsOf } from './pointer.ts';

const MASK = '***';

/** ECMAScript's access to source text, which the compiler's library does not describe yet. */
interface WithSourceText {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const { parse, rawJSON, isRawJSON } = JSON as unknown as WithSourceText;

type Container = Record<string, unknown>;
type Hide = (holder: Container, key: string) => void;

/** The same record without what the rules name. `json` must be an object of JSON, nested in no more levels than the stack bears. */
export function createRedactor(rules: readonly Redaction[]): (json: Buffer) => Buffer {
  const hides = rules.map((rule) => ({ steps: stepsOf(rule.field), hide: hideOf(rule) }));
  return (json) => {
    const record = parse(json.toString('utf8'), withDigits);
    for (const { steps, hide } of hides) if (isContainer(record)) hideAt(record, steps, hide);
    return Buffer.from(JSON.stringify(record));
  };
}

/** A number that would be written otherwise than the producer wrote it is kept as text. */
function withDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || source === String(value)) return value;
  return rawJSON(source);
}

function hideAt(holder: Container, [step, ...further]: readonly string[], hide: Hide): void {
  if (step === undefined) return;
  for (const key of keysAt(holder, step)) {
    const value = holder[key];
    if (further.length === 0) hide(holder, key);
    else if (isContainer(value)) hideAt(value, further, hide);
  }
}

/** Where a step leads: to a member, to an item, or with `*` to all items of an array. */
function keysAt(holder: Container, step: string): string[] {
  if (Array.isArray(holder)) {
    if (step === '*') return Object.keys(holder);
    if (indexOf(step) === undefined) return [];
  }
  return Object.hasOwn(holder, step) ? [step] : [];
}

function hideOf(rule: Redaction): Hide {
  if (rule.action === 'mask') return (holder, key) => put(holder, key, MASK);
  // In an array that leaves a hole, which is written as `null`: the others keep their positions.
  if (rule.action === 'drop') return (holder, key) => void Reflect.deleteProperty(holder, key);
  const { salt = '' } = rule;
  return (holder, key) => {
    const value = holder[key];
    if (value !== null) put(holder, key, hash('sha256', salt + textOf(value), 'hex'));
  };
}

/** Text as it is, anything else as JSON writes it. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The property is there already, so that not even `__proto__` is more than a name. */
function put(holder: Container, key: string, value: unknown): void {
  holder[key] = value;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !isRawJSON(value);
}
