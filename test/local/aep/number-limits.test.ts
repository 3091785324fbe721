// What is beyond every double, and samples beyond every stack: told, not lost.
import { expect, test } from 'vitest';
import { parseSamplesText } from '../../../lib/samples.ts';
import { compileMapping } from '../../../local/aep/data-prep/mapping.ts';

const around = { now: () => 0, uuid: () => 'fixed', organization: 'fake@AdobeOrg' };

test.each(['to_float("1e400")', 'to_integer("1e999")'])(
  'B 11: %s is no null in the row: it is told',
  (source) => {
    const mappings = [{ sourceType: 'EXPRESSION', source, destination: 'out' }];
    const { record, warnings } = compileMapping({ mappings }, undefined, around)({});
    expect(record).toEqual({});
    expect(warnings.map(({ reason }) => reason)).toEqual(['the number is too large']);
  },
);

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
