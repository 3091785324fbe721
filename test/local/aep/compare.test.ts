// The difference proxy, with a second simulated platform in the place of the real service: what is sent there, and what is kept of it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { realClock } from '../../../local/aep/clock.ts';
import { createComparison } from '../../../local/aep/compare/comparison.ts';
import { createReal, realFrom } from '../../../local/aep/compare/real.ts';
import { differencesOf } from '../../../local/aep/compare/shapes.ts';
import type { Call } from '../../../local/aep/http.ts';
import { FAKE_CREDENTIAL, type PlatformOptions } from '../../../local/aep/options.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';
import {
  CATALOG,
  CLIENT,
  caller,
  FLOWS,
  LIST,
  LOOKUP,
  makePipeline,
  ORGANIZATION,
  PREP,
  ROW,
  sendBatch,
} from './support.ts';

const ID = 'another-client-id';
const SECRET = 'fake-secret-of-the-other';
const SEEN = { status: 200, contentType: 'application/json' };
const running: RunningServer[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});

/** A platform with a pipeline in it, through which two rows and one that is refused have gone. */
async function filled(options: PlatformOptions) {
  const user = await caller({ clock: realClock, warmUpMs: 0, ...options });
  const made = await makePipeline(user);
  await sendBatch(user, made, [ROW, { ...ROW, id: 'cust-2' }, { ...ROW, dob: 'never' }]);
  return { user, made };
}

async function bodyOf(
  user: Awaited<ReturnType<typeof caller>>,
  path: string,
): Promise<Record<string, unknown>> {
  const { schemaRef, tags = {} } = Object.values((await user.call('GET', path)).body as object)[0];
  return { schemaRef, tags };
}

function readOf(path: string): Call {
  const none = { query: new URLSearchParams(), headers: {}, body: Buffer.alloc(0) };
  return { method: 'GET', path, requestId: 'x', ...none };
}

function environment(there: Pick<RunningServer, 'origin'>): Record<string, string> {
  return {
    AEP_CONTRACT_CLIENT_ID: ID,
    AEP_CONTRACT_CLIENT_SECRET: SECRET,
    AEP_CONTRACT_ORGANIZATION_ID: ORGANIZATION,
    AEP_CONTRACT_SANDBOX: 'dev1',
    AEP_CONTRACT_IMS_URL: there.origin,
  };
}

/** Two platforms, of which the first asks the second whatever it is asked itself. */
async function beside(options: PlatformOptions) {
  const credentials = [FAKE_CREDENTIAL, { clientId: ID, clientSecrets: [SECRET] }];
  const other = await filled({ seed: 2, credentials, ...options });
  const there = await startServer({ port: 0, platform: other.user.platform });
  running.push(there);
  const own = await filled({});
  const clock = { ms: 0 };
  const real = createReal(realFrom(there.origin, environment(there)), () => clock.ms);
  const comparison = createComparison(real);
  const here = await startServer({ port: 0, platform: own.user.platform, comparison });
  running.push(here);
  const headers = {
    authorization: `Bearer ${own.user.token}`,
    'x-api-key': CLIENT,
    'x-gw-ims-org-id': ORGANIZATION,
    'x-sandbox-name': 'dev1',
  };
  const read = async (path: string, more: Record<string, string | undefined> = {}) => {
    const all = Object.entries({ ...headers, ...more }).filter(([, value]) => value !== undefined);
    const answer = await fetch(here.origin + path, { headers: all as [string, string][] });
    await comparison.idle();
    return answer.status;
  };
  const asked = other.user.platform.journal.entries().length;
  const came = () => other.user.platform.journal.entries().slice(asked);
  return { read, came, comparison, clock, here, own, other, headers };
}

test('12 C 3: reads are asked of the real service too, and only what differs is kept', async () => {
  const { read, came, comparison, here, own } = await beside({ quirks: { 'mapping-path': 'conversion' } });
  const { made } = own;
  for (const path of [
    `${FLOWS}/flows`,
    `${FLOWS}/flows/${made.flowId}`,
    `${FLOWS}/connections?limit=5`,
    `${FLOWS}/connections/${made.connectionId}`,
    `${CATALOG}/dataSets`,
    `${CATALOG}/dataSets/${made.dataSetId}`,
    `${PREP}/mappingSets?limit=5&start=0`,
  ])
    expect(await read(path)).toBe(200);
  await read('/data/foundation/schemaregistry/tenant/schemas', LIST);
  expect(comparison.report()).toMatchObject({
    asked: 8,
    same: 8,
    different: 0,
    notAsked: {},
    differences: [],
  });
  // What stands here stands for another one there: their ids are not the same.
  expect(came().map(({ path }) => path)).not.toContain(`${FLOWS}/flows/${made.flowId}`);
  expect(came().every(({ status }) => status === 200)).toBe(true);

  await read('/data/foundation/mappingSets?limit=5&start=0');
  await read('/data/foundation/mappingSets?limit=5&start=0');
  const operation = 'GET /data/foundation/mappingSets?limit&start';
  const differences = [{ operation, what: 'status: 200 here, 404 there', times: 2 }];
  const report = { asked: 10, same: 8, different: 2, differences };
  expect(comparison.report()).toMatchObject(report);
  expect(await (await fetch(`${here.origin}/_simulator/differences`)).json()).toMatchObject(report);
});

