// IMS: a token for the right secret, an OAuth error for anything else.
import { expect, test } from 'vitest';
import { CLIENT, caller, getToken, SECRET } from './support.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

test('a token comes in seconds, and its payload counts in milliseconds, as strings', async () => {
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
