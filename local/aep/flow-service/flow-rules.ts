// What a flow must be before it runs: ends that exist, a spec that joins them, a mapping for the right schema (contract §4.2, §4.6).

import { faultsOf } from '../data-prep/mapping.ts';
import { majorVersion, mappingSchema } from '../data-prep/target-schema.ts';
import type { AdmittedCall } from '../http.ts';
import { arrayAt, isObject, type JsonObject, objectAt, textAt } from '../json.ts';
import { resolved } from '../registry/resolve.ts';
import { lookUp } from '../registry/resources.ts';
import type { Entity, MappingSet, Sandbox } from '../state.ts';
import { provider } from './connections.ts';
import { invalid, missing } from './entities.ts';
import { FLOW_SPECS, type FlowSpec, HTTP_API } from './specs.ts';

/** What a flow is made of, looked up. */
export interface FlowParts {
  readonly spec: FlowSpec;
  readonly source: Entity;
  readonly base: Entity | undefined;
  readonly target: Entity;
  readonly mapping: { readonly set: MappingSet; readonly version: number } | undefined;
}

export function checkFlow(call: AdmittedCall, body: JsonObject): FlowParts {
  const spec = flowSpecOf(body);
  const source = end(call, 'sourceConnections', arrayAt(body, 'sourceConnectionIds')[0]);
  const target = end(call, 'targetConnections', arrayAt(body, 'targetConnectionIds')[0]);
  joinable(spec.sources, source, 'source');
  joinable(spec.targets, target, 'target');
  const base = call.sandbox.connections.get(String(source.body.baseConnectionId));
  if (!base) throw missing(call, 'connections', String(source.body.baseConnectionId), 400);
  const mapping = mappingOf(call, spec, body);
  if (!mapping && needsMapping(spec, source, base)) throw provider('raw data needs a Mapping transformation');
  if (mapping) {
    checkSchemas(call.sandbox, mapping.set, mapping.version, target);
    checkMapping(call.sandbox, mapping.set, mapping.version);
  }
  return { spec, source, base, target, mapping };
}

export function flowSpecOf(body: JsonObject): FlowSpec {
  const id = textAt(objectAt(body, 'flowSpec'), 'id');
  const spec = FLOW_SPECS.find((each) => each.id === id);
  if (spec) return spec;
  throw invalid(
    '1413-400',
    `The spec ID provided is invalid: ${id ?? 'flowSpec.id is missing'}. Please provide a valid spec ID and try again.`,
  );
}

function end(call: AdmittedCall, kind: 'sourceConnections' | 'targetConnections', id: unknown): Entity {
  if (typeof id !== 'string') throw provider(`${kind.slice(0, -1)}Ids is required`);
  const found = call.sandbox[kind].get(id);
  if (found) return found;
  throw missing(call, kind, id, 400);
}

function joinable(allowed: readonly string[], entity: Entity, role: string): void {
  const id = textAt(objectAt(entity.body, 'connectionSpec'), 'id') ?? '';
  if (allowed.includes(id)) return;
  throw invalid(
    '1413-400',
    `The spec ID provided is invalid: the flow spec takes no ${role} of the connection spec ${id}.`,
  );
}

function needsMapping(spec: FlowSpec, source: Entity, base: Entity): boolean {
  if (spec.mapping === 'required') return true;
  const http = textAt(objectAt(source.body, 'connectionSpec'), 'id') === HTTP_API;
  const params = http ? objectAt(objectAt(base.body, 'auth'), 'params') : objectAt(source.body, 'params');
  return params?.dataType === 'raw';
}

function mappingOf(call: AdmittedCall, spec: FlowSpec, body: JsonObject): FlowParts['mapping'] {
  const given = arrayAt(body, 'transformations')[0];
  if (given === undefined) return undefined;
  if (spec.mapping === 'none') throw provider('this flow spec takes no transformation');
  if (!isObject(given) || given.name !== 'Mapping')
    throw provider("the transformation must be named 'Mapping'");
  const params = objectAt(given, 'params') ?? {};
  const id = String(params.mappingId ?? '');
  const version = Number(params.mappingVersion ?? 0);
  const set = call.sandbox.mappingSets.get(id);
  if (!set) {
    const detail = `Error while validating mapping with id ${id}, version ${version}. Please check your mapping or contact your admin.`;
    throw invalid('1419-400', detail);
  }
  if (!Number.isInteger(version) || !set.versions[version]) {
    throw invalid('1412-400', 'Invalid Mapping Version in request. Please provide correct mapping version.');
  }
  return { set, version };
}

/** `FLOW-1425-400`: same schema, same version, in the mapping and in the target's dataset. */
function checkSchemas(sandbox: Sandbox, set: MappingSet, version: number, target: Entity): void {
  const dataSetId = textAt(objectAt(target.body, 'params'), 'dataSetId') ?? '';
  const ofDataSet = objectAt(sandbox.dataSets.get(dataSetId)?.body, 'schemaRef');
  const ofMapping = mappingSchema(set.versions[version] ?? {});
  const own = lookUp(sandbox, 'schemas', ofMapping.id)?.$id ?? ofMapping.id;
  if (
    ofDataSet &&
    ofDataSet.id === own &&
    majorVersion(textAt(ofDataSet, 'contentType')) === ofMapping.version
  )
    return;
  const detail = `Error while matching schema in target dataset ${dataSetId} with schema in mapping ${set.id}. Schema with same id and version must be used in both mapping and target dataset.`;
  throw invalid('1425-400', detail);
}

/** A set that was kept without validation is looked at here. */
function checkMapping(sandbox: Sandbox, set: MappingSet, version: number): void {
  const body = set.versions[version] ?? {};
  const schema = lookUp(sandbox, 'schemas', mappingSchema(body).id);
  const fault = faultsOf(body, schema && resolved(sandbox, schema)).find((each) => each !== null);
  if (!fault) return;
  const detail = `Error while validating mapping with id ${set.id}, version ${version}: ${fault}. Please check your mapping or contact your admin.`;
  throw invalid('1419-400', detail);
}
