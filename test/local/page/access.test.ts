import { describe, expect, it } from 'vitest';
import { denialOf, isLoopback, TOKEN_HEADER } from '../../../local/page/access.ts';

const TOKEN = 'abc';
const host = '127.0.0.1:4020';
const get = (headers: Record<string, string>) => denialOf({ method: 'GET', headers }, TOKEN)?.status;

describe('who may ask the page', () => {
  it.each(['127.0.0.1', '127.0.0.1:80', 'localhost:4020', 'LOCALHOST:1', '[::1]:4020'])(
    'takes the host %s for this machine',
    (name) => expect(isLoopback(name)).toBe(true),
  );

  it.each(['penstock.example:4020', '127.0.0.1.example', 'localhost.example', '10.0.0.1', '', undefined])(
    'denies the host %s, which a name of somebody else could lead here by',
    (name) => {
      expect(isLoopback(name)).toBe(false);
      expect(denialOf({ method: 'GET', headers: { host: name, [TOKEN_HEADER]: TOKEN } }, TOKEN)?.status).toBe(
        403,
      );
    },
  );

  it('answers a script without a token, since it sends no header of a browser', () => {
    expect(get({ host })).toBeUndefined();
  });

  it.each([
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none', [TOKEN_HEADER]: 'abd' },
    { origin: 'http://127.0.0.1:4020', [TOKEN_HEADER]: '' },
  ])('denies a browser that has not the token: %j', (headers) => {
    expect(get({ host, ...headers } as Record<string, string>)).toBe(401);
  });

  it('answers the page that has the token', () => {
    expect(get({ host, 'sec-fetch-site': 'same-origin', [TOKEN_HEADER]: TOKEN })).toBeUndefined();
  });

  it('takes a change as JSON alone, which no form of another site can send', () => {
    const post = (type: string | undefined) =>
      denialOf({ method: 'POST', headers: { host, 'content-type': type } }, TOKEN)?.status;
    expect([
      post(undefined),
      post('text/plain'),
      post('application/x-www-form-urlencoded'),
      post('application/json; charset=utf-8'),
    ]).toEqual([415, 415, 415, undefined]);
  });
});
