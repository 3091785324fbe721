// Faults: each kind does what it says, when it says, and nothing else is understood.
import { describe, expect, test } from 'vitest';
import { virtualClock } from '../../../local/aep/clock.ts';
import { FAULT_KINDS, type FaultSpec } from '../../../local/aep/fault-kinds.ts';
import { createFaults, type Fault } from '../../../local/aep/faults.ts';
import { eventually, turn } from '../../support/eventually.ts';
import {
  CATALOG,
  type Caller,
  caller,
  makeDataSet,
  makePipeline,
  makeSchema,
  REGISTRY,
  ROW,
  rowsOf,
  schemaBody,
  sendBatch,
  WARM_UP,
} from './support.ts';

const SCHEMAS = `${REGISTRY}/tenant/schemas`;

async function warm(options: object = {}) {
  const with_ = await caller(options);
  const made = await makePipeline(with_);
  with_.clock.advance(WARM_UP);
  const messages = ['a', 'b', 'c', 'd'].map((id) => ({ ...ROW, id }));
  const send = () => sendBatch(with_, made, messages);
  const landed = async () => (await rowsOf(with_, made.dataSetId)).map((row) => row._id);
  return { with_, made, send, landed };
}

const schemas = ({ platform }: Caller) => platform.state.sandboxes.get('dev1')?.registry.schemas.size;

describe('when', () => {
  test('a fault strikes by its after, times and route', async () => {
    const with_ = await caller();
    with_.platform.faults.add({
      kind: 'refuse',
      method: 'post',
      path: `${REGISTRY}/tenant/*`,
      after: 1,
      times: 2,
      status: 503,
      retryAfter: 7,
    });
    const statuses: number[] = [];
    for (const title of ['a', 'b', 'c', 'd'])
      statuses.push((await with_.call('POST', SCHEMAS, schemaBody(title))).status);
    expect(statuses).toEqual([201, 503, 503, 201]);
    expect((await with_.call('GET', `${REGISTRY}/stats`)).status).toBe(200);
    expect(with_.platform.faults.list()).toMatchObject([{ seen: 4, struck: 2 }]);
  });

  test('chance comes from the seed', () => {
    const struck = (seed: number) => {
      const faults = createFaults(seed);
      faults.add({ kind: 'latency', probability: 0.3 });
      return Array.from({ length: 200 }, () => faults.strike('GET', '/x').length);
    };
    expect(struck(1)).toEqual(struck(1));
    expect(struck(1)).not.toEqual(struck(2));
    const share = struck(1).filter(Boolean).length / 200;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.45);
  });

  test.each([
    ['/a/*/c', '/a/b/c', true],
    ['/a/*', '/a/b/c', false],
    ['/a/**', '/a/b/c', true],
    ['/a.b', '/axb', false],
    ['/a', '/a/', true],
  ])('%s and %s', (path, given, expected) => {
    const faults = createFaults(1);
    faults.add({ kind: 'latency', path });
    expect(faults.strike('GET', given).length > 0).toBe(expected);
  });
});

