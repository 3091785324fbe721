// Sandbox management: what sandboxes there are; making, renaming, resetting and deleting one (contract §7).
//
// DOCUMENTED, by Adobe's pages sandboxes/api/sandboxes and sandboxes/ui/user-guide, and by sandbox.yaml:
// - A change answers 202, and the state in between lasts about 30 seconds.
// - What a name may be. Only the title can be changed.
// - A reset forgets everything and keeps the name. A deleted sandbox can still be looked up.
// - The default production sandbox cannot be deleted. It can be reset, unless Analytics or Audience Manager use its identity
//   graph, which nothing here does.
//
// CONFLICTING: the state of a deleted sandbox is `deleted` on the page, and `cleaning` in the file's example.
//
// UNKNOWN:
// - The bodies of the errors: Adobe publishes codes only for those of Analytics and Audience Manager.
// - What `validationOnly` answers.
// - Whether the name of a deleted sandbox can be used again. Here it cannot.

import { type Answer, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { condition, fits } from './filter.ts';
import { type AdmittedCall, jsonObjectBody, wholeNumber } from './http.ts';
import { type JsonObject, textAt } from './json.ts';
import type { Route } from './router.ts';
import {
  changeState,
  defaultSandbox,
  emptySandbox,
  newSandbox,
  type Sandbox,
  stateOf,
  type World,
} from './state.ts';

const BASE = '/data/foundation/sandbox-management';
/** "Roughly 30 seconds" to be made and to be reset. */
const PROVISIONING_MS = 30_000;
const TYPES = ['production', 'development'] as const;
const NAME = /^[a-z][a-z0-9-]{0,255}$/;

export function sandboxRoutes(world: World): Route<AdmittedCall>[] {
  const all = () => [...world.state.sandboxes.values()];
  const active = () => all().filter((each) => stateOf(each, world.clock) === 'active');
  return [
    ['GET', BASE, (call) => list(world, call, active(), `${BASE}/`)],
    ['GET', `${BASE}/sandboxes`, (call) => list(world, call, all(), `${BASE}/sandboxes`)],
    ['GET', `${BASE}/sandboxTypes`, () => json(200, { sandboxTypes: [...TYPES] })],
    ['POST', `${BASE}/sandboxes`, (call) => create(world, call)],
    [
      'GET',
      `${BASE}/sandboxes/:name`,
      (_call, name = '') => json(200, rendered(world, existing(world, name))),
    ],
    ['PATCH', `${BASE}/sandboxes/:name`, (call, name = '') => rename(world, existing(world, name), call)],
    ['PUT', `${BASE}/sandboxes/:name`, (call, name = '') => reset(world, existing(world, name), call)],
    ['DELETE', `${BASE}/sandboxes/:name`, (call, name = '') => remove(world, existing(world, name), call)],
  ];
}

/** DOCUMENTED (sandboxes/api/appendix): `limit` and `offset` come together or not at all; 50 from the first one otherwise. */
function list(world: World, call: AdmittedCall, sandboxes: Sandbox[], path: string): Answer {
  const { origin } = world;
  if (call.query.has('limit') !== call.query.has('offset'))
    throw bad('limit and offset must be given together.');
  const limit = wholeNumber(call, 'limit', 50, 1, 1_000);
  const offset = wholeNumber(call, 'offset', 0, 0, Number.MAX_SAFE_INTEGER);
  const conditions = call.query.getAll('property').map(condition);
  const wanted = sandboxes
    .map((each) => rendered(world, each))
    .filter((each) => conditions.every((one) => fits(each, one)));
  const page = wanted.slice(offset, offset + limit);
  const next = `${origin}${path}?limit=${limit}&offset=${offset + limit}`;
  return json(200, {
    sandboxes: page,
    _page: { limit, count: page.length },
    _links: {
      page: { href: `${origin}${path}?limit={limit}&offset={offset}`, templated: true },
      ...(offset + limit < wanted.length ? { next: { href: next, templated: null } } : {}),
    },
  });
}

function create(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  const [name, title] = [textAt(body, 'name') ?? '', textAt(body, 'title')];
  const type = TYPES.find((each) => each === body.type);
  if (!NAME.test(name))
    throw bad(
      'name must be lower case, begin with a letter, and have at most 256 letters, digits and hyphens.',
    );
  if (!title) throw bad('title is required.');
  if (!type) throw bad(`type must be one of ${TYPES.join(', ')}.`);
  if (world.state.sandboxes.has(name))
    throw Refusal.problem(409, 'Conflict', `A sandbox with the name '${name}' exists already.`);
  const region = defaultSandbox(world.state)?.region ?? 'VA7';
  const usual = { isDefault: false, region, standard: world.settings.xdm };
  const identity = { id: world.ids.uuid(), name, title, type, ...usual };
  const sandbox = newSandbox(identity, world.clock, 'creating', PROVISIONING_MS);
  world.state.sandboxes.set(name, sandbox);
  return json(202, brief(world, sandbox));
}

function rename(world: World, sandbox: Sandbox, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  const title = textAt(body, 'title');
  if (!title || Object.keys(body).length > 1)
    throw bad('title is required, and nothing else can be changed.');
  checkUsable(world, sandbox);
  sandbox.title = title;
  changeState(sandbox, world.clock, 'active');
  return json(200, rendered(world, sandbox));
}

function reset(world: World, sandbox: Sandbox, call: AdmittedCall): Answer {
  if (jsonObjectBody(call).action !== 'reset') throw bad("action is required and must be 'reset'.");
  checkUsable(world, sandbox);
  if (call.query.get('validationOnly') !== 'true') {
    forget(world, sandbox);
    changeState(sandbox, world.clock, 'resetting', PROVISIONING_MS);
  }
  return json(202, { id: sandbox.id, ...brief(world, sandbox) });
}

function remove(world: World, sandbox: Sandbox, call: AdmittedCall): Answer {
  if (sandbox.isDefault) throw bad('The default production sandbox cannot be deleted.');
  checkUsable(world, sandbox);
  if (call.query.get('validationOnly') !== 'true') {
    forget(world, sandbox);
    changeState(sandbox, world.clock, 'deleted');
  }
  const shown = brief(world, sandbox);
  const state = world.settings.quirks['sandbox-deletion'];
  return json(202, shown.state === 'deleted' ? { ...shown, state } : shown);
}

/** Empties the sandbox and removes its inlets, whose URLs then answer 404. */
function forget({ state }: World, sandbox: Sandbox): void {
  emptySandbox(sandbox);
  for (const inlet of state.inlets.values()) if (inlet.sandbox === sandbox) state.inlets.delete(inlet.id);
}

function existing(world: World, name: string): Sandbox {
  const sandbox = world.state.sandboxes.get(name);
  if (sandbox) return sandbox;
  const detail = `Sandbox with name '${name}' not present. Please check if resource exists.`;
  throw Refusal.problem(404, 'Not Found', detail);
}

/** UNKNOWN, as the errors are: a sandbox that is not active cannot be changed here. */
function checkUsable({ clock }: World, sandbox: Sandbox): void {
  const state = stateOf(sandbox, clock);
  if (state !== 'active') throw bad(`The sandbox '${sandbox.name}' is ${state}.`);
}

function bad(detail: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', detail);
}

function brief({ clock }: World, sandbox: Sandbox): JsonObject {
  const { name, title, type, region } = sandbox;
  return { name, title, state: stateOf(sandbox, clock), type, region };
}

function rendered(world: World, sandbox: Sandbox): JsonObject {
  const { etag, createdAt, modifiedAt } = sandbox.life;
  return {
    id: sandbox.id,
    ...brief(world, sandbox),
    isDefault: sandbox.isDefault,
    etag,
    createdDate: written(createdAt),
    lastModifiedDate: written(modifiedAt),
    createdBy: 'System',
    modifiedBy: 'System',
  };
}

function written(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}
