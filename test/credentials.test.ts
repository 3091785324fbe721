import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readCredentials } from '../lib/credentials.ts';
import type { LogFields } from '../lib/log.ts';
import type { Secrets } from '../lib/runtime.ts';
import { sessionsOf } from '../lib/sessions.ts';
import { createPlatform } from '../local/aep/platform.ts';
import { world } from './support/forwarding.ts';
import { fakeInlet } from './support/inlet.ts';
import { plainRuntime } from './support/plain-runtime.ts';
import { CREDENTIALS } from './support/scripted.ts';

// The credentials secret: its shape, what is said where it is wrong, and the two client secrets of a rotation.

const holding = (value: string | undefined): Secrets => ({
  get: async () => value,
  create: async () => true,
  put: async () => undefined,
  remove: async () => undefined,
});

const { scopes: _, ...LEAST } = CREDENTIALS;
const NAME = 'penstock/dev/credentials';

describe('the secret', () => {
  it.each([
    ['what it always was', LEAST],
    ['with a client secret before this one', { ...LEAST, previousClientSecret: 'fake-old' }],
    ['with scopes', { ...LEAST, scopes: 'openid' }],
    ['with fields of somebody else', { ...LEAST, technicalAccount: 'x' }],
  ])('is taken: %s', async (_name, secret) => {
    const { technicalAccount: _foreign, ...expected } = { technicalAccount: undefined, ...secret };
    expect(await readCredentials(holding(JSON.stringify(secret)), NAME)).toMatchObject(expected);
  });

  it.each<[string, object, string]>([
    ['no client id', { clientId: undefined }, 'clientId: expected the client id'],
    ['a client id that is none', { clientId: 7 }, 'clientId: expected the client id'],
    ['no client secret', { clientSecret: undefined }, 'clientSecret: expected a client secret'],
    ['an empty client secret', { clientSecret: ' ' }, 'clientSecret: expected a client secret'],
    [
      'an empty previous one',
      { previousClientSecret: '' },
      'previousClientSecret: expected the client secret',
    ],
    ['a list of previous ones', { previousClientSecret: ['canary'] }, 'previousClientSecret: expected'],
    ['no organization', { organizationId: undefined }, 'organizationId: expected the organization id'],
    [
      'a foreign organization',
      { organizationId: 'canary@AdobeOrg' },
      'organizationId: expected 24 hexadecimal',
    ],
    ['scopes as a list', { scopes: ['canary'] }, 'scopes: expected scopes, separated by commas'],
  ])('%s is named, and no value is shown', async (_name, wrong, said) => {
    const text = JSON.stringify({ ...LEAST, clientSecret: 'canary-secret', ...wrong });
    const error: unknown = await readCredentials(holding(text), NAME).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SECRET_INVALID', message: expect.stringContaining(said) });
    expect(inspect(error)).not.toContain('canary');
  });

  it.each([
    [undefined, 'SECRET_MISSING'],
    ['canary', 'SECRET_INVALID'],
    ['["canary"]', 'SECRET_INVALID'],
    ['null', 'SECRET_INVALID'],
  ])('%j is %s, and named by its name', async (text, code) => {
    const error: unknown = await readCredentials(holding(text), NAME).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(NAME) });
    expect(inspect(error)).not.toContain('canary');
  });
});

const [NEW, OLD] = ['p8e-canary-new', 'p8e-canary-old'];
const ROTATING = { ...LEAST, clientSecret: NEW, previousClientSecret: OLD };

describe('two client secrets', () => {
  it('a batch goes through with the previous one, which is counted and said, and neither is told', async () => {
    const inlet = fakeInlet();
    const taken = new Set([OLD]);
    const own = world({
      inlet: {
        ...inlet,
        fetch: (url, init) =>
          url.includes('/ims/') &&
          !taken.has(new URLSearchParams(String(init.body)).get('client_secret') ?? '')
            ? Promise.resolve(
                new Response(`{"error":"invalid_client","error_description":"not ${init.body}, ${NEW}"}`, {
                  status: 401,
                }),
              )
            : inlet.fetch(url, init),
      },
      published: { authenticationRequired: true },
    });
    own.secrets.set(NAME, JSON.stringify(ROTATING));
    expect(await own.run(['{"a":1}'])).toEqual({ batchItemFailures: [] });
    expect(own.counted).toMatchObject({ CredentialsFallback: 1, TokensIssued: 1, RecordsAcknowledged: 1 });
    expect(own.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('previousClientSecret was used'), fields: { secret: NAME } },
    ]);
    expect(JSON.stringify([own.lines, own.counted])).not.toContain('canary');

    const sound = world({ published: { authenticationRequired: true } });
    sound.secrets.set(NAME, JSON.stringify(ROTATING));
    await sound.run(['{"a":1}']);
    expect(sound.counted).not.toHaveProperty('CredentialsFallback');
  });

  it('hold against the simulated platform, which knows two of them and takes one back', async () => {
    const clientSecrets = [OLD];
    const platform = createPlatform({ credentials: [{ clientId: LEAST.clientId, clientSecrets }] });
    const said: LogFields[] = [];
    let now = Date.now();
    const runtime = {
      ...plainRuntime({ fetch: (url, init) => platform.fetch(new Request(url, init as RequestInit)) }),
      clock: { now: () => now, sleep: async () => {} },
      secrets: holding(JSON.stringify(ROTATING)),
    };
    const log = {
      ...runtime.log,
      warn: (_message: string, fields: LogFields = {}) => void said.push(fields),
    };
    const own = sessionsOf({ ...runtime, log })(undefined);
    const renewed = async () => {
      // A token that is not taken sooner than this is another matter.
      now += 60_000;
      own.reject(await own.current());
      return (await own.current()).accessToken;
    };
    await own.current();
    expect(said).toHaveLength(1);
    clientSecrets.push(NEW);
    await renewed();
    clientSecrets.shift();
    await renewed();
    expect(said).toHaveLength(1);
    clientSecrets.pop();
    await expect(renewed()).rejects.toThrow(/both client secrets are refused/);
    expect(JSON.stringify([said, platform.journal.entries()])).not.toContain('canary');
  });
});
