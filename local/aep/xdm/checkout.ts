// Reads a checkout of Adobe's public XDM repository (github.com/adobe/xdm): its classes, field groups and data types as the platform has them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arrayAt, isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { FACETS } from './field.ts';
import { BEHAVIORS, namespaceOf, placeOf } from './names.ts';
import {
  builtInResources,
  type Standard,
  type StandardKind,
  type StandardResource,
  standardOf,
} from './standard.ts';

/** What of a checkout holds resources: `schemas/` has compositions, `docs/` and `archived/` repeat or keep what was. */
const FOLDERS = ['components', 'extensions'];
const FILE = /\.schema\.json$/;

/** `@context` and open namespaces of JSON-LD: the platform has none of it. */
const JSON_LD = 'https://ns.adobe.com/xdm/common/extensible';

/** What is taken of a node as it is. */
const TAKEN = ['title', 'description', 'type', 'meta:enum', ...FACETS];

/** A file that is no checkout of XDM, or no XDM. */
export class CheckoutError extends Error {
  override readonly name = 'CheckoutError';
}

/** What is built in, and what a checkout has, which counts where both have it. @throws CheckoutError */
export function standardWith(folder: string): Standard {
  return standardOf([...builtInResources(), ...readCheckout(folder)]);
}

/** All resources below `folder`, texts included: they are the reader's own copy. @throws CheckoutError */
export function readCheckout(folder: string): StandardResource[] {
  const sources = new Map<string, Source>();
  const folders = FOLDERS.map((name) => join(folder, name)).filter(isFolder);
  for (const file of folders.flatMap(schemaFiles)) {
    const schema = read(file);
    const id = textAt(schema, '$id');
    if (id !== undefined) sources.set(id, { schema, file });
  }
  if (sources.size === 0)
    throw new CheckoutError(
      `${folder} is no checkout of github.com/adobe/xdm: there are no *.schema.json files in its folder "components"`,
    );
  return [...sources].filter(([id]) => id !== JSON_LD).map(([id, source]) => resourceOf(id, source, sources));
}

interface Source {
  readonly schema: JsonObject;
  readonly file: string;
}
type Sources = ReadonlyMap<string, Source>;

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function schemaFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function read(file: string): JsonObject {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(value as Json)) return value as JsonObject;
  } catch (error) {
    throw new CheckoutError(`${file} is not JSON: ${(error as Error).message}`);
  }
  throw new CheckoutError(`${file} is no XDM: expected an object`);
}

function resourceOf(id: string, { schema, file }: Source, sources: Sources): StandardResource {
  const { title, description, ...content } = nodeOf(schema, { id, sources, within: [], namespace: '' });
  return {
    kind: kindOf(id, schema, file),
    id,
    title: typeof title === 'string' ? title : id,
    ...(typeof description === 'string' && { description }),
    extends: arrayAt(schema, 'meta:extends').map(String),
    intendedToExtend: arrayAt(schema, 'meta:intendedToExtend').map(String),
    content,
  };
}

/** Nothing in a file says it outright: where it lies does, and what it extends. */
function kindOf(id: string, schema: JsonObject, file: string): StandardKind {
  const path = file.replaceAll('\\', '/');
  const behaviors: readonly string[] = BEHAVIORS;
  if (behaviors.includes(id)) return 'behaviors';
  if (path.includes('/fieldgroups/') || arrayAt(schema, 'meta:intendedToExtend').length > 0) return 'mixins';
  const isClass = arrayAt(schema, 'meta:extends').some((one) => behaviors.includes(String(one)));
  return isClass ? 'classes' : 'datatypes';
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
      place.sources.get(id)?.schema,
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
