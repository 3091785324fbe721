// Kinesis Data Streams for DynamoDB: a change of an item, whose typed JSON is made plain.
// AWS: "Using Kinesis Data Streams to capture changes to DynamoDB"; DynamoDB API, "AttributeValue".
import { isObject, soundJson } from '../../json/check.ts';
import type { Span } from '../../json/json.ts';
import { spanAt } from '../../json/pointer.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import { expanderOf } from './expander.ts';

const OPENING_BRACE = 0x7b;

/** The members that hold items. */
const ITEMS = ['Keys', 'NewImage', 'OldImage'];

/** As JSON writes numbers. DynamoDB writes its own as text, in the same way, with up to 38 digits. */
const TYPED_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Letters of a path. A name of DynamoDB has up to 64 KB. */
const MAX_PATH = 200;

/** An attribute in another form. */
class NotTyped extends Error {
  /** The names and positions that lead to it. */
  readonly steps: string[] = [];
}

/**
 * The change with its items as plain JSON; every other byte is the producer's. Numbers keep their digits, sets become
 * lists, binary stays base64. An item that is `null` stays so.
 */
export const dynamoDbExpander = expanderOf((bytes, add) => {
  const looked = soundJson(bytes);
  if ('kind' in looked) return looked;
  const { json } = looked;
  const change = spanAt(json, ['dynamodb']);
  if (change === undefined || json[change.start] !== OPENING_BRACE)
    return notDynamoDb('it has no object at /dynamodb');
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { name, span } of itemsIn(json)) {
    const text = plainItem(name, json.toString('utf8', span.start, span.end));
    if (typeof text !== 'string') return text;
    pieces.push(json.subarray(at, span.start), Buffer.from(text));
    at = span.end;
  }
  add(Buffer.concat([...pieces, json.subarray(at)]));
  return undefined;
});

/** In the order of the text. */
function itemsIn(json: Buffer): readonly { readonly name: string; readonly span: Span }[] {
  const found = ITEMS.flatMap((name) => {
    const span = spanAt(json, ['dynamodb', name]);
    return span === undefined ? [] : [{ name, span }];
  });
  return found.sort((a, b) => a.span.start - b.span.start);
}

function notDynamoDb(why: string, path?: string): Rejected {
  return rejected('not-dynamodb', why, path);
}

/** An item as plain JSON; a reject if anything in it is in another form. */
function plainItem(name: string, item: string): string | Rejected {
  const value: unknown = JSON.parse(item);
  if (value === null) return 'null';
  try {
    return plainMap(value);
  } catch (error) {
    if (!(error instanceof NotTyped)) throw error;
    const path = pointerOf(['dynamodb', name, ...error.steps]);
    return notDynamoDb(`${name} is not in DynamoDB's typed JSON`, path);
  }
}

/** As a manifest's pointers lead into the plain item: without the names of types. */
function pointerOf(steps: readonly string[]): string {
  const pointer = steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return pointer.length <= MAX_PATH ? pointer : `${pointer.slice(0, MAX_PATH)}…`;
}

function plainMap(value: unknown): string {
  if (!isObject(value)) throw new NotTyped();
  const members = Object.entries(value).map(
    ([name, one]) => `${JSON.stringify(name)}:${plainAt(name, one, plainAttribute)}`,
  );
  return `{${members.join(',')}}`;
}

/** @throws NotTyped with the step before those that it has */
function plainAt(step: string, value: unknown, plain: (value: unknown) => string): string {
  try {
    return plain(value);
  } catch (error) {
    if (error instanceof NotTyped) error.steps.unshift(step);
    throw error;
  }
}

/** An attribute: an object with one member, whose name is the type. @throws NotTyped */
function plainAttribute(attribute: unknown): string {
  const [typed, ...others] = isObject(attribute) ? Object.entries(attribute) : [];
  if (typed === undefined || others.length > 0) throw new NotTyped();
  const [type, value] = typed;
  switch (type) {
    case 'S':
    case 'B':
      return typedText(value);
    case 'N':
      return typedNumber(value);
    case 'BOOL':
      if (typeof value !== 'boolean') throw new NotTyped();
      return String(value);
    case 'NULL':
      return 'null';
    case 'M':
      return plainMap(value);
    case 'L':
      return plainList(value, plainAttribute);
    case 'SS':
    case 'BS':
      return plainList(value, typedText);
    case 'NS':
      return plainList(value, typedNumber);
    default:
      throw new NotTyped();
  }
}

function typedText(value: unknown): string {
  if (typeof value !== 'string') throw new NotTyped();
  return JSON.stringify(value);
}

function typedNumber(value: unknown): string {
  if (typeof value !== 'string' || !TYPED_NUMBER.test(value)) throw new NotTyped();
  return value;
}

function plainList(value: unknown, one: (item: unknown) => string): string {
  if (!Array.isArray(value)) throw new NotTyped();
  return `[${value.map((item, at) => plainAt(String(at), item, one)).join(',')}]`;
}
