// Schema Registry: which call goes where (contract §2).

import { Refusal } from '../errors.ts';
import type { AdmittedCall } from '../http.ts';
import type { Route } from '../router.ts';
import type { RegistryKind, World } from '../state.ts';
import { create, patch, remove, replace } from './crud.ts';
import {
  createDescriptor,
  listDescriptors,
  lookUpDescriptor,
  removeDescriptor,
  replaceDescriptor,
} from './descriptors.ts';
import { list } from './lists.ts';
import { lookup, sampleData } from './lookup.ts';
import { KINDS } from './resources.ts';
import { stats } from './stats.ts';

const BASE = '/data/foundation/schemaregistry';

export function registryRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', `${BASE}/stats`, (call) => stats(world, call)],
    ['GET', `${BASE}/rpc/sampledata/:id`, (call, id = '') => sampleData(world, call, id)],
    ['GET', `${BASE}/tenant/descriptors`, (call) => listDescriptors(world, call)],
    ['POST', `${BASE}/tenant/descriptors`, (call) => createDescriptor(world, call)],
    ['GET', `${BASE}/tenant/descriptors/:id`, (call, id = '') => lookUpDescriptor(world, call, id)],
    ['PUT', `${BASE}/tenant/descriptors/:id`, (call, id = '') => replaceDescriptor(world, call, id)],
    ['DELETE', `${BASE}/tenant/descriptors/:id`, (call, id = '') => removeDescriptor(world, call, id)],
    ...Object.keys(KINDS).flatMap((word) => kindRoutes(world, word)),
  ];
}

function kindRoutes(world: World, word: string): Route<AdmittedCall>[] {
  const kind = KINDS[word] as RegistryKind;
  const tenant = `${BASE}/tenant/${word}`;
  const global = `${BASE}/global/${word}`;
  const readOnly = () => {
    throw Refusal.problem(403, 'ForbiddenError', 'The global container is read only.');
  };
  return [
    ['GET', tenant, (call) => list(world, call, 'tenant', kind, word)],
    ['GET', global, (call) => list(world, call, 'global', kind, word)],
    ['POST', global, readOnly],
    ['GET', `${tenant}/:id`, (call, id = '') => lookup(world, call, 'tenant', kind, id)],
    ['GET', `${global}/:id`, (call, id = '') => lookup(world, call, 'global', kind, id)],
    ...(word === 'behaviors' ? [] : writingRoutes(world, tenant, kind)),
  ];
}

function writingRoutes(world: World, tenant: string, kind: RegistryKind): Route<AdmittedCall>[] {
  return [
    ['POST', tenant, (call) => create(world, call, kind)],
    ['PUT', `${tenant}/:id`, (call, id = '') => replace(world, call, kind, id)],
    ['PATCH', `${tenant}/:id`, (call, id = '') => patch(world, call, kind, id)],
    ['DELETE', `${tenant}/:id`, (call, id = '') => remove(world, call, kind, id)],
  ];
}
