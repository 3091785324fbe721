import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { readKeys } from '../../lib/hook/keys.ts';
import {
  fromGithub,
  GITHUB_KEY,
  hookWorld,
  PREVIOUS_GITHUB_KEY,
  request,
  STANDARD_KEY,
} from '../support/hooks.ts';

// The secret with the keys: its shape, what is wrong with it, and how a key is changed without a gap.

const BODY = { pipeline: 'clicks' };
const read = (value: unknown) =>
  readKeys(
    { get: async () => (typeof value === 'string' ? value : JSON.stringify(value)) },
    'penstock/dev/hook',
  );

describe('the secret', () => {
  it('has one key or two of each sender, and a sender that is left out has no hook', async () => {
    expect(await read({ github: { key: GITHUB_KEY } })).toEqual({
      github: [Buffer.from(GITHUB_KEY)],
      standardWebhooks: [],
    });
    expect(await read({ standardWebhooks: { key: STANDARD_KEY } })).toEqual({
      github: [],
      standardWebhooks: [Buffer.alloc(32, 'fake')],
    });
    expect(await read({})).toEqual({ github: [], standardWebhooks: [] });
  });

  const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
  it.each([
    ['github.key', { github: {} }],
    ['github.key', { github: { key: '' } }],
    ['github.key', { github: { key: 'fake-short' } }],
    ['github.key', { github: { key: ' '.repeat(32) } }],
    ['github.key', { github: { key: `${GITHUB_KEY}\n` } }],
    ['github.key', { github: { key: 'x'.repeat(513) } }],
    ['github.key', { github: { key: 7 } }],
    ['github.previousKey', { github: { key: GITHUB_KEY, previousKey: '' } }],
    ['github', { github: GITHUB_KEY }],
    ['github', { github: { key: GITHUB_KEY, previouskey: GITHUB_KEY } }],
    ['gitHub', { gitHub: { key: GITHUB_KEY } }],
    ['standardWebhooks.key', { standardWebhooks: { key: 'whsec_' } }],
    ['standardWebhooks.key', { standardWebhooks: { key: base64(32) } }],
    ['standardWebhooks.key', { standardWebhooks: { key: `whsec_${base64(23)}` } }],
    ['standardWebhooks.key', { standardWebhooks: { key: `whsec_${base64(65)}` } }],
    ['standardWebhooks.key', { standardWebhooks: { key: `whsec_${base64(32).slice(0, -1)}` } }],
    ['standardWebhooks.key', { standardWebhooks: { key: `whsec_${base64(32).replace('B', '*')}` } }],
    ['not JSON', `{"github": {"key": "${GITHUB_KEY}"`],
    ['top level', []],
    ['top level', 'null'],
  ])('that is wrong at %s is refused, and what it holds is not repeated', async (where, value) => {
    const failing = read(value);
    await expect(failing).rejects.toMatchObject({
      code: 'SECRET_INVALID',
      message: expect.stringContaining(where),
    });
    const { message } = (await failing.catch((error: unknown) => error)) as Failure;
    expect(message).toContain('penstock/dev/hook');
    for (const held of ['fake-', 'whsec_B', base64(23), 'xxxx']) expect(message).not.toContain(held);
  });

  it.each([
    ['missing', undefined, 'SECRET_MISSING'],
    ['wrong', '{', 'SECRET_INVALID'],
  ])('where it is %s nobody is let in, and the log says why', async (_, secret, code) => {
    const own = hookWorld();
    own.state.secret = secret as string;
    const answer = await own.send(fromGithub(BODY));
    expect(answer).toMatchObject({ statusCode: 500, body: '{"error":"not set up"}' });
    expect(own.logged.join()).toContain(code);
    // Once it is there the next delivery is let in.
    own.state.secret = JSON.stringify({ github: { key: GITHUB_KEY } });
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 202 });
  });
});

describe('a key that is changed', () => {
  it('leaves no gap: the old one is good as long as it is in the secret, and a minute longer', async () => {
    const own = hookWorld({ secret: { github: { key: PREVIOUS_GITHUB_KEY } } });
    const send = async (key: string, id: string) =>
      (await own.send(fromGithub({ ...BODY, id }, { key }))).statusCode;
    expect(await send(PREVIOUS_GITHUB_KEY, '1')).toBe(202);
    expect(await send(GITHUB_KEY, '2')).toBe(401);
    own.state.secret = JSON.stringify({ github: { key: GITHUB_KEY, previousKey: PREVIOUS_GITHUB_KEY } });
    own.state.now += 60_001;
    expect([await send(PREVIOUS_GITHUB_KEY, '3'), await send(GITHUB_KEY, '4')]).toEqual([202, 202]);
    own.state.secret = JSON.stringify({ github: { key: GITHUB_KEY } });
    own.state.now += 60_001;
    expect([await send(PREVIOUS_GITHUB_KEY, '5'), await send(GITHUB_KEY, '6')]).toEqual([401, 202]);
  });

  it('is read once a minute at most, and not at all for what is no delivery', async () => {
    const own = hookWorld();
    for (let count = 0; count < 5; count++)
      await own.send(fromGithub(BODY, { key: 'fake-other-key-0123456789' }));
    expect(own.state.reads).toBe(1);
    own.state.now += 60_001;
    await own.send(request('{}', {}));
    await own.send(request('{}', {}, { method: 'GET' }));
    expect(own.state.reads).toBe(1);
    // A clock that goes back keeps nothing for ever.
    own.state.now -= 7_200_000;
    await own.send(fromGithub(BODY));
    expect(own.state.reads).toBe(2);
  });

  it('that cannot be read at the moment is waited for', async () => {
    const own = hookWorld();
    Object.defineProperty(own.state, 'secret', {
      get: () => {
        throw new Failure('AWS_UNAVAILABLE', 'reading the secret');
      },
    });
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 503 });
  });
});
