// What reaches Profile and the Identity Service of a message with operations, and why it does not (contract §6.2).

import { arrayAt, isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { identities, pathSteps } from '../registry/resolve.ts';
import type { DataSet, Sandbox } from '../state.ts';
import type { Validate } from '../xdm/validator.ts';

/** Why Profile is left as it is; nothing of it shows in any answer. Adobe: data-prep/upserts.md, "Dynamically pass primary identities". */
export function notInProfile(sandbox: Sandbox, dataSet: DataSet, record: JsonObject): string | undefined {
  if (!isOn(dataSet, 'unifiedProfile')) return 'the dataset is not in Profile';
  return isIdentified(sandbox, dataSet, record) ? undefined : 'the record has no primary identity';
}

/**
 * Why no identity is linked. AEP does not refuse a dataset in Profile, nor the pipeline's own. It then overwrites what is there
 * instead of updating it (data-prep/upserts.md, "Configure the identity dataset"). Here nothing is linked then.
 */
export function notLinked(
  sandbox: Sandbox,
  dataSet: DataSet,
  header: JsonObject,
  validate: Validate,
  record: JsonObject,
): string | undefined {
  const id = textAt(objectAt(header, 'operations'), 'identityDatasetId');
  if (id === undefined) return 'no identity dataset is named';
  const found = sandbox.dataSets.get(id);
  if (!found) return 'the identity dataset is not there';
  if (id === dataSet.id) return 'the identity dataset is that of the data: it is overwritten';
  if (schemaOf(found) !== schemaOf(dataSet)) return 'the identity dataset is of another schema';
  if (isOn(found, 'unifiedProfile')) return 'the identity dataset is in Profile: it is overwritten';
  if (!isOn(found, 'unifiedIdentity')) return 'the identity dataset is not enabled for the Identity Service';
  if (isValidated(found) && validate(identitiesIn(sandbox, dataSet, record)).length > 0)
    return 'the identity dataset asks for fields that are no identities';
  return undefined;
}

/** One of Adobe's samples has a blank in it. */
function isOn({ body }: DataSet, tag: string): boolean {
  const values = arrayAt(objectAt(body, 'tags') ?? {}, tag);
  return values.some((value) => String(value).replaceAll(' ', '') === 'enabled:true');
}

function isValidated({ body }: DataSet): boolean {
  return !arrayAt(objectAt(body, 'tags') ?? {}, 'acp_validationContext').includes('disabled');
}

function schemaOf({ body }: DataSet): string | undefined {
  return textAt(objectAt(body, 'schemaRef'), 'id');
}

function isIdentified(sandbox: Sandbox, dataSet: DataSet, record: JsonObject): boolean {
  const primary = identities(sandbox, schemaOf(dataSet) ?? '').find((each) => each['xdm:isPrimary'] === true);
  if (primary) {
    const value = valueAt(record, pathSteps(String(primary['xdm:sourceProperty'])));
    return typeof value === 'string' && value !== '';
  }
  return Object.values(objectAt(record, 'identityMap') ?? {}).some(
    (entries) =>
      Array.isArray(entries) &&
      entries.some((entry) => isObject(entry) && entry.primary === true && entry.id),
  );
}

function valueAt(record: JsonObject, steps: readonly string[]): Json | undefined {
  return steps.reduce<Json | undefined>((level, step) => (isObject(level) ? level[step] : undefined), record);
}

/** All that the Identity Service is sent of a record. */
function identitiesIn(sandbox: Sandbox, dataSet: DataSet, record: JsonObject): JsonObject {
  const result: JsonObject = record.identityMap === undefined ? {} : { identityMap: record.identityMap };
  for (const each of identities(sandbox, schemaOf(dataSet) ?? '')) {
    const steps = pathSteps(String(each['xdm:sourceProperty']));
    const value = valueAt(record, steps);
    if (value !== undefined) put(result, steps, value);
  }
  return result;
}

function put(target: JsonObject, steps: readonly string[], value: Json): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (rest.length === 0) {
    target[step] = value;
    return;
  }
  const inner = objectAt(target, step) ?? {};
  target[step] = inner;
  put(inner, rest, value);
}
