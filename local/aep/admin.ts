// The simulator's own pages under `/_simulator/`: what it holds, what it saw, what should go wrong next.

import { type Answer, empty, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { FAULT_KINDS, type FaultSpec } from './faults.ts';
import { type Call, jsonBody, wholeNumber } from './http.ts';
import { scopesOf } from './ims.ts';
import { isObject, type Json, type JsonObject, objectAt, parseExactly } from './json.ts';
import { listed } from './not-simulated.ts';
import type { Platform } from './platform-interface.ts';
import { SOURCE_PAGES } from './pulled/routes.ts';
import type { Route } from './router.ts';
import type { DataSet, Sandbox } from './state.ts';

const BASE = '/_simulator';

const PAGES: JsonObject = {
  'GET /_simulator/': 'this list, and under notSimulated what Experience Platform has and this has not',
  'GET /_simulator/state':
    'counts, sandboxes, flows and when they are warm, losses, identities that were not linked',
  'GET /_simulator/datasets': 'every dataset with its counts',
  'GET /_simulator/datasets/{id}/rows?limit=': 'rows that landed, newest first',
  'GET /_simulator/datasets/{id}/refused?limit=':
    'rows that were refused, with reason and pointer, newest first',
  'GET /_simulator/journal?method=&path=&status=&after=&limit=':
    'requests and answers, secrets masked; DELETE empties it',
  'GET /_simulator/faults': 'faults set and struck; POST adds one, DELETE removes all',
  'DELETE /_simulator/faults/{id}': 'removes one fault',
  ...SOURCE_PAGES,
  'POST /_simulator/clock': '{"advanceMs": n} moves time forward, past a warm-up for instance',
  'POST /_simulator/tokens/revoke': 'takes back every access token',
  'GET /_simulator/differences': 'where the real service answers otherwise; there only with --compare URL',
  'POST /_simulator/reset': 'forgets everything',
};

export function adminRoutes(platform: Platform): Route<Call>[] {
  return [
    // Whoever opens the address in a browser.
    [
      'GET',
      '',
      () => json(200, { simulated: 'Adobe Experience Platform', pages: `${platform.origin}${BASE}/` }),
    ],
    [
      'GET',
      BASE,
      () =>
        json(200, {
          simulated: 'Adobe Experience Platform',
          sources: asJson(platform.sources()),
          pages: PAGES,
          faultKinds: { ...FAULT_KINDS },
          notSimulated: listed(platform.notSimulated),
        }),
    ],
    ['GET', `${BASE}/state`, () => json(200, summary(platform))],
    ['GET', `${BASE}/datasets`, () => json(200, { datasets: dataSets(platform).map(brief) })],
    ['GET', `${BASE}/datasets/:id`, (_call, id = '') => json(200, brief(dataSet(platform, id)))],
    ['GET', `${BASE}/datasets/:id/rows`, (call, id = '') => rows(platform, call, id)],
    ['GET', `${BASE}/datasets/:id/refused`, (call, id = '') => refused(platform, call, id)],
    ['GET', `${BASE}/journal`, (call) => journal(platform, call)],
    ['DELETE', `${BASE}/journal`, () => done(() => platform.journal.clear())],
    [
      'GET',
      `${BASE}/faults`,
      () => json(200, { faults: asJson(platform.faults.list()), kinds: { ...FAULT_KINDS } }),
    ],
    ['POST', `${BASE}/faults`, (call) => addFaults(platform, call)],
    ['DELETE', `${BASE}/faults`, () => done(() => platform.faults.clear())],
    ['DELETE', `${BASE}/faults/:id`, (_call, id = '') => removeFault(platform, id)],
    ['POST', `${BASE}/clock`, (call) => advance(platform, call)],
    ['POST', `${BASE}/tokens/revoke`, () => done(() => platform.state.tokens.clear())],
    ['POST', `${BASE}/reset`, () => done(() => platform.reset())],
  ];
}

function done(act: () => void): Answer {
  act();
  return empty(204);
}

const asJson = (value: unknown): Json => parseExactly(JSON.stringify(value));

function summary(platform: Platform): JsonObject {
  const { state, clock, settings } = platform;
  const now = clock.now();
  return {
    simulated: true,
    now,
    organization: settings.organization,
    tenant: settings.tenant,
    credentials: platform.credentials.map((each) => ({
      clientId: each.clientId,
      scopes: [...scopesOf(each)],
    })),
    warmUpMs: settings.warmUpMs,
    counts: { ...state.counts, requestsForgotten: platform.journal.forgotten },
    losses: asJson([...state.losses.values()]),
    unlinked: Object.fromEntries(state.unlinked),
    sandboxes: [...state.sandboxes.values()].map((sandbox) => ({
      name: sandbox.name,
      type: sandbox.type,
      schemas: sandbox.registry.schemas.size,
      fieldGroups: sandbox.registry.mixins.size,
      descriptors: sandbox.descriptors.size,
      dataSets: sandbox.dataSets.size,
      connections: sandbox.connections.size,
      sourceConnections: sandbox.sourceConnections.size,
      targetConnections: sandbox.targetConnections.size,
      mappingSets: sandbox.mappingSets.size,
      batches: sandbox.batches.size,
      flows: sandbox.flows.values().map((flow) => ({
        id: flow.id,
        name: flow.body.name ?? null,
        state: flow.state,
        acceptsFrom: flow.acceptsFrom,
        warm: flow.state === 'enabled' && now >= flow.acceptsFrom,
      })),
    })),
  };
}

interface Found {
  readonly sandbox: Sandbox;
  readonly dataSet: DataSet;
}

function dataSets(platform: Platform): Found[] {
  return [...platform.state.sandboxes.values()].flatMap((sandbox) =>
    sandbox.dataSets.values().map((each) => ({ sandbox, dataSet: each })),
  );
}

function dataSet(platform: Platform, id: string): Found {
  const found = dataSets(platform).find((each) => each.dataSet.id === id);
  if (found) return found;
  throw Refusal.problem(404, 'NotFoundError', `There is no dataset ${id}.`);
}

function brief({ sandbox, dataSet: { id, body } }: Found): JsonObject {
  const { landed = 0, refused: refusedCount = 0 } = sandbox.tallies.get(id) ?? {};
  const schemaId = objectAt(body, 'schemaRef')?.id ?? null;
  return {
    id,
    name: body.name ?? null,
    sandbox: sandbox.name,
    schemaId,
    tags: body.tags ?? {},
    landed,
    refused: refusedCount,
  };
}

function rows(platform: Platform, call: Call, id: string): Answer {
  const { sandbox, dataSet: found } = dataSet(platform, id);
  const limit = wholeNumber(call, 'limit', 100, 0, 100_000);
  const newest: Json[] = [];
  for (const batch of [...sandbox.batches.values()].reverse()) {
    if (batch.dataSetId !== found.id || newest.length >= limit) continue;
    if (batch.revertedAt !== undefined) continue;
    newest.push(...batch.rows.slice(-(limit - newest.length)).reverse());
  }
  return json(200, { total: sandbox.tallies.get(id)?.landed ?? 0, rows: newest });
}

function refused(platform: Platform, call: Call, id: string): Answer {
  const { sandbox, dataSet: found } = dataSet(platform, id);
  const limit = wholeNumber(call, 'limit', 100, 0, 100_000);
  const newest = [...sandbox.batches.values()]
    .reverse()
    .filter((batch) => batch.dataSetId === found.id)
    .flatMap((batch) =>
      [...batch.refused].reverse().map((row) => ({ batchId: batch.id, at: batch.created, ...row })),
    )
    .slice(0, limit);
  return json(200, { total: sandbox.tallies.get(id)?.refused ?? 0, rows: asJson(newest) });
}

function journal(platform: Platform, call: Call): Answer {
  const entries = platform.journal.entries({
    method: call.query.get('method') ?? undefined,
    path: call.query.get('path') ?? undefined,
    status: call.query.has('status') ? wholeNumber(call, 'status', 0, 0, 599) : undefined,
    after: call.query.has('after') ? wholeNumber(call, 'after', 0, 0, Number.MAX_SAFE_INTEGER) : undefined,
    limit: wholeNumber(call, 'limit', 100, 0, 10_000),
  });
  return json(200, { entries: asJson(entries) });
}

/** One fault, or a list of them: all or none. */
function addFaults(platform: Platform, call: Call): Answer {
  const body = jsonBody(call);
  const specs = Array.isArray(body) ? body : [body];
  const added: string[] = [];
  try {
    const faults = specs.map((spec) => {
      const fault = platform.faults.add(spec as unknown as FaultSpec);
      added.push(fault.id);
      return fault;
    });
    return json(201, { faults: asJson(faults) });
  } catch (error) {
    for (const id of added) platform.faults.remove(id);
    if (error instanceof TypeError) throw Refusal.problem(400, 'BadRequestError', error.message);
    throw error;
  }
}

function removeFault(platform: Platform, id: string): Answer {
  if (platform.faults.remove(id)) return empty(204);
  throw Refusal.problem(404, 'NotFoundError', `There is no fault ${id}.`);
}

function advance(platform: Platform, call: Call): Answer {
  const body = jsonBody(call);
  const ms = isObject(body) ? body.advanceMs : undefined;
  if (typeof ms !== 'number' || !(ms >= 0)) {
    throw Refusal.problem(400, 'BadRequestError', 'advanceMs must be a number of milliseconds, 0 or more.');
  }
  platform.clock.advance(ms);
  return json(200, { now: platform.clock.now() });
}
