// Reads the table of facts about Adobe's XDM (facts.txt): a resource a block, a field a line.
//
//   fieldgroup xdm:context/experienceevent-web for xdm:context/experienceevent
//    web xdm:context/webinfo
//
// A line is a name, a type, and as JSON what else a value has to be. A type is a word of JSON Schema (`string(date)` with a
// format), `any`, or the `$id` of another resource; `[]` before it is a list of it, `{}` a map. Deeper lines are the fields of
// the object above. `+` is a resource whose fields are here too, `!` names the fields that are required, `=` is what else a resource
// has to be.

import type { JsonObject } from '../json.ts';

/** Field groups keep their old name, `mixins`. */
export type StandardKind = 'behaviors' | 'classes' | 'mixins' | 'datatypes';

export interface StandardResource {
  readonly kind: StandardKind;
  /** Its `$id`. */
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  readonly extends: readonly string[];
  readonly intendedToExtend: readonly string[];
  /** Its fields in the platform's names; a `$ref` is the `$id` of another one. */
  readonly content: JsonObject;
}

const KINDS: Readonly<Record<string, StandardKind>> = {
  behavior: 'behaviors',
  class: 'classes',
  fieldgroup: 'mixins',
  datatype: 'datatypes',
};

const FIELD = /^ *(\S+) (\S+)(?: (\{.*\}))?$/;
const LIST = /^\[(\d*)(?:\.\.(\d*))?\]/;

/** Names that people know, which say what an id does not. Contract §2.2. */
const TITLES: Readonly<Record<string, string>> = {
  'https://ns.adobe.com/xdm/context/profile': 'XDM Individual Profile',
  'https://ns.adobe.com/xdm/context/experienceevent': 'XDM ExperienceEvent',
  'https://ns.adobe.com/xdm/context/profile-person-details': 'Demographic Details',
  'https://ns.adobe.com/xdm/context/profile-personal-details': 'Personal Contact Details',
  'https://ns.adobe.com/xdm/context/profile-work-details': 'Work Contact Details',
  'https://ns.adobe.com/xdm/context/identitymap': 'IdentityMap',
};

/** @throws Error at a line that is none */
export function readFacts(text: string): StandardResource[] {
  const resources: StandardResource[] = [];
  /** The object that lines of each depth belong to. */
  let objects: JsonObject[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const depth = line.length - line.trimStart().length;
    if (depth === 0) {
      const resource = headed(line);
      resources.push(resource);
      objects = [resource.content];
      continue;
    }
    const parent = objects[depth - 1];
    if (parent === undefined) throw new Error(`no object for the line: ${line}`);
    objects[depth] = addLine(parent, line);
  }
  return resources;
}

function headed(line: string): StandardResource {
  const [kind = '', id = '', ...rest] = line.split(' ');
  const after = (word: string) => {
    const at = rest.indexOf(word);
    const others = rest.slice(at + 1);
    const end = others.findIndex((one) => one === 'for' || one === 'extends');
    return at < 0 ? [] : others.slice(0, end < 0 ? undefined : end).map(idOf);
  };
  const known = KINDS[kind];
  if (known === undefined) throw new Error(`no kind of resource: ${line}`);
  const whole = idOf(id);
  return {
    kind: known,
    id: whole,
    title: TITLES[whole] ?? (whole.split('/').at(-1) as string).replaceAll('-', ' '),
    extends: after('extends'),
    intendedToExtend: after('for'),
    content: { type: 'object' },
  };
}

/** The object that deeper lines belong to. */
function addLine(parent: JsonObject, line: string): JsonObject {
  const words = line.trim().split(' ');
  if (words[0] === '!') {
    parent.required = words.slice(1);
    return parent;
  }
  if (words[0] === '+') {
    parent.allOf = words.slice(1).map((id) => ({ $ref: idOf(id) }));
    return parent;
  }
  if (words[0] === '=') return Object.assign(parent, JSON.parse(line.trim().slice(2)));
  const [, name, type, facets] = FIELD.exec(line) ?? [];
  if (name === undefined || type === undefined) throw new Error(`no field: ${line}`);
  const { field, inner } = fieldOf(type, facets === undefined ? {} : (JSON.parse(facets) as JsonObject));
  const properties = (parent.properties ?? {}) as JsonObject;
  properties[name] = field;
  parent.properties = properties;
  return inner;
}

interface Typed {
  readonly field: JsonObject;
  /** What the lines below it are about: the object itself, or the one in its lists and maps. */
  readonly inner: JsonObject;
}

function fieldOf(type: string, facets: JsonObject): Typed {
  const list = LIST.exec(type);
  if (list) {
    const [brackets, least, most] = list;
    const { field: items, inner } = fieldOf(type.slice(brackets.length), facets);
    const field: JsonObject = { type: 'array', items };
    if (least) field.minItems = Number(least);
    if (most) field.maxItems = Number(most);
    return { field, inner };
  }
  if (type.startsWith('{}')) {
    const { field, inner } = fieldOf(type.slice(2), facets);
    return { field: { type: 'object', additionalProperties: field }, inner };
  }
  const inner = { ...typed(type), ...facets };
  return { field: inner, inner };
}

function typed(type: string): JsonObject {
  if (type === 'any') return {};
  if (type.includes(':')) return { $ref: idOf(type) };
  const [, word, format] = /^(\w+)(?:\((.+)\))?$/.exec(type) ?? [];
  if (word === undefined) throw new Error(`no type: ${type}`);
  return format === undefined ? { type: word } : { type: word, format };
}

/** Most ids begin alike. */
export function idOf(word: string): string {
  return word.startsWith('xdm:') ? `https://ns.adobe.com/xdm/${word.slice(4)}` : word;
}
