// Catalog: which call goes where (contract §3).

import type { AdmittedCall } from '../http.ts';
import type { Route } from '../router.ts';
import type { World } from '../state.ts';
import { batchIngestionRoutes } from './batch-ingestion.ts';
import { getBatch, listBatches } from './batches.ts';
import {
  createDataSet,
  deleteDataSet,
  existing,
  getDataSet,
  listDataSets,
  mergeDataSet,
  patchDataSet,
  replaceDataSet,
} from './datasets.ts';
import { listLastBatches } from './last-batches.ts';
import { getTtl } from './row-expiration.ts';

const BASE = '/data/foundation/catalog';

export function catalogRoutes(world: World): Route<AdmittedCall>[] {
  // Adobe's own pages write the path with and without the capital.
  const dataSets = ['dataSets', 'datasets'].flatMap((word): Route<AdmittedCall>[] => [
    ['POST', `${BASE}/${word}`, (call) => createDataSet(world, call)],
    ['GET', `${BASE}/${word}`, (call) => listDataSets(world, call)],
    ['GET', `${BASE}/${word}/:id`, (call, id = '') => getDataSet(world, call, id)],
    ['PATCH', `${BASE}/${word}/:id`, (call, id = '') => patchDataSet(world, call, id)],
    ['PUT', `${BASE}/${word}/:id`, (call, id = '') => replaceDataSet(world, call, id)],
    ['DELETE', `${BASE}/${word}/:id`, (call, id = '') => deleteDataSet(world, call, id)],
    ['PATCH', `${BASE}/v2/${word}/:id`, (call, id = '') => mergeDataSet(world, call, id)],
  ]);
  return [
    ...dataSets,
    ['GET', `${BASE}/ttl/:id`, (call, id = '') => getTtl(existing(call, id))],
    ['GET', `${BASE}/batches`, (call) => listBatches(world, call)],
    ['GET', `${BASE}/batches/:id`, (call, id = '') => getBatch(world, call, id)],
    ['GET', `${BASE}/lastBatches`, (call) => listLastBatches(world, call)],
    ...batchIngestionRoutes(world),
  ];
}
