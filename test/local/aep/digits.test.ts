// Numbers keep their digits from a record's JSON to the rows that are shown, and become text where the field is one.
import { expect, test } from 'vitest';
import { parseExactly } from '../../../local/aep/json.ts';
import { processorSeconds } from '../../support/effort.ts';
import {
  type Caller,
  caller,
  FLOWS,
  flowBody,
  makeDataSet,
  makeInlet,
  makeMapping,
  makeSource,
  makeTarget,
  PREP,
  REGISTRY,
  schemaBody,
  WARM_UP,
} from './support.ts';

/** Beyond 2^53, where every second whole number is none of JavaScript's. */
const LONG_ID = '9007199254740993';
const CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

const FIELDS = {
  text: { type: 'string' },
  texts: { type: 'array', items: { type: 'string' } },
  flag: { type: 'boolean' },
  count: { type: 'integer' },
  long: { type: 'integer', minimum: -9007199254740992, maximum: 9007199254740992 },
  amount: { type: 'number' },
  day: { type: 'string', format: 'date' },
  inner: { type: 'object', properties: { text: { type: 'string' }, constructor: { type: 'string' } } },
  byName: { type: 'object', additionalProperties: { type: 'string' } },
};

/** A field group of the tenant's own. */
const groupWith = (properties: object) => ({
  title: 'fields of our own',
  type: 'object',
  'meta:intendedToExtend': ['https://ns.adobe.com/xdm/context/profile'],
  definitions: { own: { properties: { _acmelab: { type: 'object', properties } } } },
  allOf: [{ $ref: '#/definitions/own' }],
});

async function schemaWith({ call }: Caller, groupId: string): Promise<string> {
  const body = schemaBody('digits', ['profile']);
  const allOf = [...(body.allOf as object[]), { $ref: groupId }];
  return (await call('POST', `${REGISTRY}/tenant/schemas`, { ...body, allOf })).body.$id;
}

interface Made {
  readonly with_: Caller;
  readonly schemaId: string;
}

async function made(): Promise<Made> {
  const with_ = await caller();
  const group = await with_.call('POST', `${REGISTRY}/tenant/fieldgroups`, groupWith(FIELDS));
  return { with_, schemaId: await schemaWith(with_, group.body.$id) };
}

/** The text of Data Prep's answer: what a number looks like is in the text alone. */
async function previewed(
  { with_, schemaId }: Made,
  row: string,
  mappings: readonly (readonly [source: string, field: string])[],
): Promise<string> {
  const set = {
    outputSchema: { schemaRef: { id: schemaId, contentType: CONTENT_TYPE } },
    mappings: mappings.map(([source, field]) => ({
      sourceType: 'EXPRESSION',
      source,
      destination: `_acmelab.${field}`,
    })),
  };
  const body = `{"data":${row},"mappingSet":${JSON.stringify(set)}}`;
  const reply = await with_.call('POST', `${PREP}/mappingSets/preview`, body);
  expect(reply.status).toBe(200);
  return reply.text;
}

test.each([
  ['a whole number', '{"v":42}', 'text', '"42"'],
  ['a decimal', '{"v":12.50}', 'text', '"12.5"'],
  ['a number in a list', '{"v":[1,"b"]}', 'texts', '["1","b"]'],
  ['a number within an object', '{"v":{"text":7}}', 'inner', '{"text":"7"}'],
  ['a number in a map', '{"v":{"k":7}}', 'byName', '{"k":"7"}'],
  ['a boolean, of which Adobe says nothing', '{"v":true}', 'text', 'true'],
  ['a text that is a number, of which Adobe says nothing', '{"v":"7"}', 'count', '"7"'],
  ['a field called constructor', '{"v":{"constructor":"Reds"}}', 'inner', '{"constructor":"Reds"}'],
  ["one of Adobe's words for true", '{"v":"YES"}', 'flag', 'true'],
  ['a date in a text', '{"v":"2020/12/31"}', 'day', '"2020-12-31"'],
])('12 B 1: into its field: %s', async (_what, row, field, expected) => {
  const all = await made();
  expect(await previewed(all, row, [['v', field]])).toBe(
    `[{"data":{"_acmelab":{"${field}":${expected}}},"errors":null}]`,
  );
});

