// Data Prep: both forms of a mapping set, versions, validation at creation, preview.
import { describe, expect, test } from 'vitest';
import { caller, MAPPINGS, makeMapping, makeSchema, PREP } from './support.ts';

const SETS = `${PREP}/mappingSets`;

test('a set is made with 200 and shown in both forms', async () => {
  const with_ = await caller();
  const schemaId = await makeSchema(with_);
  const made = await makeMapping(with_, schemaId);
  expect(made.status).toBe(200);
  expect(made.body).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), version: 0 });
  const { body } = await with_.call('GET', `${SETS}/${made.body.id}`);
  expect(body.outputSchema.schemaRef.id).toBe(schemaId);
  expect(body.xdmSchema).toBe(`_acmelab.schemas.${schemaId.split('/').at(-1)}`);
  expect(body.mappings[1]).toMatchObject({
    source: 'firstName',
    sourceAttribute: 'firstName',
    destinationXdmPath: 'person.name.firstName',
  });
});

test('12 B 7: rows are read back with the words of Adobe’s file, which are taken again when a set is copied', async () => {
  const with_ = await caller();
  const made = await makeMapping(with_, await makeSchema(with_));
  const { body } = await with_.call('GET', `${SETS}/${made.body.id}`);
  const types = new Set(body.mappings.map((row: { sourceType: string }) => row.sourceType));
  expect(types).toEqual(new Set(['text/x.schema-path', 'text/x.aep-xl']));
  const copy = await with_.call('POST', SETS, { ...body, name: 'copy' });
  expect(copy.status).toBe(200);
  const again = (await with_.call('GET', `${SETS}/${copy.body.id}`)).body;
  const rows = (set: { mappings: { source: string; sourceType: string }[] }) =>
    set.mappings.map(({ source, sourceType }) => ({ source, sourceType }));
  expect(rows(again)).toEqual(rows(body));
});

test('the legacy form does as well, by $id or by meta:altId, also at the path of the tutorials', async () => {
  const with_ = await caller();
  const schemaId = await makeSchema(with_);
  const mappings = [
    {
      sourceAttribute: 'firstName',
      destinationXdmPath: 'person.name.firstName',
      identity: false,
      version: 0,
    },
  ];
  for (const xdmSchema of [schemaId, `_acmelab.schemas.${schemaId.split('/').at(-1)}`]) {
    const made = await with_.call('POST', '/data/foundation/mappingSets', {
      version: 0,
      xdmSchema,
      xdmVersion: '1.0',
      mappings,
    });
    expect(made.status).toBe(200);
    expect((await with_.call('GET', `${SETS}/${made.body.id}`)).body.outputSchema.schemaRef.id).toBe(
      schemaId,
    );
  }
});

test.each([
  [
    'an unknown function',
    { sourceType: 'EXPRESSION', source: 'shout(name)', destination: '_id' },
    "unknown function 'shout'",
  ],
  ['broken syntax', { sourceType: 'EXPRESSION', source: 'lower(name', destination: '_id' }, "')' expected"],
  [
    'a field the schema lacks',
    { sourceType: 'ATTRIBUTE', source: 'x', destination: 'person.shoeSize' },
    'person.shoeSize',
  ],
  [
    '4097 characters',
    { sourceType: 'EXPRESSION', source: `"${'x'.repeat(4095)}"`, destination: '_id' },
    '4096',
  ],
  ['an unknown type', { sourceType: 'MAGIC', source: 'x', destination: '_id' }, 'MAGIC'],
  ['no destination', { sourceType: 'ATTRIBUTE', source: 'x' }, 'destination'],
])('%s is refused, and the mapping is named', async (_name, mapping, hint) => {
  const with_ = await caller();
  const reply = await makeMapping(with_, await makeSchema(with_), [MAPPINGS[0] as object, mapping]);
  expect(reply.status).toBe(400);
  expect(reply.body.detail).toMatch(/^DPMAP-\d{4}-400: Mapping 2/);
  expect(reply.body.detail).toContain(hint);
});

test('exactly 4096 characters pass', async () => {
  const with_ = await caller();
  const mapping = { sourceType: 'EXPRESSION', source: `"${'x'.repeat(4094)}"`, destination: '_id' };
  expect((await makeMapping(with_, await makeSchema(with_), [mapping])).status).toBe(200);
});

test('an unknown schema is refused', async () => {
  expect(
    (await makeMapping(await caller(), 'https://ns.adobe.com/acmelab/schemas/none')).body.detail,
  ).toContain('DPMAP-1001-400');
});