test('12 C 3: nothing but reads is sent, under the credential of the real service alone, and no records', async () => {
  const { read, came, comparison, here, own, headers } = await beside({});
  const { made } = own;
  const [batch] = own.user.platform.state.sandboxes.get('dev1')?.batches.keys() ?? [];
  await read(`${CATALOG}/batches?dataSet=${made.dataSetId}`);
  await read(`/data/foundation/export/files/${batch}-1?path=part-00000.json`);
  await read(`${FLOWS}/runs?property=flowId==${made.flowId}`);
  await fetch(`${here.origin}/collection/${made.inletId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ROW),
  });
  await fetch(`${here.origin}${FLOWS}/flows/${made.flowId}`, { method: 'DELETE', headers });
  await comparison.idle();
  expect(came()).toEqual([]);
  expect(comparison.report().notAsked).toEqual({
    'it names what exists here only': 2,
    'records themselves are not asked for': 1,
  });
  await read(`${FLOWS}/flows`);
  expect(came().map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /ims/token/v3',
    `GET ${FLOWS}/flows`,
  ]);
  expect(came().at(-1)?.headers).toMatchObject({ 'x-api-key': ID });
});

test('12 C 3: an id in a read is replaced by that of the real resource of the same name, even without a list', async () => {
  const { read, came, comparison, own, other } = await beside({});
  // Others of the kind, which stand in every list before or behind the right one.
  const more = {
    ...(await bodyOf(other.user, `${CATALOG}/dataSets/${other.made.dataSetId}`)),
    name: 'another',
  };
  expect((await other.user.call('POST', `${CATALOG}/dataSets`, more)).status).toBe(201);
  const since = came().length;
  await read(`${CATALOG}/dataSets/${own.made.dataSetId}`);
  await read(`${CATALOG}/batches?dataSet=${own.made.dataSetId}&limit=5`);
  await read(`${FLOWS}/flows/${own.made.flowId}`);
  await read(`${FLOWS}/runs?property=flowId==${own.made.flowId}`);
  const schema = `/data/foundation/schemaregistry/tenant/schemas/`;
  await read(schema + encodeURIComponent(own.made.schemaId), LOOKUP);
  expect(
    came()
      .slice(since)
      .map(({ path, query }) => [path, query]),
  ).toEqual([
    ['/ims/token/v3', {}],
    [`${CATALOG}/dataSets`, { limit: '20', start: '0' }],
    [`${CATALOG}/dataSets/${other.made.dataSetId}`, {}],
    [`${CATALOG}/batches`, { dataSet: other.made.dataSetId, limit: '5' }],
    [`${FLOWS}/flows`, { limit: '20', start: '0' }],
    [`${FLOWS}/flows/${other.made.flowId}`, {}],
    [`${FLOWS}/runs`, { property: `flowId==${other.made.flowId}` }],
    [schema.slice(0, -1), { limit: '20' }],
    [schema + encodeURIComponent(other.made.schemaId), {}],
  ]);
  expect(comparison.report()).toMatchObject({ asked: 5, notAsked: {} });
  // What has no name is nobody's counterpart.
  const [batch] = own.user.platform.state.sandboxes.get('dev1')?.batches.keys() ?? [];
  await read(`${CATALOG}/batches?batch=${batch}`);
  expect(comparison.report().notAsked).toEqual({ 'it names what exists here only': 1 });
});

test('12 C 3: no value, secret or personal, is in what is kept', () => {
  const secrets = [
    'ana.reis@example.com',
    'fake-token-1',
    'b0a5b5e21c274bd1a2cb4fa2',
    'Ana',
    'acmelab',
    '4711',
  ];
  const here = { status: 200, contentType: 'application/json', body: { items: [{ id: 'x' }] } };
  const body = {
    items: [{ id: 4711, owner: 'Ana', [secrets[0] as string]: 1, _acmelab: { loyalty: 1 } }],
    [secrets[2] as string]: { name: 'Ana' },
    access_token: secrets[1],
    tags: { Ana: ['acmelab'] },
    identityMap: { Ana: [{ id: secrets[0] }] },
  };
  const found = differencesOf(here, { status: 200, contentType: 'application/json; ana.reis', body });
  expect(found).toContain('/items/*/id: string here, number there');
  expect(found).toContain('/items/*/owner: only there');
  for (const secret of [...secrets, 'ana.reis', 'loyalty'])
    expect(JSON.stringify(found)).not.toContain(secret);
  const refused = {
    ...here,
    status: 400,
    body: { title: 'Ana is unknown', type: `https://x/${secrets[0]}` },
  };
  expect(differencesOf(refused, { ...refused, body: { error_code: '400003', message: 'Ana' } })).toEqual([
    'code: none here, 400003 there',
    '/error_code: only there',
    '/message: only there',
    '/title: only here',
    '/type: only here',
  ]);
});

