// One resource in the representation that was asked for (contract §2.1), and a made-up record that fits a schema.

import { type Answer, json } from '../answer.ts';
import { finder } from '../el/in-time.ts';
import { javaRegex } from '../el/java-regex.ts';
import type { AdmittedCall } from '../http.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { World } from '../state.ts';
import { isUnion, lookUpUnion } from '../unions.ts';
import type { Field, Fields } from '../xdm/field.ts';
import { lookupAccept } from './accept.ts';
import { notFound } from './crud.ts';
import { resolved } from './resolve.ts';
import { type Kind, lookUp, NOT_FOUND } from './resources.ts';

/**
 * What Adobe brings is found by way of `/tenant/` as well: Adobe's own client (aepp) asks there for whatever a schema refers to.
 * `/global/` knows nothing that a tenant made.
 */
export function lookup(world: World, call: AdmittedCall, container: string, kind: Kind, id: string): Answer {
  // DOCUMENTED on Adobe's page xdm/api/unions: datasets that Profile is exported into name a union as their schema.
  if (kind === 'schemas' && container === 'tenant' && isUnion(id)) return lookUpUnion(world, call, id);
  const asked = lookupAccept(world, call);
  const resource = lookUp(call.sandbox, kind, id, container === 'global' ? 'global' : 'any');
  const version = asked.version ?? 1;
  if (!resource || Number.parseInt(String(resource.version), 10) !== version) {
    throw notFound(world, call, NOT_FOUND[kind], id, version);
  }
  let shown: JsonObject = resource;
  if (asked.full) {
    const { allOf: _allOf, definitions: _definitions, ...rest } = resource;
    const { properties, required } = resolved(call.sandbox, resource);
    const fields = asked.flat ? flattened(properties ?? {}, '') : (properties ?? {});
    shown = { ...rest, properties: fields as Json, ...(required ? { required } : {}) };
  }
  if (asked.withDescriptors) {
    const own = call.sandbox.descriptors.values().filter((each) => each['xdm:sourceSchema'] === resource.$id);
    shown = { ...shown, 'meta:descriptors': own };
  }
  return json(200, asked.noText ? (withoutText(shown) as JsonObject) : shown);
}

/** Every leaf under its whole path, as aepp reads `xdm-full-flat`; a list's elements stand for the list. */
function flattened(fields: Fields, below: string): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const path = below === '' ? name : `${below}/${name}`;
      const inner = field.properties ?? field.items?.properties;
      return inner ? Object.entries(flattened(inner, path)) : [[path, field]];
    }),
  );
}

function withoutText(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutText);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => !((key === 'title' || key === 'description') && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutText(inner)]));
}

/** `GET …/rpc/sampledata/{id}`. */
export function sampleData(world: World, call: AdmittedCall, id: string): Answer {
  const schema = lookUp(call.sandbox, 'schemas', id);
  if (!schema) throw notFound(world, call, NOT_FOUND.schemas, id, 1);
  return json(200, sample(resolved(call.sandbox, schema), ''));
}

function sample(field: Field, name: string): Json {
  if (field.enum?.[0]) return field.enum[0];
  if (field.type === 'object') {
    if (typeof field.additionalProperties === 'object' && !field.properties) {
      return { Email: sample(field.additionalProperties, name) };
    }
    return Object.fromEntries(
      Object.entries(field.properties ?? {}).map(([key, inner]) => [key, sample(inner, key)]),
    );
  }
  if (field.type === 'array') {
    const item = field.items ? sample(field.items, name) : 'value';
    return Array.from({ length: field.minItems ?? 1 }, () => item);
  }
  if (field.type === 'boolean') return true;
  if (field.type === 'integer' || field.type === 'number')
    return field.minimum ?? Math.min(7, field.maximum ?? 7);
  return sampleText(field, name);
}

/** For the patterns that Adobe's fields have: days of a year, codes of regions, countries, telephones, currencies, languages. */
const PATTERNED = ['02-11', 'PT-11', 'PT', '351', 'EUR', 'pt'];

function sampleText(field: Field, name: string): string {
  if (field.format === 'date') return '2026-02-13';
  if (field.format === 'date-time') return '2026-02-13T09:12:44Z';
  if (field.format === 'email') return 'ana.reis@example.com';
  if (field.format === 'uri-reference') return `/uri-reference/${name}`;
  if (field.format === 'uri') return `https://example.com/${name}`;
  if (field.format === 'ipv4') return '203.0.113.7';
  if (field.format === 'ipv6') return '2001:db8::7';
  const text = `sample ${name}`.slice(0, field.maxLength ?? 100);
  if (field.pattern === undefined) return text;
  return PATTERNED.find(finder(javaRegex(field.pattern))) ?? text;
}
