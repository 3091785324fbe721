import { describe, expect, it } from 'vitest';
import { createSessions } from '../../lib/aep/token.ts';
import { CREDENTIALS, json, type Reply, scripted } from '../support/scripted.ts';

function sessions(
  ims?: Reply[],
  credentials = () => Promise.resolve(CREDENTIALS),
  more: { outagePauseMs?: number } = {},
) {
  const world = scripted([json(200, {})], ims);
  const { transport } = world;
  return {
    ...world,
    sessions: createSessions({ imsUrl: 'https://ims.example', credentials, transport, ...more }),
  };
}

const HOUR = 3_600_000;

describe('sessions', () => {
  it('asks IMS in the form it documents, the secret in the body and encoded', async () => {
    const { sessions: own, tokens } = sessions(undefined, async () => ({
      ...CREDENTIALS,
      clientSecret: 'fake&secret=1',
    }));
    const session = await own.current();
    expect(session.accessToken).toBe('token-1');
    expect(tokens[0]?.url).toBe('https://ims.example/ims/token/v3');
    expect(Object.fromEntries(new URLSearchParams(tokens[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'fake-client-id',
      client_secret: 'fake&secret=1',
      scope: 'openid,AdobeID',
    });
  });

  it('A 17: 500 who ask at once, at first and when the token runs out, make one request', async () => {
    const { sessions: own, tokens, clock } = sessions();
    const all = await Promise.all(Array.from({ length: 500 }, () => own.current()));
    expect(tokens).toHaveLength(1);
    expect(new Set(all).size).toBe(1);
    clock.time += 24 * HOUR;
    const next = await Promise.all(Array.from({ length: 500 }, () => own.current()));
    expect(tokens).toHaveLength(2);
    expect(new Set(next)).toEqual(new Set([await own.current()]));
    expect(next[0]).not.toBe(all[0]);
  });

  it('A 17: a credential whose tokens nobody takes costs two of them every half minute, however often it is tried', async () => {
    const { sessions: own, tokens, clock } = sessions();
    const attempt = async () => own.reject(await own.current());
    await attempt();
    await attempt();
    for (let invocation = 0; invocation < 20; invocation++)
      await expect(attempt()).rejects.toMatchObject({ code: 'AEP_UNAUTHORIZED' });
    expect(tokens).toHaveLength(2);
    clock.time += 30_000;
    await attempt();
    await expect(attempt()).rejects.toMatchObject({ code: 'AEP_UNAUTHORIZED' });
    expect(tokens).toHaveLength(3);
    clock.time += 30_000;
    await own.current();
    clock.time += 30_000;
    await attempt();
    await attempt();
    expect(tokens).toHaveLength(5);
  });

  it('renews before expiry, not earlier', async () => {
    const { sessions: own, tokens, clock } = sessions();
    await own.current();
    clock.time += (86_399 - 301) * 1_000;
    await own.current();
    expect(tokens).toHaveLength(1);
    clock.time += 2_000;
    await own.current();
    expect(tokens).toHaveLength(2);
  });

  it('A 11: single refusals of tokens that were taken before are no word on the credential', async () => {
    const { sessions: own, tokens, clock } = sessions();
    for (let refusals = 1; refusals <= 20; refusals++) {
      const session = await own.current();
      own.accept(session);
      clock.time += 1_000;
      own.reject(session);
    }
    // Refused at once, between two that were taken.
    own.reject(await own.current());
    own.accept(await own.current());
    own.reject(await own.current());
    own.reject(await own.current());
    expect((await own.current()).accessToken).toBe('token-24');
    expect(tokens).toHaveLength(24);
  });

  it('A 17: 500 rejections of one token renew it once, and a late one not at all', async () => {
    const { sessions: own, tokens } = sessions();
    const first = await own.current();
    const all = await Promise.all(
      Array.from({ length: 500 }, () => {
        own.reject(first);
        return own.current();
      }),
    );
    const [second] = all;
    expect(new Set(all).size).toBe(1);
    own.reject(first);
    expect(await own.current()).toBe(second);
    expect(tokens).toHaveLength(2);
  });

  it.each([
    ['missing', undefined],
    ['zero', 0],
    ['negative', -5],
    ['a word', 'soon'],
  ])('B 43: does not use a token whose life is %s', async (_, expires_in) => {
    const { sessions: own } = sessions([json(200, { access_token: 'fake', expires_in })]);
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_UNEXPECTED' });
  });

  it("B 43: takes a day at most, also where the answer says the retired grant's milliseconds", async () => {
    const ims: Reply[] = [() => json(200, { access_token: `fake-${Math.random()}`, expires_in: 86_399_992 })];
    const { sessions: own, clock } = sessions(ims);
    const first = await own.current();
    clock.time += 86_400_000;
    expect(await own.current()).not.toBe(first);
  });

  it('leaves IMS alone for a while after a refusal, and says what was wrong', async () => {
    const refusal = json(400, {
      error: 'invalid_client',
      error_description: 'invalid client_secret parameter',
    });
    const { sessions: own, tokens, clock } = sessions([refusal]);
    const expected = {
      code: 'IMS_REFUSED',
      name: 'PermanentFailure',
      message: expect.stringContaining('invalid_client'),
    };
    await expect(own.current()).rejects.toMatchObject(expected);
    await expect(own.current()).rejects.toMatchObject(expected);
    expect(tokens).toHaveLength(1);
    clock.time += 30_001;
    await expect(own.current()).rejects.toMatchObject(expected);
    expect(tokens).toHaveLength(2);
  });

  const DOWN: [string, Reply, string][] = [
    ['is in trouble', json(503, {}), 'AEP_UNAVAILABLE'],
    ['is not there', new TypeError('fetch failed'), 'AEP_UNREACHABLE'],
    ['asks for less', json(429, {}), 'AEP_THROTTLED'],
    ['says nonsense', json(200, {}), 'AEP_UNEXPECTED'],
  ];

  it.each(DOWN)('A 17: an IMS that %s is asked once in 30 s, with its tries', async (_, reply, code) => {
    const { sessions: own, tokens, clock } = sessions([reply], undefined, { outagePauseMs: 30_000 });
    await expect(own.current()).rejects.toMatchObject({ code });
    const tries = tokens.length;
    expect(tries).toBeLessThanOrEqual(3);
    for (let second = 1; second < 30; second++) {
      clock.time += 1_000;
      await expect(own.current()).rejects.toMatchObject({ code });
    }
    expect(tokens).toHaveLength(tries);
    clock.time += 1_000;
    await expect(own.current()).rejects.toMatchObject({ code });
    expect(tokens).toHaveLength(2 * tries);
  });

  it('A 17: without a pause every call asks an IMS that is down: whoever makes few calls goes by each', async () => {
    const { sessions: own, tokens } = sessions([json(503, {})]);
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_UNAVAILABLE' });
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_UNAVAILABLE' });
    expect(tokens).toHaveLength(6);
  });

  it.each([
    ['is down', json(503, {}), 'AEP_UNAVAILABLE'],
    ['refuses', json(400, { error: 'invalid_client' }), 'IMS_REFUSED'],
  ])('uses a token that cannot be renewed because IMS %s until it expires', async (_, reply, code) => {
    const good = json(200, { access_token: 'fake', expires_in: 3_600 });
    const { sessions: own, clock } = sessions([good, reply]);
    const first = await own.current();
    clock.time += HOUR - 200_000;
    expect(await own.current()).toBe(first);
    clock.time += 100_000;
    expect(await own.current()).toBe(first);
    clock.time += 100_000;
    await expect(own.current()).rejects.toMatchObject({ code });
  });

  it('does not use a token that was rejected, though it cannot be renewed', async () => {
    const good = json(200, { access_token: 'fake', expires_in: 3_600 });
    const { sessions: own } = sessions([good, json(503, {})]);
    own.reject(await own.current());
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_UNAVAILABLE' });
  });

  it.each([-2, 2])('B 40: a clock that jumps by %i h costs a token at most, and no pause', async (hours) => {
    const { sessions: own, tokens, clock } = sessions();
    await own.current();
    clock.time += hours * HOUR;
    await own.current();
    expect(tokens.length).toBeLessThanOrEqual(2);
    const refused = sessions([
      json(400, { error: 'invalid_client' }),
      json(200, { access_token: 'fake', expires_in: 9 }),
    ]);
    await expect(refused.sessions.current()).rejects.toMatchObject({ code: 'IMS_REFUSED' });
    refused.clock.time += hours * HOUR;
    expect((await refused.sessions.current()).accessToken).toBe('fake');
  });

  it('B 44: a 429 of IMS is waited for as long as it says', async () => {
    const busy = json(429, { error: 'too_many_requests' }, { 'retry-after': '7' });
    const good = json(200, { access_token: 'fake', expires_in: 3_600 });
    const { sessions: own, sleeps } = sessions([busy, good]);
    expect((await own.current()).accessToken).toBe('fake');
    expect(sleeps).toEqual([expect.toSatisfy((ms: number) => ms >= 7_000 && ms <= 8_000)]);
  });

  it('B 44: a 429 of IMS that says longer than anybody can wait is told at once', async () => {
    const { sessions: own, sleeps } = sessions([json(429, {}, { 'retry-after': '600' })]);
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_THROTTLED', retryAfterMs: 600_000 });
    expect(sleeps).toEqual([]);
  });

  it('B 44: a refused client leads to the secret being read once more, when IMS may be asked again', async () => {
    let secret = 'fake-old';
    let reads = 0;
    const refused = json(400, { error: 'invalid_client' });
    const good = json(200, { access_token: 'fake', expires_in: 3_600 });
    const {
      sessions: own,
      tokens,
      clock,
    } = sessions([refused, good], async () => {
      reads++;
      return { ...CREDENTIALS, clientSecret: secret };
    });
    await expect(own.current()).rejects.toMatchObject({ code: 'IMS_REFUSED' });
    secret = 'fake-new';
    await expect(own.current()).rejects.toMatchObject({ code: 'IMS_REFUSED' });
    expect([reads, tokens.length]).toEqual([1, 1]);
    clock.time += 30_000;
    await own.current();
    expect([reads, tokens.length]).toEqual([2, 2]);
    expect(new URLSearchParams(tokens[1]?.body).get('client_secret')).toBe('fake-new');
  });

  it('asks for the credentials again with every new token', async () => {
    let secret = 'fake-old';
    const { sessions: own, tokens } = sessions(undefined, async () => ({
      ...CREDENTIALS,
      clientSecret: secret,
    }));
    const first = await own.current();
    secret = 'fake-new';
    own.reject(first);
    await own.current();
    expect(tokens.map(({ body }) => new URLSearchParams(body).get('client_secret'))).toEqual([
      'fake-old',
      'fake-new',
    ]);
  });

  it('tells what IMS said without the secret, should it be repeated, in whatever form', async () => {
    const clientSecret = '5f2b6e0c-canary "1"';
    const said = { error: 'invalid_client', error_description: `no such secret: ${clientSecret}` };
    const { sessions: own } = sessions([json(400, said)], async () => ({ ...CREDENTIALS, clientSecret }));
    const error: unknown = await own.current().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('no such secret: ***');
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('canary');
  });

  it('is not shown by JSON nor by inspection', async () => {
    const { inspect } = await import('node:util');
    const session = await sessions().sessions.current();
    expect(JSON.stringify({ session })).not.toContain('token-1');
    expect(inspect({ session })).not.toContain('token-1');
  });
});

describe('two client secrets', () => {
  const REFUSED = { error: 'invalid_client', error_description: 'invalid client_secret parameter' };
  const BOTH = { ...CREDENTIALS, clientSecret: 'fake-new', previousClientSecret: 'fake-old' };

  /** An IMS that takes these secrets, and what was asked of it. */
  function rotating(taken: Set<string>, credentials = BOTH, status = 401) {
    const fallbacks: string[] = [];
    const ims: Reply = ({ body }) =>
      taken.has(new URLSearchParams(body).get('client_secret') ?? '')
        ? json(200, { access_token: `token-${world.tokens.length}`, expires_in: 86_399 })
        : json(status, REFUSED);
    const world = scripted([json(200, {})], [ims]);
    const own = createSessions({
      imsUrl: 'https://ims.example',
      credentials: async () => credentials,
      transport: world.transport,
      onFallback: ({ what }) => void fallbacks.push(what),
    });
    const asked = () => world.tokens.map(({ body }) => new URLSearchParams(body).get('client_secret'));
    return { own, fallbacks, asked, clock: world.clock };
  }

  it('the new one is asked for first, and alone where it is taken', async () => {
    const { own, asked, fallbacks } = rotating(new Set(['fake-new', 'fake-old']));
    await own.current();
    expect([asked(), fallbacks]).toEqual([['fake-new'], []]);
  });

  it.each([400, 401])('the previous one does where IMS refuses the new one with %i', async (status) => {
    const { own, asked, fallbacks } = rotating(new Set(['fake-old']), BOTH, status);
    expect((await own.current()).accessToken).toBe('token-2');
    expect(asked()).toEqual(['fake-new', 'fake-old']);
    expect(fallbacks).toEqual([expect.stringContaining(`${status} invalid_client`)]);
  });

  it('a rotation has no gap: added, switched to, and the old one deleted, each while tokens are renewed', async () => {
    const taken = new Set(['fake-old']);
    const { own, asked, fallbacks, clock } = rotating(taken);
    await own.current();
    taken.add('fake-new');
    clock.time += 24 * HOUR;
    await own.current();
    taken.delete('fake-old');
    clock.time += 24 * HOUR;
    await own.current();
    expect(asked()).toEqual(['fake-new', 'fake-old', 'fake-new', 'fake-new']);
    expect(fallbacks).toHaveLength(1);
  });

  it('A 17: 500 who ask at once, and 500 whose token is rejected, make two requests a renewal and no more', async () => {
    const { own, asked, fallbacks, clock } = rotating(new Set(['fake-old']));
    const all = await Promise.all(Array.from({ length: 500 }, () => own.current()));
    expect([asked().length, fallbacks.length, new Set(all).size]).toEqual([2, 1, 1]);
    const renewed = await Promise.all(
      all.map((session) => {
        own.reject(session);
        return own.current();
      }),
    );
    expect([asked().length, fallbacks.length, new Set(renewed).size]).toEqual([4, 2, 1]);
    // The refused one is asked for once in the life of a token, and not in between.
    for (let hour = 1; hour < 23; hour++) {
      clock.time += HOUR;
      await own.current();
    }
    expect(asked()).toHaveLength(4);
  });

  it('both refused is said of both, and remembered: two requests in 30 s', async () => {
    const { own, asked, clock } = rotating(new Set());
    const expected = { code: 'IMS_REFUSED', name: 'PermanentFailure', status: 401 };
    for (let second = 0; second < 30; second++) {
      const error: unknown = await own.current().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(expected);
      expect(String(error)).toMatch(/both .*clientSecret \(.*401.*previousClientSecret \(.*401/);
      expect(String(error)).not.toMatch(/fake-(new|old)/);
      clock.time += 999;
    }
    expect(asked()).toEqual(['fake-new', 'fake-old']);
  });

  it.each([
    ['a scope that is refused', json(400, { error: 'invalid_scope' })],
    ['a client that may not', json(403, { error: 'access_denied' })],
  ])('%s is as wrong with another secret: one request', async (_, reply) => {
    const { sessions: own, tokens } = sessions([reply], async () => BOTH);
    await expect(own.current()).rejects.toMatchObject({ code: 'IMS_REFUSED' });
    expect(tokens).toHaveLength(1);
  });

  it('a 5xx says nothing of a secret: the new one is tried again, and the previous one left alone', async () => {
    const good = json(200, { access_token: 'fake', expires_in: 3_600 });
    const { sessions: own, tokens } = sessions([json(503, {}), good], async () => BOTH);
    await own.current();
    expect(tokens.map(({ body }) => new URLSearchParams(body).get('client_secret'))).toEqual([
      'fake-new',
      'fake-new',
    ]);
  });

  it('an IMS that refuses the new one and is then in trouble is asked four times at most', async () => {
    const { sessions: own, tokens } = sessions([json(401, REFUSED), json(503, {})], async () => BOTH);
    await expect(own.current()).rejects.toMatchObject({ code: 'AEP_UNAVAILABLE' });
    expect(tokens.map(({ body }) => new URLSearchParams(body).get('client_secret'))).toEqual([
      'fake-new',
      'fake-old',
      'fake-old',
      'fake-old',
    ]);
  });

  it('the same secret twice is one', async () => {
    const { own, asked } = rotating(new Set(), { ...BOTH, previousClientSecret: BOTH.clientSecret });
    await expect(own.current()).rejects.toMatchObject({ code: 'IMS_REFUSED' });
    expect(asked()).toEqual(['fake-new']);
  });

  it('no message holds either, should IMS repeat them, whichever it was asked with', async () => {
    const [clientSecret, previousClientSecret] = ['canary-new "1"', 'canary-old'];
    const said = { error: 'invalid_client', error_description: `${clientSecret} ${previousClientSecret}` };
    const { sessions: own } = sessions([json(400, said)], async () => ({
      ...CREDENTIALS,
      clientSecret,
      previousClientSecret,
    }));
    const error: unknown = await own.current().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('*** ***');
    for (let at = error; at instanceof Error; at = at.cause)
      expect(JSON.stringify(at) + String(at.stack)).not.toContain('canary');
  });
});
