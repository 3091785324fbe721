// What Adobe's own IMS libraries are asked to do, and what has to come of it.
import { createRequire } from 'node:module';
import type { Row } from './document.ts';

const load = createRequire(new URL('package.json', import.meta.url));

export interface Step extends Row {
  run(): Promise<unknown>;
  /** Whether it came out as expected; may throw where the outcome is of another shape. */
  fits(outcome: unknown): boolean;
}

interface Ims {
  getAccessTokenByClientCredentials(
    id: string,
    secret: string,
    org: string,
    scopes?: string[],
  ): Promise<Token>;
  validateToken(token: string, clientId?: string): Promise<unknown>;
  validateTokenAllowList(token: string, allowed: string[]): Promise<unknown>;
  invalidateToken(token: string, clientId: string, secret: string): Promise<unknown>;
  getOrganizations(token: string): Promise<unknown>;
  toTokenResult(token: string): Promise<Token>;
}

interface Token {
  readonly access_token: { readonly token: string; readonly expiry: number };
  readonly payload: Issued;
}

interface Issued {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
}

interface Auth {
  generateAccessToken(params: object): Promise<Issued>;
  invalidateCache(): void;
}

const ID = 'simulated-client-id';
const SECRET = 'simulated-client-secret';
const ORG = '0A1B2C3D4E5F60718293A4B5@AdobeOrg';
const ALL = 'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session';

interface Claims {
  readonly client_id: string;
  readonly scope: string;
  readonly created_at: string;
}

const claims = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;

const full = ({ access_token, token_type, expires_in }: Issued): boolean =>
  token_type === 'bearer' &&
  expires_in === 86_399 &&
  claims(access_token).client_id === ID &&
  claims(access_token).scope === ALL;

const valid = (outcome: unknown): unknown => (outcome as { valid: unknown }).valid;

/** The error of a call, as text; a call without one does not fit anything. */
const thrown = (run: () => Promise<unknown>) => () =>
  run().then(
    () => '',
    (error: unknown) => String(error),
  );

type Rest = readonly [expected: string, run: Step['run'], fits: Step['fits'], reason?: string];

const stepsOf = (group: string, rows: readonly (readonly [call: string, ...Rest])[]): Step[] =>
  rows.map(([call, expected, run, fits, reason = '']) => ({
    group,
    call,
    expected,
    reason,
    waits: '',
    run,
    fits,
  }));

/** `@adobe/aio-lib-ims`: node-fetch and multipart/form-data to v2. */
function imsSteps(): Step[] {
  const { Ims } = load('@adobe/aio-lib-ims') as { Ims: new (env?: string) => Ims };
  const ims = new Ims();
  const asked = (...scopes: string[][]) => ims.getAccessTokenByClientCredentials(ID, SECRET, ORG, ...scopes);
  let token = '';
  return stepsOf('@adobe/aio-lib-ims', [
    [
      'ims.getAccessTokenByClientCredentials(id, secret, org)',
      'a bearer token for 86399 s with all scopes of the credential; its end in milliseconds',
      () => asked(),
      (outcome) => {
        const { access_token, payload } = outcome as Token;
        token = access_token.token;
        return full(payload) && access_token.expiry - Number(claims(token).created_at) === 86_399_000;
      },
    ],
    [
      "ims.getAccessTokenByClientCredentials(id, secret, org, ['openid', 'AdobeID'])",
      'a token with the two scopes',
      () => asked(['openid', 'AdobeID']),
      (outcome) => claims((outcome as Token).access_token.token).scope === 'openid,AdobeID',
    ],
    [
      "new Ims('stage').getAccessTokenByClientCredentials(id, secret, org)",
      'a token',
      () => new Ims('stage').getAccessTokenByClientCredentials(ID, SECRET, ORG),
      (outcome) => full((outcome as Token).payload),
      'differs: the simulated platform is both of IMS’s environments',
    ],
    [
      "ims.getAccessTokenByClientCredentials(id, 'wrong', org)",
      'refused with 401',
      thrown(() => ims.getAccessTokenByClientCredentials(ID, 'wrong', ORG)),
      (outcome) => /\b401\b.*invalid_client/s.test(String(outcome)),
    ],
    [
      "ims.getAccessTokenByClientCredentials('nobody', secret, org)",
      'refused with 400',
      thrown(() => ims.getAccessTokenByClientCredentials('nobody', SECRET, ORG)),
      (outcome) => /\b400\b.*invalid_client/s.test(String(outcome)),
    ],
    [
      "ims.getAccessTokenByClientCredentials(id, secret, org, ['root'])",
      'refused with 400, and the scopes that the credential has',
      thrown(() => asked(['root'])),
      (outcome) => /\b400\b.*invalid_scope.*root.*openid,AdobeID/s.test(String(outcome)),
    ],
    [
      'ims.validateToken(token)',
      'valid',
      () => ims.validateToken(token),
      (outcome) => valid(outcome) === true,
    ],
    [
      "ims.validateToken(token, 'nobody')",
      'not valid',
      () => ims.validateToken(token, 'nobody'),
      (outcome) => valid(outcome) === false,
    ],
    [
      "ims.validateToken('a.b.c')",
      'not valid',
      () => ims.validateToken('a.b.c'),
      (outcome) => valid(outcome) === false,
      'aio-lib-ims: it cannot read the token and asks nobody',
    ],
    [
      'ims.validateTokenAllowList(token, [id])',
      'valid',
      () => ims.validateTokenAllowList(token, [ID]),
      (outcome) => valid(outcome) === true,
    ],
    [
      "ims.validateTokenAllowList(token, ['another'])",
      'not valid',
      () => ims.validateTokenAllowList(token, ['another']),
      (outcome) => valid(outcome) === false,
    ],
    [
      'ims.toTokenResult(token)',
      'the end of the token in milliseconds',
      () => ims.toTokenResult(token),
      (outcome) => (outcome as Token).access_token.expiry === Number(claims(token).created_at) + 86_399_000,
    ],
    [
      'ims.invalidateToken(token, id, secret)',
      'no error',
      () => ims.invalidateToken(token, ID, SECRET),
      (outcome) => JSON.stringify(outcome) === '{}',
    ],
    [
      'ims.validateToken(token)',
      'no longer valid',
      () => ims.validateToken(token),
      (outcome) => valid(outcome) === false,
    ],
    [
      'ims.getOrganizations(token)',
      'refused with 501',
      thrown(() => ims.getOrganizations(token)),
      (outcome) => /\b501\b.*not simulated/s.test(String(outcome)),
      'not simulated: the organizations of a user',
    ],
  ]);
}

