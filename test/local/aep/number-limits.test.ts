// What is beyond every double, and samples beyond every stack: told, not lost.
import { expect, test } from 'vitest';
import { withDigits } from '../../../lib/json-text.ts';
import { inOwnNamespace, mismatches, parseSamplesText } from '../../../lib/samples.ts';
import { compileMapping } from '../../../local/aep/data-prep/mapping.ts';

const around = { now: () => 0, uuid: () => 'fixed', organization: 'fake@AdobeOrg' };

test.each(['to_float("1e400")', 'to_integer("1e999")'])(
  'B 11: %s fails, and is not null in the row',
  (source) => {
    const mappings = [{ sourceType: 'EXPRESSION', source, destination: 'out' }];
    const { record, warnings } = compileMapping({ mappings }, undefined, around)({});
    expect(record).toEqual({});
    expect(warnings.map(({ reason }) => reason)).toEqual(['the number is too large']);
  },
);

test.each([
  ['1e999999999 + 1', 'the number is too large'],
  ['1e308 * 10', 'the number is too large'],
  ['1e999999999 % 7', 'the number is too large'],
  ['1 / 0', 'division by zero'],
  ['1e999999999 / 0', 'division by zero'],
  ['1 % 0', 'division by zero'],
])('12 B 10: %s is told as what it is: %s', (source, reason) => {
  const mappings = [{ sourceType: 'EXPRESSION', source, destination: 'out' }];
  const { warnings } = compileMapping({ mappings }, undefined, around)({});
  expect(warnings.map((warning) => warning.reason)).toEqual([reason]);
});

test('12 B 11: a sample with a number beyond every double keeps its digits, in the record and in the XDM', () => {
  const [sample] = parseSamplesText('[{"record": {"a": 1e400}, "xdm": {"b": [1e400, 1]}}]', 'the samples');
  expect(sample).toEqual({ record: '{"a":1e400}', xdm: '{"b":[1e400,1]}' });
});

test.each([
  ['9007199254740993', '9007199254740992', false],
  ['9007199254740993', '9007199254740993', true],
  ['12345678901234567890.10', '12345678901234567890.1', true],
  ['1e400', '10e399', true],
  ['1e400', '1e401', false],
  ['0.1000000000000000000', '0.1', true],
  ['-0.0', '0', true],
  ['"1"', '1', false],
])('12 B 11: %s in a sample and %s in a row are compared by all their digits', (expected, got, same) => {
  const [sample] = parseSamplesText(`[{"record": {}, "xdm": {"a": ${expected}}}]`, 'the samples');
  const row = withDigits(`{"a": ${got}}`);
  const xdm = inOwnNamespace(sample?.xdm ?? {}, undefined);
  expect(mismatches(xdm, row)).toHaveLength(same ? 0 : 1);
});

test('B 11: a sample as text that is nested too deep is a mistake of the file', () => {
  const record = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
  const text = JSON.stringify([{ record, xdm: {} }]);
  expect(() => parseSamplesText(text, 'orders.samples.json')).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID' }),
  );
});

test.each(['0x10', '0b1', 'Infinity'])("B 10: %s is JavaScript's number, and none of Java's", (text) => {
  const mappings = ['to_integer', 'to_bigint', 'to_float'].map((name) => ({
    sourceType: 'EXPRESSION',
    source: `${name}(a)`,
    destination: name,
  }));
  const { record, warnings } = compileMapping({ mappings }, undefined, around)({ a: text });
  expect(record).toEqual({});
  expect(warnings).toHaveLength(3);
});
