// Data Prep's functions against the samples of Adobe's own page, and what people do with them beyond those.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../local/aep/el/compile.ts';
import { FUNCTIONS } from '../../../local/aep/el/functions/index.ts';
import { asJson } from '../../../local/aep/el/values.ts';
import type { JsonObject } from '../../../local/aep/json.ts';
import { parseExactly } from '../../../local/aep/json.ts';

const UA =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 (KHTML, like Gecko) Version/5.1 Mobile/9B206 Safari/7534.48.3';
const HOME = { line1: '345 park ave', City: 'san jose', type: 'home' };
const WORK = { line1: '345 park ave', City: 'san jose', type: 'work' };

const ROW = parseExactly(
  JSON.stringify({
    ua: UA,
    stateCode: 'ca',
    evars: { evar: { field1: 'x' } },
    address: HOME,
    addresses: [HOME, WORK],
    book_details: { author: 'George R. R. Martin', price: 17.99 },
    book_details2: { author: 'Neil Gaiman', price: 17.99, publisher: 'William Morrow' },
    street: { 'na.me': 'Main' },
    constructor: 'Reds',
    id: '@',
  }).replace('"@"', '9007199254740993'),
) as JsonObject;

const organization = '0A1B2C3D4E5F60718293A4B5@AdobeOrg';
const around = { now: () => Date.UTC(2021, 9, 26, 10, 10, 24), uuid: () => 'fixed', organization };
const value = (source: string) => asJson(compileExpression(source)(ROW, around));