/** `@adobe/aio-lib-core-auth`: `fetch` and a form to v2. */
function authSteps(): Step[] {
  const auth = load('@adobe/aio-lib-core-auth') as Auth;
  const credential = { clientId: ID, clientSecret: SECRET, orgId: ORG };
  let first = '';
  return stepsOf('@adobe/aio-lib-core-auth', [
    [
      'auth.generateAccessToken({ clientId, clientSecret, orgId })',
      'a bearer token for 86399 s with all scopes of the credential',
      () => auth.generateAccessToken(credential),
      (outcome) => {
        first = (outcome as Issued).access_token;
        return full(outcome as Issued);
      },
    ],
    [
      'auth.generateAccessToken({ clientId, clientSecret, orgId })',
      'the same token: it is kept',
      () => auth.generateAccessToken(credential),
      (outcome) => (outcome as Issued).access_token === first,
    ],
    [
      'auth.invalidateCache(), auth.generateAccessToken({ clientId, clientSecret, orgId })',
      'another token',
      () => {
        auth.invalidateCache();
        return auth.generateAccessToken(credential);
      },
      (outcome) => full(outcome as Issued) && (outcome as Issued).access_token !== first,
    ],
    [
      "auth.generateAccessToken({ client_id, client_secret, org_id, scopes: ['openid', 'session'] })",
      'a token with the two scopes',
      () =>
        auth.generateAccessToken({
          client_id: ID,
          client_secret: SECRET,
          org_id: ORG,
          scopes: ['openid', 'session'],
        }),
      (outcome) => claims((outcome as Issued).access_token).scope === 'openid,session',
    ],
    [
      "auth.generateAccessToken({ clientId, clientSecret: 'wrong', orgId })",
      'IMS’s own words: the secret is not valid',
      thrown(() => auth.generateAccessToken({ ...credential, clientSecret: 'wrong' })),
      (outcome) => /IMS_TOKEN_ERROR.*client_secret/.test(String(outcome)),
    ],
    [
      "auth.generateAccessToken({ clientId, clientSecret, orgId, scopes: ['root'] })",
      'IMS’s own words: the scope is not valid, and which the credential has',
      thrown(() => auth.generateAccessToken({ ...credential, scopes: ['root'] })),
      (outcome) => /IMS_TOKEN_ERROR.*root.*openid,AdobeID/.test(String(outcome)),
    ],
    [
      'auth.generateAccessToken({ clientId, orgId })',
      'the secret is missed',
      thrown(() => auth.generateAccessToken({ clientId: ID, orgId: ORG })),
      (outcome) => String(outcome).includes('clientSecret'),
      'aio-lib-core-auth: it misses it itself and asks nobody',
    ],
  ]);
}

/** Each builds on those before it. */
export function libraries(): Step[] {
  return [...imsSteps(), ...authSteps()];
}