test.each([
  ['copied', 'v', 'amount', LONG_ID],
  ['through concat', 'concat("c-", v)', 'text', `"c-${LONG_ID}"`],
  ['into a text field', 'v', 'text', `"${LONG_ID}"`],
  ['out of a text', 'to_bigint(concat(v, ""))', 'amount', LONG_ID],
  ['out of JSON in a text', `json_to_object("{\\"a\\": ${LONG_ID}}").a`, 'amount', LONG_ID],
  ['written in the expression', LONG_ID, 'amount', LONG_ID],
  ['in its opposite', '-v', 'amount', `-${LONG_ID}`],
  ['and back', '-(-v)', 'amount', LONG_ID],
  ['cut to an integer', `to_integer("${LONG_ID}.75")`, 'amount', LONG_ID],
  ['but not as a double', 'to_decimal("0.12345678901234567891")', 'amount', '0.12345678901234568'],
  ['in a remainder', 'v % 10', 'amount', '3'],
  ['in a sum', 'v + 2', 'amount', '9007199254740995'],
  ['compared', `v == ${LONG_ID} && v != 9007199254740992 && v > 9007199254740992`, 'flag', 'true'],
  ['chosen', 'iif(true, v, 0)', 'amount', LONG_ID],
  ['the largest of several', 'max(v, 9007199254740992)', 'amount', LONG_ID],
])('12 B 11: a 64-bit number keeps its digits %s', async (_what, source, field, expected) => {
  const all = await made();
  expect(await previewed(all, `{"v":${LONG_ID}}`, [[source, field]])).toBe(
    `[{"data":{"_acmelab":{"${field}":${expected}}},"errors":null}]`,
  );
});

test.each(['9223372036854775807', '-9223372036854775808', '0.12345678901234567891', '1234567890.123456789'])(
  '12 B 11: %s comes to the rows shown as it was sent',
  async (number) => {
    const { with_, schemaId } = await made();
    const pipeline = await landingIn(with_, schemaId, 'v', '_acmelab.amount');
    await with_.bare('POST', `/collection/batch/${pipeline.inletId}`, `{"messages":[{"v":${number}}]}`, {
      'x-adobe-flow-id': pipeline.flowId,
    });
    const shown = await with_.bare('GET', `/_simulator/datasets/${pipeline.dataSetId}/rows`);
    expect(shown.text).toContain(`{"_acmelab":{"amount":${number}}}`);
  },
);

test.each(['date(v)', 'dformat(v, "yyyy")', 'format(v, "yyyy")'])(
  '12 B 11: %s of a long number is no date, and says so',
  async (source) => {
    const all = await made();
    const reply = await previewed(all, '{"v":12345678901234567890}', [[source, 'text']]);
    expect(reply).toContain('ms since 1970 is not a date');
  },
);

test('12 B 10: microseconds that are taken for milliseconds are a year that can be read', async () => {
  const all = await made();
  expect(await previewed(all, '{"v":1571829875000000}', [['date(v)', 'text']])).toContain(
    '"+51779-04-22T09:43:20Z"',
  );
});

test('12 B 11: what is refused is shown with its digits too, and 2^53 + 1 is no XDM long', async () => {
  const { with_, schemaId } = await made();
  const pipeline = await landingIn(with_, schemaId, 'v', '_acmelab.long');
  const send = (number: string) =>
    with_.bare('POST', `/collection/${pipeline.inletId}`, `{"v":${number}}`, {
      'x-adobe-flow-id': pipeline.flowId,
    });
  await send('9007199254740992');
  await send(LONG_ID);
  await send(`-${LONG_ID}`);
  const { text } = await with_.bare('GET', `/_simulator/datasets/${pipeline.dataSetId}/refused`);
  expect(JSON.parse(text).rows).toHaveLength(2);
  expect(text).toContain(`"source":{"v":${LONG_ID}}`);
  expect(text).toContain(`"source":{"v":-${LONG_ID}}`);
  expect(text).toContain(`"${LONG_ID} is not less or equal to 9007199254740992"`);
});

