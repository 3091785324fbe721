// No page of another site reads or drives the simulated platform; programs of this machine need nothing but a plain request.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Area,
  areaOf,
  createAccess,
  insideOf,
  refusal,
  TOKEN_HEADER,
  tokenFrom,
} from '../../../local/aep/access.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';

const TOKEN = 'a-token-of-the-tests';
const HOST = { host: '127.0.0.1:4010' };
const JSON_TYPE = { 'content-type': 'application/json' };
const SHOWN = { [TOKEN_HEADER]: TOKEN };

type Headers = Readonly<Record<string, string>>;

function verdict(area: Area, method: string, headers: Headers, query = '', isForAll = false) {
  const asked = { method, headers, query: new URLSearchParams(query) };
  const answer = refusal(asked, area, createAccess(isForAll, TOKEN));
  return answer === undefined ? 'allowed' : `${answer.status} ${(answer.body as { title: string }).title}`;
}

const HOST_REFUSED = '403 HostNotAllowed';
const TOKEN_NEEDED = '401 TokenNeeded';
const JSON_NEEDED = '415 UnsupportedMediaTypeError';

describe('Host', () => {
  test.each([
    ['127.0.0.1:4010', 'allowed', 'allowed'],
    ['127.0.0.1', 'allowed', 'allowed'],
    ['127.8.9.1:80', 'allowed', 'allowed'],
    ['localhost:4010', 'allowed', 'allowed'],
    ['LOCALHOST', 'allowed', 'allowed'],
    ['aep.localhost:4010', 'allowed', 'allowed'],
    ['[::1]:4010', 'allowed', 'allowed'],
    ['platform.adobe.io', HOST_REFUSED, 'allowed'],
    ['ims-na1.adobelogin.com:443', HOST_REFUSED, 'allowed'],
    ['dcs.adobedc.net', HOST_REFUSED, 'allowed'],
    ['', HOST_REFUSED, HOST_REFUSED],
    ['evil.example:4010', HOST_REFUSED, HOST_REFUSED],
    ['127.0.0.1.evil.example', HOST_REFUSED, HOST_REFUSED],
    ['localhost.evil.example:4010', HOST_REFUSED, HOST_REFUSED],
    ['evil-localhost', HOST_REFUSED, HOST_REFUSED],
    ['evil.example@127.0.0.1', HOST_REFUSED, HOST_REFUSED],
    ['127.0.0.1:4010:80', HOST_REFUSED, HOST_REFUSED],
    ['platform.adobe.io.evil.example', HOST_REFUSED, HOST_REFUSED],
    ['notadobe.io', HOST_REFUSED, HOST_REFUSED],
    ['adobe.io', HOST_REFUSED, HOST_REFUSED],
    ['0.0.0.0:4010', HOST_REFUSED, HOST_REFUSED],
    ['192.168.1.7:4010', HOST_REFUSED, HOST_REFUSED],
    ['[::]:4010', HOST_REFUSED, HOST_REFUSED],
  ])('%j: own pages %s, endpoints of the platform %s', (host, own, platform) => {
    expect(verdict('simulator', 'GET', { host })).toBe(own);
    expect(verdict('files', 'GET', { host })).toBe(own);
    expect(verdict('platform', 'GET', { host })).toBe(platform);
    // Not even the token leads past it: a page that was led here has asked for another name.
    if (own === HOST_REFUSED) expect(verdict('simulator', 'GET', { host, ...SHOWN })).toBe(own);
  });

  test('a call without it is refused', () => {
    for (const area of ['simulator', 'files', 'platform'] as const)
      expect(verdict(area, 'GET', {})).toBe(HOST_REFUSED);
  });
});

