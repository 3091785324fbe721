// Which routes take an ordinary record: conditions on fields at its top, looked up in its bytes.

import { stepsOf } from '../../pointer.ts';
import type { Condition } from '../../records.ts';
import { ESCAPED_TEXT, lastMembers, type MemberPlaces, NO_TEXT } from '../json/json-check.ts';

/** A bit for each route. */
const MAX_BITS = 30;

export interface Takers {
  /** Whether the conditions of a route can be looked up in bytes, by the route's place. */
  readonly byBytes: readonly boolean[];
  /**
   * The routes that take the object which was checked last: a bit for each, of meaning where `byBytes` is set.
   * `undefined` if the object has to be parsed to know.
   * @param start of the object in `json`
   */
  of(json: Buffer, start: number): number | undefined;
}

/** A condition on the field of this number. */
interface ByteTest {
  readonly field: number;
  /** The texts that are looked for; `undefined` where it matters only whether there is such a field. */
  readonly texts: readonly string[] | undefined;
  /** Whether it has to be there, or to have one of the texts. */
  readonly isOne: boolean;
}

/** A field that conditions name: it is looked up once, however many routes name it. */
interface ByteField {
  readonly name: Buffer;
  /** What any route compares it with. */
  readonly texts: readonly Buffer[];
  /** The routes that such a text leaves, in the order of the texts: a bit for each. */
  readonly taking: readonly number[];
  /** The same for any other value, and for a record without the field. */
  readonly takingOther: number;
  readonly takingAbsent: number;
}

/** @param all the conditions of each route; `undefined` for a route that takes everything */
export function createTakers(all: readonly (readonly Condition[] | undefined)[]): Takers | undefined {
  if (all.length > MAX_BITS) return undefined;
  const names: string[] = [];
  const tests = all.map((conditions = []) => testsIn(conditions, names));
  const byBytes = tests.map((own) => own !== undefined);
  if (!byBytes.includes(true)) return undefined;
  const fields = names.map((name, field) => fieldOf(name, field, tests));
  const everyone = routesWhere(byBytes, (one) => one);
  return {
    byBytes,
    of(json, start) {
      const members = lastMembers();
      if (members === undefined) return undefined;
      let taken = everyone;
      for (let index = 0; index < fields.length; index++) {
        const left = routesLeftBy(fields[index] as ByteField, members, json, start);
        if (left === undefined) return undefined;
        taken &= left;
      }
      return taken;
    },
  };
}

function fieldOf(
  name: string,
  field: number,
  tests: readonly (readonly ByteTest[] | undefined)[],
): ByteField {
  const routes = tests.map((own) => own?.filter((one) => one.field === field) ?? []);
  const texts = [...new Set(routes.flat().flatMap((one) => one.texts ?? []))];
  const taking = (holds: (test: ByteTest) => boolean) => routesWhere(routes, (own) => own.every(holds));
  return {
    name: Buffer.from(name),
    texts: texts.map((text) => Buffer.from(text)),
    taking: texts.map((text) =>
      taking((test) => (test.texts === undefined || test.texts.includes(text)) === test.isOne),
    ),
    takingOther: taking((test) => (test.texts === undefined) === test.isOne),
    takingAbsent: taking((test) => !test.isOne),
  };
}

/** A bit for each route of which it is so. */
function routesWhere<Of>(routes: readonly Of[], isSo: (one: Of) => boolean): number {
  return routes.reduce((bits, one, route) => (isSo(one) ? bits | (1 << route) : bits), 0);
}

/** `undefined` if one of them has to see the parsed record. Adds the fields that they name to `names`. */
function testsIn(conditions: readonly Condition[], names: string[]): ByteTest[] | undefined {
  const tests: ByteTest[] = [];
  for (const condition of conditions) {
    if ('any' in condition) return undefined;
    const [name, ...deeper] = stepsOf(condition.field);
    // `*` stands for all items of an array.
    if (name === undefined || name === '*' || deeper.length > 0 || !name.isWellFormed()) return undefined;
    const field = names.includes(name) ? names.indexOf(name) : names.push(name) - 1;
    const test = testIn(condition, field);
    if (test === undefined) return undefined;
    tests.push(test);
  }
  return tests;
}

function testIn(condition: Condition, field: number): ByteTest | undefined {
  // A condition with anything else in it is not known here.
  if (Object.keys(condition).length !== 2) return undefined;
  if ('exists' in condition) return { field, texts: undefined, isOne: condition.exists };
  if ('equals' in condition) return textTest(field, [condition.equals], true);
  if ('oneOf' in condition) return textTest(field, condition.oneOf, true);
  if ('notEquals' in condition) return textTest(field, [condition.notEquals], false);
  return undefined;
}

/** A number has many forms, so only texts are compared. */
function textTest(field: number, values: readonly unknown[], isOne: boolean): ByteTest | undefined {
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length < values.length || !texts.every((text) => text.isWellFormed())) return undefined;
  return { field, texts, isOne };
}

/** Where the numbers of the member are; of several with this name, the last counts, as with `JSON.parse`. */
function memberNamed(name: Buffer, { count, places }: MemberPlaces, json: Buffer, start: number): number {
  for (let place = (count - 1) * 4; place >= 0; place -= 4) {
    const from = places[place] as number;
    if ((places[place + 1] as number) - from === name.length && hasAt(json, start + from, name)) return place;
  }
  return -1;
}

/** The routes that the field leaves; `undefined` if its text has to be parsed to know. */
function routesLeftBy(
  field: ByteField,
  members: MemberPlaces,
  json: Buffer,
  start: number,
): number | undefined {
  const { name, texts, taking } = field;
  const { places } = members;
  const place = memberNamed(name, members, json, start);
  if (place < 0) return field.takingAbsent;
  const end = places[place + 3] as number;
  if (end === NO_TEXT || texts.length === 0) return field.takingOther;
  // An escape can be written in many ways.
  if (end === ESCAPED_TEXT) return undefined;
  const from = (places[place + 2] as number) + 1;
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] as Buffer;
    if (text.length === end - from && hasAt(json, start + from, text)) return taking[index];
  }
  return field.takingOther;
}

function hasAt(json: Buffer, at: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) if (json[at + index] !== bytes[index]) return false;
  return true;
}
