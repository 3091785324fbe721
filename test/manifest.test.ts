import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { manifestJsonSchema, parseManifest, parseManifestText } from '../lib/manifest.ts';
import { manifestInFile } from '../lib/schemas/files.ts';

const GOOD = {
  version: 1,
  name: 'orders',
  sandbox: 'dev1',
  source: { kind: 'inlet', stream: 'orders', data: 'raw' },
  schema: { class: 'profile', fieldGroups: ['identitymap'] },
  mapping: [{ source: 'id', destination: '_id' }],
};

const { mapping: _, ...WITHOUT_MAPPING } = GOOD;
const XDM = { ...WITHOUT_MAPPING, source: { ...GOOD.source, data: 'xdm' } };

const KINESIS = {
  kind: 'kinesis',
  stream: 'orders',
  region: 'eu-west-1',
  data: 'raw',
  credentials: 'penstock/dev/sources/orders',
};
const EVENT_HUBS = {
  kind: 'event-hubs',
  namespace: 'telemetry',
  eventHub: 'orders',
  data: 'raw',
  credentials: 'penstock/dev/sources/orders',
};
const PUBSUB = {
  kind: 'pubsub',
  project: 'shop-demo',
  topic: 'orders',
  subscription: 'orders-aep',
  data: 'raw',
  credentials: 'penstock/dev/sources/orders',
};

const EMAIL = { path: 'personalEmail.address', namespace: 'Email', primary: true };
const OWN = { name: 'loyalty', fields: { points: { type: 'integer' } } };
const KEY_FILE = { type: 'service_account', private_key: 'MIIEsecret' };

const sourced = (source: object, change: object) => ({ ...GOOD, source: { ...source, ...change } });
const schemed = (change: object) => ({ ...GOOD, schema: { ...GOOD.schema, ...change } });
const grouped = (change: object) => schemed({ fieldGroups: [{ ...OWN, ...change }] });
const redacted = (rule: object) => sourced(GOOD.source, { records: { redact: [rule] } });
const kept = (dataset: object, schema: object = {}) => ({ ...schemed(schema), dataset });

/** Objects within objects, so many. */
function nested(levels: number): unknown {
  let value: unknown = { type: 'string' };
  for (let level = 0; level < levels; level++) value = { type: 'object', properties: { a: value } };
  return value;
}