test('PUT makes a new version and the old one stays readable', async () => {
  const with_ = await caller();
  const schemaId = await makeSchema(with_);
  const { id } = (await makeMapping(with_, schemaId)).body;
  const schemaRef = { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
  const put = await with_.call('PUT', `${SETS}/${id}`, {
    outputSchema: { schemaRef },
    mappings: MAPPINGS.slice(0, 1),
  });
  expect([put.status, put.body.version]).toEqual([200, 1]);
  expect((await with_.call('GET', `${SETS}/${id}`)).body.mappings).toHaveLength(1);
  expect((await with_.call('GET', `${SETS}/${id}?version=0`)).body.mappings).toHaveLength(MAPPINGS.length);
});

test('12 B 4: a list needs limit, and takes Adobe’s client that sends no start', async () => {
  const with_ = await caller();
  await makeMapping(with_, await makeSchema(with_));
  expect((await with_.call('GET', `${SETS}?start=0`)).status).toBe(400);
  const { data } = (await with_.call('GET', `${SETS}?limit=10`)).body;
  expect(data).toEqual((await with_.call('GET', `${SETS}?limit=10&start=0`)).body.data);
  expect(data).toHaveLength(1);
  expect((await with_.call('GET', `${SETS}?limit=10&start=0&name=orders-mapping`)).body.data).toHaveLength(1);
  expect((await with_.call('GET', `${SETS}?limit=10&start=0&name=other`)).body.data).toHaveLength(0);
});

test('12 B 4: rows come as a bare array, are read one by one, and the set is deleted', async () => {
  const with_ = await caller();
  const { id } = (await makeMapping(with_, await makeSchema(with_))).body;
  const rows = (await with_.call('GET', `${SETS}/${id}/mappings`)).body;
  expect((await with_.call('GET', `${SETS}/${id}/mappings/${rows[2].id}`)).body.destination).toBe(
    'workEmail.address',
  );
  expect((await with_.call('DELETE', `${SETS}/${id}`)).status).toBe(204);
  expect((await with_.call('GET', `${SETS}/${id}`)).status).toBe(404);
});

describe('trying out', () => {
  test('validate answers once per mapping', async () => {
    const with_ = await caller();
    const schemaRef = { id: await makeSchema(with_) };
    const mappings = [MAPPINGS[0], { sourceType: 'EXPRESSION', source: 'shout(1)', destination: '_id' }];
    const { body } = await with_.call('POST', `${SETS}/validate`, { outputSchema: { schemaRef }, mappings });
    expect(body.validationResponse).toMatchObject([
      { status: 'SUCCESS', errors: null },
      { status: 'FAILED', errors: [{ destination: '_id' }] },
    ]);
  });

  test('preview shows what would land, and which columns failed', async () => {
    const with_ = await caller();
    const mappingSet = { outputSchema: { schemaRef: { id: await makeSchema(with_) } }, mappings: MAPPINGS };
    const data = { id: '1', firstName: 'Ana', gender: 'FEMALE', dob: 'yesterday' };
    for (const given of [data, [data]]) {
      const { status, body } = await with_.call('POST', `${SETS}/preview`, { data: given, mappingSet });
      expect(status).toBe(200);
      expect(body).toMatchObject([
        { data: { _id: '1', person: { name: { firstName: 'Ana' }, gender: 'female' } } },
      ]);
      expect(body[0].errors).toMatchObject([
        {
          destination: 'person.birthDate',
          sourceType: 'EXPRESSION',
          exception: expect.stringContaining('yesterday'),
        },
      ]);
    }
  });

  test('strings become booleans and dates; whole objects come along by name', async () => {
    const with_ = await caller();
    const mappings = [
      { sourceType: 'ATTRIBUTE', source: 'flag', destination: 'workEmail.primary' },
      { sourceType: 'ATTRIBUTE', source: 'born', destination: 'person.birthDate' },
      { sourceType: 'ATTRIBUTE', source: 'made', destination: '_repo.createDate' },
      { sourceType: 'ATTRIBUTE', source: 'home.line', destination: 'homeAddress.street1' },
      { sourceType: 'ATTRIBUTE', source: 'home', destination: 'homeAddress' },
      { sourceType: 'STATIC', source: '"work"', destination: 'workEmail.type' },
    ];
    const data = {
      flag: 'YES',
      born: '31-Dec-2020',
      made: '2026-02-13 09:12:44',
      home: { city: 'Porto', line: 'Rua 1', planet: 'Earth' },
    };
    const { body } = await with_.call('POST', `${SETS}/preview`, {
      data,
      mappingSet: { outputSchema: { schemaRef: { id: await makeSchema(with_) } }, mappings },
    });
    expect(body[0]).toEqual({
      data: {
        workEmail: { primary: true, type: 'work' },
        person: { birthDate: '2020-12-31' },
        _repo: { createDate: '2026-02-13T09:12:44Z' },
        homeAddress: { city: 'Porto', street1: 'Rua 1' },
      },
      errors: null,
    });
  });

  test('an expression is true or false, and the catalogue lists what it may use', async () => {
    const with_ = await caller();
    const validate = async (expression: string) =>
      (await with_.call('POST', `${PREP}/languages/el/validate`, { expression })).body;
    expect(await validate('concat(a, "b")')).toBe(true);
    expect(await validate('shout(a)')).toBe(false);
    const functions = (await with_.call('GET', `${PREP}/languages/el/functions`)).body;
    expect(functions).toContainEqual(
      expect.objectContaining({ function: 'iif', syntax: 'iif(EXPRESSION, TRUE_VALUE, FALSE_VALUE)' }),
    );
    expect((await with_.call('GET', `${PREP}/languages/el/operators`)).body.length).toBeGreaterThan(10);
  });
});
