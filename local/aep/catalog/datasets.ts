// Catalog's dataSets: created by reference, listed as a map, versioned by E-Tag (contract §3.1–3.3).

import { Refusal } from '../errors.ts';
import { type AdmittedCall, type Answer, json, jsonBody, jsonObjectBody, mediaType } from '../http.ts';
import { arrayAt, isObject, type JsonObject, objectAt, textAt } from '../json.ts';
import { patchedOrRefused } from '../json-patch.ts';
import { lookUp } from '../registry/resources.ts';
import { inUnion } from '../registry/rules.ts';
import type { DataSet, Sandbox, World } from '../state.ts';
import { select, trimmed } from './select.ts';

/** The fields the `v2` deep merge touches. */
const MERGED = ['description', 'tags', 'extensions', 'classification'];

export function createDataSet(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  check(call.sandbox, body);
  const id = world.ids.hex(24);
  const reference = [`@/dataSets/${id}`];
  if (call.headers.get('pragma') === 'validate-only') return json(200, []);
  const now = world.clock.now();
  const tags = { 'adobe/pqs/table': [tableName(textAt(body, 'name') ?? id)], ...objectAt(body, 'tags') };
  call.sandbox.dataSets.put(id, { id, revision: 0, created: now, updated: now, body: { ...body, tags } });
  return json(201, reference, { location: `/data/foundation/catalog/dataSets/${id}`, 'e-tag': '1.0.0' });
}

export function listDataSets(world: World, call: AdmittedCall): Answer {
  const all = call.sandbox.dataSets
    .values(call.staleMs)
    .map((each) => [each.id, shown(world, call, each)] as const);
  return json(200, Object.fromEntries(select(call, all)));
}

export function getDataSet(world: World, call: AdmittedCall, id: string): Answer {
  const found = existing(call, id);
  return json(
    200,
    { [id]: trimmed(call, shown(world, call, found)) },
    { 'e-tag': version(found), etag: version(found) },
  );
}

export function patchDataSet(world: World, call: AdmittedCall, id: string): Answer {
  const before = matching(call, id);
  const jsonPatch = mediaType(call) === 'application/json-patch+json';
  const body = jsonBody(call);
  if (jsonPatch) return change(world, call, before, patchedOrRefused(before.body, body));
  if (!isObject(body))
    throw Refusal.problem(400, 'BadRequestError', 'The partial object must be a JSON object.');
  // Whether `tags` is merged or replaced is UNVERIFIED; a partial object replaces what it names.
  return change(world, call, before, { ...before.body, ...body });
}

export function mergeDataSet(world: World, call: AdmittedCall, id: string): Answer {
  const before = matching(call, id);
  const body = jsonObjectBody(call);
  const foreign = Object.keys(body).filter((key) => !MERGED.includes(key));
  if (foreign.length > 0)
    throw Refusal.problem(400, 'BadRequestError', `v2 changes ${MERGED.join(', ')} only, not ${foreign[0]}.`);
  return change(world, call, before, merged(before.body, body));
}

export function replaceDataSet(world: World, call: AdmittedCall, id: string): Answer {
  return change(world, call, matching(call, id), jsonObjectBody(call));
}

/** An unknown id may also answer 200 with an empty array. */
export function deleteDataSet(_world: World, call: AdmittedCall, id: string): Answer {
  return json(200, call.sandbox.dataSets.remove(id) ? [`@/dataSets/${id}`] : []);
}

function change(world: World, call: AdmittedCall, before: DataSet, body: JsonObject): Answer {
  check(call.sandbox, body);
  if (textAt(objectAt(body, 'schemaRef'), 'id') !== textAt(objectAt(before.body, 'schemaRef'), 'id')) {
    throw Refusal.problem(400, 'BadRequestError', 'The schema of a dataset cannot be changed.');
  }
  const after = { ...before, revision: before.revision + 1, updated: world.clock.now(), body };
  call.sandbox.dataSets.put(before.id, after);
  return json(200, [`@/dataSets/${before.id}`], { 'e-tag': version(after) });
}

function check(sandbox: Sandbox, body: JsonObject): void {
  const schemaId = textAt(objectAt(body, 'schemaRef'), 'id');
  if (!schemaId) throw Refusal.problem(400, 'BadRequestError', 'schemaRef.id is required.');
  const schema = lookUp(sandbox, 'schemas', schemaId);
  if (!schema) throw Refusal.problem(400, 'BadRequestError', `The schema ${schemaId} does not exist.`);
  const tags = objectAt(body, 'tags') ?? {};
  for (const [name, values] of Object.entries(tags)) {
    if (Array.isArray(values)) continue;
    throw Refusal.problem(400, 'BadRequestError', `The value of tag '${name}' must be an array of strings.`);
  }
  if (arrayAt(tags, 'unifiedProfile').includes('enabled:true') && !inUnion(schema)) {
    const detail = `The schema ${schemaId} must be valid for profile datasets: it lacks the tag 'union'.`;
    throw Refusal.problem(400, 'BadRequestError', detail);
  }
}

export function existing(call: AdmittedCall, id: string): DataSet {
  const found = call.sandbox.dataSets.get(id);
  if (found) return found;
  throw Refusal.problem(404, 'NotFoundError', `The dataSet with id '${id}' was not found.`);
}

/** With If-Match only the version it names is changed. */
function matching(call: AdmittedCall, id: string): DataSet {
  const found = existing(call, id);
  const wanted = call.headers.get('if-match')?.replace(/^(W\/)?"|"$/g, '');
  if (wanted === undefined || wanted === '*' || wanted === version(found)) return found;
  throw Refusal.problem(
    412,
    'PreconditionFailedError',
    `If-Match '${wanted}' is not the current version '${version(found)}'.`,
  );
}

function version(dataSet: DataSet): string {
  return `1.0.${dataSet.revision}`;
}

function shown(world: World, call: AdmittedCall, dataSet: DataSet): JsonObject {
  const last = call.sandbox.batches.get(call.sandbox.tallies.get(dataSet.id)?.lastBatchId ?? '');
  return {
    ...dataSet.body,
    imsOrg: world.settings.organization,
    sandboxId: call.sandbox.id,
    state: 'DRAFT',
    version: version(dataSet),
    created: dataSet.created,
    updated: dataSet.updated,
    createdClient: call.clientId,
    createdUser: `${call.clientId}@techacct.adobe.com`,
    updatedUser: `${call.clientId}@techacct.adobe.com`,
    namespace: 'ACP',
    files: `@/dataSetFiles?dataSetId=${dataSet.id}`,
    ...(last
      ? { lastBatchId: last.id, lastBatchStatus: last.refused.length > 0 ? 'failed' : 'success' }
      : {}),
  };
}

function tableName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

function merged(left: JsonObject, right: JsonObject): JsonObject {
  const result = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const present = result[key];
    result[key] = isObject(present) && isObject(value) ? merged(present, value) : value;
  }
  return result;
}
