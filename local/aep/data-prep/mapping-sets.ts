// Mapping sets: made with 200, versioned by PUT, shown in the current and the legacy form at once (contract §5).

import { type Answer, empty, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { type AdmittedCall, jsonObjectBody, wholeNumber } from '../http.ts';
import { arrayAt, isObject, type JsonObject, objectAt, textAt } from '../json.ts';
import { resolved } from '../registry/resolve.ts';
import { lookUp } from '../registry/resources.ts';
import type { MappingSet, Sandbox, World } from '../state.ts';
import type { Field } from '../xdm/field.ts';
import { faultsOf, mappingsOf } from './mapping.ts';
import { mappingSchema } from './target-schema.ts';

export function createMappingSet(world: World, call: AdmittedCall): Answer {
  const given = jsonObjectBody(call);
  if (call.query.get('validate')?.toLowerCase() !== 'false') check(call.sandbox, given);
  const now = world.clock.now();
  const id = world.ids.hex(32);
  const body = withRowIds(world, given);
  const set = {
    id,
    version: 0,
    createdDate: now,
    modifiedDate: now,
    createdBy: call.clientId,
    body,
    versions: [body],
  };
  call.sandbox.mappingSets.put(id, set);
  // 200, not 201.
  return json(200, brief(set));
}

export function listMappingSets(world: World, call: AdmittedCall): Answer {
  // Adobe's description requires `start` as well; its own client (aepp, getMappingSets) never sends it.
  if (!call.query.has('limit'))
    throw Refusal.problem(400, 'BadRequestError', "The query parameter 'limit' is required.");
  const limit = wholeNumber(call, 'limit', 100, 1, 1000);
  const start = wholeNumber(call, 'start', 0, 0, Number.MAX_SAFE_INTEGER);
  const name = call.query.get('name');
  const all = call.sandbox.mappingSets
    .values(call.staleMs)
    .filter((set) => name === null || set.body.name === name);
  const orderBy = call.query.get('orderBy') ?? '';
  const date = orderBy.includes('updated') ? 'modifiedDate' : 'createdDate';
  const sorted = orderBy.startsWith('-')
    ? [...all].sort((a, b) => b[date] - a[date])
    : [...all].sort((a, b) => a[date] - b[date]);
  const page = sorted.slice(start, start + limit).map((set) => shown(world, call, set, set.version));
  return json(200, { data: page, _page: { count: page.length, limit }, _links: {} });
}

export function getMappingSet(world: World, call: AdmittedCall, id: string): Answer {
  const set = existing(call, id);
  const version = wholeNumber(call, 'version', set.version, 0, set.version);
  return json(200, shown(world, call, set, version));
}

/** A full rewrite; the version goes up by one (INFERRED). */
export function replaceMappingSet(world: World, call: AdmittedCall, id: string): Answer {
  const before = existing(call, id);
  const given = jsonObjectBody(call);
  check(call.sandbox, given);
  const body = withRowIds(world, given);
  const after: MappingSet = {
    ...before,
    version: before.version + 1,
    modifiedDate: world.clock.now(),
    body,
    versions: [...before.versions, body],
  };
  call.sandbox.mappingSets.put(id, after);
  return json(200, shown(world, call, after, after.version));
}

/** Neither in Adobe's OpenAPI nor in its pages, but aepp calls it. */
export function deleteMappingSet(_world: World, call: AdmittedCall, id: string): Answer {
  existing(call, id);
  call.sandbox.mappingSets.remove(id);
  return empty(204);
}

/** A bare array: so it is in Adobe's sample (data-prep/api/mapping-set.md); its description names a single mapping here. */
export function listMappings(world: World, call: AdmittedCall, id: string): Answer {
  const set = existing(call, id);
  return json(200, arrayAt(shown(world, call, set, set.version), 'mappings'));
}

export function getMapping(world: World, call: AdmittedCall, id: string, rowId: string): Answer {
  const set = existing(call, id);
  const row = arrayAt(shown(world, call, set, set.version), 'mappings').find(
    (each) => textAt(each, 'id') === rowId,
  );
  if (row !== undefined) return json(200, row);
  throw Refusal.problem(404, 'NotFoundError', `The mapping ${rowId} was not found in the mapping set ${id}.`);
}

/** Throws when a mapping could not work; the contract marks the body UNVERIFIED. */
function check(sandbox: Sandbox, set: JsonObject): void {
  const schema = schemaOf(sandbox, set);
  if (arrayAt(set, 'mappings').length === 0)
    throw Refusal.dataPrep('DPMAP-1002-400', 'The mapping set has no mappings.');
  const mappings = mappingsOf(set);
  faultsOf(set, schema).forEach((fault, index) => {
    if (fault === null) return;
    const mapping = mappings[index];
    const called =
      mapping && typeof mapping !== 'string'
        ? `'${mapping.source}' to '${mapping.destination}'`
        : 'incomplete';
    throw Refusal.dataPrep('DPMAP-1003-400', `Mapping ${index + 1} (${called}) is not valid: ${fault}.`);
  });
}

/** A set is checked against its schema, so the schema must exist. That holds for a trial too. */
export function schemaOf(sandbox: Sandbox, set: JsonObject): Field {
  const { id } = mappingSchema(set);
  const schema = lookUp(sandbox, 'schemas', id);
  if (schema) return resolved(sandbox, schema);
  throw Refusal.dataPrep('DPMAP-1001-400', `The schema '${id}' of the mapping set does not exist.`);
}

function existing(call: AdmittedCall, id: string): MappingSet {
  const set = call.sandbox.mappingSets.get(id);
  if (set) return set;
  throw Refusal.problem(404, 'NotFoundError', `The mapping set ${id} was not found.`);
}

function withRowIds(world: World, set: JsonObject): JsonObject {
  const mappings = arrayAt(set, 'mappings').map((row) =>
    isObject(row) ? { id: world.ids.hex(32), ...row } : row,
  );
  return { ...set, mappings };
}

function brief(set: MappingSet): JsonObject {
  const by = `${set.createdBy}@techacct.adobe.com`;
  const { id, version, createdDate, modifiedDate } = set;
  return { id, version, createdDate, modifiedDate, createdBy: by, modifiedBy: by };
}

function shown(world: World, call: AdmittedCall, set: MappingSet, version: number): JsonObject {
  const body = set.versions[version] ?? set.body;
  const { id: schemaId, version: schemaVersion } = mappingSchema(body);
  const schema = lookUp(call.sandbox, 'schemas', schemaId);
  const contentType = textAt(objectAt(objectAt(body, 'outputSchema'), 'schemaRef'), 'contentType');
  const expanded =
    call.query.get('expandSchema') === 'true' && schema
      ? { jsonSchema: JSON.stringify(resolved(call.sandbox, schema)) }
      : {};
  return {
    ...brief(set),
    version,
    imsOrg: world.settings.organization,
    sandboxId: call.sandbox.id,
    sandboxName: call.sandbox.name,
    ...(typeof body.name === 'string' ? { name: body.name } : {}),
    status: 'PUBLISHED',
    inputSchema: objectAt(body, 'inputSchema') ?? {},
    outputSchema: {
      schemaRef: {
        id: schema?.$id ?? schemaId,
        contentType: contentType ?? `application/vnd.adobe.xed-full+json;version=${schemaVersion}`,
      },
      ...expanded,
    },
    xdmSchema: schema?.['meta:altId'] ?? schemaId,
    xdmVersion: String(body.xdmVersion ?? schema?.version ?? '1.0'),
    mappings: arrayAt(body, 'mappings').map((row, index) =>
      shownRow(row, mappingsOf(body)[index], version, set),
    ),
  };
}

/** The words of Adobe's OpenAPI file for rows that are read; how a static row is read back is UNVERIFIED. */
const READ_BACK = {
  ATTRIBUTE: 'text/x.schema-path',
  EXPRESSION: 'text/x.aep-xl',
  STATIC: 'STATIC',
} as const;

function shownRow(
  given: unknown,
  mapping: ReturnType<typeof mappingsOf>[number] | undefined,
  version: number,
  set: MappingSet,
): JsonObject {
  const row = isObject(given) ? given : {};
  if (!mapping || typeof mapping === 'string') return row;
  return {
    ...row,
    version,
    createdDate: set.createdDate,
    modifiedDate: set.modifiedDate,
    source: mapping.source,
    sourceType: READ_BACK[mapping.sourceType],
    destination: mapping.destination,
    sourceAttribute: mapping.source,
    destinationXdmPath: mapping.destination,
    identity: row.identity ?? false,
    primaryIdentity: row.primaryIdentity ?? false,
  };
}
