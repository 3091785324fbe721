// Catalog's dataSets: created by reference, listed as a map, versioned by E-Tag (contract §3.1–3.3).

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { type AdmittedCall, callHeader, jsonBody, jsonObjectBody, mediaType } from '../http.ts';
import { arrayAt, isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { patchedOrRefused } from '../json-patch.ts';
import { lookUp } from '../registry/resources.ts';
import { inUnion } from '../registry/rules.ts';
import type { DataSet, Sandbox, World } from '../state.ts';
import { statusOf } from './batches.ts';
import { type LastBatches, lastBatchesOf } from './last-batches.ts';
import { withExpirations } from './row-expiration.ts';
import { select, trimmed } from './select.ts';

const PROFILE = 'unifiedProfile';

/** The fields the `v2` deep merge touches. */
const MERGED = ['description', 'tags', 'extensions', 'classification'];

export function createDataSet(world: World, call: AdmittedCall): Answer {
  const body = jsonObjectBody(call);
  check(call.sandbox, body);
  const id = world.ids.hex(24);
  const reference = [`@/dataSets/${id}`];
  if (callHeader(call, 'pragma') === 'validate-only') return json(200, []);
  const now = world.clock.now();
  const tags = { 'adobe/pqs/table': [tableName(textAt(body, 'name') ?? id)], ...objectAt(body, 'tags') };
  const kept = stamped({ ...body, tags }, now);
  call.sandbox.dataSets.put(id, { id, revision: 0, created: now, updated: now, body: kept });
  return json(201, reference, { location: `/data/foundation/catalog/dataSets/${id}`, 'e-tag': '1.0.0' });
}

export function listDataSets(world: World, call: AdmittedCall): Answer {
  const batches = lastBatchesOf(world, call.sandbox);
  const all = call.sandbox.dataSets
    .values(call.staleMs)
    .map((each) => [each.id, shown(world, call, each, batches.get(each.id))] as const);
  return json(200, Object.fromEntries(select(call, all)));
}

export function getDataSet(world: World, call: AdmittedCall, id: string): Answer {
  const found = existing(call, id);
  return json(
    200,
    { [id]: trimmed(call, shown(world, call, found, lastBatchesOf(world, call.sandbox).get(id))) },
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
  const after = merged(before.body, body);
  const expiring = {
    forEvents: classification(call.sandbox, after).dataBehavior === 'time-series',
    inProfile: isOn(arrayAt(objectAt(after, 'tags') ?? {}, PROFILE)),
    now: world.clock.now(),
  };
  return change(world, call, before, withExpirations(before, after, expiring));
}

export function replaceDataSet(world: World, call: AdmittedCall, id: string): Answer {
  return change(world, call, matching(call, id), jsonObjectBody(call));
}

export function deleteDataSet(world: World, call: AdmittedCall, id: string): Answer {
  if (world.settings.quirks['dataset-deletion'] === '404') existing(call, id);
  return json(200, call.sandbox.dataSets.remove(id) ? [`@/dataSets/${id}`] : []);
}

function change(world: World, call: AdmittedCall, before: DataSet, body: JsonObject): Answer {
  check(call.sandbox, body);
  if (textAt(objectAt(body, 'schemaRef'), 'id') !== textAt(objectAt(before.body, 'schemaRef'), 'id')) {
    throw Refusal.problem(400, 'BadRequestError', 'The schema of a dataset cannot be changed.');
  }
  const updated = world.clock.now();
  const after = { ...before, revision: before.revision + 1, updated, body: stamped(body, updated) };
  call.sandbox.dataSets.put(before.id, after);
  return json(200, [`@/dataSets/${before.id}`], { 'e-tag': version(after) });
}

/**
 * A dataset in Profile says since when, in UTC. Answers that Adobe's own tutorials print show that (experience-league-tech-insiders,
 * Query Service), and no page describes it. A caller may write the tag anew without the time. What happens then is not known: here
 * it becomes the current time.
 */
function stamped(body: JsonObject, now: number): JsonObject {
  const tags = objectAt(body, 'tags') ?? {};
  const entries = arrayAt(tags, PROFILE);
  if (!isOn(entries) || entries.some((each) => String(each).startsWith('enabledAt:'))) return body;
  const at = new Date(now).toISOString().slice(0, 19).replace('T', ' ');
  return { ...body, tags: { ...tags, [PROFILE]: [...entries, `enabledAt:${at}`] } };
}

/** One of Adobe's samples has a blank in it. */
function isOn(entries: readonly Json[]): boolean {
  return entries.some((each) => String(each).replaceAll(' ', '') === 'enabled:true');
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
  if (isOn(arrayAt(tags, PROFILE)) && !inUnion(schema)) {
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
  const wanted = callHeader(call, 'if-match')?.replace(/^(W\/)?"|"$/g, '');
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

function shown(
  world: World,
  call: AdmittedCall,
  dataSet: DataSet,
  batches: LastBatches | undefined,
): JsonObject {
  const { body } = dataSet;
  return {
    ...body,
    enableErrorDiagnostics: body.enableErrorDiagnostics ?? false,
    classification: { ...classification(call.sandbox, body), ...objectAt(body, 'classification') },
    extensions: merged(
      objectAt(body, 'extensions') ?? {},
      extensions(world, call.sandbox, dataSet.id, batches),
    ),
    imsOrg: world.settings.organization,
    sandboxId: call.sandbox.id,
    // `DRAFT` in Adobe's samples of 2018 and 2021, `ACTIVE` in those of 2024.
    state: 'ACTIVE',
    version: version(dataSet),
    created: dataSet.created,
    updated: dataSet.updated,
    createdClient: call.clientId,
    createdUser: `${call.clientId}@techacct.adobe.com`,
    updatedUser: `${call.clientId}@techacct.adobe.com`,
    namespace: 'ACP',
    viewId: viewId(dataSet.id),
    files: `@/dataSetFiles?dataSetId=${dataSet.id}`,
    ...(batches ? lastOf(batches, world.clock.now()) : {}),
  };
}

function lastOf({ last, succeeded, failed }: LastBatches, now: number): JsonObject {
  return {
    lastBatchId: last.id,
    lastBatchStatus: statusOf(last, now),
    ...(succeeded ? { lastSuccessfulBatch: succeeded.id } : {}),
    ...(failed ? { lastFailedBatch: failed.id } : {}),
  };
}

/** What kind of data it takes is its schema's. */
function classification(sandbox: Sandbox, body: JsonObject): JsonObject {
  const schema = lookUp(sandbox, 'schemas', textAt(objectAt(body, 'schemaRef'), 'id') ?? '');
  const behaviors = arrayAt(schema ?? {}, 'meta:extends').map((each) => String(each).split('/').at(-1));
  const dataBehavior = ['time-series', 'adhoc'].find((each) => behaviors.includes(each)) ?? 'record';
  return { dataBehavior, managedBy: 'CUSTOMER' };
}

/** Rows and bytes in the lake. Adobe's samples have an empty object for Profile. */
function extensions(
  world: World,
  sandbox: Sandbox,
  id: string,
  batches: LastBatches | undefined,
): JsonObject {
  const rowCount = sandbox.tallies.get(id)?.landed ?? 0;
  const metrics = { storageSize: batches?.storedBytes ?? 0, rowCount, asOf: world.clock.now() };
  return { adobe_lakeHouse: { metrics }, adobe_unifiedProfile: {} };
}

/** The dataset's id plus one, as in most of Adobe's samples. */
export function viewId(id: string): string {
  return (BigInt(`0x${id}`) + 1n).toString(16).padStart(id.length, '0').slice(-id.length);
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
