import { describe, expect, it } from 'vitest';
import { createSessions } from '../../lib/aep/token.ts';
import { CREDENTIALS, json, type Reply, scripted } from '../support/scripted.ts';

function sessions(ims?: Reply[], credentials = () => Promise.resolve(CREDENTIALS)) {
  const world = scripted([json(200, {})], ims);
  return {
    ...world,
    sessions: createSessions({ imsUrl: 'https://ims.example', credentials, transport: world.transport }),
  };
}

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

  it('has one request in flight for any number of callers', async () => {
    const { sessions: own, tokens } = sessions();
    const all = await Promise.all(Array.from({ length: 500 }, () => own.current()));
    expect(tokens).toHaveLength(1);
    expect(new Set(all).size).toBe(1);
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

  it('renews once for many rejections of one token, and not for a late one', async () => {
    const { sessions: own, tokens } = sessions();
    const first = await own.current();
    for (let i = 0; i < 10; i++) own.reject(first);
    const second = await own.current();
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

  it('is not shown by JSON nor by inspection', async () => {
    const { inspect } = await import('node:util');
    const session = await sessions().sessions.current();
    expect(JSON.stringify({ session })).not.toContain('token-1');
    expect(inspect({ session })).not.toContain('token-1');
  });
});