test('12 B 11: a long number in a field of another type is reported with its type, as any number', async () => {
  const { with_, schemaId } = await made();
  const pipeline = await landingIn(with_, schemaId, 'v', '_acmelab.flag');
  await with_.bare('POST', `/collection/${pipeline.inletId}`, `{"v":${LONG_ID}}`, {
    'x-adobe-flow-id': pipeline.flowId,
  });
  const { text } = await with_.bare('GET', `/_simulator/datasets/${pipeline.dataSetId}/refused`);
  expect(text).toContain('expected type: Boolean, found: Integer');
});

test('12 B 11: the journal shows a preview as it was asked for and answered', async () => {
  const all = await made();
  await previewed(all, `{"v":${LONG_ID}}`, [['v', 'amount']]);
  const { text } = await all.with_.bare('GET', '/_simulator/journal?path=preview');
  expect(text).toContain(`"data":{"v":${LONG_ID}}`);
  expect(text).toContain(`"amount":${LONG_ID}}`);
});

test('12 B 11: a copy of the platform has the rows with their digits', async () => {
  const { with_, schemaId } = await made();
  const pipeline = await landingIn(with_, schemaId, 'v', '_acmelab.amount');
  await with_.bare('POST', `/collection/${pipeline.inletId}`, `{"v":${LONG_ID}}`, {
    'x-adobe-flow-id': pipeline.flowId,
  });
  const copy = with_.platform.copy();
  const page = new Request(`https://platform.adobe.io/_simulator/datasets/${pipeline.dataSetId}/rows`);
  expect(await (await copy.fetch(page)).text()).toContain(`{"_acmelab":{"amount":${LONG_ID}}}`);
});

test('12 B 11: a limit that JavaScript cannot hold is still a limit of a schema', async () => {
  const with_ = await caller();
  const group = JSON.stringify(groupWith({ v: { type: 'integer', maximum: '@' } }));
  const { body } = await with_.call(
    'POST',
    `${REGISTRY}/tenant/fieldgroups`,
    group.replace('"@"', '9223372036854775807'),
  );
  const schemaId = await schemaWith(with_, body.$id);
  const pipeline = await landingIn(with_, schemaId, 'v', '_acmelab.v');
  const sent = await with_.bare('POST', `/collection/${pipeline.inletId}`, '{"v":7}', {
    'x-adobe-flow-id': pipeline.flowId,
  });
  expect(sent.status).toBe(200);
  const { text } = await with_.bare('GET', `/_simulator/datasets/${pipeline.dataSetId}/rows`);
  expect(text).toContain('{"_acmelab":{"v":7}}');
});

test('12 B 11: any text of a record comes out with the same numbers', () => {
  for (const text of [
    `{"a":${LONG_ID},"b":[${LONG_ID}, -${LONG_ID}],"c":{"d":1e400}}`,
    `[\n  ${LONG_ID}\n]`,
    LONG_ID,
    `{"ecid":"12345678901234567890123456789012345678","a":${LONG_ID}}`,
  ])
    expect(JSON.stringify(parseExactly(text))).toBe(text.replace(/\s/g, ''));
});

test('12 B 11: a number of a hundred thousand digits keeps them at little cost', async () => {
  const text = `[1${'0'.repeat(200_000)}1]`;
  let read = '';
  const seconds = await processorSeconds(() => {
    read = JSON.stringify(parseExactly(text));
  });
  expect(read).toBe(text);
  // Looking for zeros at its end from each of its digits takes more than ten.
  expect(seconds).toBeLessThan(2);
});

/** A flow from a new inlet into a new dataset, warm. */
async function landingIn(with_: Caller, schemaId: string, source: string, destination: string) {
  const dataSetId = await makeDataSet(with_, schemaId);
  const { id, inletId } = await makeInlet(with_);
  const sourceId = await makeSource(with_, id);
  const targetId = await makeTarget(with_, dataSetId, schemaId);
  const mapping = await makeMapping(with_, schemaId, [{ sourceType: 'ATTRIBUTE', source, destination }]);
  const flow = await with_.call(
    'POST',
    `${FLOWS}/flows`,
    flowBody(true, sourceId, targetId, mapping.body.id),
  );
  with_.clock.advance(WARM_UP);
  return { dataSetId, inletId, flowId: String(flow.body.id) };
}
