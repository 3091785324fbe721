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
  readonly texts: readonly Buffer[] | undefined;
  /** Whether it has to be there, or to have one of the texts. */
  readonly isOne: boolean;
}

/** @param all the conditions of each route; `undefined` for a route that takes everything */
export function createTakers(all: readonly (readonly Condition[] | undefined)[]): Takers | undefined {
  if (all.length > MAX_BITS) return undefined;
  const names: string[] = [];
  const tests = all.map((conditions = []) => testsIn(conditions, names));
  const byBytes = tests.map((own) => own !== undefined);
  if (!byBytes.includes(true)) return undefined;
  const fields = names.map((name) => Buffer.from(name));
  const asText = fields.map((_, field) =>
    tests.some((own) => own?.some((one) => one.field === field && one.texts !== undefined)),
  );
  const places = new Int32Array(fields.length);
  return {
    byBytes,
    of(json, start) {
      const members = lastMembers();
      if (members === undefined) return undefined;
      for (let field = 0; field < fields.length; field++) {
        const place = memberNamed(fields[field] as Buffer, members, json, start);
        // An escape can be written in many ways.
        if (place >= 0 && asText[field] && members.places[place + 3] === ESCAPED_TEXT) return undefined;
        places[field] = place;
      }
      let taken = 0;
      for (let route = 0; route < tests.length; route++) {
        const own = tests[route];
        if (own !== undefined && allHold(own, places, members.places, json, start)) taken |= 1 << route;
      }
      return taken;
    },
  };
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
  return { field, texts: texts.map((text) => Buffer.from(text)), isOne };
}

/** Where the numbers of the member are; of several with this name, the last counts, as with `JSON.parse`. */
function memberNamed(name: Buffer, { count, places }: MemberPlaces, json: Buffer, start: number): number {
  for (let place = (count - 1) * 4; place >= 0; place -= 4) {
    const from = places[place] as number;
    if ((places[place + 1] as number) - from === name.length && hasAt(json, start + from, name)) return place;
  }
  return -1;
}

function allHold(
  tests: readonly ByteTest[],
  fields: Int32Array,
  places: Uint32Array,
  json: Buffer,
  start: number,
): boolean {
  for (let index = 0; index < tests.length; index++) {
    const test = tests[index] as ByteTest;
    if (!holds(test, fields[test.field] as number, places, json, start)) return false;
  }
  return true;
}

function holds(test: ByteTest, place: number, places: Uint32Array, json: Buffer, start: number): boolean {
  if (test.texts === undefined) return place >= 0 === test.isOne;
  const end = place < 0 ? NO_TEXT : (places[place + 3] as number);
  if (end === NO_TEXT) return !test.isOne;
  const from = (places[place + 2] as number) + 1;
  for (const text of test.texts)
    if (text.length === end - from && hasAt(json, start + from, text)) return test.isOne;
  return !test.isOne;
}

function hasAt(json: Buffer, at: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) if (json[at + index] !== bytes[index]) return false;
  return true;
}
