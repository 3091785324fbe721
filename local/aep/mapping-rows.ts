// Writing single rows of a mapping set: adding, changing and removing one.
//
// OBSERVED: Adobe's client (aepp) has all three calls. An older state of Adobe's page data-prep/api/mapping-set-mappings has them
// with their answers. Adobe's API description has only the calls that read.
// UNKNOWN: their statuses (200 here) and what such a write does to the set. Here it rewrites the whole set, as `PUT` does. So the
// version goes up by one, and a flow keeps to the version that it names. The set is checked as a whole, so its last row stays.

import { type Answer, json } from './answer.ts';
import { getMapping, replaceMappingSet } from './data-prep/mapping-sets.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, jsonObjectBody } from './http.ts';
import { arrayAt, type Json, type JsonObject, textAt } from './json.ts';
import type { Route } from './router.ts';
import type { MappingSet, World } from './state.ts';

/** Adobe's tutorials print the path without `conversion`, too, as for the sets themselves. */
const BASES = ['/data/foundation/conversion', '/data/foundation'];

/** What the server decides, and a caller who has read a row sends back. */
const DERIVED = ['id', 'version', 'createdBy', 'createdDate', 'modifiedBy', 'modifiedDate'];

export function mappingRowRoutes(world: World): Route<AdmittedCall>[] {
  return BASES.flatMap((base): Route<AdmittedCall>[] => [
    ['POST', `${base}/mappingSets/:id/mappings`, (call, id = '') => add(world, call, id)],
    [
      'PUT',
      `${base}/mappingSets/:id/mappings/:row`,
      (call, id = '', row = '') => change(world, call, id, row),
    ],
    [
      'DELETE',
      `${base}/mappingSets/:id/mappings/:row`,
      (call, id = '', row = '') => remove(world, call, id, row),
    ],
  ]);
}

function add(world: World, call: AdmittedCall, id: string): Answer {
  const row = { ...given(call), id: world.ids.hex(32) };
  const set = written(world, call, id, [...rowsOf(existing(call, id)), row]);
  return json(200, brief(row.id, set));
}

function change(world: World, call: AdmittedCall, id: string, rowId: string): Answer {
  const before = withRow(world, call, id, rowId);
  const row = { ...given(call), id: rowId };
  written(
    world,
    call,
    id,
    before.map((each) => (textAt(each, 'id') === rowId ? row : each)),
  );
  return getMapping(world, call, id, rowId);
}

function remove(world: World, call: AdmittedCall, id: string, rowId: string): Answer {
  const before = withRow(world, call, id, rowId);
  const set = written(
    world,
    call,
    id,
    before.filter((each) => textAt(each, 'id') !== rowId),
  );
  return json(200, brief(rowId, set));
}

/** As if the whole set had been sent anew: one way to check and to count versions. */
function written(world: World, call: AdmittedCall, id: string, mappings: Json[]): MappingSet {
  const body = Buffer.from(JSON.stringify({ ...existing(call, id).body, mappings }));
  replaceMappingSet(world, { ...call, body }, id);
  return existing(call, id);
}

/** The rows of a set, or 404 where it, or this row of it, is not there. */
function withRow(world: World, call: AdmittedCall, id: string, rowId: string): Json[] {
  getMapping(world, call, id, rowId);
  return rowsOf(existing(call, id));
}

function existing(call: AdmittedCall, id: string): MappingSet {
  const set = call.sandbox.mappingSets.get(id);
  if (set) return set;
  throw Refusal.problem(404, 'NotFoundError', `The mapping set ${id} was not found.`);
}

function rowsOf({ body }: MappingSet): Json[] {
  return arrayAt(body, 'mappings');
}

function given(call: AdmittedCall): JsonObject {
  const sent = Object.entries(jsonObjectBody(call)).filter(([key]) => !DERIVED.includes(key));
  return Object.fromEntries(sent);
}

function brief(id: string, set: MappingSet): JsonObject {
  const by = `${set.createdBy}@techacct.adobe.com`;
  const { version, createdDate, modifiedDate } = set;
  return { id, version, createdDate, modifiedDate, createdBy: by, modifiedBy: by };
}
