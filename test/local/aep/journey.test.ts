// The tutorial from one end to the other by raw HTTP: raw data through a mapping, XDM without one, and what gets lost on the way.
import { describe, expect, test } from 'vitest';
import {
  CATALOG,
  type Caller,
  caller,
  FLOWS,
  makePipeline,
  PREP,
  REGISTRY,
  ROW,
  refusedOf,
  rowsOf,
  sendBatch,
  WARM_UP,
  XDM,
} from './support.ts';

const xdm = (schemaId: string, entity: object, header: object = {}) => ({
  header: {
    schemaRef: { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
    ...header,
  },
  body: {
    xdmMeta: { schemaRef: { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' } },
    xdmEntity: entity,
  },
});

/** The tutorial's own sample, made whole where the page has lost its brackets. */
const ENTITY = {
  _id: 'cust-000417',
  person: { name: { firstName: 'Ana', lastName: 'Reis' }, gender: 'female', birthDate: '1990-02-11' },
  workEmail: { address: 'ana.reis@example.com', primary: true, type: 'work', status: 'active' },
  identityMap: { Email: [{ id: 'ana.reis@example.com', primary: true }] },
};

async function lost({ bare }: Caller): Promise<Record<string, number>> {
  const { losses } = (await bare('GET', '/_simulator/state')).body;
  return Object.fromEntries(
    losses.map((each: { reason: string; messages: number }) => [each.reason, each.messages]),
  );
}

test('raw data lands as the mapping says, once the flow is warm', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  expect((await sendBatch(with_, made, [ROW])).status).toBe(207);
  with_.clock.advance(WARM_UP - 1);
  await sendBatch(with_, made, [ROW]);
  expect(await rowsOf(with_, made.dataSetId)).toEqual([]);
  expect(await lost(with_)).toEqual({ 'the flow is not warm yet': 2 });
  with_.clock.advance(1);
  await sendBatch(with_, made, [ROW]);
  expect(await rowsOf(with_, made.dataSetId)).toEqual([
    {
      _id: 'cust-1',
      person: { name: { firstName: 'Ana' }, gender: 'female', birthDate: '1990-02-11' },
      workEmail: { address: 'ana.reis@example.com' },
    },
  ]);
});

test('XDM lands as it is, with only a schemaRef or with everything in the header', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_, { dataType: 'xdm' });
  with_.clock.advance(WARM_UP);
  const whole = {
    imsOrgId: with_.platform.settings.organization,
    datasetId: made.dataSetId,
    flowId: made.flowId,
    source: { name: 'orders' },
  };
  for (const header of [{}, whole]) {
    const reply = await with_.bare('POST', `/collection/${made.inletId}`, xdm(made.schemaId, ENTITY, header));
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      inletId: made.inletId,
      receivedTimeMs: with_.clock.now(),
      syncValidation: { skipped: true },
    });
  }
  expect(await rowsOf(with_, made.dataSetId)).toEqual([ENTITY, ENTITY]);
});

test('a row that does not fit the schema ends in a failed batch, with its reason and pointer', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [
    ROW,
    { ...ROW, id: 'cust-2', gender: 'Male!' },
    { ...ROW, id: 'cust-3', contact: { email: 'nobody' } },
  ]);
  expect((await rowsOf(with_, made.dataSetId)).map((row) => row._id)).toEqual(['cust-1']);

  const query = `dataSet=${made.dataSetId}&status=failed&orderBy=desc:created&limit=100`;
  const failed = (await with_.call('GET', `${CATALOG}/batches?${query}`)).body;
  const [batchId] = Object.keys(failed) as [string];
  expect(failed[batchId]).toMatchObject({
    status: 'failed',
    tags: { flowId: [made.flowId] },
    relatedObjects: [{ type: 'dataSet', id: made.dataSetId }],
    metrics: { invalidRecordCount: 2, invalidRecordsStreamingValidation: 2, invalidRecordsMapper: 0 },
    errors: [{ code: 'DCVS-1106-400' }, { code: 'DCVS-1105-400' }],
  });

  const base = `/data/foundation/export/batches/${batchId}/failed`;
  const { data } = (await with_.call('GET', base)).body;
  const file = await with_.call('GET', `${base}?path=${data[0].name}`);
  expect(data[0].length).toBe(String(file.text.length));
  const lines = file.text.split('\n').map((line) => JSON.parse(line));
  expect(JSON.parse(lines[0].body).xdmEntity._id).toBe('cust-2');
  expect(JSON.parse(lines[0].header)).toMatchObject({ datasetId: made.dataSetId, flowId: made.flowId });
  expect(JSON.parse(lines[0]._errors)._streamingValidation).toMatchObject([
    { keyword: 'enum', pointerToViolation: '#/person/gender', message: 'male! is not a valid enum value' },
  ]);
  expect((await with_.call('GET', `${base}?path=nothing`)).status).toBe(404);
});