describe('what', () => {
  test('a refusal before applying changes nothing, and answers as configured', async () => {
    const with_ = await caller();
    with_.platform.faults.add({
      kind: 'refuse',
      status: 429,
      body: { error_code: '429050' },
      headers: { 'x-why': 'test' },
      retryAfter: 'abc',
      path: '/data/**',
    });
    const reply = await with_.call('POST', SCHEMAS, schemaBody());
    expect([reply.status, reply.body]).toEqual([429, { error_code: '429050' }]);
    expect([reply.headers.get('retry-after'), reply.headers.get('x-why')]).toEqual(['abc', 'test']);
    expect(schemas(with_)).toBe(0);
  });

  test('a body may be empty or an HTML page', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'refuse', status: 403, body: null, times: 1 });
    with_.platform.faults.add({ kind: 'refuse', status: 502, body: '<html>', after: 1, times: 1 });
    expect((await with_.call('GET', SCHEMAS)).text).toBe('');
    const page = await with_.call('GET', SCHEMAS);
    expect([page.status, page.text, page.headers.get('content-type')]).toEqual([502, '<html>', 'text/html']);
  });

  test('500 after applying keeps what was made', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'failAfter', times: 1 });
    expect((await with_.call('POST', SCHEMAS, schemaBody())).status).toBe(500);
    expect(schemas(with_)).toBe(1);
  });

  test('a cut connection is a failed fetch, before or after applying', async () => {
    for (const [kind, kept] of [
      ['dropBefore', 0],
      ['dropAfter', 1],
    ] as const) {
      const with_ = await caller();
      with_.platform.faults.add({ kind, times: 1 });
      await expect(with_.call('POST', SCHEMAS, schemaBody())).rejects.toThrow(new TypeError('fetch failed'));
      expect(schemas(with_)).toBe(kept);
      expect(with_.platform.journal.entries().at(-1)).toMatchObject({ status: 0, faults: [kind] });
    }
  });

  test('an answer that breaks off fails in its body, and the request is applied', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'breakOff', bytes: 10, times: 1 });
    await expect(with_.call('POST', SCHEMAS, schemaBody())).rejects.toThrow(new TypeError('terminated'));
    expect(schemas(with_)).toBe(1);
  });

  test('a late answer arrives after its delay, and the request is applied at once', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'late', latencyMs: 5_000, times: 1 });
    const pending = with_.call('POST', SCHEMAS, schemaBody());
    await eventually(() => schemas(with_)).toBe(1);
    with_.clock.advance(5_000);
    expect((await pending).status).toBe(201);
  });

  test('latency waits on the clock, and a caller who gives up is let go', async () => {
    const clock = virtualClock();
    let slept = Promise.withResolvers<number>();
    const sleep = (ms: number) => {
      slept.resolve(ms);
      return clock.sleep(ms);
    };
    const with_ = await caller({ clock: { ...clock, sleep } });
    with_.platform.faults.add({ kind: 'latency', latencyMs: 5_000 });
    let answered = false;
    const pending = with_.call('GET', `${REGISTRY}/stats`).then(() => {
      answered = true;
    });
    expect(await slept.promise).toBe(5_000);
    await turn();
    expect(answered).toBe(false);
    clock.advance(5_000);
    await pending;
    slept = Promise.withResolvers();
    const given = new AbortController();
    const { signal } = given;
    const request = new Request('https://platform.adobe.io/ims/token/v3', { method: 'POST', signal });
    void slept.promise.then(() => given.abort(new Error('enough')));
    await expect(with_.platform.fetch(request)).rejects.toThrow('enough');
  });

  test('truncated and non-JSON answers', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'truncate', bytes: 10, times: 1 });
    with_.platform.faults.add({ kind: 'notJson', after: 1, times: 1 });
    const cut = await with_.call('GET', `${REGISTRY}/stats`);
    expect([cut.status, cut.text.length]).toEqual([200, 10]);
    const page = await with_.call('GET', `${REGISTRY}/stats`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(page.text).toContain('<html>');
  });

  test('tokens are invalidated', async () => {
    const with_ = await caller();
    with_.platform.faults.add({ kind: 'expireTokens', times: 1 });
    expect((await with_.call('GET', `${REGISTRY}/stats`)).body.error_code).toBe('401013');
  });

  test('a single list can be stale', async () => {
    const with_ = await caller();
    const id = await makeDataSet(with_, await makeSchema(with_));
    with_.platform.faults.add({ kind: 'stale', staleMs: 1_000, times: 1 });
    expect((await with_.call('GET', `${CATALOG}/dataSets`)).body).toEqual({});
    expect(Object.keys((await with_.call('GET', `${CATALOG}/dataSets`)).body)).toEqual([id]);
  });
});

describe('batches', () => {
  const statuses = (reply: { body: { responses: Record<string, unknown>[] } }) =>
    reply.body.responses.map((each) => each?.status ?? each?.statusCode ?? null);

  test.each([
    [{ messages: [1, 3], status: 503 }, [null, 503, null, 503], ['a', 'c']],
    [{ count: 1 }, [400, null, null, null], ['b', 'c', 'd']],
    [{ containing: '"c"', status: 429, asText: true }, [null, null, '429', null], ['a', 'b', 'd']],
    [{}, [400, 400, 400, 400], []],
  ])('partial %j', async (fault, expected, kept) => {
    const { with_, send, landed } = await warm();
    with_.platform.faults.add({ kind: 'partial', path: '/collection/batch/*', ...fault });
    const reply = await send();
    expect(reply.status).toBe(207);
    expect(statuses(reply)).toEqual(expected);
    expect(await landed()).toEqual(kept);
  });

  test('the name of the field can be chosen', async () => {
    const { with_, send } = await warm();
    with_.platform.faults.add({ kind: 'partial', messages: [0], field: 'statusCode' });
    expect((await send()).body.responses[0]).toMatchObject({
      statusCode: 400,
      xactionId: expect.any(String),
    });
  });

  test('the shape can be chosen for one answer', async () => {
    const { with_, send } = await warm();
    with_.platform.faults.add({ kind: 'partial', messages: [0], shape: 'A', times: 1 });
    const { body } = await send();
    expect(body.responses[0]).toEqual({ statusCode: 400, message: expect.any(String) });
    expect(body.responses[1]).toEqual({ xactionId: `${body.batchId}:1` });
    expect((await send()).body.responses[1]).toEqual({ xactionId: expect.stringMatching(/-1$/) });
  });

  test.each<[FaultSpec, (responses: unknown[]) => void]>([
    [{ kind: 'short', count: 2 }, (responses) => expect(responses).toHaveLength(2)],
    [{ kind: 'long' }, (responses) => expect(responses).toHaveLength(5)],
    [{ kind: 'nullItems', messages: [2] }, (responses) => expect(responses[2]).toBeNull()],
    [{ kind: 'emptyItems' }, (responses) => expect(responses).toEqual([{}, {}, {}, {}])],
    [
      { kind: 'reorder' },
      (responses) => expect(responses[0]).toMatchObject({ xactionId: expect.stringMatching(/-3$/) }),
    ],
    [
      { kind: 'foreignIds' },
      (responses) => expect(responses[0]).toMatchObject({ xactionId: expect.not.stringMatching(/[-:]\d+$/) }),
    ],
  ])('%j spoils the answer, not the data', async (fault, check) => {
    const { with_, send, landed } = await warm();
    with_.platform.faults.add(fault);
    check((await send()).body.responses);
    expect(await landed()).toEqual(['a', 'b', 'c', 'd']);
  });

  test("a single message's shape", async () => {
    const { with_, send } = await warm();
    with_.platform.faults.add({ kind: 'single', path: '/collection/**' });
    const reply = await send();
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ xactionId: expect.any(String), syncValidation: { skipped: true } });
    expect(reply.body.responses).toBeUndefined();
  });
});

