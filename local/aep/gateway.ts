// The Adobe I/O gateway: who is calling, for which organization, into which sandbox (contract §0).

import { Refusal } from './errors.ts';
import { type AdmittedCall, type Call, callHeader, mediaType } from './http.ts';
import { defaultSandbox, type Sandbox, stateOf, type World } from './state.ts';

const FLOW_SERVICE = '/data/foundation/flowservice/';
const OBSERVABILITY = '/data/infrastructure/observability/';
const SANDBOX_MANAGEMENT = '/data/foundation/sandbox-management';

/** The same checks in the same order for every service behind `platform.adobe.io`. */
export function admit(world: World, call: Call, staleMs: number): AdmittedCall {
  const token = bearer(call);
  if (!token) throw Refusal.gateway(403, '403010', 'Oauth token is missing.');
  const holder = validToken(world, token);
  if (!holder) throw Refusal.gateway(401, '401013', 'Oauth token is not valid');
  const key = callHeader(call, 'x-api-key');
  if (!key) throw Refusal.gateway(403, '403000', 'Api Key is required');
  if (key !== holder) throw Refusal.gateway(403, '403003', 'Api Key is invalid');
  const organization = callHeader(call, 'x-gw-ims-org-id');
  if (!organization) throw Refusal.gateway(400, '400003', 'Missing header x-gw-ims-org-id');
  if (organization !== world.settings.organization) {
    throw Refusal.gateway(403, '403025', 'Profile is not valid');
  }
  return { ...call, sandbox: sandboxOf(world, call), clientId: holder, staleMs, origin: world.origin };
}

/** A request with a body must name a content type, and the services here read only JSON (contract §0). */
export function checkContentType(call: Call): void {
  if (call.body.length === 0 || /[/+]json$/.test(mediaType(call))) return;
  const found = callHeader(call, 'content-type') ?? 'nothing';
  throw Refusal.problem(
    415,
    'UnsupportedMediaTypeError',
    `Content-Type has to be application/json; it is ${found}.`,
  );
}

export function bearer(call: Call): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(callHeader(call, 'authorization') ?? '')?.[1];
}

/** The client a live token belongs to. */
export function validToken(world: World, token: string): string | undefined {
  const known = world.state.tokens.get(token);
  if (!known) return undefined;
  if (known.expiresAt > world.clock.now()) return known.clientId;
  world.state.tokens.delete(token);
  return undefined;
}

/**
 * CONFLICT in Adobe's pages on a missing header: Flow Service has an error for it (`2105-400`), the others are
 * said to fall back to the default production sandbox. Both happen here, so that a client that forgets it is caught. With the
 * quirk `sandbox-header=lenient` Flow Service falls back, too.
 */
function sandboxOf(world: World, call: Call): Sandbox {
  const name = callHeader(call, 'x-sandbox-name');
  const flowService = call.path.startsWith(FLOW_SERVICE);
  if (flowService && callHeader(call, 'x-sandbox-id') !== undefined) {
    const detail = 'The header x-sandbox-id is not allowed with the user token.';
    throw Refusal.flow('2110-400', 'Headers not allowed', detail);
  }
  if (flowService && !name && world.settings.quirks['sandbox-header'] === 'strict') {
    const detail = 'The header x-sandbox-name is missing in the request.';
    throw Refusal.flow('2105-400', 'Header is missing', detail);
  }
  const fallback = defaultSandbox(world.state);
  if (!fallback) throw Refusal.problem(404, 'NotFoundError', 'The organization has no sandbox.');
  if (!name || call.path.startsWith(SANDBOX_MANAGEMENT)) return fallback;
  const sandbox = world.state.sandboxes.get(name);
  if (sandbox && stateOf(sandbox, world.clock) === 'active') return sandbox;
  const detail = `The sandbox with the name '${name}' could not be found.`;
  if (flowService) throw Refusal.flow('2100-404', 'Sandbox not found', detail);
  if (call.path.startsWith(OBSERVABILITY)) {
    const tenant = { sandboxName: name, sandboxId: null, imsOrgId: world.settings.organization };
    throw Refusal.insights(
      'INSGHT-1003-401',
      `Sandbox validation error - ${detail}`,
      tenant,
      world.clock.now(),
    );
  }
  throw Refusal.problem(404, 'NotFoundError', detail);
}