test('landed rows are read back through Data Access', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW, { ...ROW, id: 'cust-2' }]);
  const [batchId] = Object.keys(
    (await with_.call('GET', `${CATALOG}/batches?dataSet=${made.dataSetId}&status=active`)).body,
  );
  const shown = (await with_.call('GET', `${CATALOG}/dataSets/${made.dataSetId}`)).body[made.dataSetId];
  expect(shown).toMatchObject({ lastBatchId: batchId, lastBatchStatus: 'success' });
  const { data } = (await with_.call('GET', `/data/foundation/export/batches/${batchId}/files`)).body;
  const path = `/data/foundation/export/files/${data[0].dataSetFileId}`;
  const inside = (await with_.call('GET', path)).body.data;
  const lines = (await with_.call('GET', `${path}?path=${inside[0].name}`)).text.split('\n');
  expect(lines.map((line) => JSON.parse(line)._id)).toEqual(['cust-1', 'cust-2']);
  const runs = (await with_.call('GET', `${FLOWS}/runs?property=flowId==${made.flowId}`)).body.items;
  expect(runs[0].metrics.recordSummary).toMatchObject({
    inputRecordCount: 2,
    outputRecordCount: 2,
    failedRecordCount: 0,
  });
  expect(runs[0].activities[0].targetInfo[0].reference.ids).toEqual([batchId]);
});

describe('a failing transformation', () => {
  const mappings = (destination: string) => [
    { sourceType: 'ATTRIBUTE', source: 'firstName', destination: 'person.name.firstName' },
    { sourceType: 'EXPRESSION', source: 'substr(firstName, 40, 2)', destination },
  ];

  test('nulls its column and lets the row through', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_, { mappings: mappings('person.name.lastName') });
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, [ROW]);
    expect(await rowsOf(with_, made.dataSetId)).toEqual([{ person: { name: { firstName: 'Ana' } } }]);
    expect(with_.platform.state.counts.warnings).toBe(1);
  });

  test('costs the row when the field was required', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_, { mappings: mappings('workEmail.address') });
    await with_.call('POST', `${REGISTRY}/tenant/descriptors`, {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': made.schemaId,
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': '/workEmail/address',
      'xdm:namespace': 'Email',
      'xdm:property': 'xdm:code',
      'xdm:isPrimary': true,
    });
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, [ROW]);
    expect(await rowsOf(with_, made.dataSetId)).toEqual([]);
    expect(await refusedOf(with_, made.dataSetId)).toMatchObject([
      {
        stage: 'mapper',
        code: 'MAPPER-3700-400',
        violations: [{ keyword: 'required', message: 'required key [workEmail] not found' }],
        source: ROW,
      },
    ]);
  });
});

describe('lost without a word', () => {
  test('while disabled, without a flow id, or for a flow of another inlet', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    const post = (flow: Record<string, string>) =>
      with_.bare('POST', `/collection/batch/${made.inletId}`, { messages: [ROW] }, flow);
    expect((await post({})).status).toBe(207);
    expect((await post({ 'x-adobe-flow-id': 'none' })).status).toBe(207);
    await with_.call('POST', `${FLOWS}/flows/${made.flowId}/action?op=disable`);
    expect((await post({ 'x-adobe-flow-id': made.flowId })).status).toBe(207);
    expect(await lost(with_)).toEqual({ 'no flow id': 1, 'no such flow': 1, 'the flow is disabled': 1 });
    expect(with_.platform.state.counts).toMatchObject({ received: 3, landed: 0, lost: 3 });
  });

  test('after a change the flow must warm up again', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    const patch = [{ op: 'replace', path: '/name', value: 'changed' }];
    await with_.call('PATCH', `${FLOWS}/flows/${made.flowId}`, patch, { 'if-match': made.flowEtag });
    await sendBatch(with_, made, [ROW]);
    expect(await lost(with_)).toEqual({ 'the flow is not warm yet': 1 });
    with_.clock.advance(WARM_UP);
    await sendBatch(with_, made, [ROW]);
    expect(await rowsOf(with_, made.dataSetId)).toHaveLength(1);
  });

  test('once the dataset is gone', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    await with_.call('DELETE', `${CATALOG}/dataSets/${made.dataSetId}`);
    await sendBatch(with_, made, [ROW]);
    expect(await lost(with_)).toEqual({ 'the dataset is gone': 1 });
  });
});

