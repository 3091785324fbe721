// The same platform on a port: real connections, cut connections, the admin pages, and a start from the command line.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CommandLineError, commandLine } from '../../../local/aep/command-line.ts';
import { createPlatform } from '../../../local/aep/platform.ts';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';
import { CLIENT, FLOWS, HTTP_API, ORGANIZATION, SECRET } from './support.ts';

const SERVER = join(import.meta.dirname, '../../../local/aep/server.ts');
const ADMIN_TOKEN = 'chosen-by-a-test';
let running: RunningServer | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function headers(origin: string): Promise<Record<string, string>> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: SECRET,
    scope: 'openid',
  });
  const reply = await fetch(`${origin}/ims/token/v3`, { method: 'POST', body });
  const { access_token } = (await reply.json()) as { access_token: string };
  return {
    authorization: `Bearer ${access_token}`,
    'x-api-key': CLIENT,
    'x-gw-ims-org-id': ORGANIZATION,
    'x-sandbox-name': 'dev1',
  };
}

test('inlet URLs lead back to the port', async () => {
  running = await startServer({ port: 0 });
  const auth = { specName: 'Streaming Connection', params: { name: 'http', dataType: 'raw' } };
  const standard = { ...(await headers(running.origin)), 'content-type': 'application/json' };
  const url = `${running.origin}${FLOWS}/connections`;
  const made = await fetch(url, {
    method: 'POST',
    headers: standard,
    body: JSON.stringify({ name: 'http', auth, connectionSpec: { id: HTTP_API } }),
  });
  const { id } = (await made.json()) as { id: string };
  const { items } = (await (await fetch(`${url}/${id}`, { headers: standard })).json()) as {
    items: { auth: { params: { inletUrl: string } } }[];
  };
  const inletUrl = items[0]?.auth.params.inletUrl ?? '';
  expect(inletUrl.startsWith(`${running.origin}/collection/`)).toBe(true);
  const reply = await fetch(inletUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('x-simulated')).toBe('penstock');
});

test('a dropped answer cuts the connection', async () => {
  running = await startServer({ port: 0 });
  running.platform.faults.add({ kind: 'dropAfter', path: '/data/**', times: 1 });
  const standard = await headers(running.origin);
  const url = `${running.origin}${FLOWS}/flows`;
  await expect(fetch(url, { headers: standard })).rejects.toThrow('fetch failed');
  expect((await fetch(url, { headers: standard })).status).toBe(200);
});

test('an answer that breaks off has its head and a part of its body', async () => {
  running = await startServer({ port: 0 });
  running.platform.faults.add({ kind: 'breakOff', path: '/data/**', bytes: 5, times: 1 });
  const reply = await fetch(`${running.origin}${FLOWS}/flows`, { headers: await headers(running.origin) });
  expect(reply.status).toBe(200);
  expect(Number(reply.headers.get('content-length'))).toBeGreaterThan(5);
  await expect(reply.text()).rejects.toThrow('terminated');
});

test('a body far too large is answered with 413, not with a broken pipe', async () => {
  running = await startServer({ port: 0 });
  const platform = running.platform;
  const sandbox = platform.state.sandboxes.get('dev1');
  if (!sandbox) throw new Error('no sandbox');
  const connectionId = 'connection';
  sandbox.connections.put(connectionId, {
    id: connectionId,
    etag: '',
    state: 'enabled',
    createdAt: 0,
    updatedAt: 0,
    createdBy: '',
    body: {},
  });
  platform.state.inlets.set('inlet', { id: 'inlet', sandbox, connectionId });
  const reply = await fetch(`${running.origin}/collection/batch/inlet`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: 'x'.repeat(12_000_000),
  });
  expect(reply.status).toBe(413);
});

