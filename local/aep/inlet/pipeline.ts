// The flow's mapping and the schema's validator behind an inlet, compiled once and cached as long as AEP caches them.

import { compileMapping, type MapRow, type Warning } from '../data-prep/mapping.ts';
import { surroundings } from '../data-prep/trial.ts';
import { arrayAt, isObject, type JsonObject, objectAt, textAt } from '../json.ts';
import { resolvedForData } from '../registry/resolve.ts';
import { lookUp } from '../registry/resources.ts';
import type { DataSet, Flow, Sandbox, Violation, World } from '../state.ts';
import type { Field } from '../xdm/field.ts';
import { compileValidator, type Validate } from '../xdm/validator.ts';

export interface Pipeline {
  readonly dataSet: DataSet;
  readonly schemaId: string;
  readonly map: MapRow | undefined;
  readonly validate: Validate;
}

interface CachedSchema {
  readonly at: number;
  readonly revision: number;
  readonly field: Field;
  readonly validate: Validate;
}

interface CachedPipeline {
  readonly etag: string;
  readonly schema: CachedSchema;
  readonly pipeline: Pipeline;
}

/** What was compiled: schemas by sandbox and id, pipelines by flow. */
export interface Compiled {
  readonly schemas: Map<string, CachedSchema>;
  readonly pipelines: Map<string, CachedPipeline>;
}

/** The flow's pipeline, or why it leads nowhere. */
export function pipelineOf(
  world: World,
  compiled: Compiled,
  sandbox: Sandbox,
  flow: Flow,
): Pipeline | string {
  const target = sandbox.targetConnections.get(String(arrayAt(flow.body, 'targetConnectionIds')[0]));
  const dataSet = sandbox.dataSets.get(textAt(objectAt(target?.body, 'params'), 'dataSetId') ?? '');
  if (!dataSet) return 'the dataset is gone';
  const schemaId = textAt(objectAt(dataSet.body, 'schemaRef'), 'id') ?? '';
  const schema = schemaOf(world, compiled, sandbox, schemaId);
  if (!schema) return 'the schema is gone';
  const known = compiled.pipelines.get(flow.id);
  if (known?.etag === flow.etag && known.schema === schema) return { ...known.pipeline, dataSet };
  const { validation } = world.settings;
  const map = validation ? mappingOf(world, sandbox, flow, schema.field) : undefined;
  if (typeof map === 'string') return map;
  const pipeline = { dataSet, schemaId, map, validate: validation ? schema.validate : anything };
  compiled.pipelines.set(flow.id, { etag: flow.etag, schema, pipeline });
  return pipeline;
}

/** A change of a schema takes effect when the cached one expires (contract §6.4: up to 15 minutes). */
export function schemaOf(
  world: World,
  compiled: Compiled,
  sandbox: Sandbox,
  id: string,
): CachedSchema | undefined {
  const now = world.clock.now();
  const key = `${sandbox.name} ${id}`;
  const known = compiled.schemas.get(key);
  if (known && now - known.at < world.settings.schemaCacheMs) return known;
  const revision = revisionOf(sandbox);
  const body = lookUp(sandbox, 'schemas', id);
  if (!body) return undefined;
  if (known?.revision === revision) return known;
  const field = resolvedForData(sandbox, body);
  const fresh = { at: now, revision, field, validate: compileValidator(field) };
  compiled.schemas.set(key, fresh);
  return fresh;
}

function mappingOf(world: World, sandbox: Sandbox, flow: Flow, schema: Field): MapRow | undefined | string {
  const transformation = arrayAt(flow.body, 'transformations').find(isObject);
  if (!transformation) return undefined;
  const params = objectAt(transformation, 'params');
  const set = sandbox.mappingSets.get(String(params?.mappingId));
  const version = set?.versions[Number(params?.mappingVersion ?? 0)];
  if (!version) return 'the mapping set is gone';
  try {
    return compileMapping(version, schema, surroundings(world));
  } catch {
    // The cached schema may lack a destination. Then its column is dropped, and the flow goes on.
    return compileMapping(version, undefined, surroundings(world));
  }
}

const NO_VIOLATIONS: Violation[] = [];
const anything: Validate = () => NO_VIOLATIONS;

function revisionOf(sandbox: Sandbox): number {
  const { schemas, mixins, classes, datatypes } = sandbox.registry;
  return [schemas, mixins, classes, datatypes, sandbox.descriptors].reduce(
    (sum, shelf) => sum + shelf.revision,
    0,
  );
}

export interface Outcome {
  readonly record: JsonObject;
  readonly violations: readonly Violation[];
  readonly warnings: readonly Warning[];
}

export function process(pipeline: Pipeline, source: JsonObject): Outcome {
  if (!pipeline.map) return { record: source, violations: pipeline.validate(source), warnings: [] };
  const { record, warnings } = pipeline.map(source);
  return { record, violations: pipeline.validate(record), warnings };
}

/** Whether a failed transformation took a field that then was required. */
export function causedByMapping(outcome: Outcome): boolean {
  return outcome.violations.some(
    ({ missing }) =>
      missing !== undefined &&
      outcome.warnings.some(({ mapping }) => mapping.destination.split('.').includes(missing)),
  );
}
