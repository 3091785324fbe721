// Puts a schema's class and field groups together into the one tree of fields that data must fit.

import { Refusal } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Sandbox } from '../state.ts';
import { FACETS, type Field, type Fields } from '../xdm/field.ts';
import { referenced } from './resources.ts';

const DEEPEST = 20;

/** Ours: references that name references, ten times each, are more fields than a memory holds. Adobe's guardrail is 6,000 fields. */
const MAX_NODES = 100_000;

/** One walk along the references of a resource. */
interface Walk {
  readonly sandbox: Sandbox;
  left: number;
}

/** All fields of a resource, `$ref`s followed, as `xed-full` shows them. @throws Refusal where they are beyond number */
export function resolved(sandbox: Sandbox, resource: JsonObject): Field {
  return expand({ sandbox, left: MAX_NODES }, resource, resource, []);
}

/** The resolved schema plus what its primary identity makes mandatory (contract §2.7). */
export function resolvedForData(sandbox: Sandbox, schema: JsonObject): Field {
  const field = resolved(sandbox, schema);
  for (const descriptor of identities(sandbox, String(schema.$id))) {
    if (descriptor['xdm:isPrimary'] === true)
      demand(field, pathSteps(String(descriptor['xdm:sourceProperty'])));
  }
  return field;
}

export function identities(sandbox: Sandbox, schemaId: string): JsonObject[] {
  return sandbox.descriptors
    .values()
    .filter((each) => each['@type'] === 'xdm:descriptorIdentity' && each['xdm:sourceSchema'] === schemaId);
}

/** `/workEmail/address` → its names; Adobe's older samples write `/xdm:workEmail/xdm:address` for the same. */
export function pathSteps(property: string): string[] {
  return property
    .split('/')
    .filter(Boolean)
    .map((step) => step.replace(/^xdm:/, ''));
}

/** The field at a path of names and positions; a map has a field at every key. */
export function fieldAt(root: Field, steps: readonly string[]): Field | undefined {
  let field: Field | undefined = root;
  for (const step of steps) {
    if (!field) return undefined;
    if (field.type === 'array') {
      field = field.items;
      if (/^(\d+|\*)$/.test(step)) continue;
      if (!field) return undefined;
    }
    const own: Field | undefined = Object.hasOwn(field.properties ?? {}, step)
      ? field.properties?.[step]
      : undefined;
    field = own ?? (typeof field.additionalProperties === 'object' ? field.additionalProperties : undefined);
  }
  return field;
}

function demand(root: Field, steps: readonly string[]): void {
  let field: Field | undefined = root;
  for (const step of steps) {
    if (!field?.properties || !Object.hasOwn(field.properties, step)) return;
    if (!field.required?.includes(step)) field.required = [...(field.required ?? []), step];
    field = field.properties[step];
  }
}

/** @param within the references on the way here: what holds itself is cut */
function expand(walk: Walk, node: JsonObject, root: JsonObject, within: readonly string[]): Field {
  if (walk.left-- === 0)
    throw Refusal.problem(400, 'BadRequestError', `The resource ${root.$id} has too many fields.`);
  const {
    $ref,
    allOf,
    properties,
    items,
    additionalProperties,
    definitions: _definitions,
    required,
    ...facets
  } = node;
  const field: Field = { ...(facets as Field) };
  if (Array.isArray(required)) field.required = required.map(String);
  if (isObject(properties)) {
    field.properties = Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [name, expandNode(walk, inner, root, within)]),
    );
  }
  if (isObject(items)) field.items = expandNode(walk, items, root, within);
  if (isObject(additionalProperties))
    field.additionalProperties = expandNode(walk, additionalProperties, root, within);
  else if (typeof additionalProperties === 'boolean') field.additionalProperties = additionalProperties;
  const parts: Json[] = [
    ...(typeof $ref === 'string' ? [{ $ref }] : []),
    ...(Array.isArray(allOf) ? allOf : []),
  ];
  for (const part of parts) if (isObject(part)) absorb(field, partOf(walk, part, root, within));
  if (field.type === undefined && field.properties) field.type = 'object';
  field['meta:xdmType'] ??= xdmType(field);
  return field;
}

function expandNode(walk: Walk, node: Json, root: JsonObject, within: readonly string[]): Field {
  return isObject(node) ? expand(walk, node, root, within) : {};
}

function partOf(walk: Walk, part: JsonObject, root: JsonObject, within: readonly string[]): Field {
  const ref = part.$ref;
  if (typeof ref !== 'string') return expand(walk, part, root, within);
  const isLocal = ref.startsWith('#/');
  const key = isLocal ? `${root.$id}${ref}` : ref;
  if (within.includes(key) || within.length > DEEPEST) return {};
  const inner = [...within, key];
  if (isLocal) {
    const target = ref
      .slice(2)
      .split('/')
      .reduce<Json | undefined>((level, step) => (isObject(level) ? level[step] : undefined), root);
    return isObject(target) ? expand(walk, target, root, inner) : {};
  }
  const found = referenced(walk.sandbox, ref)?.resource;
  return found ? expand(walk, found, found, inner) : {};
}

/** Only structure is taken over: a field group's title is not the schema's. */
function absorb(field: Field, part: Field): void {
  if (part.type !== undefined) field.type ??= part.type;
  if (part.items) field.items ??= part.items;
  if (part.additionalProperties !== undefined) field.additionalProperties ??= part.additionalProperties;
  if (part.required) field.required = [...new Set([...(field.required ?? []), ...part.required])];
  for (const facet of FACETS) {
    if (part[facet] !== undefined && field[facet] === undefined)
      Object.assign(field, { [facet]: part[facet] });
  }
  if (part.properties) field.properties = merged(field.properties ?? {}, part.properties);
}

function merged(left: Fields, right: Fields): Fields {
  const result: Fields = { ...left };
  for (const [name, field] of Object.entries(right)) {
    const present = result[name];
    if (present?.properties && field.properties) {
      const copy = { ...present };
      absorb(copy, field);
      result[name] = copy;
    } else result[name] ??= field;
  }
  return result;
}

function xdmType(field: Field): string {
  if (field.type === 'string')
    return field.format === 'date' || field.format === 'date-time' ? field.format : 'string';
  if (field.type === 'integer') return 'int';
  if (field.type === 'object' && typeof field.additionalProperties === 'object' && !field.properties)
    return 'map';
  return field.type ?? 'object';
}