/** As on https://experienceleague.adobe.com/en/docs/experience-platform/data-prep/functions, but where a comment says otherwise. */
const SAMPLES: readonly (readonly [string, unknown])[] = [
  ['concat("Hi, ", "there", "!")', 'Hi, there!'],
  ['explode("Hi, there!", " ")', ['Hi,', 'there!']], // the page loses the mark
  ['instr("adobe.com", "com")', 6],
  ['replacestr("This is a string re test", "re", "replace")', 'This is a string replace test'],
  ['substr("This is a substring test", 7, 8)', ' a subst'],
  ['lower("HeLLo")', 'hello'],
  ['lcase("HeLLo")', 'hello'],
  ['upper("HeLLo")', 'HELLO'],
  ['ucase("HeLLo")', 'HELLO'],
  ['split("Hello world", " ")', ['Hello', 'world']],
  ['join(" ", to_array(true, "Hello", "world"))', 'Hello world'],
  ['lpad("bat", 8, "yz")', 'yzyzybat'],
  ['rpad("bat", 8, "yz")', 'batyzyzy'],
  ['left("abcde", 2)', 'ab'],
  ['right("abcde", 2)', 'de'],
  ['ltrim(" hello")', 'hello'],
  ['rtrim("hello ")', 'hello'],
  ['trim(" hello ")', 'hello'],
  ['"string1".equals("STRING1")', false],
  ['"string1".equalsIgnoreCase("STRING1")', true],
  ['equals("string1", "STRING1")', false],
  ['equalsIgnoreCase("string1", "STRING1")', true],
  ['extract_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', ['E259,E259B_009,1_1', 'E259', '1_1']],
  ['matches_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', true],
  ['sha1("my text", "UTF-8")', 'c3599c11e47719df18a2448690840c5dfcce3c80'],
  ['sha256("my text", "UTF-8")', '7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104'],
  [
    'sha512("my text", "UTF-8")',
    'a3d7e45a0d9be5fd4e4b9a3b8c9c2163c21ef708bf11b4232bb21d2a8704ada2cdcd7b367dd0788a89a5c908cfe377aceb1072a7b386b7d4fd2ff68a8fd24d16',
  ],
  ['md5("my text", "UTF-8")', 'd3b96ce8c9fb4e9bd0198d03ba6852c7'],
  ['crc32("my text", "UTF-8")', '8df92e80'],
  ['get_url_protocol("https://platform.adobe.com/home")', 'https'],
  ['get_url_host("https://platform.adobe.com/home")', 'platform.adobe.com'],
  ['get_url_port("sftp://example.com//home/joe/employee.csv")', 22],
  ['get_url_path("sftp://example.com//home/joe/employee.csv")', '//home/joe/employee.csv'],
  [
    'get_url_query_str("foo://example.com:8042/over/there?name=ferret#nose", "retain")',
    { name: 'ferret#nose' },
  ],
  ['get_url_query_str("foo://example.com:8042/over/there?name=ferret#nose", "remove")', { name: 'ferret' }],
  [
    'get_url_query_str("foo://example.com:8042/over/there?name=ferret#nose", "append")',
    { name: 'ferret', _anchor_: 'nose' },
  ],
  [
    'get_url_encoded("https://example.com/partneralliance_asia-pacific_2022")',
    'https%3A%2F%2Fexample.com%2Fpartneralliance_asia-pacific_2022',
  ],
  [
    'get_url_decoded("https%3A%2F%2Fexample.com%2Fpartneralliance_asia-pacific_2022")',
    'https://example.com/partneralliance_asia-pacific_2022',
  ],
  ['now()', '2021-10-26T10:10:24Z'],
  ['timestamp()', Date.UTC(2021, 9, 26, 10, 10, 24)],
  ['format(date("2019-10-23T11:24:35+00:00"), "yyyy-MM-dd HH:mm:ss")', '2019-10-23 11:24:35'], // the page's date is no literal
  ['dformat(1571829875000, "yyyy-MM-dd\'T\'HH:mm:ss.SSSX")', '2019-10-23T11:24:35.000Z'],
  ['date("2019-10-23 11:24", "yyyy-MM-dd HH:mm", now())', '2019-10-23T11:24:00Z'],
  ['date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', '2019-10-23T11:24:00Z'],
  ['date("2019-10-23 11:24")', '2019-10-23T11:24:00Z'],
  ['date_part("MM", date("2019-10-17 11:55:12"))', 10],
  // The page shows the milliseconds cut off.
  ['set_date_part("m", 4, date("2016-11-09T11:44:44.797"))', '2016-04-09T11:44:44.797Z'],
  // The page shows `Z` behind the zone's own hour.
  ['make_date_time(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")', '2019-10-17T11:55:12-07:00'],
  ['make_timestamp(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")', '2019-10-17T11:55:12-07:00'],
  ['zone_date_to_utc(date("2019-10-17T11:55:12 PST", "yyyy-MM-dd\'T\'HH:mm:ss z"))', '2019-10-17T19:55:12Z'],
  ['zone_date_to_zone(now(), "Europe/Paris")', '2021-10-26T12:10:24+02:00'],
  ['size_of([1, 2, 3, 4])', 4],
  ['is_empty([1, null, 2, 3])', false],
  [
    "arrays_to_objects('sku', explode(\"id1|id2\", '\\\\|'), 'price', [22.5, 14.35])",
    [
      { sku: 'id1', price: 22.5 },
      { sku: 'id2', price: 14.35 },
    ],
  ],
  ["arrays_to_object('sku', ['id1'])", [{ sku: 'id1' }]],
  ['to_object("firstName", "John", "lastName", "Doe")', { firstName: 'John', lastName: 'Doe' }],
  [
    'str_to_object("firstName - John ; lastName - Doe ; phone - 123 456 7890", "-", ";")',
    { firstName: 'John', lastName: 'Doe', phone: '123 456 7890' },
  ],
  ['str_to_object("firstName - John ; lastName - Doe", "-", ";").get("firstName")', 'John'],
  ['contains_key("evars.evar.field1")', true],
  ['is_set("evars.evar.field1")', true],
  ['nullify()', null],
  ['get_keys({"book1": "Pride and Prejudice", "book2": "1984"})', ['book1', 'book2']],
  ['get_values("firstName - John , lastName - Cena , phone - 555 420 8692", "firstName", "-", ",")', 'John'],
  // The page's text promises the value, its sample shows the pair.
  ['map_get_values(book_details, "author")', 'George R. R. Martin'],
  ['map_has_keys(book_details, "author")', true],
  [
    'add_to_map(book_details, book_details2)',
    { author: 'George R. R. Martin', price: 17.99, publisher: 'William Morrow' },
  ],
  ['object_to_map("firstName", "John", "lastName", "Doe")', { firstName: 'John', lastName: 'Doe' }],
  ['object_to_map(address)', HOME],
  ['object_to_map(addresses, "type")', { home: HOME, work: WORK }],
  ['array_to_map(addresses, "type")', { home: HOME, work: WORK }],
  ['to_map("firstName", "John", "lastName", "Doe")', { firstName: 'John', lastName: 'Doe' }],
  ['coalesce(null, null, null, "first", null, "second")', 'first'],
  ['first("1", "2", "3")', '1'],
  ['last("1", "2", "3")', '3'],
  ["add_to_array(['a', 'b'], 'c', 'd')", ['a', 'b', 'c', 'd']],
  ["join_arrays(['a', 'b'], ['c'], ['d', 'e'])", ['a', 'b', 'c', 'd', 'e']],
  ['to_array(false, 1, null, 2, 3)', [1, 2, 3]],
  ['upsert_array_append([123, 456])', [123, 456]],
  ['upsert_array_replace([123, 456], 1)', [123, 456]],
  ['decode(stateCode, "ca", "California", "pa", "Pennsylvania", "N/A")', 'California'],
  ['iif("s".equalsIgnoreCase("S"), "True", "False")', 'True'],
  ['min(3, 1, 4)', 1],
  ['max(3, 1, 4)', 4],
  ['to_bigint("1000000.34")', 1000000.34],
  ['to_decimal("20.5")', 20.5],
  ['to_float("12.3456")', 12.3456], // the page shows 12.34566
  ['to_integer("12")', 12],
  [
    'json_to_object(\'{"info":{"firstName":"John","lastName":"Doe"}}\')',
    { info: { firstName: 'John', lastName: 'Doe' } },
  ],
  ['uuid()', 'fixed'],
  ['guid()', 'fixed'],
  // The page shows 28880788470263023831040523038280731744, of an organization that it does not name.
  ['fpid_to_ecid("4ed70bee-b654-420a-a3fd-b58b6b65e991")', '71830975809114202294836454697538529524'],
  ['ua_os_name(ua)', 'iOS'],
  ['ua_os_version_major(ua)', 'iOS 5'],
  ['ua_os_version(ua)', '5.1.1'],
  ['ua_os_name_version(ua)', 'iOS 5.1.1'],
  ['ua_agent_version(ua)', '5.1'],
  ['ua_agent_version_major(ua)', 'Safari 5'],
  ['ua_agent_name(ua)', 'Safari'],
  ['ua_device_class(ua)', 'Phone'],
];