test('the validator sees a schema change only after its cache has expired', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_, { dataType: 'xdm', groups: ['profile', 'identitymap'] });
  with_.clock.advance(WARM_UP);
  const send = () =>
    with_.bare(
      'POST',
      `/collection/${made.inletId}`,
      xdm(made.schemaId, { _id: '1', person: { gender: 'male' } }),
    );
  await send();
  const patch = [{ op: 'add', path: '/allOf/-', value: { $ref: `${XDM}profile-person-details` } }];
  await with_.call('PATCH', `${REGISTRY}/tenant/schemas/${encodeURIComponent(made.schemaId)}`, patch);
  with_.clock.advance(899_999);
  await send();
  expect(await rowsOf(with_, made.dataSetId)).toEqual([]);
  with_.clock.advance(1);
  await send();
  expect(await rowsOf(with_, made.dataSetId)).toHaveLength(1);
  expect(await refusedOf(with_, made.dataSetId)).toHaveLength(2);
});

test('a flow uses the version of the mapping that it names', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  const schemaRef = { id: made.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
  const mappings = [{ sourceType: 'STATIC', source: 'new', destination: '_id' }];
  await with_.call('PUT', `${PREP}/mappingSets/${made.mappingId}`, { outputSchema: { schemaRef }, mappings });
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  const value = { name: 'Mapping', params: { mappingId: made.mappingId, mappingVersion: 1 } };
  await with_.call(
    'PATCH',
    `${FLOWS}/flows/${made.flowId}`,
    [{ op: 'replace', path: '/transformations/0', value }],
    { 'if-match': made.flowEtag },
  );
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  expect((await rowsOf(with_, made.dataSetId)).map((row) => row._id)).toEqual(['cust-1', 'new']);
});

test('with an ingest delay rows land later, and idle waits for them', async () => {
  const with_ = await caller({ ingestDelayMs: 1_000 });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  expect(await rowsOf(with_, made.dataSetId)).toEqual([]);
  with_.clock.advance(1_000);
  await with_.platform.idle();
  expect(await rowsOf(with_, made.dataSetId)).toHaveLength(1);
});

test('within a batch window rows share a batch, which is finished only afterwards', async () => {
  const with_ = await caller({ batchWindowMs: 60_000 });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW]);
  await sendBatch(with_, made, [{ ...ROW, id: 'cust-2' }]);
  const statuses = async () =>
    Object.values<{ status: string }>(
      (await with_.call('GET', `${CATALOG}/batches?dataSet=${made.dataSetId}`)).body,
    ).map(({ status }) => status);
  expect(await statuses()).toEqual(['processing']);
  with_.clock.advance(60_000);
  expect(await statuses()).toEqual(['success']);
});

test('an Adobe sample of an event needs its _id and its timestamp', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_, {
    dataType: 'xdm',
    groups: ['experienceevent', 'profile-person-details'],
  });
  with_.clock.advance(WARM_UP);
  const send = (entity: object) =>
    with_.bare('POST', `/collection/${made.inletId}`, xdm(made.schemaId, entity));
  await send({
    _id: 'e1',
    timestamp: '2026-02-13T09:12:44Z',
    eventType: 'commerce.purchases',
    identityMap: ENTITY.identityMap,
  });
  await send({ _id: 'e2' });
  await send({ _id: 'e3', timestamp: '2026-02-13' });
  expect((await rowsOf(with_, made.dataSetId)).map((row) => row._id)).toEqual(['e1']);
  const messages = (await refusedOf(with_, made.dataSetId)).map((row) => row.violations[0].message);
  expect(messages).toEqual([
    'required key [timestamp] not found',
    expect.stringContaining('[2026-02-13] is not a valid date-time'),
  ]);
});
