// IMS: gives an access token for a client id and secret (contract §1).

import { Refusal } from './errors.ts';
import { type Answer, type Call, json } from './http.ts';
import type { Route } from './router.ts';
import type { World } from './state.ts';

const DEFAULT_SCOPES =
  'openid,AdobeID,read_organizations,additional_info.projectedProductContext,session'.split(',');

export function imsRoutes(world: World): Route<Call>[] {
  const token = (call: Call) => issue(world, call);
  return [
    ['POST', '/ims/token/v3', token],
    ['POST', '/ims/token/v2', token],
  ];
}

function issue(world: World, call: Call): Answer {
  const field = fields(call);
  const grant = field('grant_type');
  if (grant !== 'client_credentials') {
    throw oauth(400, 'unsupported_grant_type', `grant type '${grant ?? ''}' is not supported`);
  }
  const clientId = field('client_id');
  const secret = field('client_secret');
  if (!clientId || !secret) throw oauth(400, 'invalid_request', 'client_id and client_secret are required');
  const credential = world.settings.credentials.find((each) => each.clientId === clientId);
  if (!credential) throw oauth(400, 'invalid_client', 'invalid client_id parameter');
  if (!credential.clientSecrets.includes(secret)) {
    throw oauth(401, 'invalid_client', 'invalid client_secret parameter');
  }
  const scopes = (field('scope') ?? '').split(/[\s,]+/).filter(Boolean);
  const allowed = credential.scopes ?? DEFAULT_SCOPES;
  if (scopes.length === 0) throw oauth(400, 'invalid_scope', 'scope is required');
  const foreign = scopes.filter((scope) => !allowed.includes(scope));
  if (foreign.length > 0) throw oauth(400, 'invalid_scope', `invalid scope: ${foreign.join(' ')}`);

  const now = world.clock.now();
  const token = mint(world, clientId, scopes, now);
  world.state.tokens.set(token, { clientId, expiresAt: now + world.settings.tokenSeconds * 1000 });
  return json(
    200,
    { access_token: token, token_type: 'bearer', expires_in: world.settings.tokenSeconds },
    { 'cache-control': 'no-store' },
  );
}

/** Form body first, query as well: Adobe advises the body because URLs are logged. */
function fields(call: Call): (name: string) => string | undefined {
  const form = new URLSearchParams(call.body.toString('utf8'));
  return (name) => form.get(name) ?? call.query.get(name) ?? undefined;
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
