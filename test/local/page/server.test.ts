import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccess, TOKEN_HEADER } from '../../../local/aep/access.ts';
import { type Page, startPage } from '../../../local/page/server.ts';
import { manifestOf, succeeded, toldStack } from '../../support/watched.ts';

let folder: string;
const access = createAccess();
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Penstock</title>');
  await writeFile(join(folder, 'assets', 'index-1.js'), 'export {};');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  const stack = toldStack();
  stack.told.push(succeeded(manifestOf('orders')));
  page = await startPage(stack, { folder, access });
});
afterAll(async () => {
  await page.close();
  await rm(folder, { recursive: true });
});

/** With any header: `fetch` sets `Host` by itself. */
function ask(path: string, { method = 'GET', ...headers }: Record<string, string> = {}) {
  return new Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const asked = request(`${page.origin}${path}`, { method, headers }, (answer) => {
        let text = '';
        answer.on('data', (part) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
      });
      asked.on('error', reject);
      asked.end();
    },
  );
}

/** The first news of what is followed; then the connection is left. */
async function firstNews(path: string): Promise<unknown> {
  const end = new AbortController();
  const answer = await fetch(`${page.origin}${path}`, { signal: end.signal });
  let text = '';
  for await (const part of answer.body ?? []) {
    text += Buffer.from(part).toString();
    if (text.includes('\n\n')) break;
  }
  end.abort();
  return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')));
}

describe('the server of the page', () => {
  it.each(['/', '/pipelines', '/requests/12', '/pipelines/a%2Fb', '/dead-letters/a%2Fb.json/0'])(
    'answers %s with the document, and with a policy that allows no script but its own',
    async (path) => {
      const { status, text, headers } = await ask(path);
      expect([status, text]).toEqual([200, '<!doctype html><title>Penstock</title>']);
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  it('gives a built file, and nothing else of its folder or above it', async () => {
    expect((await ask('/assets/index-1.js')).text).toBe('export {};');
    for (const path of [
      '/secret.txt',
      '/assets/../secret.txt',
      '/assets/..%2fsecret.txt',
      '/../package.json',
    ])
      expect((await ask(path)).text).not.toMatch(/secret$|penstock"/);
  });

  it('gives nothing to a host that is not this machine, the document neither', async () => {
    for (const path of ['/', '/api/request?number=1', '/api/follow/pipelines'])
      expect((await ask(path, { host: 'rebound.example' })).status).toBe(403);
  });

  it("denies another site's page what it could follow or read", async () => {
    const headers = { origin: 'https://elsewhere.example' };
    expect((await ask('/api/follow/requests', headers)).status).toBe(401);
    expect((await ask('/api/request?number=1', headers)).status).toBe(401);
    expect(
      (await ask('/api/request?number=1', headers)).headers['access-control-allow-origin'],
    ).toBeUndefined();
  });

  it('gives the page what it asks for by the token, and takes no change that is not JSON', async () => {
    const token = { origin: page.origin, [TOKEN_HEADER]: access.token };
    expect((await ask('/api/request?number=1', token)).status).toBe(404);
    expect(
      (await ask('/api/request', { ...token, method: 'POST', 'content-type': 'text/plain' })).status,
    ).toBe(415);
  });

  it('has its token behind the hash of its address, where no server sees it', () => {
    expect(page.address).toBe(`${page.origin}/#${access.token}`);
  });

  it('tells what is followed, and says what is not there', async () => {
    expect(await firstNews('/api/follow/pipelines')).toMatchObject({ set: [{ name: 'orders' }], gone: [] });
    expect(await firstNews('/api/follow/picture?source=shop')).toMatchObject({ source: 'shop' });
    expect(await firstNews('/api/follow/requests')).toEqual({ added: [], forgotten: 0 });
    for (const path of ['/api/follow/toString', '/api/constructor', '/api/request?number=1', '/api/'])
      expect((await ask(path)).status).toBe(404);
    expect((await ask('/api/request', { method: 'POST', 'content-type': 'application/json' })).status).toBe(
      405,
    );
  });

  it('closes although somebody follows something', async () => {
    const other = await startPage(toldStack(), { folder });
    const answer = await fetch(`${other.origin}/api/follow/pipelines`);
    await other.close();
    await expect(answer.text()).rejects.toThrow();
  });

  it('says what to do where the page is not built', async () => {
    const other = await startPage(toldStack(), { folder: join(folder, 'nowhere') });
    const answer = await fetch(other.origin);
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('npm run prepare')]);
    await other.close();
  });
});
