// Decides what a field becomes: its type in the schema, and how a record's value gets there.
import {
  DAY_IN_DIGITS,
  type DateForm,
  dateForms,
  dayInDigits,
  dayText,
  EPOCHS,
  type Epoch,
  instantByItself,
  instantText,
  isDayName,
  isTimeName,
  isTriedByItself,
} from './dates.ts';
import { formCount, kindCount, kindsOf, MAX_FEW, type Node } from './tally.ts';

/** A field as Schema Registry takes it. */
export interface SchemaField {
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
  readonly [facet: string]: unknown;
}

/** What becomes of a value: the mapping does it in AEP, and `convert` says what must come out. */
export interface Decision {
  readonly field: SchemaField;
  /** The calculated field for this path; left out where Data Prep does what is needed by itself. */
  readonly expression?: (path: string) => string;
  /** `undefined` where nothing is written. */
  readonly convert: (value: unknown) => unknown;
  /** What was decided, in a few words. */
  readonly type: string;
  readonly notes: readonly string[];
}

/** A field that is not mapped, and why. */
export interface Left {
  readonly left: string;
}

/** Whether nothing can be made of the field. */
export function isLeft(one: Decision | Left): one is Left {
  return 'left' in one && typeof one.left === 'string';
}

/** XDM's `long`: what JavaScript tells apart as well. Adobe's page "XDM field type constraints". */
const LONG = { minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

const NUMBERS = new Set(['integer', 'number', 'long']);

/** A value that is no object and no list. */
export function decide(name: string, node: Node): Decision | Left {
  const kinds = kindsOf(node);
  if (kinds.length === 0) return { left: 'is null wherever it is there' };
  if (kinds.includes('object') || kinds.includes('list')) return { left: `is ${countedKinds(node)}` };
  if (kinds.every((kind) => kind === 'boolean')) return asItIs({ type: 'boolean' }, 'boolean');
  if (kinds.includes('boolean')) return withBooleans(node);
  if (kinds.every((kind) => NUMBERS.has(kind))) return numberOf(name, node);
  if (kinds.some((kind) => NUMBERS.has(kind)))
    return { ...text(), notes: [`${countedKinds(node)}: kept as text, which loses nothing`] };
  return textOf(name, node);
}

function asItIs(field: SchemaField, type: string, notes: readonly string[] = []): Decision {
  return { field, convert: (value) => value ?? undefined, type, notes };
}

/** What Data Prep makes of a number for a field of texts. */
function toText(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function text(field: Partial<SchemaField> = {}, type = 'text'): Decision {
  return { field: { type: 'string', ...field }, convert: toText, type, notes: [] };
}

/** Data Prep leaves a boolean what it is, and a field of texts refuses it. */
function withBooleans(node: Node): Decision | Left {
  const truths = formCount(node, 'boolean');
  if (
    kindsOf(node).every((kind) => kind === 'boolean' || kind === 'text') &&
    truths === kindCount(node, 'text')
  )
    return {
      field: { type: 'boolean' },
      convert: (value) => (typeof value === 'string' ? /^true$/i.test(value) : (value ?? undefined)),
      type: 'boolean',
      notes: [`${countedKinds(node)}: the texts are "true" and "false"`],
    };
  return {
    ...text(),
    expression: (path) => `iif(${path} == null, nullify(), concat(${path}, ""))`,
    notes: [`${countedKinds(node)}: kept as text`],
  };
}

function numberOf(name: string, node: Node): Decision {
  if (kindCount(node, 'long') > 0)
    return { ...text(), notes: ['has more digits than a number of AEP keeps: kept as text'] };
  const integers = kindCount(node, 'integer');
  if (kindCount(node, 'number') > 0) return asItIs({ type: 'number' }, 'number');
  const epoch = onlyForm(node, 'epoch ', integers);
  if (epoch !== undefined && isTimeName(name)) return timeOfNumber(epoch as Epoch, node, (path) => path);
  // A narrower type would refuse a later record for what no sample could show.
  return asItIs({ type: 'integer', ...LONG }, 'integer');
}

/** The one form that all have, of those whose names begin so. */
function onlyForm(node: Node, beginning: string, all: number): string | undefined {
  const found = [...node.forms].filter(([form, count]) => form.startsWith(beginning) && count === all);
  return found.length === 1 ? found[0]?.[0].slice(beginning.length) : undefined;
}

/** `dformat` takes milliseconds. Adobe's page "Data Prep mapping functions". */
function timeOfNumber(epoch: Epoch, node: Node, number: (path: string) => string): Decision {
  const millis = { seconds: ' * 1000', millis: '', micros: ' / 1000' }[epoch];
  const call = (path: string) => `dformat(${number(path)}${millis}, "yyyy-MM-dd'T'HH:mm:ss.SSSX")`;
  return {
    field: { type: 'string', format: 'date-time' },
    // Arithmetic with nothing is an error of the row; whatever is missing is left out before.
    expression: (path) =>
      epoch === 'millis' ? call(path) : `iif(${path} == null, nullify(), ${call(path)})`,
    convert: (value) =>
      value === null || value === undefined
        ? undefined
        : new Date(Math.trunc((Number(value) * 1_000) / EPOCHS[epoch])).toISOString(),
    type: 'time',
    notes: [`counts ${epoch} since 1970`, ...(kindCount(node, 'text') > 0 ? ['written as text'] : [])],
  };
}

function textOf(name: string, node: Node): Decision {
  const texts = kindCount(node, 'text');
  const written = texts - formCount(node, 'empty');
  if (written > 0 && formCount(node, 'boolean') === texts)
    return {
      field: { type: 'boolean' },
      convert: (value) => (typeof value === 'string' ? /^true$/i.test(value) : undefined),
      type: 'boolean',
      notes: ['written as text: "true" and "false"'],
    };
  const epoch = onlyForm(node, 'epoch text ', texts);
  if (epoch !== undefined && isTimeName(name))
    return timeOfNumber(epoch as Epoch, node, (path) => `to_integer(${path})`);
  if (formCount(node, 'day in digits') === texts && isDayName(name)) return inDigits();
  return (written > 0 ? timeOf(node, written) : undefined) ?? plainText(node, texts);
}

function isPattern(form: string): boolean {
  return /[dM]/.test(form) && /yyyy/.test(form);
}

/** A day or a time, if all texts are one. */
function timeOf(node: Node, written: number): Decision | undefined {
  const patterns = [...node.forms].filter(([form]) => isPattern(form));
  const whole = patterns.filter(([, count]) => count === written).map(([pattern]) => pattern);
  const hasEmpty = formCount(node, 'empty') > 0;
  if (whole.length === 1 && whole[0] !== undefined) return inPattern(whole[0], hasEmpty);
  // Day and month cannot be told apart, or not all are times.
  if (whole.length > 1 || hasEmpty) return undefined;
  const known = patterns.filter(([pattern]) => isTriedByItself(pattern));
  if (known.reduce((sum, [, count]) => sum + count, 0) !== written || known.length < 2) return undefined;
  return {
    field: { type: 'string', format: 'date-time' },
    convert: (value) => (typeof value === 'string' ? instantByItself(value) : undefined),
    type: 'time',
    notes: [`written in ${known.length} forms: ${known.map(([pattern]) => pattern).join(', ')}`],
  };
}

/** Read by its pattern. Adobe's page "Handling data formats with Data Prep" lists it. */
function inDigits(): Decision {
  return {
    field: { type: 'string', format: 'date' },
    expression: (path) => `date(${path}, "${DAY_IN_DIGITS}")`,
    convert: (value) => {
      const written = typeof value === 'string' ? dayInDigits(value) : undefined;
      return written === undefined ? undefined : dayText(written);
    },
    type: 'day',
    notes: [`written as ${DAY_IN_DIGITS}`],
  };
}

function inPattern(pattern: string, hasEmpty: boolean): Decision {
  const isDay = !pattern.includes('HH');
  const hasZone = /[XZz]$/.test(pattern);
  const shown = isDay ? dayText : instantText;
  const field: SchemaField = { type: 'string', format: isDay ? 'date' : 'date-time' };
  const notes = [`written as ${pattern}`, ...(isDay || hasZone ? [] : ['no zone: taken as UTC'])];
  const type = isDay ? 'day' : 'time';
  const found = (value: unknown): DateForm | undefined =>
    typeof value === 'string' ? dateForms(value).find((one) => one.pattern === pattern) : undefined;
  // These need nothing done, and are sent as they are.
  const isReady = pattern === 'yyyy-MM-dd' || /^yyyy-MM-dd'T'HH:mm:ss(\.SSS)?X$/.test(pattern);
  if (isReady && !hasEmpty)
    return {
      field,
      convert: (value) => (typeof value === 'string' ? (isDay ? value : instantByItself(value)) : undefined),
      type,
      notes,
    };
  return {
    field,
    expression: (path) => `date(${path}, "${pattern}")`,
    convert: (value) => {
      const form = found(value);
      return form === undefined ? undefined : shown(form.written);
    },
    type,
    notes,
  };
}

function plainText(node: Node, texts: number): Decision {
  const ambiguous = [...node.forms].some(([form, count]) => isPattern(form) && count === texts);
  const notes = [
    ...(ambiguous ? ['may be a day: day and month cannot be told apart'] : []),
    ...(formCount(node, 'digits') === texts ? ['all texts are numbers'] : []),
    ...mixedTimes(node, texts),
  ];
  const few = fewValues(node, texts);
  if (few === undefined) return { ...text(), notes };
  return {
    ...text({ 'meta:enum': Object.fromEntries(few.map((value) => [value, value])) }, 'text'),
    notes: [...notes, `one of ${few.length}: ${few.map((value) => JSON.stringify(value)).join(', ')}`],
  };
}

function mixedTimes(node: Node, texts: number): string[] {
  const times = Math.max(0, ...[...node.forms].filter(([form]) => isPattern(form)).map(([, count]) => count));
  return times > 0 && times < texts ? [`${times} of ${texts} texts are times: kept as text`] : [];
}

/** Each of few values comes several times; so names of people in a short file are none. */
const MIN_EACH = 4;

function fewValues(node: Node, texts: number): string[] | undefined {
  const values = [...(node.distinct?.keys() ?? [])].filter((value) => typeof value === 'string');
  const isFew = values.length > 1 && values.length < MAX_FEW && texts >= MIN_EACH * values.length;
  return isFew && !values.includes('') ? values.toSorted() : undefined;
}

/** `998 texts, 2 integers`: what a value is, the most frequent first. */
export function countedKinds(node: Node): string {
  return kindsOf(node)
    .toSorted((one, other) => kindCount(node, other) - kindCount(node, one))
    .map((kind) => `${kindCount(node, kind)} ${WORDS[kind]}`)
    .join(', ');
}

const WORDS = {
  null: 'null',
  boolean: 'booleans',
  integer: 'integers',
  number: 'numbers',
  long: 'long numbers',
  text: 'texts',
  list: 'lists',
  object: 'objects',
} as const;

export { WORDS as KIND_WORDS };