describe('a browser', () => {
  test.each<Headers>([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': '' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:3000' },
    { origin: 'http://127.0.0.1:4010' },
    { origin: 'null' },
    { origin: '' },
  ])('that sends %j needs the token, wherever it asks', (sent) => {
    for (const area of ['simulator', 'platform'] as const)
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        const headers = { ...HOST, ...JSON_TYPE, ...sent };
        expect(verdict(area, method, headers)).toBe(TOKEN_NEEDED);
        expect(verdict(area, method, { ...headers, [TOKEN_HEADER]: `${TOKEN}x` })).toBe(TOKEN_NEEDED);
        expect(verdict(area, method, { ...headers, cookie: `token=${TOKEN}` })).toBe(TOKEN_NEEDED);
        expect(verdict(area, method, headers, 'token=')).toBe(TOKEN_NEEDED);
        expect(verdict(area, method, { ...headers, ...SHOWN })).toBe('allowed');
        expect(verdict(area, method, headers, `token=${TOKEN}`)).toBe('allowed');
      }
    expect(verdict('files', 'GET', { ...HOST, ...sent })).toBe('allowed');
  });

  test('a wrong token in the header is not mended by the right one in the address', () => {
    const headers = { ...HOST, origin: 'null', [TOKEN_HEADER]: 'wrong' };
    expect(verdict('simulator', 'GET', headers, `token=${TOKEN}`)).toBe(TOKEN_NEEDED);
  });
});

describe('a change', () => {
  test.each([
    ['application/json', 'allowed'],
    ['Application/JSON; charset=utf-8', 'allowed'],
    ['', JSON_NEEDED],
    ['text/plain', JSON_NEEDED],
    ['text/plain; application/json', JSON_NEEDED],
    ['application/x-www-form-urlencoded', JSON_NEEDED],
    ['multipart/form-data; boundary=application/json', JSON_NEEDED],
  ])('with the content type %j', (type, expected) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
      expect(verdict('simulator', method, { ...HOST, 'content-type': type })).toBe(expected);
      expect(verdict('simulator', method, { ...HOST, ...SHOWN, 'content-type': type })).toBe(expected);
    }
  });

  test('needs one, a read does not, and the platform has rules of its own', () => {
    expect(verdict('simulator', 'DELETE', HOST)).toBe(JSON_NEEDED);
    for (const method of ['GET', 'HEAD']) expect(verdict('simulator', method, HOST)).toBe('allowed');
    expect(verdict('platform', 'POST', { ...HOST, 'content-type': 'text/plain' })).toBe('allowed');
  });
});

test('with --admin-token programs need the token for all of /_simulator, and for nothing else', () => {
  const ask = (area: Area, headers: Headers) => verdict(area, 'POST', headers, '', true);
  expect(ask('simulator', { ...HOST, ...JSON_TYPE })).toBe(TOKEN_NEEDED);
  expect(ask('simulator', { ...HOST, ...JSON_TYPE, ...SHOWN })).toBe('allowed');
  expect(ask('platform', HOST)).toBe('allowed');
  expect(ask('files', HOST)).toBe('allowed');
});

test.each([
  ['/', 'files'],
  ['/_simulator', 'simulator'],
  ['/_simulator/journal', 'simulator'],
  ['/_simulatorx', 'simulator'],
  ['/data/foundation/catalog/dataSets', 'platform'],
  ['/ims/token/v3', 'platform'],
  ['/x/_simulator/journal', 'platform'],
])('%s belongs to the area %s', (path, area) => {
  expect(areaOf(path)).toBe(area);
});

test('a token is drawn anew each time, or is the one of PENSTOCK_ADMIN_TOKEN', () => {
  const drawn = Array.from({ length: 100 }, () => createAccess().token);
  expect(new Set(drawn).size).toBe(100);
  for (const token of drawn) expect(token).toMatch(/^[\w-]{32}$/);
  expect(tokenFrom({})).toBe(undefined);
  expect(tokenFrom({ PENSTOCK_ADMIN_TOKEN: TOKEN })).toBe(TOKEN);
  for (const wrong of ['', 'short', 'has a blank in it, see', 'x'.repeat(201)])
    expect(() => tokenFrom({ PENSTOCK_ADMIN_TOKEN: wrong })).toThrow('PENSTOCK_ADMIN_TOKEN: expected');
});

