// Tests that run side by side have platforms of their own: what one does to its platform, no other one sees.
import { afterEach, describe, expect, test } from 'vitest';
import { createAccess, TOKEN_HEADER } from '../../../local/aep/access.ts';
import type { JsonObject } from '../../../local/aep/json.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';
import { MAX_TENANTS } from '../../../local/aep/tenants.ts';
import { type Body, FLOWS, HTTP_API } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
let running: RunningServer;

afterEach(() => running.close());

interface Answer {
  readonly status: number;
  readonly body: Body;
}

async function ask(method: string, url: string, body?: unknown, headers: object = {}): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...JSON_TYPE, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const tenantsAt = (server: { readonly origin: string }) => `${server.origin}/_simulator/tenants`;

/** A tenant with what a client of it sends. */
async function tenant(options: object = {}) {
  const made = await ask('POST', tenantsAt(running), options);
  expect(made.status).toBe(201);
  const told = made.body;
  const headers = async () => ({
    authorization: `Bearer ${(await tokenOf(told.url, told)).body.access_token}`,
    'x-api-key': told.clientId,
    'x-gw-ims-org-id': told.organization,
    'x-sandbox-name': 'dev1',
  });
  let sent = await headers();
  return {
    ...told,
    aep: (method: string, path: string, body?: unknown) => ask(method, `${told.url}${path}`, body, sent),
    own: (method: string, page: string, body?: unknown) =>
      ask(method, `${told.url}/_simulator/${page}`, body),
    async signIn() {
      sent = await headers();
    },
  };
}

async function tokenOf(url: string, { clientId, clientSecret }: Body): Promise<Answer> {
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: 'openid',
  };
  const answer = await fetch(`${url}/ims/token/v3`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, body: await answer.json() };
}

const CONNECTIONS = `${FLOWS}/connections`;
const CONNECTION = {
  name: 'http',
  auth: {
    specName: 'Streaming Connection',
    params: { name: 'http', sourceId: 's', dataType: 'raw', authenticationRequired: false },
  },
  connectionSpec: { id: HTTP_API, version: '1.0' },
};

async function inletUrlOf(user: Awaited<ReturnType<typeof tenant>>): Promise<string> {
  const { body } = await user.aep('POST', CONNECTIONS, CONNECTION);
  const { items } = (await user.aep('GET', `${CONNECTIONS}/${body.id}`)).body;
  return items[0].auth.params.inletUrl;
}

describe('two tenants at the same time', () => {
  test('have a fault, a clock, tokens, a state and a journal each', async () => {
    running = await startServer({ port: 0 });
    const [one, other] = await Promise.all([tenant(), tenant()]);
    for (const field of ['id', 'url', 'organization', 'clientId', 'clientSecret'])
      expect(one[field]).not.toBe(other[field]);

    await one.own('POST', 'faults', { kind: 'refuse', status: 503, path: '/data/**' });
    expect((await one.aep('GET', CONNECTIONS)).status).toBe(503);
    expect((await other.aep('GET', CONNECTIONS)).status).toBe(200);
    await one.own('DELETE', 'faults');

    const before = (await other.own('GET', 'state')).body.now;
    const { now } = (await one.own('POST', 'clock', { advanceMs: 86_400_000 })).body;
    expect(now).toBeGreaterThan(before + 80_000_000);
    expect((await other.own('GET', 'state')).body.now).toBeLessThan(before + 80_000_000);
    expect((await one.aep('GET', CONNECTIONS)).body.error_code).toBe('401013');
    expect((await other.aep('GET', CONNECTIONS)).status).toBe(200);
    await one.signIn();

    expect((await one.aep('POST', CONNECTIONS, CONNECTION)).status).toBe(201);
    expect((await one.aep('GET', CONNECTIONS)).body.items).toHaveLength(1);
    expect((await other.aep('GET', CONNECTIONS)).body.items).toHaveLength(0);
    expect(running.platform.state.sandboxes.get('dev1')?.connections.size).toBe(0);

    await other.own('POST', 'tokens/revoke');
    expect((await one.aep('GET', CONNECTIONS)).status).toBe(200);
    expect((await other.aep('GET', CONNECTIONS)).status).toBe(401);

    const paths = async ({ own }: typeof one) =>
      (await own('GET', 'journal')).body.entries.map(
        ({ method, status }: JsonObject) => `${method} ${status}`,
      );
    expect(await paths(other)).toEqual(['POST 200', 'GET 200', 'GET 200', 'GET 200', 'GET 401']);
    expect(await paths(one)).toContain('GET 503');
    expect(running.platform.journal.entries()).toEqual([]);

    await other.own('POST', 'reset');
    expect((await one.aep('GET', CONNECTIONS)).body.items).toHaveLength(1);
  });

  test('do not take credentials, organizations or inlets of each other', async () => {
    running = await startServer({ port: 0 });
    const [one, other] = [await tenant(), await tenant()];
    expect((await tokenOf(one.url, other)).body.error).toBe('invalid_client');
    expect((await tokenOf(running.origin, one)).body.error).toBe('invalid_client');
    const inlet = await inletUrlOf(one);
    expect(inlet.startsWith(`${one.url}/collection/`)).toBe(true);
    expect((await ask('POST', inlet, { id: 1 })).status).toBe(200);
    expect((await ask('POST', inlet.replace(one.url, other.url), { id: 1 })).status).toBe(404);
    const { received } = (await one.own('GET', 'state')).body.counts;
    expect([received, running.platform.state.counts.received]).toEqual([1, 0]);
  });

  test('give the same ids for the same seed, whichever is asked first', async () => {
    running = await startServer({ port: 0 });
    const [one, other, third] = [
      await tenant({ seed: 5 }),
      await tenant({ seed: 5 }),
      await tenant({ seed: 6 }),
    ];
    const made = async ({ aep }: typeof one) => (await aep('POST', CONNECTIONS, CONNECTION)).body.id;
    const first = [await made(one), await made(one)];
    expect([await made(other), await made(other)]).toEqual(first);
    expect(await made(third)).not.toBe(first[0]);
  });
});

