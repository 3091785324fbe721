// Writes local/aep/xdm/{facts,names}.txt from a checkout of github.com/adobe/xdm: `node scripts/xdm-facts.ts DIR`. Names, types, limits and allowed values; no texts.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIELD_GROUPS } from '../lib/manifest.ts';
import type { Json, JsonObject } from '../local/aep/json.ts';
import { arrayAt, isObject, objectAt } from '../local/aep/json.ts';
import { readCheckout } from '../local/aep/xdm/checkout.ts';
import type { StandardKind, StandardResource } from '../local/aep/xdm/facts.ts';
import { FACETS } from '../local/aep/xdm/field.ts';
import { BEHAVIORS, EVENT_CLASS, PROFILE_CLASS } from '../local/aep/xdm/names.ts';

const HEAD = `# Facts about Adobe's public XDM: what fields there are, of which type, and what they may hold. Written by
# \`node scripts/xdm-facts.ts DIR\` from a checkout of github.com/adobe/xdm (CC BY 4.0), and held against it by
# test/local/aep/xdm.test.ts. How it is read: facts.ts.
`;

const NAMES_HEAD = `# Adobe's other public classes and field groups, those that were published once among them, since an organization keeps what it has:
# that there are such, not what is in them. Written as facts.txt is.
`;

/** What a schema is made of, and a manifest can name. */
const NAMED: ReadonlySet<StandardKind> = new Set(['classes', 'mixins']);

const WORDS = { behaviors: 'behavior', classes: 'class', mixins: 'fieldgroup', datatypes: 'datatype' };

const short = (id: string) => id.replace(/^https:\/\/ns\.adobe\.com\/xdm\//, 'xdm:');

/** The resources with all that they refer to, those that are asked for first. */
function withReferred(all: readonly StandardResource[], ids: readonly string[]): StandardResource[] {
  const known = new Map(all.map((one) => [one.id, one]));
  const taken = new Map<string, StandardResource>();
  const take = (id: string) => {
    const found = known.get(id);
    if (found === undefined) throw new Error(`the checkout has no ${id}`);
    if (taken.has(id)) return;
    taken.set(id, found);
    for (const reference of referencesIn(found.content)) take(reference);
  };
  for (const id of ids) take(id);
  return [...taken.values()];
}

function referencesIn(node: Json): string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn);
  if (!isObject(node)) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' ? [String(value)] : key === 'enum' || key === 'const' ? [] : referencesIn(value),
  );
}

function block({ kind, id, content, ...more }: StandardResource): string[] {
  const words = [WORDS[kind], short(id)];
  if (more.extends.length > 0) words.push('extends', ...more.extends.map(short));
  if (more.intendedToExtend.length > 0) words.push('for', ...more.intendedToExtend.map(short));
  const facets = said(content);
  return [words.join(' '), ...(facets === '' ? [] : [` =${facets}`]), ...below(content, 1)];
}

function below(node: JsonObject, depth: number): string[] {
  const indent = ' '.repeat(depth);
  const references = [node, ...arrayAt(node, 'allOf')].flatMap((one) =>
    isObject(one) && typeof one.$ref === 'string' ? [short(one.$ref)] : [],
  );
  const required = arrayAt(node, 'required').map(String);
  return [
    ...(references.length > 0 ? [`${indent}+ ${references.join(' ')}`] : []),
    ...(required.length > 0 ? [`${indent}! ${required.join(' ')}`] : []),
    ...Object.entries(objectAt(node, 'properties') ?? {}).flatMap(([name, field]) =>
      lines(name, field as JsonObject, depth),
    ),
  ];
}

function lines(name: string, field: JsonObject, depth: number): string[] {
  const { type, inner } = typeOf(field);
  const deeper = type.endsWith('object') ? below(inner, depth + 1) : [];
  return [`${' '.repeat(depth)}${name} ${type}${said(inner)}`, ...deeper];
}

/** What is demanded beside what the line has otherwise; texts are left out. */
function said(node: JsonObject): string {
  const facets = facetsOf(node).filter((facet) => facet !== 'format');
  return facets.length > 0
    ? ` ${JSON.stringify(Object.fromEntries(facets.map((facet) => [facet, node[facet]])))}`
    : '';
}

function facetsOf(node: JsonObject): string[] {
  return FACETS.filter((facet) => node[facet] !== undefined);
}

/** What has no place in the table ends the script, and is not left out. */
function only(node: JsonObject, ...allowed: string[]): void {
  const others = facetsOf(node).filter((facet) => !allowed.includes(facet));
  if (others.length > 0) throw new Error(`no place for ${others.join(', ')}: ${JSON.stringify(node)}`);
}

function typeOf(field: JsonObject): { type: string; inner: JsonObject } {
  const { items, additionalProperties, properties, $ref, allOf, required, minItems, maxItems } = field;
  const composed = properties !== undefined || allOf !== undefined || required !== undefined;
  if (field.type === 'array') {
    only(field, 'minItems', 'maxItems');
    const { type, inner } = isObject(items) ? typeOf(items) : { type: 'any', inner: {} };
    const range =
      minItems === undefined && maxItems === undefined ? '' : `${minItems ?? ''}..${maxItems ?? ''}`;
    return { type: `[${range}]${type}`, inner };
  }
  if (isObject(additionalProperties)) {
    only(field);
    if (composed) throw new Error(`a map with fields of its own: ${JSON.stringify(field)}`);
    const { type, inner } = typeOf(additionalProperties);
    return { type: `{}${type}`, inner };
  }
  if (composed) return { type: 'object', inner: field };
  if (typeof $ref === 'string') only(field);
  if (typeof $ref === 'string') return { type: short($ref), inner: {} };
  const { type = 'any', format } = field;
  return { type: format === undefined ? String(type) : `${type}(${format})`, inner: field };
}

function write(name: string, lines: readonly string[]): void {
  writeFileSync(new URL(`../local/aep/xdm/${name}`, import.meta.url), `${lines.join('\n')}\n`);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder of the checkout');
const OLD = join(folder, 'docs', 'reference');
// Without the products' own and the old ones, names.txt would lose them.
if (!existsSync(OLD)) throw new Error(`${folder} is no whole checkout: it has no docs/reference`);
const all = readCheckout(folder);
const known = withReferred(all, [...BEHAVIORS, PROFILE_CLASS, EVENT_CLASS, ...Object.values(FIELD_GROUPS)]);
const names = new Map(all.filter(({ kind }) => NAMED.has(kind)).map(({ kind, id }) => [id, kind]));
for (const file of readdirSync(OLD, { recursive: true, encoding: 'utf8' })) {
  if (!/\b(mixins|fieldgroups)\b.*\.schema\.json$/.test(file)) continue;
  const { $id } = JSON.parse(readFileSync(join(OLD, file), 'utf8')) as { $id: string };
  if (!all.some(({ id }) => id === $id)) names.set($id, 'mixins');
}
for (const { id } of known) names.delete(id);
write('facts.txt', [HEAD, ...known.flatMap(block)]);
write('names.txt', [NAMES_HEAD, ...[...names].map(([id, kind]) => `${kind} ${short(id)}`).sort()]);