describe('on the wire', () => {
  let running: RunningServer;
  beforeAll(async () => {
    running = await startServer({ port: 0 });
  });
  afterAll(() => running.close());

  /** Whatever header it is: `fetch` would refuse to send some. */
  async function ask(
    method: string,
    path: string,
    headers: Headers = {},
    body = '',
  ): Promise<IncomingMessage> {
    const sent = request(`${running.origin}${path}`, { method, headers });
    sent.on('upgrade', () => sent.destroy(new Error('the connection has been upgraded')));
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    return answer;
  }

  const fault = JSON.stringify({ kind: 'latency' });
  const FOREIGN = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

  test.each<[string, string, string, Headers, number]>([
    ['a form', 'POST', '/_simulator/reset', { ...FOREIGN, 'content-type': 'text/plain' }, 401],
    ['a form of an old browser', 'POST', '/_simulator/reset', { 'content-type': 'text/plain' }, 415],
    ['a form of a sandboxed frame', 'POST', '/_simulator/faults', { ...JSON_TYPE, origin: 'null' }, 401],
    ['a beacon with JSON', 'POST', '/_simulator/faults', { ...JSON_TYPE, ...FOREIGN }, 401],
    ['the question before such a call', 'OPTIONS', '/_simulator/faults', FOREIGN, 401],
    ['an EventSource', 'GET', '/_simulator/journal', { ...FOREIGN, accept: 'text/event-stream' }, 401],
    ['a script or a picture', 'GET', '/_simulator/state', { 'sec-fetch-site': 'cross-site' }, 401],
    ['another port of this machine', 'GET', '/_simulator/state', { 'sec-fetch-site': 'same-site' }, 401],
    ['an address typed without the token', 'GET', '/_simulator/', { 'sec-fetch-site': 'none' }, 401],
    ['a name led here', 'GET', '/_simulator/journal', { host: 'evil.example:4010' }, 403],
    ['a name led here, for a token', 'POST', '/ims/token/v3', { host: 'evil.example:4010' }, 403],
    ['a record for an inlet', 'POST', '/collection/abc', { ...FOREIGN, 'content-type': 'text/plain' }, 401],
  ])('%s is refused, and nothing is done', async (_what, method, path, headers, status) => {
    running.platform.faults.add({ kind: 'latency', path: '/nowhere' });
    const before = running.platform.faults.list().length;
    const answer = await ask(method, path, headers, method === 'POST' ? fault : '');
    expect(answer.statusCode).toBe(status);
    expect(running.platform.faults.list().length).toBe(before);
    // No other site's page may read the answer.
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('a WebSocket is not opened, with or without the token', async () => {
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    };
    expect((await ask('GET', '/_simulator/state', { ...upgrade, ...FOREIGN })).statusCode).toBe(401);
    const shown = { [TOKEN_HEADER]: running.access.token };
    expect((await ask('GET', '/_simulator/state', { ...upgrade, ...shown })).statusCode).toBe(200);
  });

  test('a page with the token may do all of it, and the address of the terminal opens in a browser', async () => {
    const own = { origin: running.origin, 'sec-fetch-site': 'same-origin' };
    const shown = { ...own, ...JSON_TYPE, [TOKEN_HEADER]: running.access.token };
    const made = await ask('POST', '/_simulator/faults', shown, fault);
    expect(made.statusCode).toBe(201);
    const address = new URL(insideOf(running.origin, running.access));
    const opened = await ask('GET', `${address.pathname}${address.search}`, { 'sec-fetch-site': 'none' });
    expect(opened.statusCode).toBe(200);
    expect(opened.headers).toMatchObject({
      'x-simulated': 'penstock',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  test('a program needs no token, and the answer of the platform itself bears no header of the own pages', async () => {
    expect((await ask('GET', '/_simulator/state')).statusCode).toBe(200);
    expect((await ask('POST', '/_simulator/faults', JSON_TYPE, fault)).statusCode).toBe(201);
    const platform = await ask('GET', '/data/foundation/catalog/dataSets', { host: 'platform.adobe.io' });
    expect([platform.statusCode, platform.headers['x-content-type-options']]).toEqual([403, undefined]);
    const refused = await ask('GET', '/_simulator/state', { origin: 'null' });
    expect(refused.headers).toMatchObject({ 'www-authenticate': TOKEN_HEADER, 'x-simulated': 'penstock' });
  });
});