/** What is wrong, where, and what the message must say of it. */
const MISTAKES: [string, unknown, ...string[]][] = [
  ['no object', [], '(top level): expected object; found []'],
  ['nothing', null, '(top level)', 'found null'],
  ['unknown key', { ...GOOD, colour: 1 }, '(top level): unknown "colour"; allowed: $schema, version, name'],
  [
    'unknown key deeper',
    { ...GOOD, source: { ...GOOD.source, shard: 1 } },
    'source: unknown "shard"; allowed: kind, stream',
  ],
  ['version', { ...GOOD, version: 2 }, 'version: expected 1; found 2'],
  ['name', { ...GOOD, name: 'a/b' }, 'name: expected 1 to 64', 'found "a/b"'],
  ['name with path tricks', { ...GOOD, name: '..' }, 'name: expected'],
  ['sandbox', { ...GOOD, sandbox: 'Dev1' }, 'sandbox: expected', 'found "Dev1"'],
  [
    'source kind',
    { ...GOOD, source: { ...GOOD.source, kind: 'kafka' } },
    'source.kind: expected "inlet", "kinesis", "event-hubs" or "pubsub"; found "kafka"',
  ],
  [
    'stream',
    { ...GOOD, source: { ...GOOD.source, stream: 'a b' } },
    'source.stream: expected the name or the ARN',
  ],
  [
    'data',
    { ...GOOD, source: { ...GOOD.source, data: 'csv' } },
    'source.data: expected one of "raw"|"xdm"; found "csv"',
  ],
  [
    'startAt',
    { ...GOOD, source: { ...GOOD.source, startAt: 'later' } },
    'source.startAt: expected "now", "earliest" or a time',
    'found "later"',
  ],
  [
    'a time that does not exist',
    { ...GOOD, source: { ...GOOD.source, startAt: '2026-13-45T12:00:00Z' } },
    'source.startAt: expected a time that exists',
  ],
  [
    'class',
    { ...GOOD, schema: { class: 'person' } },
    'schema.class: expected "profile", "experienceevent"',
    'found "person"',
  ],
  [
    'field group',
    { ...GOOD, schema: { class: 'profile', fieldGroups: ['identitymap', 'x'] } },
    'schema.fieldGroups.1: expected',
    'identitymap',
    'found "x"',
  ],
  ['schema neither nor', { ...GOOD, schema: { title: 'x' } }, 'schema', 'class'],
  ['schema id', { ...GOOD, schema: { id: 'x' } }, 'schema.id: expected an https URI', 'found "x"'],
  ['raw without mapping', WITHOUT_MAPPING, 'mapping: required, because source.data is "raw"'],
  ['xdm with mapping', { ...GOOD, source: XDM.source }, 'mapping: not allowed, because source.data is "xdm"'],
  [
    'mapping with both',
    { ...GOOD, mapping: [{ source: 'a', expression: 'b', destination: 'c' }] },
    'mapping.0: expected {"source", "destination"}',
  ],
  ['mapping without destination', { ...GOOD, mapping: [{ source: 'a' }] }, 'mapping.0'],
  [
    'mapped twice',
    { ...GOOD, mapping: [GOOD.mapping[0], { expression: 'x', destination: '_id' }] },
    'mapping.1: maps to _id as another row does',
  ],
  [
    'too long an expression',
    { ...GOOD, mapping: [{ expression: 'x'.repeat(4_097), destination: 'a' }] },
    'mapping.0.expression',
    '4096',
  ],
  [
    'a comma in a name',
    { ...GOOD, dataset: { name: 'a,b' } },
    'dataset.name: expected a name without blanks around it and without ,',
  ],
  ['no source', { ...GOOD, source: null }, 'source: expected object; found null'],
  [
    'no kind',
    { ...GOOD, source: { stream: 'orders', data: 'raw' } },
    'source.kind: expected "inlet", "kinesis", "event-hubs" or "pubsub"; found nothing',
  ],
  [
    'what only an inlet has',
    sourced(KINESIS, { compression: 'gzip' }),
    'source: unknown "compression"; allowed: kind, stream, region, startAt, data, credentials',
  ],
  ['region', sourced(KINESIS, { region: 'Ireland' }), 'source.region: expected an AWS region', '"Ireland"'],
  [
    'an ARN where a name belongs',
    sourced(KINESIS, { stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders' }),
    'source.stream: expected the name of a Kinesis stream',
  ],
  [
    'a time where AEP knows none',
    sourced(KINESIS, { startAt: '2026-01-31T12:00:00Z' }),
    'source.startAt: expected one of "now"|"earliest"',
  ],
  [
    'a time for Pub/Sub',
    sourced(PUBSUB, { startAt: 'earliest' }),
    'source: unknown "startAt"; allowed: kind, project, topic',
  ],
  [
    'namespace of Event Hubs',
    sourced(EVENT_HUBS, { namespace: 'a.b' }),
    'source.namespace: expected the name of an Event Hubs namespace',
  ],
  [
    'event hub',
    sourced(EVENT_HUBS, { eventHub: '-x' }),
    'source.eventHub: expected the name of an event hub',
  ],
  [
    'auth of Event Hubs',
    sourced(EVENT_HUBS, { auth: 'project' }),
    'source.auth: expected one of "namespace"|"event-hub"; found "project"',
  ],
  [
    'consumer group',
    sourced(EVENT_HUBS, { consumerGroup: 'a b' }),
    'source.consumerGroup: expected the name of a consumer group',
  ],
  [
    'project',
    sourced(PUBSUB, { project: 'Shop' }),
    'source.project: expected the id of a Google Cloud project',
  ],
  [
    'a topic with its project',
    sourced(PUBSUB, { topic: 'projects/shop-demo/topics/orders' }),
    'source.topic: expected the name of a topic, without its project',
  ],
  [
    'a subscription with its project',
    sourced(PUBSUB, { subscription: 'projects/shop-demo/subscriptions/orders' }),
    'source.subscription: expected the name of a subscription, without its project',
  ],
  [
    'auth of Pub/Sub',
    sourced(PUBSUB, { auth: 'namespace' }),
    'source.auth: expected one of "project"|"subscription"; found "namespace"',
  ],
  ['no credentials', sourced(KINESIS, { credentials: undefined }), 'source.credentials: expected string'],
  [
    'B 100: credentials in place',
    sourced(PUBSUB, { credentials: KEY_FILE }),
    'source.credentials: expected string; found something else',
  ],
  [
    'B 100: credentials in place, as text',
    sourced(PUBSUB, { credentials: JSON.stringify(KEY_FILE) }),
    'source.credentials: expected the name or the ARN of a secret in Secrets Manager; found something else',
  ],
  [
    'B 100: a secret key of AWS',
    sourced(KINESIS, { credentials: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }),
    'source.credentials: expected the name or the ARN of a secret in Secrets Manager, not the secret itself',
  ],
  [
    'B 100: an access key of AWS',
    sourced(KINESIS, { credentials: 'AKIAIOSFODNN7EXAMPLE' }),
    'source.credentials',
    'not the secret itself',
  ],
  [
    'B 100: a key of Azure',
    sourced(EVENT_HUBS, { credentials: `${'Ab1+'.repeat(10)}xyz=` }),
    'source.credentials',
    'not the secret itself',
  ],
  [
    '14 A 3: parks, and keeps the order strictly',
    sourced(GOOD.source, { onOutage: 'park', order: 'strict' }),
    'source.onOutage: expected "hold", because source.order is "strict"',
  ],
  [
    '14 A 3: a time to park, and no parking',
    sourced(GOOD.source, { parkAfterSeconds: 60 }),
    'source.parkAfterSeconds: not allowed, because source.onOutage is not "park"',
  ],
  [
    '14 A 3: parks when Lambda has discarded the records already',
    sourced(GOOD.source, { onOutage: 'park', parkAfterSeconds: 69_120 }),
    'source.parkAfterSeconds',
    '69120',
  ],
  [
    '14 A 3: parks at once',
    sourced(GOOD.source, { onOutage: 'park', parkAfterSeconds: 0 }),
    'source.parkAfterSeconds',
  ],
  [
    '14 A 3: something else in an outage',
    sourced(GOOD.source, { onOutage: 'drop' }),
    'source.onOutage',
    'hold',
  ],
  [
    'a schema both named and described',
    { ...GOOD, schema: { id: 'https://ns.adobe.com/acmelab/schemas/1', class: 'profile' } },
    'schema: expected {"id"} of an existing schema, or {"class", "fieldGroups"} of one to be made',
  ],
  [
    'unknown key of a schema',
    schemed({ profil: true }),
    'schema: unknown "profil"; allowed: class, fieldGroups, title, description, identities, profile',
  ],
  [
    'unknown key of an identity, whose path is not there',
    schemed({ identities: [{ property: EMAIL.path, namespace: 'Email' }] }),
    'schema.identities.0.path: expected string; found nothing',
  ],
  [
    'the same, told by the key',
    schemed({ identities: [{ property: EMAIL.path, namespace: 'Email' }] }),
    'schema.identities.0: unknown "property"; allowed: path, namespace',
  ],
  [
    'a switch beside the id of a schema',
    { ...GOOD, schema: { id: 'https://ns.adobe.com/acmelab/schemas/1', profile: true } },
    'schema: unknown "profile"; allowed: id',
  ],
  [
    'two primary identities',
    schemed({ identities: [EMAIL, { ...EMAIL, path: 'workEmail.address' }] }),
    'schema.identities.1.primary: expected one primary identity at most; found true',
  ],
  [
    'an identity twice',
    schemed({ identities: [EMAIL, { ...EMAIL, namespace: 'Phone', primary: false }] }),
    'schema.identities.1.path: expected each path once; found "personalEmail.address"',
  ],
  [
    'path of an identity',
    schemed({ identities: [{ ...EMAIL, path: '/personalEmail address' }] }),
    'schema.identities.0.path: expected an XDM path such as person.name.firstName',
  ],
  [
    'namespace of an identity',
    schemed({ identities: [{ ...EMAIL, namespace: 'E-Mail' }] }),
    'schema.identities.0.namespace: expected the code of an identity namespace such as Email',
  ],
  [
    'primary of the wrong type',
    schemed({ identities: [{ ...EMAIL, primary: 'yes' }] }),
    'schema.identities.0.primary: expected boolean; found "yes"',
  ],
  [
    'profile without an identity',
    schemed({ fieldGroups: [], profile: true }),
    'schema.profile: needs a primary identity in schema.identities, or the field group identitymap',
  ],
  [
    'a dataset in Profile, its schema not',
    kept({ profile: true }),
    'schema.profile: expected true, because dataset.profile is; found nothing',
  ],
  [
    'upsert without profile',
    kept({ upsert: true }, { profile: true }),
    'dataset.profile: expected true, because dataset.upsert is; found nothing',
  ],
  [
    'upsert with profile off',
    kept({ upsert: true, profile: false }, { profile: true }),
    'dataset.profile: expected true, because dataset.upsert is; found false',
  ],
  ['a switch of the dataset', kept({ identity: 'on' }), 'dataset.identity: expected boolean; found "on"'],
  ['diagnostics', kept({ errorDiagnostics: 1 }), 'dataset.errorDiagnostics: expected boolean; found 1'],
  [
    'unknown key of a dataset',
    kept({ Profile: true }),
    'dataset: unknown "Profile"; allowed: name, description, profile, identity, upsert, errorDiagnostics',
  ],
  ['adopt', { ...GOOD, adopt: 'yes' }, 'adopt: expected boolean; found "yes"'],
  ['allowIrreversible', { ...GOOD, allowIrreversible: 1 }, 'allowIrreversible: expected boolean; found 1'],
  [
    'a field group neither named nor own',
    schemed({ fieldGroups: [{ name: 'loyalty' }] }),
    'schema.fieldGroups.0: expected profile-person-details',
    'or {"name", "fields"} of an own one; found {"name":"loyalty"}',
  ],
  [
    'name of an own field group',
    grouped({ name: 'Loyalty!' }),
    'schema.fieldGroups.0.name: expected 1 to 40 of a-z, 0-9 and "-"',
    'found "Loyalty!"',
  ],
  [
    'title of an own field group',
    grouped({ title: 'a,b' }),
    'schema.fieldGroups.0.title: expected a name without',
  ],
  [
    'unknown key of an own field group',
    grouped({ classes: [] }),
    'schema.fieldGroups.0: unknown "classes"; allowed: name, title, description, fields',
  ],
  [
    'an own field group without fields',
    grouped({ fields: {} }),
    'schema.fieldGroups.0.fields: expected at least one field; found {}',
  ],
  [
    'name of an own field',
    grouped({ fields: { '_acmelab.points': { type: 'integer' } } }),
    'schema.fieldGroups.0.fields._acmelab.points: expected the name of a field',
  ],
  [
    'type of an own field',
    grouped({ fields: { since: { type: 'date' } } }),
    'schema.fieldGroups.0.fields.since.type: expected one of "string"|"number"|"integer"|"boolean"|"object"|"array"; found "date"',
  ],
  [
    'an own field that is none',
    grouped({ fields: { since: 'string' } }),
    'schema.fieldGroups.0.fields.since: expected object; found "string"',
  ],
  [
    'type of a field within a field',
    grouped({ fields: { card: { type: 'object', properties: { no: { type: 'int' } } } } }),
    'schema.fieldGroups.0.fields.card.properties.no.type: expected one of',
    'found "int"',
  ],
  [
    'name of a field within a field',
    grouped({ fields: { card: { type: 'object', properties: { 'no.': { type: 'string' } } } } }),
    'schema.fieldGroups.0.fields.card.properties.no.: expected the name of a field',
  ],
  [
    'type of what a list holds',
    grouped({ fields: { tags: { type: 'array', items: { type: 'text' } } } }),
    'schema.fieldGroups.0.fields.tags.items.type: expected one of',
  ],
  [
    'a field group twice',
    schemed({ fieldGroups: ['identitymap', 'https://ns.adobe.com/xdm/context/identitymap'] }),
    'schema.fieldGroups.1: expected each field group once',
  ],
  [
    'an own field group twice',
    schemed({ fieldGroups: [OWN, { ...OWN, title: 'another title' }] }),
    'schema.fieldGroups.1: expected each field group once',
  ],
  [
    'a title twice',
    schemed({ title: 'Loyalty', fieldGroups: [{ ...OWN, title: 'Loyalty' }] }),
    'schema.fieldGroups.0.title: gives the title Loyalty; expected one that neither the schema nor another field group has',
  ],
  [
    'a name that gives the title of the schema',
    grouped({ name: 'schema' }),
    'schema.fieldGroups.0.name: gives the title orders-schema; expected one',
  ],
  ['mapping of the wrong type', { ...GOOD, mapping: { id: '_id' } }, 'mapping: expected array'],
  ['no mapping in it', { ...GOOD, mapping: [] }, 'mapping: ', 'found []'],
  [
    'destination',
    { ...GOOD, mapping: [{ source: 'id', destination: 'person..name' }] },
    'mapping.0.destination: expected an XDM path',
  ],
  [
    'unknown key of a mapping',
    { ...GOOD, mapping: [{ source: 'id', destination: '_id', type: 'x' }] },
    'mapping.0: unknown "type"; allowed: source, destination',
  ],
  [
    'xdm with mapping, where AEP reads',
    sourced(KINESIS, { data: 'xdm' }),
    'mapping: not allowed, because source.data is "xdm"',
  ],
  [
    'raw without mapping, where AEP reads',
    { ...WITHOUT_MAPPING, source: PUBSUB },
    'mapping: required, because source.data is "raw"',
  ],
];

/** C 4: what a known word is near to, and paths that are written in another language. */
const NEAR: [string, unknown, ...string[]][] = [
  ['a key', { ...GOOD, shema: 1 }, '(top level): unknown "shema"; allowed: ', '; did you mean "schema"?'],
  [
    'two keys',
    { ...GOOD, shema: 1, Mapping: 1, colour: 1 },
    'unknown "shema", "Mapping", "colour"',
    'did you mean "schema", "mapping"?',
  ],
  ['a key deeper', kept({ profil: true }), 'dataset: unknown "profil"', 'did you mean "profile"?'],
  [
    'a key of what is done with records',
    sourced(GOOD.source, { records: { redakt: [] } }),
    'source.records: unknown "redakt"; allowed: where, passOver, deletions, redact',
    'did you mean "redact"?',
  ],
  ['a value', { ...GOOD, source: { ...GOOD.source, data: 'rav' } }, 'found "rav"; did you mean "raw"?'],
  ...['csv', 'tsv', 'avro', 'protobuf'].map((name): (typeof NEAR)[number] => [
    `a format that needs options: ${name}`,
    sourced(GOOD.source, { format: name }),
    `source.format: expected {"kind": "${name}"} with "`,
  ]),
  ['a format by another name', sourced(GOOD.source, { format: 'NDJSON' }), 'expected "json-lines"; found'],
  ['a kind', sourced(KINESIS, { kind: 'kineses' }), 'found "kineses"; did you mean "kinesis"?'],
  ['a class', schemed({ class: 'experience-event' }), 'did you mean "experienceevent"?'],
  [
    'a field group',
    schemed({ fieldGroups: ['identity-map'] }),
    'schema.fieldGroups.0: expected ',
    'found "identity-map"; did you mean "identitymap"?',
  ],
  ['an action of redact', redacted({ field: '/a', action: 'hsh' }), 'did you mean "hash"?'],
  [
    'f24: the path of an identity as a pointer',
    schemed({ identities: [{ ...EMAIL, path: '/workEmail/address' }] }),
    'my.json has a mistake:\n  schema.identities.0.path: expected names with dots between them: workEmail.address; found "/workEmail/address"\n',
  ],
  [
    'the path of an identity with a stroke',
    schemed({ identities: [{ ...EMAIL, path: 'workEmail/address' }] }),
    'schema.identities.0.path: expected names with dots between them: workEmail.address',
  ],
  [
    'a destination as a pointer',
    { ...GOOD, mapping: [{ source: 'a', destination: '/person/name/firstName' }] },
    'mapping.0.destination: expected names with dots between them: person.name.firstName; found "/person/',
  ],
  [
    'a destination as a JSONPath',
    { ...GOOD, mapping: [{ source: 'a', destination: '$.person.gender' }] },
    'mapping.0.destination: expected names with dots between them: person.gender; found "$.person.gender"',
  ],
  [
    'a destination in quotes',
    { ...GOOD, mapping: [{ source: 'a', destination: '"eventType"' }] },
    'mapping.0.destination: expected names with dots between them: eventType',
  ],
];

/** What a manifest may well say. */
const RIGHT: [string, unknown][] = [
  ['an inlet', GOOD],
  ['XDM data', XDM],
  ['Kinesis', sourced(KINESIS, { startAt: 'earliest' })],
  ['Event Hubs', sourced(EVENT_HUBS, { auth: 'event-hub', consumerGroup: '$Default' })],
  ['Pub/Sub', sourced(PUBSUB, { auth: 'subscription' })],
  ['XDM data from Kinesis', { ...WITHOUT_MAPPING, source: { ...KINESIS, data: 'xdm' } }],
  [
    'the ARN of a secret',
    sourced(KINESIS, { credentials: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbC123' }),
  ],
  [
    'a name as long as a key of AWS',
    sourced(KINESIS, { credentials: 'penstock/production/sources/orders/access' }),
  ],
  ['an existing schema', { ...GOOD, schema: { id: 'https://ns.adobe.com/acmelab/schemas/1' } }],
  [
    'an existing schema, its dataset in Profile',
    {
      ...kept({ profile: true, identity: true, upsert: true }),
      schema: { id: 'https://ns.adobe.com/a/schemas/1' },
    },
  ],
  ['Profile by the identity map', kept({ profile: true, upsert: true }, { profile: true })],
  ['Profile by an identity', schemed({ fieldGroups: [], identities: [EMAIL], profile: true })],
  ['Profile of events', schemed({ class: 'experienceevent', fieldGroups: [], profile: true })],
  ['off, explicitly', kept({ profile: false, identity: false, upsert: false, errorDiagnostics: false })],
  [
    'own fields of every type',
    grouped({
      fields: {
        points: { type: 'integer', minimum: 0 },
        card: {
          type: 'object',
          properties: { no: { type: 'string' }, on: { type: 'string', format: 'date' } },
        },
        tags: { type: 'array', items: { type: 'object', properties: { tag: { type: 'string' } } } },
      },
    }),
  ],
  ['fields within fields', grouped({ fields: { a: nested(10) } })],
  [
    'a destination with an odd name',
    { ...GOOD, mapping: [{ source: 'a', destination: `$${'{odd.name}'}.a` }] },
  ],
  ['14 A 3: a route that parks', sourced(GOOD.source, { onOutage: 'park', parkAfterSeconds: 69_119 })],
  ['14 A 3: one that parks after the usual time', sourced(GOOD.source, { onOutage: 'park' })],
  ['14 A 3: one that holds', sourced(GOOD.source, { onOutage: 'hold', order: 'strict' })],
  ['what has no default', { ...GOOD, adopt: true, allowIrreversible: true }],
];

describe('the manifest', () => {
  it('fills in what is not said', () => {
    expect(parseManifest(GOOD)).toMatchObject({
      source: { startAt: 'now', authenticationRequired: true, compression: 'none' },
      dataset: {},
      names: {},
    });
  });

  it.each(RIGHT)('takes %s', (_, value) => {
    expect(parseManifest(value).name).toBe('orders');
  });

  it('switches nothing on by itself but error diagnostics', () => {
    expect(parseManifest(GOOD)).toMatchObject({
      schema: { profile: false, identities: [] },
      dataset: { errorDiagnostics: true },
      adopt: false,
      allowIrreversible: false,
    });
    expect(Object.keys(parseManifest(GOOD).dataset)).toEqual(['errorDiagnostics']);
  });

  it.each(MISTAKES)('names path, finding and what is allowed: %s', (_, value, ...said) => {
    for (const part of said) expect(() => parseManifest(value, 'my.json')).toThrow(part);
    expect(() => parseManifest(value, 'my.json')).toThrow('my.json has');
  });

  it.each(NEAR)('C 4: names what was likely meant: %s', (_, value, ...said) => {
    for (const part of said) expect(() => parseManifest(value, 'my.json')).toThrow(part);
  });

  it('C 4: guesses at nothing that is not near', () => {
    expect(() => parseManifest({ ...GOOD, colour: 1 })).not.toThrow('did you mean');
    expect(() => parseManifest(sourced(KINESIS, { kind: 'kafka' }))).not.toThrow('did you mean');
  });

  it('tells all mistakes at once', () => {
    expect(() => parseManifest({ ...GOOD, version: 3, sandbox: 7, colour: 1 })).toThrow('3 mistakes');
  });

  it('names the place in a file that is not JSON, and passes over a byte order mark', () => {
    expect(() => parseManifestText('{\n "a" 1}', 'my.json')).toThrow(/my\.json is not JSON.*line 2/);
    expect(parseManifestText(`\uFEFF${JSON.stringify(GOOD)}`, 'my.json').name).toBe('orders');
  });

  it('has no use for keys of Object.prototype', () => {
    const text = JSON.stringify(GOOD).replace('{', '{"__proto__": {"sandbox": "prod"},');
    expect(() => parseManifestText(text, 'my.json')).toThrow();
    expect(({} as { sandbox?: string }).sandbox).toBeUndefined();
  });
});

describe('what would be dangerous to take or to repeat', () => {
  const said = (value: unknown): string => {
    try {
      parseManifest(value);
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    ['in an object', KEY_FILE],
    ['in a text', JSON.stringify(KEY_FILE)],
    ['in a list', [KEY_FILE.private_key]],
  ])('B 100: repeats no secret that was written in place: %s', (_, credentials) => {
    expect(said(sourced(PUBSUB, { credentials }))).toContain('source.credentials: ');
    expect(said(sourced(PUBSUB, { credentials }))).not.toContain('MIIE');
    expect(said(sourced(KINESIS, { credentials: undefined, secretKey: 'MIIE' }))).not.toContain('MIIE');
  });

  it.each([
    ['fields', grouped({ fields: { a: nested(50_000) } })],
    ['where no object belongs', { ...GOOD, name: nested(50_000) }],
    ['lists', { ...GOOD, mapping: JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) }],
    ['under an unknown key', { ...GOOD, colour: nested(50_000) }],
  ])('ends where it is nested without end: %s', (_, value) => {
    expect(said(value)).toContain('MANIFEST_INVALID: the manifest is nested deeper than 50 levels');
  });

  it.each([
    ['a field', '"fields": {', '"fields": {"__proto__": {"polluted": true},'],
    ['a field of a field', '"points": {', '"points": {"__proto__": {"polluted": true},'],
    ['the source', '"source": {', '"source": {"__proto__": {"polluted": true},'],
    ['the dataset', '"name"', '"dataset": {"__proto__": {"upsert": true}}, "name"'],
    ['a key of Object.prototype', '"name"', '"constructor": {"prototype": {"polluted": true}}, "name"'],
  ])('lets nothing into a prototype: %s', (_, where, put) => {
    const text = JSON.stringify(grouped({}), null, 1).replace(where, put);
    expect(text).toContain(put);
    let taken: unknown = {};
    try {
      taken = parseManifestText(text, 'my.json');
    } catch (error) {
      expect((error as Error).message).toContain('MANIFEST_INVALID');
    }
    for (const value of [{}, taken, (taken as { dataset?: object }).dataset ?? {}]) {
      expect(value).not.toHaveProperty('polluted');
      expect(value).not.toHaveProperty('upsert');
    }
  });
});

describe('docs/manifest.schema.json', () => {
  const validate = new Ajv2020({ strict: false }).compile(manifestJsonSchema());

  it('takes what the parser takes', () => {
    const names = readdirSync(new URL('../examples', import.meta.url));
    for (const file of names.filter((name) => /(?<!\.(samples|records))\.json$/.test(name))) {
      const path = fileURLToPath(new URL(`../examples/${file}`, import.meta.url));
      const text = readFileSync(path, 'utf8');
      expect(manifestInFile(text, path).manifest.version).toBe(1);
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
    }
    for (const [what, value] of RIGHT)
      expect(validate(value), `${what}: ${JSON.stringify(validate.errors)}`).toBe(true);
  });

  it('refuses what the parser refuses, but for what JSON Schema cannot say', () => {
    const beyond = new Set([
      'a time that does not exist',
      'a day that does not exist',
      'a field group twice',
      'an own field group twice',
      'an own field group without fields',
      'a title twice',
      'a name that gives the title of the schema',
      'mapped twice',
      'two primary identities',
      'an identity twice',
      'profile without an identity',
      'a dataset in Profile, its schema not',
      'upsert without profile',
      'upsert with profile off',
      '14 A 3: parks, and keeps the order strictly',
      '14 A 3: a time to park, and no parking',
    ]);
    for (const [what, value] of MISTAKES) {
      if (!beyond.has(what)) expect(validate(value), what).toBe(false);
    }
  });
});
