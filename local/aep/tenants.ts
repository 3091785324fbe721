// Tenants: platforms of their own for tests that run side by side, each on a port, with its own organization and credential.

import { randomBytes } from 'node:crypto';
import { empty, json } from './answer.ts';
import { realClock } from './clock.ts';
import { Refusal } from './errors.ts';
import { type Call, jsonObjectBody } from './http.ts';
import { scopesOf } from './ims.ts';
import type { Json, JsonObject } from './json.ts';
import type { PlatformOptions } from './options.ts';
import type { Platform } from './platform-interface.ts';
import type { Route } from './router.ts';

/** Each listens on a port and keeps rows: a test run that forgets to remove its own ends here, and not with the machine. */
export const MAX_TENANTS = 64;

const BASE = '/_simulator/tenants';

interface Running {
  readonly origin: string;
  readonly platform: Platform;
  close(): Promise<void>;
}

export interface Tenants {
  readonly routes: Route<Call>[];
  /** Ends all of them. */
  close(): Promise<void>;
}

/**
 * @param like the platform whose settings a tenant takes over where it names none
 * @param start serves a platform on a free port
 */
export function createTenants(
  like: Platform,
  start: (options: PlatformOptions) => Promise<Running>,
): Tenants {
  const kept = new Map<string, Running>();
  let starting = 0;
  let isClosed = false;

  async function add(call: Call): Promise<JsonObject> {
    const wanted = optionsOf(jsonObjectBody(call));
    if (isClosed || kept.size + starting >= MAX_TENANTS) throw tooMany();
    starting += 1;
    const id = randomBytes(6).toString('hex');
    const running = await start(optionsFor(like, id, wanted)).finally(() => {
      starting -= 1;
    });
    kept.set(id, running);
    if (isClosed) await running.close();
    return shown(id, running);
  }

  const found = (id: string): Running => {
    const running = kept.get(id);
    if (running) return running;
    throw Refusal.problem(404, 'NotFoundError', `There is no tenant ${id}.`);
  };

  const removeAll = async (): Promise<void> => {
    const all = [...kept.values()];
    kept.clear();
    await Promise.all(all.map((running) => running.close()));
  };

  return {
    routes: [
      [
        'GET',
        BASE,
        () => json(200, { tenants: [...kept].map(([id, one]) => shown(id, one)), most: MAX_TENANTS }),
      ],
      ['POST', BASE, async (call) => json(201, await add(call))],
      ['GET', `${BASE}/:id`, (_call, id = '') => json(200, shown(id, found(id)))],
      [
        'DELETE',
        BASE,
        async () => {
          await removeAll();
          return empty(204);
        },
      ],
      [
        'DELETE',
        `${BASE}/:id`,
        async (_call, id = '') => {
          const running = found(id);
          kept.delete(id);
          await running.close();
          return empty(204);
        },
      ],
    ],
    close() {
      isClosed = true;
      return removeAll();
    },
  };
}

function shown(id: string, { origin, platform }: Running): JsonObject {
  const { settings, state } = platform;
  const [credential] = platform.credentials;
  return {
    id,
    url: origin,
    organization: settings.organization,
    tenant: settings.tenant,
    clientId: credential?.clientId ?? '',
    clientSecret: credential?.clientSecrets[0] ?? '',
    scopes: credential ? [...scopesOf(credential)] : [],
    sandboxes: settings.sandboxes.map(({ name }) => name),
    createdAt: state.startedAt,
  };
}

/** Its clock is its own, and whoever listens to the records of the other platform hears nothing of its. */
function optionsFor({ settings, kinesis }: Platform, id: string, wanted: PlatformOptions): PlatformOptions {
  const { origin: _, onReceived: __, onLanded: ___, ...taken } = settings;
  return {
    ...taken,
    kinesis,
    clock: realClock,
    organization: `${randomBytes(12).toString('hex').toUpperCase()}@AdobeOrg`,
    credentials: [{ clientId: `simulated-client-${id}`, clientSecrets: [`simulated-secret-${id}`] }],
    ...wanted,
  };
}

type Check = readonly [(value: Json) => boolean, string];

const whole = (least: number, most: number): Check => [
  (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  `a whole number from ${least} to ${most}`,
];
const flag: Check = [(value) => typeof value === 'boolean', 'true or false'];
const textLike = (pattern: RegExp): Check => [
  (value) => typeof value === 'string' && pattern.test(value),
  `a text that matches ${pattern.source}`,
];

export const DAY_MS = 86_400_000;
export const MAX_SANDBOXES = 20;
export const TENANT_NAME = /^[a-z][a-z0-9]{0,31}$/;
export const SANDBOX_NAME = /^[a-z][a-z0-9-]{0,63}$/;

const FIELDS: Readonly<Record<string, Check>> = {
  seed: whole(0, 4_294_967_295),
  tenant: textLike(TENANT_NAME),
  warmUpMs: whole(0, DAY_MS),
  tokenSeconds: whole(1, 86_400),
  staleMs: whole(0, DAY_MS),
  ingestDelayMs: whole(0, DAY_MS),
  rateLimits: flag,
  sandboxes: [areSandboxes, `an array of up to ${MAX_SANDBOXES} different names`],
};

function areSandboxes(value: Json): boolean {
  if (!Array.isArray(value) || value.length > MAX_SANDBOXES || new Set(value).size < value.length)
    return false;
  return value.every((name) => typeof name === 'string' && SANDBOX_NAME.test(name) && name !== 'prod');
}

function optionsOf(body: JsonObject): PlatformOptions {
  for (const [name, value] of Object.entries(body)) {
    const check = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (!check) throw wrong(`Unknown field '${name}'. Allowed: ${Object.keys(FIELDS).join(', ')}.`);
    if (!check[0](value)) throw wrong(`'${name}' must be ${check[1]}.`);
  }
  const { sandboxes, ...more } = body;
  if (sandboxes === undefined) return more as PlatformOptions;
  const named = (sandboxes as string[]).map((name) => ({ name, title: name }));
  const production = { name: 'prod', title: 'Production', type: 'production', isDefault: true } as const;
  return { ...(more as PlatformOptions), sandboxes: [production, ...named] };
}

function wrong(detail: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', detail);
}

function tooMany(): Refusal {
  return Refusal.problem(
    409,
    'TooManyTenants',
    `There are ${MAX_TENANTS} tenants. Remove one by DELETE ${BASE}/{id}, or all by DELETE ${BASE}; GET ${BASE} lists them.`,
  );
}