test('the admin pages show the state, move the clock and forget everything', async () => {
  running = await startServer({ port: 0 });
  const admin = `${running.origin}/_simulator`;
  const pages = (await (await fetch(`${admin}/`)).json()) as { pages: Record<string, string> };
  expect(Object.keys(pages.pages).length).toBeGreaterThan(8);
  await headers(running.origin);
  const read = async () =>
    (await (await fetch(`${admin}/state`)).json()) as { now: number; counts: { requests: number } };
  const before = await read();
  expect(before.counts.requests).toBe(1);
  const change = (page: string, body?: string) =>
    fetch(`${admin}/${page}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    });
  const moved = await change('clock', '{"advanceMs":600000}');
  expect(((await moved.json()) as { now: number }).now).toBeGreaterThanOrEqual(before.now + 600_000);
  expect((await change('clock', '{"advanceMs":-1}')).status).toBe(400);
  expect((await change('reset')).status).toBe(204);
  expect((await read()).counts.requests).toBe(0);
});

test('an admin page that is not there says where the list of pages is, and that list names the one of --compare', async () => {
  running = await startServer({ port: 0 });
  for (const page of ['nonsense', 'differences']) {
    const reply = await fetch(`${running.origin}/_simulator/${page}`);
    expect(reply.status).toBe(404);
    expect(await reply.text()).toContain('GET /_simulator/ lists the pages');
  }
  const list = await (await fetch(`${running.origin}/_simulator/`)).text();
  expect(list).toContain('there only with --compare URL');
});

test('it listens on this machine only', async () => {
  running = await startServer({ port: 0 });
  expect(new URL(running.origin).hostname).toBe('127.0.0.1');
});

test('started from the command line it says what it is, and refuses wrong options', async () => {
  const start = (...args: string[]) => {
    const env = { ...process.env, PENSTOCK_ADMIN_TOKEN: ADMIN_TOKEN };
    const child = spawn(process.execPath, [SERVER, ...args], { stdio: 'pipe', env });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const said = Promise.withResolvers<void>();
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
        if (output.includes('/_simulator/')) said.resolve();
      });
    return { child, output: () => output, said: said.promise, ended };
  };
  const xdm = mkdtempSync(join(tmpdir(), 'xdm-'));
  const $id = 'https://ns.adobe.com/xdm/context/shop';
  const group = { $id, title: 'Shop', type: 'object', 'meta:intendedToExtend': ['x'], properties: {} };
  mkdirSync(join(xdm, 'components'));
  writeFileSync(join(xdm, 'components', 'shop.schema.json'), JSON.stringify(group));
  const { child, output, said, ended } = start(
    '--port',
    '0',
    '--warm-up',
    '5',
    '--seed',
    '7',
    '--scopes',
    'openid, session, sesion',
    '--xdm',
    xdm,
    '--admin-token',
  );
  await said;
  rmSync(xdm, { recursive: true });
  expect(output()).toContain('SIMULATED');
  expect(output()).toContain('5 s after');
  expect(output()).toContain(SECRET);
  // 12 B 6: the scopes of its credential are set by hand and told.
  expect(output()).toContain('openid,session,sesion');
  expect(output()).toMatch(
    /^--scopes: 'sesion' is none of .*openid, .*; did you mean 'session'\?; it is taken/m,
  );
  // 12 B 9: a checkout of Adobe's repository is known to the platform.
  const origin = /address\s+(\S+)/.exec(output())?.[1] ?? '';
  const groups = await fetch(`${origin}/data/foundation/schemaregistry/global/fieldgroups`, {
    headers: { ...(await headers(origin)), accept: 'application/vnd.adobe.xed-id+json' },
  });
  expect(await groups.text()).toContain($id);
  // Programs are asked for the token too; the address that is printed has it.
  const inside = /look inside\s+(\S+)/.exec(output())?.[1] ?? '';
  expect(inside).toBe(`${origin}/_simulator/?token=${ADMIN_TOKEN}`);
  expect([(await fetch(inside)).status, (await fetch(`${origin}/_simulator/`)).status]).toEqual([200, 401]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const wrong = start('--port', 'many');
  expect(await wrong.ended).toBe(2);
  expect(wrong.output()).toContain('--port');
  const unknown = start('--kinesys', 'http://127.0.0.1:4567');
  expect(await unknown.ended).toBe(2);
  expect(unknown.output()).toBe(
    "Unknown option '--kinesys'; did you mean '--kinesis'?; --help lists the options\n",
  );
  const noCheckout = start('--xdm', import.meta.dirname);
  expect(await noCheckout.ended).toBe(2);
  expect(noCheckout.output()).toMatch(/^--xdm: .* is no checkout/);
  const nowhere = start('--kinesis', 'nowhere');
  expect(await nowhere.ended).toBe(2);
  expect(nowhere.output()).toContain('--kinesis: expected a URL');
});

test('12 4: the address alone says what is there, and where its pages are', async () => {
  const platform = createPlatform({ origin: 'http://127.0.0.1:4010' });
  const reply = await platform.fetch(new Request('http://127.0.0.1:4010/'));
  expect([reply.status, await reply.json()]).toEqual([
    200,
    { simulated: 'Adobe Experience Platform', pages: 'http://127.0.0.1:4010/_simulator/' },
  ]);
});

test.each([
  [['--colour', 'red'], "Unknown option '--colour'; --help lists the options"],
  [['-p', '3'], "Unknown option '-p'; --help lists the options"],
  [['--prot', '3'], "Unknown option '--prot'; did you mean '--port'?; --help lists the options"],
  [['--port'], "Option '--port <value>' argument missing; --help lists the options"],
  [['more'], "Unexpected argument 'more'; --help lists the options"],
])('12 4: a command line of %j is told in one line', (args, message) => {
  const read = () => commandLine({ args, options: { port: { type: 'string' } } });
  expect(read).toThrow(new CommandLineError(message));
});

test('the same seed gives the same ids, another one others', () => {
  const sandboxId = (seed: number) => createPlatform({ seed }).state.sandboxes.get('dev1')?.id;
  expect(sandboxId(5)).toBe(sandboxId(5));
  expect(sandboxId(5)).not.toBe(sandboxId(6));
  expect(() => createPlatform({ sead: 1 } as object)).toThrow('Unknown option sead. Allowed: origin');
});

test('the simulated platform imports nothing of lib', () => {
  const folder = join(import.meta.dirname, '../../../local/aep');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) {
    const imports = [...readFileSync(join(folder, file), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, from]) => from,
    );
    expect(imports.filter((from) => /(^|\/)lib\//.test(from ?? ''))).toEqual([]);
  }
});