test('12 C 3: a real service that is slow, gone or refuses the credential delays no answer', async () => {
  const { read, comparison, other, own, clock } = await beside({});
  other.user.platform.faults.add({ kind: 'dropBefore', path: '/data/**', times: 1 });
  expect(await read(`${FLOWS}/flows`)).toBe(200);
  other.user.platform.faults.add({ kind: 'refuse', path: '/ims/**', status: 400, times: 1 });
  await other.user.bare('POST', '/_simulator/tokens/revoke');
  expect(await read(`${FLOWS}/flows`)).toBe(200);
  // IMS is not asked again for every read: it throttles those who ask too often.
  expect(await read(`${FLOWS}/flows`)).toBe(200);
  expect(comparison.report().notAsked).toEqual({ 'the real service did not answer': 3 });
  clock.ms += 30_000;
  // Its token was taken back: another one is got, and the same is asked again.
  expect(await read(`${FLOWS}/flows`)).toBe(200);
  await other.user.bare('POST', '/_simulator/tokens/revoke');
  expect(await read(`${FLOWS}/flows`)).toBe(200);
  expect(comparison.report()).toMatchObject({ asked: 2, same: 2 });
  // One that never answers holds nobody up.
  const never = createComparison({ origin: 'https://there', ask: () => new Promise(() => undefined) });
  const stuck = await startServer({ port: 0, platform: own.user.platform, comparison: never });
  running.push(stuck);
  const { call } = own.user;
  expect((await call('GET', `${FLOWS}/flows`)).status).toBe(200);
  for (let number = 0; number < 3; number++)
    expect((await fetch(`${stuck.origin}/data/foundation/sandbox-management/`)).status).toBe(403);
});

test('12 C 3: an IMS that was gone, or answered with a page, is asked again', async () => {
  const { read, comparison, other, clock } = await beside({});
  for (const fault of [
    { kind: 'dropBefore' },
    { kind: 'notJson' },
    { kind: 'refuse', status: 503 },
  ] as const) {
    other.user.platform.faults.add({ ...fault, path: '/ims/**', times: 1 });
    expect(await read(`${FLOWS}/flows`)).toBe(200);
    clock.ms += 30_000;
  }
  expect(comparison.report()).toMatchObject({ asked: 0, notAsked: { 'the real service did not answer': 3 } });
  await read(`${FLOWS}/flows`);
  expect(comparison.report()).toMatchObject({ asked: 1, same: 1 });
});

test('12 C 3: a real service in trouble differs in nothing, and a page of HTML stops nothing', async () => {
  const { read, comparison, other } = await beside({});
  const path = '/data/foundation/flowservice/flows';
  for (const status of [429, 500, 503]) {
    other.user.platform.faults.add({ kind: 'refuse', status, path, times: 1 });
    await read(path);
  }
  expect(comparison.report()).toMatchObject({
    asked: 0,
    differences: [],
    notAsked: { 'the real service was in trouble': 3 },
  });
  other.user.platform.faults.add({ kind: 'notJson', path, times: 1 });
  await read(path);
  expect(comparison.report().differences.map(({ what }) => what)).toContain(
    '/: object here, undefined there',
  );
  await read(path);
  expect(comparison.report()).toMatchObject({ asked: 2, same: 1, different: 1 });
});

