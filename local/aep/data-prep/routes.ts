// Data Prep: which call goes where (contract §5).

import type { AdmittedCall } from '../http.ts';
import type { Route } from '../router.ts';
import type { World } from '../state.ts';
import {
  createMappingSet,
  deleteMappingSet,
  getMapping,
  getMappingSet,
  listMappingSets,
  listMappings,
  replaceMappingSet,
} from './mapping-sets.ts';
import { listFunctions, listOperators, preview, validateExpression, validateMappingSet } from './trial.ts';

const BASE = '/data/foundation/conversion';
/** CONFLICT: two of Adobe's tutorials print the path without `conversion` (quirk `mapping-path`). */
const TUTORIAL_BASE = '/data/foundation';

export function dataPrepRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ...bases(world).flatMap((base) => mappingSetRoutes(world, base)),
    ['POST', `${BASE}/languages/el/validate`, (call) => validateExpression(call)],
    ['GET', `${BASE}/languages/el/functions`, () => listFunctions()],
    ['GET', `${BASE}/languages/el/operators`, () => listOperators()],
  ];
}

function bases(world: World): string[] {
  return world.settings.quirks['mapping-path'] === 'both' ? [BASE, TUTORIAL_BASE] : [BASE];
}

function mappingSetRoutes(world: World, base: string): Route<AdmittedCall>[] {
  return [
    ['POST', `${base}/mappingSets`, (call) => createMappingSet(world, call)],
    ['GET', `${base}/mappingSets`, (call) => listMappingSets(world, call)],
    ['POST', `${base}/mappingSets/validate`, (call) => validateMappingSet(call)],
    ['POST', `${base}/mappingSets/preview`, (call) => preview(world, call)],
    ['GET', `${base}/mappingSets/:id`, (call, id = '') => getMappingSet(world, call, id)],
    ['PUT', `${base}/mappingSets/:id`, (call, id = '') => replaceMappingSet(world, call, id)],
    ['DELETE', `${base}/mappingSets/:id`, (call, id = '') => deleteMappingSet(world, call, id)],
    ['GET', `${base}/mappingSets/:id/mappings`, (call, id = '') => listMappings(world, call, id)],
    [
      'GET',
      `${base}/mappingSets/:id/mappings/:row`,
      (call, id = '', row = '') => getMapping(world, call, id, row),
    ],
  ];
}
