// The inlet: who may write, what is too much, how single messages, batches and XDM headers are answered.
import { describe, expect, test } from 'vitest';
import { caller, makeInlet, makePipeline, makeSchema, ROW, rowsOf, sendBatch, WARM_UP } from './support.ts';

const ONE_MB = 1_000_000;

describe('admission', () => {
  test('an unknown inlet is not found', async () => {
    const { bare } = await caller();
    const reply = await bare('POST', '/collection/none', {});
    expect([reply.status, reply.body.status]).toEqual([404, 404]);
  });

  test('a token is wanted only where the inlet says so', async () => {
    const with_ = await caller();
    const { inletId } = await makeInlet(with_, { authenticationRequired: true });
    const post = (headers: Record<string, string>) =>
      with_.bare('POST', `/collection/${inletId}`, ROW, headers);
    const missing = await post({});
    expect(missing.status).toBe(401);
    expect(missing.body).toMatchObject({
      status: '401',
      title: 'Authorization',
      report: { message: expect.stringContaining('Ims service token is empty') },
    });
    expect((await post({ authorization: 'Bearer stale' })).status).toBe(403);
    expect((await post({ authorization: `Bearer ${with_.token}` })).status).toBe(200);
  });

  test('one byte more than a megabyte is too much, at both endpoints', async () => {
    const with_ = await caller();
    const { inletId } = await makeInlet(with_);
    const sized = (bytes: number) => `{"messages":[{"a":"${'x'.repeat(bytes - 23)}"}]}`;
    for (const path of [`/collection/${inletId}`, `/collection/batch/${inletId}`]) {
      expect(sized(ONE_MB)).toHaveLength(ONE_MB);
      expect((await with_.bare('POST', path, sized(ONE_MB))).status).toBeLessThan(300);
      expect((await with_.bare('POST', path, sized(ONE_MB + 1))).status).toBe(413);
    }
  });

  test('only plain JSON is read', async () => {
    const with_ = await caller();
    const { inletId } = await makeInlet(with_);
    const post = (body: string, headers: Record<string, string>) =>
      with_.bare('POST', `/collection/${inletId}`, body, headers);
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{', {})).status).toBe(400);
  });

  test.each(['x-sandbox-name', 'sandbox-name'])(
    '%s may be sent, but not with another sandbox',
    async (name) => {
      const with_ = await caller();
      const { inletId } = await makeInlet(with_);
      const post = (value: string) => with_.bare('POST', `/collection/${inletId}`, ROW, { [name]: value });
      expect((await post('dev1')).status).toBe(200);
      expect((await post('prod')).status).toBe(400);
    },
  );

  test('rate limits are off, or strict', async () => {
    const limited = await caller({ rateLimits: true });
    const { inletId } = await makeInlet(limited);
    const messages = Array.from({ length: 5_001 }, () => ({ a: 1 }));
    const post = () => limited.bare('POST', `/collection/batch/${inletId}`, { messages });
    expect((await post()).status).toBe(207);
    const refused = await post();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBeNull();
    limited.clock.advance(1_000);
    expect((await post()).status).toBe(207);
    const free = await caller();
    const open = await makeInlet(free);
    for (let count = 0; count < 3; count++) {
      expect((await free.bare('POST', `/collection/batch/${open.inletId}`, { messages })).status).toBe(207);
    }
  });
});

describe('batches', () => {
  test('are answered with 207 and an id per message, which ends in its position', async () => {
    const with_ = await caller();
    const { inletId } = await makeInlet(with_);
    const reply = await with_.bare('POST', `/collection/batch/${inletId}`, { messages: [ROW, 'text', ROW] });
    expect(reply.status).toBe(207);
    expect(reply.body.responses).toHaveLength(3);
    expect(reply.body.responses[0]).toEqual({ xactionId: expect.stringMatching(/-0$/) });
    expect(reply.body.responses[1]).toEqual({
      xactionId: expect.stringMatching(/-1$/),
      status: 400,
      message: expect.stringContaining('Message has unknown xdm format'),
    });
  });

  test('in shape A a failure has a statusCode and no id', async () => {
    const with_ = await caller({ quirks: { '207': 'statusCode' } });
    const { inletId } = await makeInlet(with_);
    const { body } = await with_.bare('POST', `/collection/batch/${inletId}`, { messages: ['text', ROW] });
    expect(body.responses).toEqual([
      { statusCode: 400, message: expect.any(String) },
      { xactionId: `${body.batchId}:1` },
    ]);
  });

  test('all messages may fail, and a request without messages is refused', async () => {
    const with_ = await caller();
    const { inletId } = await makeInlet(with_);
    const post = (body: unknown) => with_.bare('POST', `/collection/batch/${inletId}`, body);
    expect((await post({ messages: [1, 2] })).status).toBe(207);
    expect((await post({ messages: [] })).status).toBe(400);
    expect((await post([ROW])).status).toBe(400);
  });

  test('the flow id may be a query parameter', async () => {
    const with_ = await caller();
    const made = await makePipeline(with_);
    with_.clock.advance(WARM_UP);
    await with_.bare('POST', `/collection/batch/${made.inletId}?x-adobe-flow-id=${made.flowId}`, {
      messages: [ROW],
    });
    expect(await rowsOf(with_, made.dataSetId)).toHaveLength(1);
  });
});

describe('XDM messages', () => {
  async function inlet() {
    const with_ = await caller();
    const made = await makePipeline(with_, { dataType: 'xdm' });
    const schemaRef = { id: made.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
    const message = (header: object, body: object = {}) => ({
      header: { schemaRef, ...header },
      body: { xdmMeta: { schemaRef }, xdmEntity: { _id: '1' }, ...body },
    });
    const post = (given: unknown, query = '') =>
      with_.bare('POST', `/collection/${made.inletId}${query}`, given);
    return { with_, made, message, post };
  }

  test('are refused for what stands in their header', async () => {
    const { with_, made, message, post } = await inlet();
    const other = await makeSchema(with_, 'other');
    const reason = async (given: unknown) => {
      const reply = await post(given);
      expect([reply.status, reply.body.title]).toEqual([400, 'Invalid XDM Message Format']);
      return reply.body.report.message.replace(/^inletId: \[\w+\] imsOrgId: \[[^\]]+\] /, '');
    };
    expect(await reason(ROW)).toContain("The 'header' field is mandatory");
    expect(await reason(message({ imsOrgId: 'X@AdobeOrg' }))).toBe(
      'Message has an absent or wrong ims org in the header',
    );
    expect(await reason(message({ datasetId: 'none' }))).toBe('Message has unknown xdm format');
    expect(await reason(message({ schemaRef: { id: other } }))).toBe('Message has unknown xdm format');
    expect(await reason(message({}, { xdmEntity: null }))).toBe('Message has unknown xdm format');
    expect((await post(message({ datasetId: made.dataSetId }))).status).toBe(200);
  });

  test('are validated at once when asked, 60 times a minute', async () => {
    const { with_, message, post } = await inlet();
    const wrong = message({}, { xdmEntity: { _id: 7, foo: 1 } });
    const refused = await post(wrong, '?syncValidation=true');
    expect(refused.status).toBe(400);
    const [cause] = refused.body.report.cause._streamingValidation;
    expect(cause.message).toBe('2 schema violations found');
    expect(cause.causingExceptions).toContainEqual(
      expect.objectContaining({
        keyword: 'additionalProperties',
        message: 'extraneous key [foo] is not permitted',
      }),
    );
    expect((await post(wrong)).status).toBe(200);
    expect((await post(message({}), '?synchronousValidation=true')).body.syncValidation).toEqual({
      status: 'pass',
    });
    for (let count = 2; count < 60; count++) {
      expect((await post(message({}), '?syncValidation=true')).status).toBe(200);
    }
    expect((await post(message({}), '?syncValidation=true')).status).toBe(429);
    with_.clock.advance(60_000);
    expect((await post(message({}), '?syncValidation=true')).status).toBe(200);
  });
});

test('counts stay exact when old rows are forgotten', async () => {
  const told: number[] = [];
  const with_ = await caller({ keepRows: 100, onLanded: (rows) => void told.push(rows.length) });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  for (let batch = 0; batch < 6; batch++)
    await sendBatch(
      with_,
      made,
      Array.from({ length: 50 }, () => ROW),
    );
  const { body } = await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/rows?limit=1000`);
  expect(body.total).toBe(300);
  expect(told).toEqual([50, 50, 50, 50, 50, 50]);
  expect(body.rows.length).toBeLessThanOrEqual(100);
  expect(body.rows.length).toBeGreaterThanOrEqual(50);
});

test.each([
  ['a batch each', 0],
  ['one batch for an hour', 3_600_000],
])('12 shown: what is beyond keepRows is dropped and counted, %s', async (_what, batchWindowMs) => {
  const with_ = await caller({ keepRows: 100, keepRequests: 10, batchWindowMs });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  const bad = { ...ROW, dob: 'never' };
  for (let request = 0; request < 100; request++) await sendBatch(with_, made, [ROW, ROW, ROW, bad]);
  const sandbox = with_.platform.state.sandboxes.get('dev1');
  const batches = [...(sandbox?.batches.values() ?? [])];
  const kept = batches.reduce((sum, batch) => sum + batch.rows.length + batch.refused.length, 0);
  const { counts, journal } = { counts: with_.platform.state.counts, journal: with_.platform.journal };
  expect(kept).toBeGreaterThanOrEqual(80);
  expect(kept).toBeLessThanOrEqual(100);
  expect(counts.landed + counts.refused).toBe(400);
  expect(counts.forgotten).toBe(400 - kept);
  // A run names batches that are there.
  const named = [...(sandbox?.runs.values() ?? [])].flatMap((run) => [...run.batchIds]);
  expect(named.sort()).toEqual(batches.map(({ id }) => id).sort());
  expect(journal.entries()).toHaveLength(10);
  expect(journal.forgotten).toBe(counts.requests - 10);
  const told = (await with_.bare('GET', '/_simulator/state')).body.counts;
  expect(told).toMatchObject({ forgotten: 400 - kept, requestsForgotten: counts.requests - 10 });
});

test('12 shown: flow ids that a sender makes up do not fill the memory, and are counted', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  for (let number = 0; number < 1_500; number++)
    await sendBatch(with_, { ...made, flowId: `made-up-${number}` }, [ROW]);
  const { losses, counts } = with_.platform.state;
  expect(losses.size).toBeLessThanOrEqual(1_001);
  expect([...losses.values()].reduce((sum, { messages }) => sum + messages, 0)).toBe(1_500);
  expect(counts.lost).toBe(1_500);
});

test('12 shown: an error after the answer is counted as a loss, and stops nothing', async () => {
  const onLanded = () => {
    throw new Error('the witness fell over');
  };
  const with_ = await caller({ ingestDelayMs: 1_000, onLanded });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  expect((await sendBatch(with_, made, [ROW, ROW])).status).toBe(207);
  with_.clock.advance(1_000);
  await with_.platform.idle();
  const [loss] = with_.platform.state.losses.values();
  expect(loss).toMatchObject({ reason: 'simulator error: the witness fell over', messages: 2 });
});

test('12 shown: without validation rows land as they came', async () => {
  const with_ = await caller({ validation: false });
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  await sendBatch(with_, made, [ROW, { anything: 1 }]);
  const { rows } = (await with_.bare('GET', `/_simulator/datasets/${made.dataSetId}/rows`)).body;
  expect(rows).toEqual([{ anything: 1 }, ROW]);
  expect(with_.platform.state.counts).toMatchObject({ landed: 2, refused: 0, warnings: 0 });
});

test('ten thousand messages of a kilobyte all land', async () => {
  const with_ = await caller();
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  const messages = Array.from({ length: 900 }, (_, index) => ({
    ...ROW,
    id: `cust-${index}`,
    padding: 'x'.repeat(850),
  }));
  const body = JSON.stringify({ messages });
  for (let count = 0; count < 11; count++) {
    await with_.bare('POST', `/collection/batch/${made.inletId}`, body, { 'x-adobe-flow-id': made.flowId });
  }
  expect(with_.platform.state.counts.landed).toBe(9_900);
});
