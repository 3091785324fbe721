// Promise 31 of docs/promises.md, and its bad inputs 87 to 98: nothing is sent anywhere but to the inlet that is allowed.
import dns from 'node:dns';
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inletAddress } from '../../lib/aep/inlet.ts';
import { createFetch } from '../../lib/aws/http.ts';
import { createForward } from '../../lib/forward/forward.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { INLET_ID, kinesisEvent } from '../support/forwarding.ts';
import { HOSTILE_URLS } from '../support/hostile-urls.ts';
import { plainRuntime } from '../support/plain-runtime.ts';

const INVOCATION = { remainingMs: () => 60_000, invocationId: 'i' };
const ALLOWED = ['https://dcs.adobedc.net', 'http://127.0.0.1:8080'];

afterEach(() => vi.restoreAllMocks());

describe("an inlet's URL", () => {
  it.each(HOSTILE_URLS)('B %i: %s is refused, and its path is not told', (_, __, url) => {
    const attempt = () => inletAddress(url, ALLOWED);
    expect(attempt).toThrow(expect.objectContaining({ code: 'INLET_NOT_ALLOWED' }));
    expect(attempt).not.toThrow(/c1f0c1f0/);
  });

  it('B 94: of an IP address is refused even where a deployment lists it', () => {
    for (const origin of ['https://169.254.169.254', 'https://[fe80::1]', 'http://10.0.0.1'])
      expect(() => inletAddress(`${origin}/collection/${INLET_ID}`, [origin])).toThrow(/INLET_NOT_ALLOWED/);
  });
});

// Tabs and line breaks are taken out where the published pipeline is read: what is left is the inlet's own.
const PUBLISHABLE = HOSTILE_URLS.filter(([, , url]) => !/^\s|[\t\n]/.test(url));

it(`A 31: an inlet with one of ${PUBLISHABLE.length} hostile URLs is never connected to`, async () => {
  expect(PUBLISHABLE.length).toBeGreaterThanOrEqual(60);
  const connect = vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('connected');
  });
  const lookup = vi.spyOn(dns, 'lookup');
  const settings = settingsFrom({ PENSTOCK_INLET_ORIGINS: ALLOWED.join() });
  for (const [, what, inletUrl] of PUBLISHABLE) {
    const forward = createForward(plainRuntime({ settings, fetch: createFetch() }, { inletUrl }));
    await expect(forward(kinesisEvent(['{}']), INVOCATION), what).rejects.toMatchObject({
      code: expect.stringMatching(/^(INLET_NOT_ALLOWED|SECRET_INVALID)$/),
    });
  }
  expect([connect.mock.calls, lookup.mock.calls]).toEqual([[], []]);
  // And so it would have been noticed.
  const allowed = createForward(
    plainRuntime(
      { settings, fetch: createFetch() },
      { inletUrl: `http://127.0.0.1:8080/collection/${INLET_ID}` },
    ),
  );
  await allowed(kinesisEvent(['{}']), INVOCATION);
  expect(connect).toHaveBeenCalled();
});

describe('A 31: a redirect', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(answer: (path: string) => [status: number, location: string]) {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? '');
      const [status, location] = answer(request.url ?? '');
      request.resume().once('end', () => response.writeHead(status, { location }).end());
    });
    servers.push(server);
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return { paths, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  it.each([300, 301, 302, 303, 307, 308])(
    '%i is not followed, to another host or the same',
    async (status) => {
      const other = await listen(() => [200, '']);
      for (const to of [other.origin, '']) {
        const inlet = await listen(() => [status, `${to}/collection/batch/elsewhere`]);
        const settings = settingsFrom({ PENSTOCK_INLET_ORIGINS: inlet.origin });
        const inletUrl = `${inlet.origin}/collection/${INLET_ID}`;
        const forward = createForward(plainRuntime({ settings, fetch: createFetch() }, { inletUrl }));
        await expect(forward(kinesisEvent(['{}']), INVOCATION)).rejects.toMatchObject({ status });
        expect(inlet.paths).toEqual([`/collection/batch/${INLET_ID}`]);
      }
      expect(other.paths).toEqual([]);
    },
  );
});
