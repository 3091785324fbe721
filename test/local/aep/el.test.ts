// The mapping language: paths, operators, functions by Adobe's names, dates, and what it refuses to compile.
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../local/aep/el/compile.ts';
import { inTime } from '../../../local/aep/el/in-time.ts';
import { pathSteps, writePath } from '../../../local/aep/el/paths.ts';
import { asJson } from '../../../local/aep/el/values.ts';
import type { JsonObject } from '../../../local/aep/json.ts';

const ROW: JsonObject = {
  a: 3,
  name: 'Ana',
  'First Name': 'Rui',
  'First.Name': 'Eva',
  order: {
    items: [
      { sku: 'x', price: 2.5 },
      { sku: 'y', price: 4 },
    ],
    'ship-to': 'Porto',
  },
  no: null,
  when: '2019-10-23 11:24',
};

/** A name that is no identifier, as the language wants it. */
const wrapped = (name: string) => `\${${name}}`;

const around = {
  now: () => Date.UTC(2026, 1, 13, 9, 12, 44),
  uuid: () => 'fixed',
  organization: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
};
const value = (source: string) => asJson(compileExpression(source)(ROW, around));

test.each([
  ['name', 'Ana'],
  ['order.items[1].sku', 'y'],
  ['order.items[*].sku', ['x', 'y']],
  [wrapped('First Name'), 'Rui'],
  [wrapped('First\\.Name'), 'Eva'],
  [`order.${wrapped('ship-to')}`, 'Porto'],
  ['missing.deeper[3]', null],
  ['constructor', null],
  ['order.constructor', null],
  ['1 + 2 * 3', 7],
  ['7 - 2 - 1', 4],
  ['8 / 4', 2],
  ['(1 + 2) * 3', 9],
  ['7 mod 4 + 8 div 2', 7],
  ["name + '!'", 'Ana!'],
  ['-a', -3],
  ['a > 2 && name == "Ana"', true],
  ['a gt 2 and not (name eq "Rui")', true],
  ['no == null', true],
  ['a == "3"', true],
  ['name =~ "A.*"', true],
  ['a > 5 ? "big" : "small"', 'small'],
  ['no ?: "fallback"', 'fallback'],
  ['"s".equalsIgnoreCase("S")', true],
  ['name.startsWith("An")', true],
  ["{'k': [1, 'two', true]}", { k: [1, 'two', true] }],
])('%s', (source, expected) => {
  expect(value(source)).toEqual(expected);
});

describe('functions', () => {
  test.each([
    ['concat("Hi, ", "there", "!")', 'Hi, there!'],
    ['concat(name, no)', 'Ana'],
    ['explode("Hi, there!", " ")', ['Hi,', 'there!']],
    ['instr("adobe.com", "com")', 6],
    ['replacestr("This is a string re test", "re", "replace")', 'This is a string replace test'],
    ['substr("This is a substring test", 7, 8)', ' a subst'],
    ['lower("HeLLo")', 'hello'],
    ['ucase("HeLLo")', 'HELLO'],
    ['upper(no)', null],
    ['split("Hello world", " ")', ['Hello', 'world']],
    ['join(" ", to_array(true, "Hello", "world"))', 'Hello world'],
    ['lpad("bat", 8, "yz")', 'yzyzybat'],
    ['rpad("bat", 8, "yz")', 'batyzyzy'],
    ['left("abcde", 2)', 'ab'],
    ['right("abcde", 2)', 'de'],
    ['trim("  hello ")', 'hello'],
    ['ltrim(" hello")', 'hello'],
    ['extract_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', ['E259,E259B_009,1_1', 'E259', '1_1']],
    ['matches_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', true],
    ['md5("my text", "UTF-8")', 'd3b96ce8c9fb4e9bd0198d03ba6852c7'],
    ['sha256("my text")', '7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104'],
    ['crc32("123456789", "UTF-8")', '2639f4cb'],
    ['get_url_host("https://platform.adobe.com/home")', 'platform.adobe.com'],
    ['get_url_port("sftp://example.com//home/joe/employee.csv")', 22],
    [
      'get_url_query_str("foo://example.com:8042/over/there?name=ferret#nose", "append")',
      { name: 'ferret', _anchor_: 'nose' },
    ],
    ['size_of([1, 2, 3, 4])', 4],
    ['is_empty([1, null])', false],
    ['to_object("firstName", "John", "lastName", "Doe")', { firstName: 'John', lastName: 'Doe' }],
    ['str_to_object("firstName=John,phone=123 456", "=", ",")', { firstName: 'John', phone: '123 456' }],
    ['get_values("firstName - John , lastName - Cena", "firstName", "-", ",")', 'John'],
    [
      "arrays_to_objects('sku', explode(\"id1|id2\", '\\\\|'), 'price', [22.5, 14.35])",
      [
        { sku: 'id1', price: 22.5 },
        { sku: 'id2', price: 14.35 },
      ],
    ],
    ['contains_key("order.items")', true],
    ['contains_key("order.nothing")', false],
    ['coalesce(null, no, "first", "second")', 'first'],
    ['first("1", "2", "3")', '1'],
    ['last(order.items).sku', 'y'],
    ['to_array(false, 1, null, 2)', [1, 2]],
    ["add_to_array(['a'], 'b')", ['a', 'b']],
    ["join_arrays(['a'], ['c'], ['d', 'e'])", ['a', 'c', 'd', 'e']],
    ['decode("pa", "ca", "California", "pa", "Pennsylvania", "N/A")', 'Pennsylvania'],
    ['decode("xx", "ca", "California", "N/A")', 'N/A'],
    ['iif(a > 2, "yes", to_integer("never"))', 'yes'],
    ['nvl(no, "default")', 'default'],
    ['min(3, 1, 4)', 1],
    ['max(order.items[*].price)', 4],
    ['to_decimal("20.5")', 20.5],
    ['to_integer("12")', 12],
    ['json_to_object(\'{"a":{"b":1}}\').a.b', 1],
    ['uuid()', 'fixed'],
    ['nullify()', null],
  ])('%s', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });
});

