// Streaming validation: the words the platform has for each kind of violation, and when it stops.
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../local/aep/json.ts';
import type { Field, Fields } from '../../../local/aep/xdm/field.ts';
import { compileValidator } from '../../../local/aep/xdm/validator.ts';

const text = (limits: Field = {}): Field => ({ type: 'string', ...limits });
const whole = (limits: Field): Field => ({ type: 'integer', ...limits });
const day: Field = { type: 'string', format: 'date' };
const moment: Field = { type: 'string', format: 'date-time' };
const list = (items: Field): Field => ({ type: 'array', items });
const group = (properties: Fields, required: string[] = []): Field => ({
  type: 'object',
  properties,
  required,
});

const validate = compileValidator(
  group(
    {
      _id: text(),
      name: text({ minLength: 2, maxLength: 4 }),
      code: text({ pattern: '^[A-Z]{2}$' }),
      born: day,
      at: moment,
      mail: text({ format: 'email' }),
      ip: text({ format: 'ipv4' }),
      year: whole({ minimum: 1, maximum: 9 }),
      tags: list(text()),
      inner: group({ flag: { type: 'boolean' } }),
    },
    ['_id'],
  ),
);

const first = (record: JsonObject) => validate({ _id: 'x', ...record })[0];

test.each([
  [{ extra: 1 }, 'additionalProperties', 'extraneous key [extra] is not permitted', '#'],
  [{ inner: { other: 1 } }, 'additionalProperties', 'extraneous key [other] is not permitted', '#/inner'],
  [{ name: 7 }, 'type', 'expected type: String, found: Integer', '#/name'],
  [{ name: null }, 'type', 'expected type: String, found: Null', '#/name'],
  [{ year: 1.5 }, 'type', 'expected type: Integer, found: Double', '#/year'],
  [{ inner: [] }, 'type', 'expected type: JSONObject, found: JSONArray', '#/inner'],
  [{ tags: ['a', true] }, 'type', 'expected type: String, found: Boolean', '#/tags/1'],
  [{ name: 'a' }, 'minLength', 'expected minLength: 2, actual: 1', '#/name'],
  [{ name: 'abcde' }, 'maxLength', 'expected maxLength: 4, actual: 5', '#/name'],
  [{ code: 'x' }, 'pattern', 'string [x] does not match pattern ^[A-Z]{2}$', '#/code'],
  [{ born: '2026-02-30' }, 'format', '[2026-02-30] is not a valid date. Expected [yyyy-MM-dd]', '#/born'],
  [{ mail: 'nobody' }, 'format', '[nobody] is not a valid email address', '#/mail'],
  [{ ip: '1.2.3.400' }, 'format', '[1.2.3.400] is not a valid ipv4 address', '#/ip'],
  [{ year: 0 }, 'minimum', '0 is not greater or equal to 1', '#/year'],
  [{ year: 10 }, 'maximum', '10 is not less or equal to 9', '#/year'],
])('%j', (record, keyword, message, pointerToViolation) => {
  expect(first(record as JsonObject)).toMatchObject({ keyword, message, pointerToViolation });
});

test('a required key is named where it is missing', () => {
  expect(validate({})).toMatchObject([
    { keyword: 'required', message: 'required key [_id] not found', pointerToViolation: '#' },
  ]);
});

test.each(['2026-02-13T09:12:44Z', '2026-02-13T09:12:44.123+01:00'])('%s is a moment', (at) => {
  expect(first({ at })).toBeUndefined();
});

test.each(['2026-02-13', '2026-02-13T25:00:00Z', '2026-02-13T09:12:44', '2026-02-30T09:12:44Z'])(
  '%s is not',
  (at) => {
    expect(first({ at })?.keyword).toBe('format');
  },
);

test('it stops after five violations', () => {
  const record = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => [key, 1]));
  expect(validate({ _id: 'x', ...record })).toHaveLength(5);
});
