// Flow Service: which call goes where (contract §4).

import type { AdmittedCall } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { Route } from '../router.ts';
import type { World } from '../state.ts';
import {
  actOnConnection,
  createConnection,
  deleteConnection,
  exploreConnection,
  getConnection,
  patchConnection,
} from './connections.ts';
import { createEnd, deleteEnd, type End, getEnd, patchEnd, publishEnd, shelf } from './ends.ts';
import { BASE, list, missing, one, search, shown } from './entities.ts';
import { actOnFlow, createFlow, deleteFlow, getFlow, patchFlow, shownFlow } from './flows.ts';
import { getRun, listRuns } from './runs.ts';
import { CONNECTION_SPECS, FLOW_SPECS, shownConnectionSpec, shownFlowSpec } from './specs.ts';

export function flowServiceRoutes(world: World): Route<AdmittedCall>[] {
  const connections = (call: AdmittedCall) =>
    call.sandbox.connections.values(call.staleMs).map((each) => shown(world, call, each));
  const flows = (call: AdmittedCall) =>
    call.sandbox.flows.values(call.staleMs).map((each) => shownFlow(world, call, each));
  return [
    ...specRoutes('connectionSpecs', CONNECTION_SPECS.map(shownConnectionSpec)),
    ...specRoutes('flowSpecs', FLOW_SPECS.map(shownFlowSpec)),
    ['POST', `${BASE}/connections`, (call) => createConnection(world, call)],
    ['GET', `${BASE}/connections`, (call) => list(call, 'connections', connections(call))],
    ['POST', `${BASE}/connections/search`, (call) => search(call, 'connections', connections(call))],
    ['GET', `${BASE}/connections/:id`, (call, id = '') => getConnection(world, call, id)],
    ['PATCH', `${BASE}/connections/:id`, (call, id = '') => patchConnection(world, call, id)],
    ['DELETE', `${BASE}/connections/:id`, (call, id = '') => deleteConnection(world, call, id)],
    ['GET', `${BASE}/connections/:id/explore`, (call, id = '') => exploreConnection(call, id)],
    ['POST', `${BASE}/connections/:id/action`, (call, id = '') => actOnConnection(world, call, id)],
    ...endRoutes(world, 'sourceConnections'),
    ...endRoutes(world, 'targetConnections'),
    ['POST', `${BASE}/flows`, (call) => createFlow(world, call)],
    ['GET', `${BASE}/flows`, (call) => list(call, 'flows', flows(call))],
    ['POST', `${BASE}/flows/search`, (call) => search(call, 'flows', flows(call))],
    ['GET', `${BASE}/flows/:id`, (call, id = '') => getFlow(world, call, id)],
    ['PATCH', `${BASE}/flows/:id`, (call, id = '') => patchFlow(world, call, id)],
    ['DELETE', `${BASE}/flows/:id`, (call, id = '') => deleteFlow(world, call, id)],
    ['POST', `${BASE}/flows/:id/action`, (call, id = '') => actOnFlow(world, call, id)],
    ['GET', `${BASE}/runs`, (call) => listRuns(world, call)],
    ['GET', `${BASE}/runs/:id`, (call, id = '') => getRun(world, call, id)],
  ];
}

function specRoutes(kind: string, specs: JsonObject[]): Route<AdmittedCall>[] {
  return [
    ['GET', `${BASE}/${kind}`, (call) => list(call, kind, specs)],
    ['POST', `${BASE}/${kind}/search`, (call) => search(call, kind, specs)],
    [
      'GET',
      `${BASE}/${kind}/:id`,
      (call, id = '') => {
        const spec = specs.find((each) => each.id === id);
        if (spec) return one(spec);
        throw missing(call, kind, id, 404);
      },
    ],
  ];
}

function endRoutes(world: World, end: End): Route<AdmittedCall>[] {
  const all = (call: AdmittedCall) =>
    shelf(call, end)
      .values(call.staleMs)
      .map((each) => shown(world, call, each));
  return [
    ['POST', `${BASE}/${end}`, (call) => createEnd(world, call, end)],
    ['GET', `${BASE}/${end}`, (call) => list(call, end, all(call))],
    ['GET', `${BASE}/${end}/:id`, (call, id = '') => getEnd(world, call, end, id)],
    ['PATCH', `${BASE}/${end}/:id`, (call, id = '') => patchEnd(world, call, end, id)],
    ['DELETE', `${BASE}/${end}/:id`, (call, id = '') => deleteEnd(world, call, end, id)],
    ['POST', `${BASE}/${end}/:id/action`, (call, id = '') => publishEnd(world, call, end, id)],
  ];
}