describe('dates', () => {
  test.each([
    ['now()', '2026-02-13T09:12:44Z'],
    ['timestamp()', Date.UTC(2026, 1, 13, 9, 12, 44)],
    ['date(when, "yyyy-MM-dd HH:mm")', '2019-10-23T11:24:00Z'],
    ['date(when)', '2019-10-23T11:24:00Z'],
    ['date(no, "yyyy", now())', '2026-02-13T09:12:44Z'],
    ['date("23/Oct/2019 11:24 PM +0100", "dd/MMM/yyyy hh:mm a Z")', '2019-10-23T23:24:00+01:00'],
    ['format(date(when), "dd.MM.yyyy \'at\' HH")', '23.10.2019 at 11'],
    ['dformat(1571829875000, "yyyy-MM-dd\'T\'HH:mm:ss.SSSX")', '2019-10-23T11:24:35.000Z'],
    ['date_part("MM", date("2019-10-17 11:55:12"))', 10],
    ['set_date_part("m", 4, date("2016-11-09T11:44:44Z"))', '2016-04-09T11:44:44Z'],
    ['make_date_time(2019, 10, 17, 11, 55, 12, 0, "America/Los_Angeles")', '2019-10-17T11:55:12-07:00'],
    ['zone_date_to_utc(date("2019-10-17T11:55:12-08:00"))', '2019-10-17T19:55:12Z'],
    ['zone_date_to_zone(date("2026-02-13T09:00:00Z"), "Europe/Paris")', '2026-02-13T10:00:00+01:00'],
    ['date("2019-10-23T00:00:00Z") < now()', true],
  ])('%s', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  test('a day that does not exist is not a date', () => {
    expect(() => value('date("2019-02-30", "yyyy-MM-dd")')).toThrow('2019-02-30');
  });
});

test.each([
  ['shout(name)', "unknown function 'shout'"],
  ['name.shout()', "unknown method 'shout'"],
  ['name.constructor()', "unknown method 'constructor'"],
  ['a constructor a', "unexpected 'constructor'"],
  ['lower(name', "')' expected"],
  ['lower()', 'does not take 0 arguments'],
  ['"open', 'never closed'],
  ['1 +', 'unexpected the end'],
  ['new', 'reserved'],
  ['a # b', "unexpected '#'"],
])('%s is refused', (source, reason) => {
  expect(() => compileExpression(source)).toThrow(reason);
});

test('a failing evaluation throws, so that the column can be nulled', () => {
  for (const source of ['to_integer(name)', '1 / 0', 'date(name)', 'substr(name, 9, 1)']) {
    expect(() => value(source)).toThrow();
  }
});

test('destinations build objects, lists and maps, and never a prototype', () => {
  const target: JsonObject = {};
  const write = (path: string, given: string | string[]) => writePath(pathSteps(path))(target, given);
  write('identityMap.Email[0].id', 'a@example.com');
  write(`identityMap.${wrapped('my\\.space')}[0].id`, '7');
  write('products[*].sku', ['x', 'y']);
  write('products[*].name', ['X', 'Y']);
  expect(target).toEqual({
    identityMap: { Email: [{ id: 'a@example.com' }], 'my.space': [{ id: '7' }] },
    products: [
      { sku: 'x', name: 'X' },
      { sku: 'y', name: 'Y' },
    ],
  });
  expect(() => write('__proto__.polluted', 'x')).toThrow('not a field');
});

test.each([
  ['split("a,,b,", ",")', ['a', 'b']],
  ['split("a,b;;c", ",;")', ['a', 'b', 'c']],
  ['split("abc", "")', ['abc']],
  ['split("a.b", "\\\\.")', ['a', 'b']],
  ['explode("a,,b,", ",")', ['a', '', 'b', '']],
  ['explode("a1b22c", "(\\\\d)+")', ['a', 'b', 'c']],
  ['left("ab", -1)', ''],
  ['right("ab", -1)', ''],
])('12 B 10: parts of a text: %s', (source, expected) => {
  expect(value(source)).toEqual(expected);
});

test('12 B 10: a text that is not URL-encoded is refused', () => {
  expect(() => value('get_url_decoded("%zz")')).toThrow("'%zz' is not encoded as a part of a URL");
});

test.each([
  ['set_date_part("yyyy", 2023, date("2024-02-29"))', '2023-02-28T00:00:00Z'],
  ['set_date_part("m", 2, date("2023-01-31T10:00:00Z"))', '2023-02-28T10:00:00Z'],
  ['set_date_part("dd", 28, date("2023-02-01"))', '2023-02-28T00:00:00Z'],
  [
    'set_date_part("m", 1, zone_date_to_zone(date("2024-07-01T12:00:00Z"), "Europe/Paris"))',
    '2024-01-01T14:00:00+01:00',
  ],
  ['make_date_time(99, 1, 2, 3, 4, 5, 0, "UTC")', '0099-01-02T03:04:05Z'],
])('12 B 10: a part of a date as Java sets it: %s', (source, expected) => {
  expect(value(source)).toBe(expected);
});

test.each([
  'set_date_part("dd", 31, date("2024-02-01"))',
  'set_date_part("m", 13, date("2024-02-01"))',
  'set_date_part("hh", 25, date("2024-02-01"))',
  'set_date_part("mi", 60, date("2024-02-01"))',
  'make_date_time(2024, 13, 1, 0, 0, 0, 0, "UTC")',
  'make_date_time(2024, 0, 1, 0, 0, 0, 0, "UTC")',
  'make_date_time(2024, 1, 1, 0, 0, 0, 1000000000, "UTC")',
])('12 B 10: no clock shows %s', (source) => {
  expect(() => value(source)).toThrow('is not a date');
});

test.each([
  'extract_regex(text, "(a+)+b")',
  'matches_regex(text, "(a+)+b")',
  'text =~ "(a|a)*b"',
  'text !~ "(a+)+b"',
  'explode(text, "(a+)+b")',
])('B 10: %s, whose pattern would take hours, ends', (source) => {
  const compiled = compileExpression(source);
  expect(() => compiled({ text: 'a'.repeat(60) }, around)).toThrow('takes too long on this text');
});

test('a machine that stands still for a while is not taken for a pattern that takes too long', () => {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  let calls = 0;
  const found = inTime(/^(a|b)*c$/, 'a'.repeat(60), () => {
    if (calls++ === 0) Atomics.wait(asleep, 0, 0, 1_500);
    return 'found';
  });
  expect([found, calls]).toEqual(['found', 2]);
});

test('B 10: a pattern of several repetitions works on a long text', () => {
  const row = { text: `${'a'.repeat(30)}@example.org` };
  const found = compileExpression('extract_regex(text, "^(a+)@([a-z]+)[.]org$")')(row, around);
  expect(found).toEqual([row.text, 'a'.repeat(30), 'example']);
});

test.each(['()', '[]'])(
  'B 10: an expression that is nested too deep in %s is refused where it is',
  (pair) => {
    const [open = '', close = ''] = pair;
    const nested = (depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(() => compileExpression(nested(499))).not.toThrow();
    expect(() => compileExpression(nested(2_000))).toThrow('nested deeper than 500 levels at position 501');
  },
);

test.each(['999999999', '4294967295'])('B 10: no list is filled up to position %s', (position) => {
  expect(() => writePath(pathSteps(`list[${position}].x`))).toThrow(
    `position ${position} of a list is beyond`,
  );
});