describe("12 B 10: Adobe's samples", () => {
  test.each(SAMPLES)('%s', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  test('there is a sample for every function', () => {
    const sampled = (name: string) => SAMPLES.some(([source]) => new RegExp(`\\b${name}\\(`).test(source));
    // `nvl` is not on Adobe's page.
    expect([...FUNCTIONS.keys()].filter((name) => !sampled(name))).toEqual(['nvl']);
  });
});

describe('12 B 10: pattern letters', () => {
  const at = 'date("2024-03-10T08:05:09.007-08:00")';
  test.each([
    ['yyyy-DDD', '2024-070'],
    ['D', '70'],
    ['Q QQ QQQ QQQQ q', '1 01 Q1 1st quarter 1'],
    ["k K h H 'o''clock'", "8 8 8 8 o'clock"],
    ['u E EEEE F', '7 Sun Sunday 2'],
    ["YYYY-'W'ww W", '2024-W10 1'],
    ['M MM MMM MMMM L', '3 03 Mar March 3'],
    ['G a', 'AD AM'],
    ['Z X XX XXX', '-0800 -08 -0800 -08:00'],
    ['V O z', '-08:00 GMT-8 GMT-08:00'],
    ['s S SS SSS', '9 0 00 007'],
  ])('%s is written', (format, expected) => {
    expect(value(`format(${at}, "${format}")`)).toBe(expected);
  });

  test('a zone that has a name is written by it', () => {
    expect(
      value('format(zone_date_to_zone(date("2024-07-01T00:00:00Z"), "America/Los_Angeles"), "VV z")'),
    ).toBe('America/Los_Angeles PDT');
  });

  test.each(['yyyy-BB', 'yyyy-MM-ddTHH:mm', 'n', 'e', 'c', 'A', 'N'])(
    '%s is refused, and never taken for the zone',
    (format) => {
      expect(() => value(`format(${at}, "${format}")`)).toThrow(
        /^the letter '.' of the date pattern .* single quotes$/,
      );
    },
  );

  test.each([
    ['2026-01-01 10:11:12 PST', 'yyyy-MM-dd HH:mm:ss z', '2026-01-01T10:11:12-08:00'],
    ['2026-07-01 10:11:12 PST', 'yyyy-MM-dd HH:mm:ss z', '2026-07-01T10:11:12-08:00'],
    ['2026-07-01 10:11:12 America/Los_Angeles', 'yyyy-MM-dd HH:mm:ss VV', '2026-07-01T10:11:12-07:00'],
    ['2026-07-01 10:11:12 Pacific Daylight Time', 'yyyy-MM-dd HH:mm:ss zzzz', '2026-07-01T10:11:12-07:00'],
    ['2026-07-01 10:11:12 GMT-08:00', 'yyyy-MM-dd HH:mm:ss z', '2026-07-01T10:11:12-08:00'],
    ['2019-296', 'yyyy-DDD', '2019-10-23T00:00:00Z'],
    ['2024-366', 'yyyy-DDD', '2024-12-31T00:00:00Z'],
    ['2026-01-01 24', 'yyyy-MM-dd kk', '2026-01-01T00:00:00Z'],
    ['Thu 01 jan 2026', 'EEE dd MMM yyyy', '2026-01-01T00:00:00Z'],
    ['0099-01-01', 'yyyy-MM-dd', '0099-01-01T00:00:00Z'],
  ])('%s is read by %s', (text, format, expected) => {
    expect(value(`date("${text}", "${format}")`)).toBe(expected);
  });

  test.each([
    ['2024-01-01 12:00:75', 'yyyy-MM-dd HH:mm:ss'],
    ['2024-01-01 12:60:00', 'yyyy-MM-dd HH:mm:ss'],
    ['2024-01-01 24:00:00', 'yyyy-MM-dd HH:mm:ss'],
    ['2023-366', 'yyyy-DDD'],
    ['2024-01-01 12:00:00 QQQ', 'yyyy-MM-dd HH:mm:ss z'],
    ['01 Foo 2026', 'dd MMM yyyy'],
  ])('%s is no date', (text, format) => {
    expect(() => value(`date("${text}", "${format}")`)).toThrow('is not a date');
  });
});

test.each([
  ['date_part("week", date("2026-02-11"))', 7],
  ['date_part("ww", date("2027-01-01"))', 53],
  ['date_part("SSS", date("2026-02-11T00:00:00.007Z"))', 7],
  ['date_part("millisecond", date("2026-02-11T00:00:00.007Z"))', 7],
  // The day on which clocks go forward: after, within and before the hour that is skipped.
  ['make_date_time(2024, 3, 10, 3, 30, 0, 0, "America/Los_Angeles")', '2024-03-10T03:30:00-07:00'],
  ['make_date_time(2024, 3, 10, 2, 30, 0, 0, "America/Los_Angeles")', '2024-03-10T03:30:00-07:00'],
  ['date("2024-03-10 02:30 America/Los_Angeles", "yyyy-MM-dd HH:mm VV")', '2024-03-10T03:30:00-07:00'],
  [
    'set_date_part("hour", 2, make_date_time(2024, 3, 10, 1, 30, 0, 0, "America/Los_Angeles"))',
    '2024-03-10T03:30:00-07:00',
  ],
  ['make_date_time(2024, 3, 10, 1, 30, 0, 0, "America/Los_Angeles")', '2024-03-10T01:30:00-08:00'],
  // The hour that comes twice is its first.
  ['make_date_time(2024, 11, 3, 1, 30, 0, 0, "America/Los_Angeles")', '2024-11-03T01:30:00-07:00'],
  ['make_date_time(2024, 11, 3, 2, 30, 0, 0, "America/Los_Angeles")', '2024-11-03T02:30:00-08:00'],
])('12 B 10: %s', (source, expected) => {
  expect(value(source)).toBe(expected);
});

test.each([
  ['matches_regex("KIM@Example.org", "(?i)^[a-z.]+@example\\\\.org$")', true],
  ['matches_regex("aB", "(a(?i)b)")', true],
  ['matches_regex("AB", "(a(?i)b)")', false],
  ['matches_regex("a.b", "\\\\Qa.b\\\\E")', true],
  ['matches_regex("axb", "\\\\Qa.b\\\\E")', false],
  ['matches_regex("Zoë7", "\\\\p{L}+\\\\p{Digit}")', true],
  ['matches_regex("ab-", "[\\\\p{Alpha}\\\\-]+\\\\z")', true],
  ['matches_regex("ë_@", "\\\\p{L}\\\\_\\\\@")', true],
  ['"KIM" =~ "(?i)kim"', true],
])('12 B 10: %s, as Java has it', (source, expected) => {
  expect(value(source)).toBe(expected);
});

test('12 B 10: hashing takes the bytes that Java writes', () => {
  const hash = (bytes: readonly number[]) => createHash('sha256').update(Buffer.from(bytes)).digest('hex');
  expect(value('sha256("é", "UTF-16")')).toBe(hash([0xfe, 0xff, 0x00, 0xe9]));
  expect(value('sha256("é", "US-ASCII")')).toBe(hash([0x3f]));
  expect(value('sha256("é", "ISO-8859-1")')).toBe(hash([0xe9]));
  expect(value('sha256("😀", "ISO-8859-1")')).toBe(hash([0x3f]));
  expect(() => value('sha256("x", "EBCDIC")')).toThrow("'EBCDIC' is none of UTF-8, UTF-16");
});

test.each([
  ['get_url_host("https://kim:pw@shop.example.com:8443/x")', 'shop.example.com'],
  ['get_url_port("https://kim:pw@shop.example.com:8443/x")', 8443],
  ['get_url_host("http://[2001:db8::1]:8080/x")', '[2001:db8::1]'],
  ['get_url_port("http://[2001:db8::1]:8080/x")', 8080],
  ['get_url_path("https://example.com/a@b:c")', '/a@b:c'],
  ['get_url_encoded("it\'s (a) *test*!~")', 'it%27s%20%28a%29%20%2Atest%2A%21%7E'],
])('12 B 10: %s', (source, expected) => {
  expect(value(source)).toBe(expected);
});

test('12 B 10: a field may be called constructor or __proto__', () => {
  expect(value('constructor')).toBe('Reds');
  expect(value('to_object("constructor", 1, "constructor", 2)')).toEqual({ constructor: 1 });
  for (const source of [
    'to_object("__proto__", "x")',
    'to_map("__proto__", "x")',
    'add_to_map(to_map("__proto__", "x"), book_details)',
    'str_to_object("__proto__:x")',
  ]) {
    expect(Object.entries(value(source) as object)[0]).toEqual(['__proto__', 'x']);
  }
  expect(value('get_values("a:1", "constructor", ":", ",")')).toBeNull();
});

test('12 B 10: a dot in a name is escaped in an expression too', () => {
  expect(value('upper(street.na\\.me)')).toBe('MAIN');
});

test.each([
  [
    'ua_device_class("Mozilla/5.0 (iPad; CPU OS 17_2 like Mac OS X) AppleWebKit/605.1.15 Version/17.2 Safari/604.1")',
    'Tablet',
  ],
  ['ua_device_class("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0")', 'Desktop'],
  [
    'ua_agent_version_major("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0")',
    'Firefox 120',
  ],
  ['ua_device_class("nothing known")', 'Unknown'],
  ['ua_os_name("nothing known")', null],
  ['ua_os_name("")', null],
])('12 B 10: %s', (source, expected) => {
  expect(value(source)).toBe(expected);
});

// Worked out by Python's hashlib: the MD5 of "organization:FPID", each half without its sign, in 19 digits.
test("12 B 10: an FPID has the ECID that Adobe's own client makes of it, in each organization another one", () => {
  expect(value('fpid_to_ecid("b0f5c1de-0000-4000-8000-000000000010")')).toBe(
    '21023734733004698470219248919854795903',
  );
  const evaluate = compileExpression('fpid_to_ecid("4ed70bee-b654-420a-a3fd-b58b6b65e991")');
  const elsewhere = { ...around, organization: 'F00000000000000000000000@AdobeOrg' };
  expect(evaluate({}, elsewhere)).toBe('63585445649675823620801110690496679447');
  expect(value('fpid_to_ecid(null)')).toBeNull();
  expect(() => value('fpid_to_ecid("x")')).toThrow('a UUID is expected');
});

test.each([
  ['lowr(ua)', "unknown function 'lowr'; did you mean 'lower'? (at position 1)"],
  ['concat(uppper(ua), "x")', "unknown function 'uppper'; did you mean 'upper'? (at position 8)"],
  ['TO_INTEGER(ua)', "did you mean 'to_integer'?"],
  [
    'filterArray([5, -6], x -> x > 0)',
    "function 'filterArray' is for destinations, where data is exported alone (at position 1)",
  ],
  ['array_to_string(";", ["a"])', 'destinations'],
  ['aa_get_event_id("event101=5", "event101")', 'flows of the Web SDK and of Adobe Analytics'],
  ['lower(ua', "unexpected the end at position 9, ')' expected"],
  ['1 + ', 'unexpected the end at position 5, a value expected'],
  ['ua stateCode', "unexpected 'stateCode' at position 4, an operator or the end expected"],
  ['left(ua)', "function 'left' at position 1 does not take 1 arguments; its syntax is left(STRING, COUNT)"],
  ['date', "'date' at position 1 is reserved; write $"],
  ['concat(first, "")', "'first' at position 8 is reserved"],
  ['size', 'reserved'],
  ['ua.shout()', "unknown method 'shout' at position 4; known are equals"],
])('12 B 10: %s is refused with where, what and the nearest', (source, reason) => {
  expect(() => compileExpression(source)).toThrow(reason);
});

test.each([
  ['id', '9007199254740993'],
  ['id + 1', '9007199254740994'],
  ['id - 1', '9007199254740992'],
  ['id % 10', '3'],
  ['id * 10', '90071992547409930'],
  ['9007199254740993', '9007199254740993'],
  ['to_bigint("9223372036854775807")', '9223372036854775807'],
  ['to_bigint("0.1234567890123456789")', '0.1234567890123456789'],
  ['json_to_object(\'{"a": [12345678901234567890.5]}\').a[0]', '12345678901234567890.5'],
  ['max(id, 9007199254740994)', '9007199254740994'],
  ['id == 9007199254740992', 'false'],
  ['id == "9007199254740993"', 'true'],
  ['id > 9007199254740992', 'true'],
  ['concat(id, "")', '"9007199254740993"'],
  ['[id]', '[9007199254740993]'],
  ['{"a": id}', '{"a":9007199254740993}'],
  ['id / 2', '4503599627370496'],
])('12 B 11: %s keeps its digits', (source, expected) => {
  expect(JSON.stringify(value(source))).toBe(expected);
});
