// The simulator's own pages under `/_simulator/`: what it holds, what it saw, what should go wrong next.

import { type Answer, empty, json } from './answer.ts';
import { Refusal } from './errors.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import { type FaultRun, runOf } from './faults.ts';
import { type Call, jsonBody, wholeNumber } from './http.ts';
import { scopesOf } from './ims.ts';
import { isObject, type Json, type JsonObject, objectAt, parseExactly } from './json.ts';
import { listed } from './not-simulated.ts';
import { openApi, PAGES } from './openapi.ts';
import { MAX_ADVANCE_MS } from './openapi-schemas.ts';
import type { Platform } from './platform-interface.ts';
import type { Route } from './router.ts';
import type { DataSet, Sandbox } from './state.ts';

const BASE = '/_simulator';

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
          openapi: `${platform.origin}${BASE}/openapi.json`,
          sources: asJson(platform.sources()),
          pages: PAGES,
          faultKinds: { ...FAULT_KINDS },
          notSimulated: listed(platform.notSimulated),
        }),
    ],
    ['GET', `${BASE}/openapi.json`, () => json(200, openApi(platform.origin))],
    ['GET', `${BASE}/state`, () => json(200, summary(platform))],
    ['GET', `${BASE}/datasets`, () => json(200, { datasets: dataSets(platform).map(brief) })],
    ['GET', `${BASE}/datasets/:id`, (_call, id = '') => json(200, brief(dataSet(platform, id)))],
    ['GET', `${BASE}/datasets/:id/rows`, (call, id = '') => rows(platform, call, id)],
    ['GET', `${BASE}/datasets/:id/refused`, (call, id = '') => refused(platform, call, id)],
    ['GET', `${BASE}/journal`, (call) => journal(platform, call)],
    ['DELETE', `${BASE}/journal`, () => done(() => platform.journal.clear())],
    ['GET', `${BASE}/faults`, () => json(200, faults(platform))],
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

function faults({ faults }: Platform): JsonObject {
  return { seed: faults.seed, faults: asJson(faults.list()), kinds: { ...FAULT_KINDS } };
}

/** All or none. */
function addFaults(platform: Platform, call: Call): Answer {
  return json(201, { faults: asJson(platform.faults.play(faultRun(call))) });
}

function faultRun(call: Call): FaultRun {
  try {
    return runOf(jsonBody(call));
  } catch (error) {
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
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= MAX_ADVANCE_MS)) {
    const detail = `advanceMs must be a number of milliseconds from 0 to ${MAX_ADVANCE_MS}.`;
    throw Refusal.problem(400, 'BadRequestError', detail);
  }
  platform.clock.advance(ms);
  return json(200, { now: platform.clock.now() });
}
