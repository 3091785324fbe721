// The gateway: every header it wants, in the order it asks; and the sandbox a call ends up in.
import { describe, expect, test } from 'vitest';
import { caller, FLOWS, LIST, REGISTRY } from './support.ts';

const STATS = `${REGISTRY}/stats`;

describe('headers', () => {
  test.each([
    ['no token', { authorization: null }, 403, '403010'],
    ['a made-up token', { authorization: 'Bearer made-up' }, 401, '401013'],
    ['no api key', { 'x-api-key': null }, 403, '403000'],
    ['another api key', { 'x-api-key': 'other' }, 403, '403003'],
    ['no organization', { 'x-gw-ims-org-id': null }, 400, '400003'],
    ['another organization', { 'x-gw-ims-org-id': 'X@AdobeOrg' }, 403, '403025'],
  ])('%s', async (_name, headers, status, code) => {
    const { call } = await caller();
    const reply = await call('GET', STATS, undefined, headers);
    expect(reply.status).toBe(status);
    expect(reply.body.error_code).toBe(code);
    expect(reply.body.message).toEqual(expect.any(String));
  });

  test('a token ends with its lifetime, and when it is invalidated', async () => {
    const { call, clock, bare } = await caller({ tokenSeconds: 60 });
    clock.advance(59_999);
    expect((await call('GET', STATS)).status).toBe(200);
    clock.advance(1);
    expect((await call('GET', STATS)).body.error_code).toBe('401013');
    const fresh = await caller();
    await fresh.bare('POST', '/_simulator/tokens/revoke');
    expect((await fresh.call('GET', STATS)).status).toBe(401);
    expect((await bare('GET', '/_simulator/state')).status).toBe(200);
  });

  test('a body that does not say that it is JSON is not read', async () => {
    const { call } = await caller();
    const body = { type: 'object', title: 'x', description: 'x', allOf: [] };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const reply = await call('POST', `${REGISTRY}/tenant/schemas`, body, { 'content-type': type });
      expect(reply.status).toBe(415);
      expect(reply.body.detail).toContain(type);
    }
  });

  test('links lead to the simulator and nowhere else', async () => {
    const { call } = await caller({ origin: 'http://127.0.0.1:4999' });
    const list = await call('GET', `${REGISTRY}/tenant/schemas`, undefined, LIST);
    expect(list.body._links.global_schemas.href).toMatch(/^http:\/\/127\.0\.0\.1:4999\//);
  });

  test('every answer says that it is simulated', async () => {
    const { call } = await caller();
    const reply = await call('GET', STATS, undefined, { 'x-request-id': 'req-1' });
    expect(reply.headers.get('x-simulated')).toBe('penstock');
    expect(reply.headers.get('x-request-id')).toBe('req-1');
  });
});

describe('sandboxes', () => {
  test('Flow Service insists on the header; the registry falls back to production', async () => {
    const { call } = await caller();
    const flow = await call('GET', `${FLOWS}/flows`, undefined, { 'x-sandbox-name': null });
    expect(flow.status).toBe(400);
    expect(flow.body.type).toBe('https://ns.adobe.com/aep/errors/FLOW-2105-400');
    const made = await call(
      'POST',
      `${REGISTRY}/tenant/schemas`,
      {
        type: 'object',
        title: 'in prod',
        allOf: [{ $ref: 'https://ns.adobe.com/xdm/context/profile' }],
      },
      { 'x-sandbox-name': null },
    );
    expect(made.body['meta:sandboxType']).toBe('production');
  });

  test('an unknown sandbox is not found', async () => {
    const { call } = await caller();
    const elsewhere = { 'x-sandbox-name': 'nowhere' };
    expect((await call('GET', `${FLOWS}/flows`, undefined, elsewhere)).body.type).toContain('FLOW-2100-404');
    expect((await call('GET', STATS, undefined, elsewhere)).status).toBe(404);
  });

  test('a sandbox does not see what another holds', async () => {
    const { call } = await caller();
    await call('POST', `${REGISTRY}/tenant/schemas`, {
      type: 'object',
      title: 'a',
      allOf: [{ $ref: 'https://ns.adobe.com/xdm/context/profile' }],
    });
    const list = `${REGISTRY}/tenant/schemas`;
    expect((await call('GET', list, undefined, LIST)).body.results).toHaveLength(1);
    expect(
      (await call('GET', list, undefined, { ...LIST, 'x-sandbox-name': 'prod' })).body.results,
    ).toHaveLength(0);
  });

  test('sandbox management lists the active ones and reads each', async () => {
    const { call } = await caller({
      sandboxes: [
        { name: 'prod', type: 'production', isDefault: true },
        { name: 'old', state: 'deleted' },
      ],
    });
    const base = '/data/foundation/sandbox-management';
    const active = await call('GET', `${base}/`);
    expect(active.body.sandboxes).toMatchObject([
      { name: 'prod', type: 'production', state: 'active', isDefault: true },
    ]);
    expect((await call('GET', `${base}/sandboxes`)).body.sandboxes).toHaveLength(2);
    expect((await call('GET', `${base}/sandboxes/old`)).body.state).toBe('deleted');
    expect((await call('GET', `${base}/sandboxes/none`)).status).toBe(404);
  });
});

test('broken JSON is 400, an unknown path 404, and a wrong method 405', async () => {
  const { call } = await caller();
  const broken = await call('POST', `${FLOWS}/flows`, '{"name":');
  expect(broken.status).toBe(400);
  expect(broken.body.detail).toContain('not valid JSON');
  expect((await call('GET', '/data/foundation/unheard-of')).status).toBe(404);
  expect((await call('PUT', `${FLOWS}/flows`, {})).status).toBe(405);
});