test('12 C 3: a redirect is not followed with the token, and an endless page is cut off', async () => {
  const asked: string[] = [];
  let given = 0;
  const strange = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/ims/token/v3') response.end(JSON.stringify({ access_token: 'fake-token' }));
    else if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end();
    else {
      const part = Buffer.alloc(1024 * 1024, 'x');
      new Readable({
        read() {
          given += 1;
          this.push(part);
        },
      }).pipe(response);
    }
  });
  await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
  const real = createReal(realFrom(origin, environment({ origin })));
  const signed = new Set(['authorization']);
  const ask = (path: string) => real.ask({ method: 'GET', path, accept: undefined, signed });
  try {
    expect(await ask('/moved')).toMatchObject({ status: 302, body: undefined });
    expect(await ask('/endless')).toMatchObject({ status: 200, body: undefined });
    expect(asked).toEqual(['/ims/token/v3', '/moved', '/endless']);
    // What is on its way in the sockets' buffers comes on top of the 8 MB that are read.
    expect(given).toBeLessThan(64);
  } finally {
    strange.closeAllConnections();
    await new Promise((resolve) => strange.close(resolve));
  }
});

test('12 C 3: a header that the caller left out is left out there too, and calls of unknown callers are not compared', async () => {
  const { read, came, comparison, other } = await beside({ quirks: {} });
  const flows = `${FLOWS}/flows`;
  expect(await read(flows, { authorization: undefined })).toBe(403);
  expect(await read(flows, { 'x-api-key': undefined })).toBe(403);
  expect(await read(flows, { 'x-gw-ims-org-id': undefined })).toBe(400);
  expect(await read(flows, { 'x-sandbox-name': undefined })).toBe(400);
  expect(
    came()
      .filter(({ path }) => path === flows)
      .map(({ status }) => status),
  ).toEqual([403, 403, 400, 400]);
  expect(comparison.report()).toMatchObject({ asked: 4, same: 4, notAsked: {} });
  await read(flows, { authorization: 'Bearer fake-made-up' });
  await read(flows, { 'x-api-key': 'fake-made-up' });
  await read(flows, { 'x-gw-ims-org-id': 'FAKE@AdobeOrg' });
  await read(flows, { 'x-sandbox-name': 'none-such' });
  expect(comparison.report()).toMatchObject({
    asked: 4,
    same: 4,
    notAsked: { 'the caller is not known here': 3, 'it names what exists here only': 1 },
  });
  expect(JSON.stringify(other.user.platform.journal.entries())).not.toContain('fake-made-up');
});

test('12 C 3: names that are words are in nothing that is kept, wherever they stand', async () => {
  const { read, comparison } = await beside({});
  await read('/data/core/idnamespace/identities/anareis');
  await read(`${CATALOG}/anareis/loyalty`);
  const kept = JSON.stringify(comparison.report());
  for (const name of ['anareis', 'loyalty']) expect(kept).not.toContain(name);
  const own = { _acmelab: {}, 'meta:enum': {}, examples: [{}], properties: {} };
  const there = {
    _acmelab: { loyalty: { anareis: 1 } },
    'meta:enum': { anareis: 'x' },
    examples: [{ anareis: 'x' }],
    properties: { loyalty: { type: 'object' } },
  };
  const found = JSON.stringify(
    differencesOf({ ...SEEN, body: { one: [own] } }, { ...SEEN, body: { one: [there] } }),
  );
  for (const name of ['anareis', 'loyalty', 'acmelab']) expect(found).not.toContain(name);
});

test('12 C 3: waiting reads are bounded in bytes, and none is sent after the end', async () => {
  const asked: string[] = [];
  const begun = Promise.withResolvers<void>();
  let answer: (seen: typeof SEEN & { body: unknown }) => void = () => undefined;
  const ask = ({ path }: { path: string }) => {
    asked.push(path);
    begun.resolve();
    return new Promise<typeof SEEN & { body: unknown }>((resolve) => {
      answer = resolve;
    });
  };
  const comparison = createComparison({ origin: 'https://there', ask });
  const text = JSON.stringify('x'.repeat(8 * 1024 * 1024 - 2));
  for (let number = 0; number < 10; number++)
    comparison.note(
      readOf(`/data/foundation/catalog/dataSets`),
      { status: 200, headers: {}, text },
      () => true,
    );
  expect(comparison.report().notAsked).toEqual({ 'too many were waiting': 2 });
  await begun.promise;
  comparison.close();
  answer({ ...SEEN, body: 'x' });
  await comparison.idle();
  expect(asked).toHaveLength(1);
});

test('12 C 3: without a credential, or with an address that is not safe, nothing is started', () => {
  expect(() => realFrom('https://platform.adobe.io', {})).toThrow(
    'AEP_CONTRACT_CLIENT_ID, AEP_CONTRACT_CLIENT_SECRET, AEP_CONTRACT_ORGANIZATION_ID, AEP_CONTRACT_SANDBOX',
  );
  for (const url of ['http://platform.adobe.io', 'platform.adobe.io', ''])
    expect(() => realFrom(url, {})).toThrow('expected an https URL');
});
