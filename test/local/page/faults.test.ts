import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccess, TOKEN_HEADER } from '../../../local/aep/access.ts';
import { runOf } from '../../../local/aep/faults.ts';
import { faultsFeed } from '../../../local/page/areas/faults.ts';
import { SCENARIOS } from '../../../local/page/scenarios.ts';
import { type Page, startPage } from '../../../local/page/server.ts';
import { createStore } from '../../../local/page/store.ts';
import type { FaultsTold } from '../../../local/page/told.ts';
import { ORIGIN, toldStack } from '../../support/watched.ts';

const looking = () => {
  const watched = toldStack();
  return { watched, store: createStore('/nowhere') };
};

describe('the faults that the page follows', () => {
  it('are told with what they were asked to do, what they struck, and how far the clock is ahead', async () => {
    const looked = looking();
    const { platform } = looked.watched.platform;
    const feed = faultsFeed(looked);
    expect(feed()).toMatchObject({ aheadSeconds: 0, seed: 1, faults: [], struck: [] });
    expect(feed()).toBeUndefined();
    platform.faults.add({ kind: 'refuse', path: '/one', status: 429, times: 1 });
    for (const path of ['/one', '/one', '/two']) await platform.fetch(new Request(`${ORIGIN}${path}`));
    platform.clock.advance(300_000);
    expect(feed()).toMatchObject({
      aheadSeconds: 300,
      faults: [{ seen: 2, struck: 1, asked: { kind: 'refuse', path: '/one', status: 429, times: 1 } }],
      struck: [{ number: 1, path: '/one', status: 429 }],
    });
  });

  it('keep the newest requests that were struck, and forget them with the journal', async () => {
    const looked = looking();
    const { platform } = looked.watched.platform;
    const feed = faultsFeed(looked);
    platform.faults.add({ kind: 'refuse' });
    for (let one = 1; one <= 25; one++) await platform.fetch(new Request(`${ORIGIN}/n/${one}`));
    const { struck } = feed() as FaultsTold;
    expect([struck.length, struck[0]?.path, struck.at(-1)?.path]).toEqual([20, '/n/25', '/n/6']);
    platform.journal.clear();
    expect(feed()).toMatchObject({ struck: [] });
  });

  it.each(SCENARIOS)('$name is a run that the simulated platform takes', ({ faults }) => {
    expect(runOf(faults).faults).toEqual(faults);
  });
});

describe('what the page changes at the simulated platform', () => {
  const access = createAccess();
  const stack = toldStack();
  let page: Page;
  beforeAll(async () => {
    page = await startPage(stack, { access, folder: '/nowhere' });
  });
  afterAll(() => page.close());

  /** As a page of this origin does it. */
  const ask = (method: string, path: string, body: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const own = { 'content-type': 'application/json', origin: page.origin, [TOKEN_HEADER]: access.token };
      const asked = request(
        `${page.origin}/api/simulator/${path}`,
        { method, headers: { ...own, ...headers } },
        (answer) => {
          let text = '';
          answer.on('data', (part) => {
            text += part;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });

  it("goes through the simulator's own pages: faults on and off, the clock forward, and their refusals", async () => {
    const { faults, clock } = stack.platform.platform;
    const added = await ask('POST', 'faults', '[{"kind": "latency", "latencyMs": 5}]');
    expect(added.status).toBe(201);
    expect(JSON.parse(added.body)).toMatchObject({ faults: [{ id: 'fault-1', kind: 'latency' }] });
    expect(faults.list().length).toBe(1);
    expect(await ask('DELETE', 'faults/fault-1', '')).toEqual({ status: 204, body: '' });
    expect(faults.list()).toEqual([]);
    const before = clock.now();
    expect((await ask('POST', 'clock', '{"advanceMs": 86400000}')).status).toBe(200);
    expect(clock.now() - before).toBeGreaterThanOrEqual(86_400_000);
    const refused = await ask('POST', 'faults', '{"kind": "earthquake"}');
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([400, { detail: expect.any(String) }]);
  });

  it('is nothing else of the simulator, nothing too large, and nothing without the token', async () => {
    for (const path of ['reset', 'tenants', 'faults/../reset', 'faults/a/b', ''])
      expect((await ask('POST', path, '{}')).status, path).toBe(404);
    expect((await ask('POST', 'faults', 'x'.repeat(9_000_000))).status).toBe(413);
    expect((await ask('POST', 'faults', '{"kind": "latency"}', { [TOKEN_HEADER]: 'no' })).status).toBe(401);
    expect(
      (await ask('POST', 'faults', '{"kind": "latency"}', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
    expect(stack.platform.platform.faults.list()).toEqual([]);
  });
});
