// What Data Prep makes of numbers: text in string fields, and all their digits from the record to the row shown.
import { describe, expect, test } from 'vitest';
import { ExactNumber, numberOf, plainNumbers } from '../../../local/aep/exact-number.ts';
import { parseExactly } from '../../../local/aep/json.ts';
import { caller, LOOKUP, makePipeline, makeSchema, PREP, WARM_UP } from './support.ts';

const LONG = '9007199254740993';

async function preview(mappings: object[], data: object) {
  const with_ = await caller();
  const id = await makeSchema(with_);
  const schemaRef = { id, contentType: LOOKUP.accept };
  const { body } = await with_.call('POST', `${PREP}/mappingSets/preview`, {
    data,
    mappingSet: { outputSchema: { schemaRef }, mappings },
  });
  return body[0];
}

const attribute = (source: string, destination: string) => ({ sourceType: 'ATTRIBUTE', source, destination });

describe('12 B 1: values on their way into string fields', () => {
  test("numbers become text, as in Adobe's own preview", async () => {
    const mappings = [attribute('id', '_id'), attribute('firstName', 'person.name.firstName')];
    expect(await preview(mappings, { id: 1234, firstName: 'Robert' })).toEqual({
      data: { _id: '1234', person: { name: { firstName: 'Robert' } } },
      errors: null,
    });
  });

  test.each([
    [12.5, '12.5'],
    [-7, '-7'],
    [0, '0'],
  ])('%s becomes text in a map of lists, and in a whole object that is copied', async (id, text) => {
    const mappings = [attribute('id', 'identityMap.Email[0].id'), attribute('mail', 'workEmail')];
    const { data } = await preview(mappings, { id, mail: { address: id } });
    expect(data).toEqual({ identityMap: { Email: [{ id: text }] }, workEmail: { address: text } });
  });

  test('the row lands', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_, {
      mappings: [attribute('id', '_id'), attribute('contact.email', 'workEmail.address')],
    });
    with_.clock.advance(WARM_UP);
    const record = { id: 1234, contact: { email: 'ana@example.com' } };
    const body = JSON.stringify({ messages: [record] });
    await with_.bare('POST', `/collection/batch/${made.inletId}`, body, { 'x-adobe-flow-id': made.flowId });
    const rows = await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/rows`);
    expect(rows.body.rows).toEqual([{ _id: '1234', workEmail: { address: 'ana@example.com' } }]);
  });

  test('a boolean stays one in a string field, for no conversion is documented', async () => {
    const mappings = [attribute('flag', '_id'), attribute('text', 'workEmail.primary')];
    const { data, errors } = await preview(mappings, { flag: true, text: 'yes' });
    expect([data, errors]).toEqual([{ _id: true, workEmail: { primary: true } }, null]);
  });
});

describe('12 B 11: numbers keep their digits', () => {
  test.each([
    [LONG, `"${LONG}"`],
    ['9223372036854775807', '"9223372036854775807"'],
    ['0.12345678901234567890', '"0.12345678901234567890"'],
  ])('%s from the record to a string field of the row shown', async (number, shown) => {
    const with_ = await caller();
    const made = await makePipeline(with_, {
      mappings: [attribute('id', '_id'), attribute('contact.email', 'workEmail.address')],
    });
    with_.clock.advance(WARM_UP);
    const body = `{"messages":[{"id":${number},"contact":{"email":"ana@example.com"}}]}`;
    await with_.bare('POST', `/collection/batch/${made.inletId}`, body, { 'x-adobe-flow-id': made.flowId });
    const { text } = await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/rows`);
    expect(text).toContain(`"_id":${shown}`);
  });

  test('in a number field of the row, in what was refused, and in the records that a witness sees', async () => {
    const seen: string[] = [];
    const with_ = await caller({ onReceived: (records) => seen.push(JSON.stringify(records)) });
    const made = await makePipeline(with_, {
      mappings: [
        attribute('id', '_id'),
        attribute('points', 'homeAddress._schema.latitude'),
        attribute('contact.email', 'workEmail.address'),
      ],
    });
    with_.clock.advance(WARM_UP);
    const record = (email: string) =>
      `{"id":"x","points":12.3456789012345678901,"contact":{"email":${email}}}`;
    const body = `{"messages":[${record('"ana@example.com"')},${record('true')}]}`;
    await with_.bare('POST', `/collection/batch/${made.inletId}`, body, { 'x-adobe-flow-id': made.flowId });
    for (const page of ['rows', 'refused']) {
      const { text } = await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/${page}`);
      expect(text).toContain(':12.3456789012345678901');
    }
    expect(seen.join()).toContain(':12.3456789012345678901');
  });

  test.each(['0', '-0', '12.50', '1e3', '9007199254740992', '1.50e10', '100000000000000000000', '0.1'])(
    '%s becomes a plain JavaScript number',
    (text) => {
      expect(numberOf(text)).toBe(Number(text));
    },
  );

  // Where only doubles are known, a whole number moves away from zero: beyond 2^53 it stays beyond.
  test.each([
    [LONG, 9007199254740994],
    [`-${LONG}`, -9007199254740994],
    ['9223372036854775807', 2 ** 63],
    ['1e400', Number.POSITIVE_INFINITY],
    ['1e-400', 0],
    ['0.10000000000000000001', 0.1],
    ['12345678.123456789012', 12345678.123456789],
  ])('%s is kept', (text, double) => {
    const value = parseExactly(`{"a":[${text}]}`);
    expect(JSON.stringify(value)).toBe(`{"a":[${text}]}`);
    expect(numberOf(text)).toBeInstanceOf(ExactNumber);
    expect(plainNumbers(value)).toEqual({ a: [double] });
  });

  test('what has no long number is parsed and handed on as it is', () => {
    const value = parseExactly('{"a":[1.5,"9007199254740993"],"b":{"__proto__":1}}');
    expect(value).toEqual(JSON.parse('{"a":[1.5,"9007199254740993"],"b":{"__proto__":1}}'));
    expect(plainNumbers(value)).toBe(value);
  });
});
