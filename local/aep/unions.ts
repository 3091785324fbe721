// Unions of the registry: for each class, the fields of all schemas that are enabled for Profile; made by the server, read only.
//
// DOCUMENTED (Adobe's page xdm/api/unions, schema-registry.yaml): ids, lists and look-ups, also by way of `/tenant/schemas/`. So are
// the three fields that a union has of its own.
// CONFLICTING: in the file, and in the page's list, a union has its class's title. In the page's look-up it is "Union object for …".
// In a list its version is `1` or `1.0`. The file's title and version are taken here.
// UNKNOWN: what `segmentMembership` and `timeSeriesEvents` look like resolved, and how a union is ordered.

import { type Answer, json } from './answer.ts';
import { condition, fits } from './filter.ts';
import { type AdmittedCall, wholeNumber } from './http.ts';
import { arrayAt, type Json, type JsonObject } from './json.ts';
import { listAccept, lookupAccept } from './registry/accept.ts';
import { notFound } from './registry/crud.ts';
import { resolved } from './registry/resolve.ts';
import { lookUp, refsOf, tenantNamespace } from './registry/resources.ts';
import { inUnion } from './registry/rules.ts';
import type { Route } from './router.ts';
import type { World } from './state.ts';
import type { Field } from './xdm/field.ts';
import { altId, IDENTITY_MAP } from './xdm/names.ts';

const BASE = '/data/foundation/schemaregistry/tenant/unions';
const SUFFIX = '__union';
const MAX_SHOWN = 300;

/** Beside the identity map, which is a field group. */
const OWN_FIELDS: { readonly [name: string]: Field } = {
  timeSeriesEvents: {
    type: 'array',
    'meta:xdmType': 'array',
    items: { type: 'object', 'meta:xdmType': 'object', properties: {} },
  },
  segmentMembership: mapOf(
    mapOf({
      type: 'object',
      'meta:xdmType': 'object',
      properties: {
        lastQualificationTime: { type: 'string', format: 'date-time', 'meta:xdmType': 'date-time' },
        status: { type: 'string', 'meta:xdmType': 'string', enum: ['realized', 'exited'] },
      },
    }),
  ),
};

function mapOf(value: Field): Field {
  return { type: 'object', 'meta:xdmType': 'map', additionalProperties: value };
}

export function unionRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', BASE, (call) => listUnions(world, call)],
    ['GET', `${BASE}/:id`, (call, id = '') => lookUpUnion(world, call, id)],
  ];
}

export function isUnion(id: string): boolean {
  return id.endsWith(SUFFIX);
}

export function lookUpUnion(world: World, call: AdmittedCall, id: string): Answer {
  const { full, version } = lookupAccept(world, call);
  const union = unions(world, call).find((each) => each.$id === id || each['meta:altId'] === id);
  // The code is INFERRED: `1010` to `1017` are for the types of resources, and four are not told.
  if (!union || version !== 1) throw notFound(world, call, 'XDM-1015-404', id, version ?? 1);
  if (!full) return json(200, union);
  const { allOf: _allOf, ...rest } = union;
  const { properties = {}, required } = resolved(call.sandbox, union);
  const all = { ...properties, ...OWN_FIELDS } as unknown as Json;
  return json(200, { ...rest, properties: all, ...(required ? { required } : {}) });
}

function listUnions(world: World, call: AdmittedCall): Answer {
  const { idOnly } = listAccept(world, call);
  const conditions = call.query.getAll('property').map(condition);
  const limit = wholeNumber(call, 'limit', MAX_SHOWN, 0, 500) || MAX_SHOWN;
  const found = unions(world, call).filter((union) => conditions.every((each) => fits(union, each)));
  const results = found.slice(0, limit).map((union) => (idOnly ? brief(union) : union));
  return json(200, {
    results,
    _page: { orderby: 'updated', next: null, count: results.length },
    _links: {},
  });
}

function brief({
  title = null,
  $id = null,
  'meta:altId': other = null,
  version = null,
}: JsonObject): JsonObject {
  return { title, $id, 'meta:altId': other, version };
}

/** One for each class of which a schema is tagged. */
function unions(world: World, call: AdmittedCall): JsonObject[] {
  const members = call.sandbox.registry.schemas.values(call.staleMs).filter(inUnion);
  const classes = [...new Set(members.map((schema) => String(schema['meta:class'])))];
  return classes.map((classId) =>
    unionOf(
      world,
      call,
      classId,
      members.filter((schema) => schema['meta:class'] === classId),
    ),
  );
}

function unionOf(
  world: World,
  { sandbox }: AdmittedCall,
  classId: string,
  members: JsonObject[],
): JsonObject {
  const parts = new Set([classId, IDENTITY_MAP, ...members.flatMap(refsOf)]);
  const extended = members.flatMap((schema) => [String(schema.$id), ...arrayAt(schema, 'meta:extends')]);
  const title = lookUp(sandbox, 'classes', classId)?.title ?? classId;
  const $id = `${classId}${SUFFIX}`;
  return {
    $id,
    'meta:altId': altId($id),
    'meta:resourceType': 'unions',
    version: '1.0',
    title,
    type: 'object',
    description: `Union view of all schemas that extend ${classId}`,
    allOf: [...parts].map(($ref) => ({ $ref })),
    imsOrg: world.settings.organization,
    'meta:extends': [...new Set([...parts, ...extended])],
    'meta:xdmType': 'object',
    'meta:class': classId,
    'meta:registryMetadata': {},
    'meta:containerId': 'tenant',
    'meta:sandboxId': sandbox.id,
    'meta:sandboxType': sandbox.type,
    'meta:tenantNamespace': tenantNamespace(world),
  };
}
