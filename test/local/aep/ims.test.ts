// IMS: a token for the right secret, an OAuth error for anything else.
import { expect, test } from 'vitest';
import { CLIENT, caller, getToken, SECRET } from './support.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

test("expires_in is in seconds, and the token's payload has milliseconds as strings", async () => {
  const { platform } = await caller();
  const reply = await getToken(platform);
  expect(reply.status).toBe(200);
  expect(reply.body).toMatchObject({ token_type: 'bearer', expires_in: 86_399 });
  const payload = JSON.parse(Buffer.from(reply.body.access_token.split('.')[1], 'base64url').toString());
  expect(payload).toMatchObject({
    client_id: CLIENT,
    expires_in: '86399000',
    created_at: String(platform.clock.now()),
  });
});

test('12 5: tokens that have expired are not kept', async () => {
  const { platform } = await caller({ tokenSeconds: 60 });
  for (let minute = 0; minute < 10; minute++) {
    for (let count = 0; count < 5; count++) await getToken(platform);
    expect(platform.state.tokens.size).toBeLessThanOrEqual(6);
    platform.clock.advance(60_000);
  }
});

test('the same fields are taken from the query, on v2 as well', async () => {
  const { bare } = await caller();
  const query = `grant_type=client_credentials&client_id=${CLIENT}&client_secret=${SECRET}&scope=openid`;
  expect((await bare('POST', `/ims/token/v2?${query}`)).status).toBe(200);
});

test.each([
  [
    'a wrong secret',
    `grant_type=client_credentials&client_id=${CLIENT}&client_secret=x&scope=openid`,
    401,
    'invalid_client',
  ],
  [
    'an unknown client',
    'grant_type=client_credentials&client_id=nobody&client_secret=x&scope=openid',
    400,
    'invalid_client',
  ],
  [
    'a foreign scope',
    `grant_type=client_credentials&client_id=${CLIENT}&client_secret=${SECRET}&scope=root`,
    400,
    'invalid_scope',
  ],
  ['another grant', `grant_type=password&client_id=${CLIENT}`, 400, 'unsupported_grant_type'],
])('%s is refused in OAuth form', async (_name, form, status, error) => {
  const { bare } = await caller();
  const reply = await bare('POST', '/ims/token/v3', form, FORM);
  expect(reply.status).toBe(status);
  expect(reply.body.error).toBe(error);
  expect(reply.body.error_description).toEqual(expect.any(String));
});

test('both secrets of a credential work during a rotation', async () => {
  const { platform } = await caller({
    credentials: [{ clientId: CLIENT, clientSecrets: [SECRET, 'fake-second-secret'] }],
  });
  expect((await getToken(platform)).status).toBe(200);
  expect((await getToken(platform, 'fake-second-secret')).status).toBe(200);
});

function multipart(given: Record<string, string>): { body: string; headers: Record<string, string> } {
  const boundary = '--------------------------012345678901234567890123';
  const parts = Object.entries(given).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    body: `${parts.join('')}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

const GRANT = { grant_type: 'client_credentials', client_id: CLIENT, client_secret: SECRET };
const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('12 B 6: a token is given for multipart/form-data, as aio-lib-ims posts it, and its secret is not kept', async () => {
  const { bare, platform } = await caller();
  const { body, headers } = multipart({ ...GRANT, org_id: 'x@AdobeOrg', scope: 'openid,AdobeID' });
  const reply = await bare('POST', '/ims/token/v2', body, headers);
  expect(reply.status).toBe(200);
  expect(claims(reply.body.access_token).scope).toBe('openid,AdobeID');
  expect(JSON.stringify(platform.journal.entries())).not.toContain(SECRET);
  const broken = await bare('POST', '/ims/token/v2', 'no parts', headers);
  expect([broken.status, broken.body.error]).toEqual([400, 'invalid_request']);
});

test('12 B 6: v2, which Adobe’s libraries ask, gives all scopes of the credential where none is named; v3 wants one', async () => {
  const scopes = ['openid', 'session'];
  const { bare } = await caller({ credentials: [{ clientId: CLIENT, clientSecrets: [SECRET], scopes }] });
  for (const fields of [GRANT, { ...GRANT, scope: '' }]) {
    const { body, headers } = multipart(fields);
    const reply = await bare('POST', '/ims/token/v2', body, headers);
    expect(claims(reply.body.access_token).scope).toBe('openid,session');
  }
  const refused = await bare('POST', '/ims/token/v3', String(new URLSearchParams(GRANT)), FORM);
  expect([refused.status, refused.body.error]).toEqual([400, 'invalid_scope']);
});

test('12 B 6: the scopes of a credential are told where one is refused, and in the simulator’s own pages', async () => {
  const scopes = ['openid', 'session'];
  const { bare } = await caller({ credentials: [{ clientId: CLIENT, clientSecrets: [SECRET], scopes }] });
  const foreign = String(new URLSearchParams({ ...GRANT, scope: 'AdobeID' }));
  expect((await bare('POST', '/ims/token/v3', foreign, FORM)).body.error_description).toContain(
    'openid,session',
  );
  const state = await bare('GET', '/_simulator/state');
  expect(state.body.credentials).toEqual([{ clientId: CLIENT, scopes }]);
  expect(state.text).not.toContain(SECRET);
});

test('12 B 6: other calls of Adobe’s library to IMS are refused as not simulated, also without a token', async () => {
  const { bare } = await caller();
  for (const path of ['/ims/organizations/v6', '/ims/profile/v1']) {
    const reply = await bare('GET', path);
    expect([reply.status, reply.body.penstock]).toEqual([501, 'not simulated']);
  }
  expect((await bare('GET', '/ims/nothing')).status).toBe(404);
});

test('12 B 6: a token is valid until it is invalidated, and the journal keeps no token', async () => {
  const { bare, call, platform, token } = await caller();
  const valid = async () => {
    const { body, headers } = multipart({ type: 'access_token', client_id: CLIENT });
    const bearer = { ...headers, authorization: `Bearer ${token}` };
    return (await bare('POST', '/ims/validate_token/v1', body, bearer)).body.valid;
  };
  expect(await valid()).toBe(true);
  const back = String(new URLSearchParams({ ...GRANT, token, token_type: 'access_token', cascading: 'all' }));
  expect((await bare('POST', '/ims/invalidate_token/v2', back, FORM)).status).toBe(200);
  expect(await valid()).toBe(false);
  expect((await call('GET', '/data/foundation/schemaregistry/stats')).status).toBe(401);
  expect(JSON.stringify(platform.journal.entries())).not.toContain(token);
});