test('a tenant takes over the settings of the platform, and has those that it names', async () => {
  const heard: string[] = [];
  running = await startServer({
    port: 0,
    warmUpMs: 7_000,
    onReceived: (_records, inletId) => heard.push(inletId),
  });
  const like = await tenant();
  expect((await like.own('GET', 'state')).body).toMatchObject({ warmUpMs: 7_000, tenant: 'acmelab' });
  const own = await tenant({ warmUpMs: 0, tenant: 'shop', sandboxes: ['dev1', 'stage'], tokenSeconds: 60 });
  expect(own.sandboxes).toEqual(['prod', 'dev1', 'stage']);
  expect((await own.own('GET', 'state')).body).toMatchObject({ warmUpMs: 0, tenant: 'shop' });
  expect((await tokenOf(own.url, own)).body.expires_in).toBe(60);
  // Whoever listens to the records of the platform, as npm start does, hears none of a tenant's.
  expect((await ask('POST', await inletUrlOf(own), { id: 1 })).status).toBe(200);
  expect(heard).toEqual([]);
});

test('a tenant that is removed answers nobody any more, and the others go on', async () => {
  running = await startServer({ port: 0 });
  const [one, other] = [await tenant(), await tenant()];
  const list = async () => (await ask('GET', tenantsAt(running))).body.tenants.map(({ id }: Body) => id);
  expect(await list()).toEqual([one.id, other.id]);
  expect((await ask('DELETE', `${tenantsAt(running)}/${one.id}`)).status).toBe(204);
  await expect(one.own('GET', 'state')).rejects.toThrow('fetch failed');
  for (const method of ['GET', 'DELETE'])
    expect((await ask(method, `${tenantsAt(running)}/${one.id}`)).status).toBe(404);
  expect(await list()).toEqual([other.id]);
  expect((await other.aep('GET', CONNECTIONS)).status).toBe(200);
  await tenant();
  expect((await ask('DELETE', tenantsAt(running))).status).toBe(204);
  expect(await list()).toEqual([]);
  await expect(other.own('GET', 'state')).rejects.toThrow('fetch failed');
});

test('there are 64 at most, however many ask at once, and they end with the server', async () => {
  running = await startServer({ port: 0 });
  const asked = await Promise.all(
    Array.from({ length: MAX_TENANTS + 6 }, () => ask('POST', tenantsAt(running), {})),
  );
  const made = asked.filter(({ status }) => status === 201);
  const refused = asked.filter(({ status }) => status === 409);
  expect([made.length, refused.length]).toEqual([MAX_TENANTS, 6]);
  expect(refused[0]?.body.title).toBe('TooManyTenants');
  const [first] = made;
  await ask('DELETE', `${tenantsAt(running)}/${first?.body.id}`);
  const last = await tenant();
  await running.close();
  await expect(last.own('GET', 'state')).rejects.toThrow('fetch failed');
  running = await startServer({ port: 0 });
});

test('a tenant asks for the token as the server does, and has no tenants of its own', async () => {
  running = await startServer({ port: 0, access: createAccess(true, 'a-token-of-the-tests') });
  const shown = { [TOKEN_HEADER]: 'a-token-of-the-tests' };
  expect((await ask('POST', tenantsAt(running), {})).status).toBe(401);
  const { url } = (await ask('POST', tenantsAt(running), {}, shown)).body;
  expect((await ask('GET', `${url}/_simulator/state`)).status).toBe(401);
  expect((await ask('GET', `${url}/_simulator/state`, undefined, shown)).status).toBe(200);
  expect((await ask('POST', `${url}/_simulator/tenants`, {}, shown)).status).toBe(404);
});
