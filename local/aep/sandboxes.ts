// Sandbox management, reading only (contract §7).

import { Refusal } from './errors.ts';
import { type AdmittedCall, type Answer, json } from './http.ts';
import type { JsonObject } from './json.ts';
import type { Route } from './router.ts';
import type { Sandbox, World } from './state.ts';

const BASE = '/data/foundation/sandbox-management';

export function sandboxRoutes(world: World): Route<AdmittedCall>[] {
  const all = () => [...world.state.sandboxes.values()];
  const list = (sandboxes: Sandbox[], href: string): Answer =>
    json(200, {
      sandboxes: sandboxes.map((sandbox) => rendered(world, sandbox)),
      _page: { limit: 50, count: sandboxes.length },
      _links: {
        page: { href: `${world.origin}${href}?limit={limit}&offset={offset}`, templated: true },
      },
    });
  return [
    [
      'GET',
      BASE,
      () =>
        list(
          all().filter((each) => each.state === 'active'),
          `${BASE}/`,
        ),
    ],
    ['GET', `${BASE}/sandboxes`, () => list(all(), `${BASE}/sandboxes`)],
    ['GET', `${BASE}/sandboxTypes`, () => json(200, { sandboxTypes: ['production', 'development'] })],
    [
      'GET',
      `${BASE}/sandboxes/:name`,
      (_call, name) => {
        const sandbox = world.state.sandboxes.get(name ?? '');
        if (sandbox) return json(200, rendered(world, sandbox));
        throw Refusal.problem(
          404,
          'Not Found',
          `Sandbox with name '${name}' not present. Please check if resource exists.`,
        );
      },
    ],
  ];
}

function rendered(world: World, sandbox: Sandbox): JsonObject {
  const since = new Date(world.state.startedAt).toISOString().slice(0, 19).replace('T', ' ');
  return {
    id: sandbox.id,
    name: sandbox.name,
    title: sandbox.title,
    state: sandbox.state,
    type: sandbox.type,
    region: sandbox.region,
    isDefault: sandbox.isDefault,
    etag: 2,
    createdDate: since,
    lastModifiedDate: since,
    createdBy: 'System',
    lastModifiedBy: 'System',
  };
}
