// A resource of Adobe's public XDM, written in JSON-LD and in pieces, as the platform has it: its names, definitions put in, references kept.

import { arrayAt, isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { FACETS } from './field.ts';
import { namespaceOf, placeOf } from './names.ts';

/** `@context` and open namespaces of JSON-LD: the platform has none of it. */
export const JSON_LD = 'https://ns.adobe.com/xdm/common/extensible';

/** What is taken of a node as it is. */
const TAKEN = ['title', 'description', 'type', 'meta:enum', ...FACETS];

/** Whole files by their `$id`: references lead from one into another. */
export type Sources = ReadonlyMap<string, JsonObject>;

/** The resource of this `$id`, its title and its fields in one node. */
export function compatible(id: string, sources: Sources): JsonObject {
  return nodeOf(sources.get(id) ?? {}, { id, sources, within: [], namespace: '' });
}

/** Where a node is read: `#/…` counts from its own file; `within` are the definitions around it, since some hold themselves. */
interface Place {
  readonly id: string;
  readonly sources: Sources;
  readonly within: readonly string[];
  /** Of the field around it. */
  readonly namespace: string;
}

/** A node in the platform's names: definitions put in, references to whole resources kept. */
function nodeOf(source: JsonObject, place: Place): JsonObject {
  const node: JsonObject = {};
  for (const facet of TAKEN) if (source[facet] !== undefined) node[facet] = source[facet];
  const { items, additionalProperties } = source;
  if (isObject(items)) node.items = nodeOf(items, place);
  if (isObject(additionalProperties)) node.additionalProperties = nodeOf(additionalProperties, place);
  else if (typeof additionalProperties === 'boolean') node.additionalProperties = additionalProperties;
  addFields(node, objectAt(source, 'properties') ?? {}, place);
  demand(node, arrayAt(source, 'required').map(String), place);
  const references: string[] = [];
  for (const part of [source, ...arrayAt(source, 'allOf').filter(isObject)]) {
    const reference = textAt(part, '$ref');
    if (reference !== undefined) absorb(node, referred(reference, place), references);
    if (part !== source) absorb(node, nodeOf(part, place), references);
  }
  const refs = [...new Set(references)];
  if (refs.length === 1) node.$ref = refs[0] as string;
  else if (refs.length > 1) node.allOf = refs.map(($ref) => ({ $ref }));
  return node;
}

function referred(reference: string, place: Place): JsonObject {
  const [file = '', pointer = ''] = reference.split('#');
  const id = file || place.id;
  if (id === JSON_LD) return {};
  if (!pointer) return { $ref: id };
  const key = `${id}#${pointer}`;
  const target = pointer
    .split('/')
    .filter(Boolean)
    .reduce<Json | undefined>(
      (level, step) => (isObject(level) ? level[step] : undefined),
      place.sources.get(id),
    );
  if (place.within.includes(key) || !isObject(target)) return { type: 'object' };
  const {
    title: _title,
    description: _description,
    ...node
  } = nodeOf(target, {
    ...place,
    id,
    within: [...place.within, key],
  });
  return node;
}

/** What is there already stays: a reference's own title, say. References are collected. */
function absorb(node: JsonObject, part: JsonObject, references: string[]): void {
  const { $ref, allOf, properties, required, ...rest } = part;
  if (typeof $ref === 'string') references.push($ref);
  if (Array.isArray(allOf)) references.push(...allOf.map((one) => String((one as JsonObject).$ref)));
  for (const [name, value] of Object.entries(rest)) node[name] ??= value;
  if (isObject(properties)) node.properties = merged(objectAt(node, 'properties') ?? {}, properties);
  if (Array.isArray(required)) node.required = [...new Set([...arrayAt(node, 'required'), ...required])];
}

function merged(left: JsonObject, right: JsonObject): JsonObject {
  const result = { ...left };
  for (const [name, field] of Object.entries(right)) {
    const [present, inner] = [objectAt(result, name), objectAt(right, name)];
    const [there, more] = [objectAt(present ?? {}, 'properties'), objectAt(inner ?? {}, 'properties')];
    if (present && there && more) result[name] = { ...present, properties: merged(there, more) };
    else result[name] ??= field;
  }
  return result;
}

function addFields(node: JsonObject, fields: JsonObject, place: Place): void {
  for (const [name, field] of Object.entries(fields)) {
    // Some files have a slip: a text where a field belongs.
    if (!isObject(field)) continue;
    const steps = placeOf(name, place.namespace);
    const inner = { ...place, namespace: namespaceOf(name) || place.namespace };
    const last = steps.pop() as string;
    let here = node;
    for (const step of steps) here = objectWithin(here, step);
    const properties = objectAt(here, 'properties') ?? {};
    here.properties = { ...properties, [last]: nodeOf(field, inner) };
  }
}

function objectWithin(node: JsonObject, name: string): JsonObject {
  const properties = objectAt(node, 'properties') ?? {};
  const inner = objectAt(properties, name) ?? { type: 'object' };
  node.properties = { ...properties, [name]: inner };
  return inner;
}

/** A required `repo:createDate` asks for `_repo`, and for `createDate` in it. */
function demand(node: JsonObject, names: readonly string[], { namespace }: Place): void {
  for (const name of names) {
    let here: JsonObject | undefined = node;
    for (const step of placeOf(name, namespace)) {
      if (here === undefined) break;
      here.required = [...new Set([...arrayAt(here, 'required'), step])];
      here = objectAt(objectAt(here, 'properties') ?? {}, step);
    }
  }
}