describe('what is not understood', () => {
  test.each([
    [{ kind: 'refuse', stauts: 500 }, "Unknown fault field 'stauts'. Allowed: kind"],
    [{ kind: 'explode' }, 'must be one of latency'],
    [{ kind: 'constructor' }, 'must be one of latency'],
    [{ status: 500 }, "needs a 'kind'"],
    [{ kind: 'refuse', status: 99 }, 'HTTP status'],
    [{ kind: 'latency', probability: 2 }, 'from 0 to 1'],
    [{ kind: 'latency', path: 'x' }, 'starts with /'],
    [['refuse'], 'A fault is an object'],
  ])('%j', async (fault, reason) => {
    const with_ = await caller();
    expect(() => with_.platform.faults.add(fault as FaultSpec)).toThrow(reason);
    const reply = await with_.bare('POST', '/_simulator/faults', fault);
    expect(reply.status).toBe(400);
    expect(reply.body.detail).toContain(reason);
  });
});

test('faults are set, listed and removed over HTTP, all or none at once', async () => {
  const with_ = await caller();
  const added = await with_.bare('POST', '/_simulator/faults', [
    { kind: 'refuse', status: 500 },
    { kind: 'latency' },
  ]);
  expect(added.status).toBe(201);
  const [first] = added.body.faults;
  expect((await with_.call('GET', `${REGISTRY}/stats`)).status).toBe(500);
  expect((await with_.bare('DELETE', `/_simulator/faults/${first.id}`)).status).toBe(204);
  expect((await with_.bare('DELETE', `/_simulator/faults/${first.id}`)).status).toBe(404);
  expect((await with_.call('GET', `${REGISTRY}/stats`)).status).toBe(200);
  const half = await with_.bare('POST', '/_simulator/faults', [{ kind: 'latency' }, { kind: 'none' }]);
  expect(half.status).toBe(400);
  const listed = (await with_.bare('GET', '/_simulator/faults')).body;
  expect(listed.faults).toHaveLength(1);
  expect(Object.keys(listed.kinds)).toEqual(Object.keys(FAULT_KINDS));
});

describe('a run of faults that was saved', () => {
  const SOME: FaultSpec[] = [
    { kind: 'refuse', status: 503, path: '/data/**', probability: 0.5 },
    { kind: 'latency', path: '/ims/**', times: 2 },
  ];
  const strikes = ({ platform }: Caller) =>
    Array.from({ length: 200 }, () => platform.faults.strike('GET', '/data/x').length);

  test('strikes the same calls again, on another platform and however far that one was', async () => {
    const one = await caller({ seed: 11 });
    await one.bare('POST', '/_simulator/faults', SOME);
    const first = strikes(one);
    const saved = (await one.bare('GET', '/_simulator/faults')).body;
    expect(saved).toMatchObject({ seed: 11, faults: [{ seen: 200 }, { seen: 0 }] });

    const other = await caller({ seed: 5 });
    other.platform.faults.add({ kind: 'latency', probability: 0.5 });
    strikes(other);
    other.platform.faults.clear();
    const set = await other.bare('POST', '/_simulator/faults', saved);
    expect(set.status).toBe(201);
    expect(set.body.faults.map(({ id, ...fault }: Fault) => fault)).toEqual(
      SOME.map((spec) => ({ ...spec, seen: 0, struck: 0 })),
    );
    expect(strikes(other)).toEqual(first);
    expect(new Set(first)).toEqual(new Set([0, 1]));
    expect((await other.bare('GET', '/_simulator/faults')).body.seed).toBe(11);
  });

  test('a wrong one sets nothing', async () => {
    const user = await caller({ seed: 3 });
    for (const wrong of [
      { seed: 1.5, faults: SOME },
      { seed: 9, faults: [...SOME, { kind: 'none' }] },
      { seed: 9, faults: [null] },
      { seed: 9, faults: 'all' },
    ])
      expect((await user.bare('POST', '/_simulator/faults', wrong)).status).toBe(400);
    expect(user.platform.faults.list()).toEqual([]);
    expect(user.platform.faults.seed).toBe(3);
  });
});
