import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readCredentials } from '../lib/credentials.ts';
import { readStream } from '../lib/published.ts';
import type { Secrets } from '../lib/runtime.ts';
import { settingsFrom } from '../lib/settings.ts';
import { memoryRoutes } from './support/routes.ts';
import { CREDENTIALS } from './support/scripted.ts';

const holding = (value: string | undefined): Secrets => ({
  get: async () => value,
  create: async () => true,
  put: async () => undefined,
  remove: async () => undefined,
});

describe('settings', () => {
  it("are Adobe's production hosts and nothing else where the environment says nothing", () => {
    expect(settingsFrom({})).toMatchObject({
      stage: 'dev',
      credentialsSecret: 'penstock/dev/credentials',
      imsUrl: 'https://ims-na1.adobelogin.com',
      platformUrl: 'https://platform.adobe.io',
      inletOrigins: ['https://dcs.adobedc.net'],
    });
  });

  it.each([
    ['PENSTOCK_STAGE', 'Prod/../x'],
    ['PENSTOCK_PLATFORM_URL', 'ftp://platform.adobe.io'],
    ['PENSTOCK_INLET_ORIGINS', 'dcs.adobedc.net'],
    ['PENSTOCK_DEAD_LETTERS_URL', 'https://bucket'],
    ['PENSTOCK_LIST_DELAY_SECONDS', 'long'],
    ['PENSTOCK_STATE_MACHINE', 'provision'],
    ['PENSTOCK_HOOK_SECRET', 'whsec_ZmFrZQ=='],
    ['PENSTOCK_HOOK_STARTS', 'a/b'],
    ['PENSTOCK_HOOK_MANIFESTS', 'maybe'],
    ['PENSTOCK_LOG_LEVEL', 'LOUD'],
    ['HTTPS_PROXY', 'socks5://proxy.example.com'],
    ['HTTPS_PROXY', 'proxy.example.com:3128'],
  ])('name %s where it is wrong, not its value', (name, value) => {
    expect(() => settingsFrom({ [name]: value })).toThrow(name);
    expect(() => settingsFrom({ [name]: value })).not.toThrow(value);
  });
});

describe('credentials', () => {
  it('B 42: take white space around, and need no scopes', async () => {
    const { scopes: _, ...secret } = CREDENTIALS;
    const text = JSON.stringify({ ...secret, clientId: ' fake-client-id\n' });
    expect(await readCredentials(holding(text), 'id')).toMatchObject({
      clientId: 'fake-client-id',
      scopes: expect.stringContaining('openid'),
    });
  });
});

describe('the published pipeline', () => {
  it('is nothing where nothing is published, and named where it is damaged, without what it holds', async () => {
    const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders';
    const published = (text: string | undefined) => ({
      secrets: holding(text),
      routes: memoryRoutes(),
      settings: { stage: 'dev' },
    });
    expect(await readStream(published(undefined), arn)).toBeUndefined();
    for (const text of ['', '{"version": 1, "inletUrl": "https://fake-canary"}']) {
      const reading = readStream(published(text), arn);
      await expect(reading).rejects.toMatchObject({
        code: 'SECRET_INVALID',
        message: expect.stringContaining('penstock/dev/streams/orders'),
      });
      await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining('fake-canary') });
    }
  });
});

describe('the log', () => {
  it('B 32: writes one line of JSON whatever a field holds, and cuts what is long', () => {
    // Powertools writes to a console of its own: only the process's own output shows what it writes.
    const script = `import { createLog } from ${JSON.stringify(new URL('../lib/log.ts', import.meta.url).href)};
      const said = 'a\\r\\nb\\u001b[31m{"_aws":{}}' + 'x'.repeat(5_000);
      createLog('INFO').warn('odd', { said, missing: undefined });
      createLog('INFO').debug('unheard');`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    const lines = `${stdout}${stderr}`.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/\p{Cc}/u);
    const entry = JSON.parse(lines[0] ?? '') as { said: string; _aws?: unknown };
    expect(entry.said).toMatch(/^a\r\nb/);
    expect(entry.said.length).toBe(1_001);
    expect(entry._aws).toBeUndefined();
  });
});
