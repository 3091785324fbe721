// IMS: gives an access token for a client id and secret (contract §1).

import { type Answer, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { bearer, validToken } from './gateway.ts';
import { type Call, callHeader, mediaType } from './http.ts';
import type { Credential } from './options.ts';
import type { Route } from './router.ts';
import type { World } from './state.ts';

const DEFAULT_SCOPES =
  'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session'.split(',');

type Field = (name: string) => string | undefined;

/**
 * The developer console's page names v3 and calls a scope mandatory; Adobe's libraries (aio-lib-ims 8.1.2, aio-lib-core-auth
 * 1.1.0) ask v2, and send none unless they are told one. What IMS gives them then is UNVERIFIED: here all the credential has.
 */
export function imsRoutes(world: World): Route<Call>[] {
  return [
    ['POST', '/ims/token/v3', async (call) => issue(world, await fields(call), 'scope needed')],
    ['POST', '/ims/token/v2', async (call) => issue(world, await fields(call), 'scope optional')],
    ['POST', '/ims/validate_token/v1', async (call) => validate(world, call, await fields(call))],
    ['POST', '/ims/invalidate_token/v2', async (call) => invalidate(world, await fields(call))],
  ];
}

/** What a credential may ask for. */
export function scopesOf(credential: Credential): readonly string[] {
  return credential.scopes ?? DEFAULT_SCOPES;
}

function issue(world: World, field: Field, need: 'scope needed' | 'scope optional'): Answer {
  const grant = field('grant_type');
  if (grant !== 'client_credentials') {
    throw oauth(400, 'unsupported_grant_type', `grant type '${grant ?? ''}' is not supported`);
  }
  const credential = authenticated(world, field);
  const allowed = scopesOf(credential);
  const asked = (field('scope') ?? '').split(/[\s,]+/).filter(Boolean);
  const has = `the credential has ${allowed.join(',')}`;
  if (asked.length === 0 && need === 'scope needed') {
    throw oauth(400, 'invalid_scope', `scope is required; ${has}`);
  }
  const foreign = asked.filter((scope) => !allowed.includes(scope));
  if (foreign.length > 0) throw oauth(400, 'invalid_scope', `invalid scope: ${foreign.join(' ')}; ${has}`);
  const scopes = asked.length === 0 ? allowed : asked;

  const now = world.clock.now();
  const { clientId } = credential;
  const token = mint(world, clientId, scopes, now);
  forgetExpired(world.state.tokens, now);
  world.state.tokens.set(token, { clientId, expiresAt: now + world.settings.tokenSeconds * 1000 });
  return json(
    200,
    { access_token: token, token_type: 'bearer', expires_in: world.settings.tokenSeconds },
    { 'cache-control': 'no-store' },
  );
}

/** They end in the order in which they were given. */
function forgetExpired(tokens: World['state']['tokens'], now: number): void {
  for (const [token, { expiresAt }] of tokens) {
    if (expiresAt > now) return;
    tokens.delete(token);
  }
}

function authenticated(world: World, field: Field): Credential {
  const clientId = field('client_id');
  const secret = field('client_secret');
  if (!clientId || !secret) throw oauth(400, 'invalid_request', 'client_id and client_secret are required');
  const credential = world.settings.credentials.find((each) => each.clientId === clientId);
  if (!credential) throw oauth(400, 'invalid_client', 'invalid client_id parameter');
  if (credential.clientSecrets.includes(secret)) return credential;
  throw oauth(401, 'invalid_client', 'invalid client_secret parameter');
}

/** As aio-lib-ims asks it: the token as bearer, its client in the form. That library reads `valid` and shows `reason`. */
function validate(world: World, call: Call, field: Field): Answer {
  const clientId = field('client_id');
  if (!clientId) throw oauth(400, 'invalid_request', 'client_id is required');
  const token = bearer(call) ?? field('token') ?? '';
  const known = world.state.tokens.get(token);
  if (validToken(world, token) === clientId) {
    return json(200, { valid: true, expires_at: known?.expiresAt ?? null });
  }
  return json(200, { valid: false, reason: known === undefined ? 'bad_token' : 'expired_or_foreign' });
}

/** As aio-lib-ims asks it. A token that is not known is as good as taken back (RFC 7009, section 2.2). */
function invalidate(world: World, field: Field): Answer {
  authenticated(world, field);
  world.state.tokens.delete(field('token') ?? '');
  return json(200, {});
}

/**
 * Form body first, query as well: Adobe advises the body because URLs are logged. aio-lib-ims always posts
 * `multipart/form-data`, whatever the page says of the other form.
 */
async function fields(call: Call): Promise<Field> {
  const form =
    mediaType(call) === 'multipart/form-data'
      ? await multipart(call)
      : new URLSearchParams(call.body.toString('utf8'));
  return (name) => {
    const value = form.get(name);
    return (typeof value === 'string' ? value : undefined) ?? call.query.get(name) ?? undefined;
  };
}

async function multipart(call: Call): Promise<FormData> {
  const headers = { 'content-type': callHeader(call, 'content-type') ?? '' };
  return new Response(new Uint8Array(call.body), { headers }).formData().catch(() => {
    throw oauth(400, 'invalid_request', 'the body is not multipart/form-data as its Content-Type says');
  });
}

/** Error bodies are UNVERIFIED for this grant; OAuth's own form is what every client expects. */
function oauth(status: number, error: string, description: string): Refusal {
  return new Refusal(status, { error, error_description: description });
}

/** Looks like Adobe's JWT: times are strings, in milliseconds. The signature signs nothing. */
function mint(world: World, clientId: string, scopes: readonly string[], now: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const account = `${world.ids.hex(24).toUpperCase()}@techacct.adobe.com`;
  const payload = {
    id: world.ids.uuid(),
    type: 'access_token',
    client_id: clientId,
    user_id: account,
    as: 'ims-simulated',
    scope: scopes.join(','),
    created_at: String(now),
    expires_in: String(world.settings.tokenSeconds * 1000),
  };
  const signature = Buffer.from(`simulated-${world.ids.hex(48)}`).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'simulated', typ: 'JWT' })}.${part(payload)}.${signature}`;
}
