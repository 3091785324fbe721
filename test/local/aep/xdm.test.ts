// Adobe's classes, field groups and data types: what is built in, what a checkout of their public repository adds, and what a record must be by them.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { CLASSES, FIELD_GROUPS } from '../../../lib/manifest.ts';
import type { JsonObject } from '../../../local/aep/json.ts';
import { createPlatform } from '../../../local/aep/platform.ts';
import { fieldAt, resolved, resolvedForData } from '../../../local/aep/registry/resolve.ts';
import { lookUp } from '../../../local/aep/registry/resources.ts';
import { defaultSandbox, type Sandbox } from '../../../local/aep/state.ts';
import { CheckoutError, standardWith } from '../../../local/aep/xdm/checkout.ts';
import { readFacts } from '../../../local/aep/xdm/facts.ts';
import type { Field } from '../../../local/aep/xdm/field.ts';
import { builtIn, builtInResources, namedOnly } from '../../../local/aep/xdm/standard.ts';
import { compileValidator, compileValidatorFor } from '../../../local/aep/xdm/validator.ts';
import { caller, LIST, LOOKUP, REGISTRY } from './support.ts';

const EVENT = CLASSES.experienceevent;

/** A schema of these parts, made by the API, as its data is looked at. */
async function schemaOf(...parts: string[]): Promise<Field> {
  const with_ = await caller();
  const allOf = parts.map(($ref) => ({ $ref }));
  const made = await with_.call('POST', `${REGISTRY}/tenant/schemas`, {
    type: 'object',
    title: 'x',
    description: 'x',
    allOf,
  });
  expect(made.status).toBe(201);
  const sandbox = with_.platform.state.sandboxes.get('dev1') as Sandbox;
  return resolvedForData(sandbox, lookUp(sandbox, 'schemas', made.body.$id) as JsonObject);
}

describe('12 B 9: what is built in', () => {
  it.each(Object.entries(FIELD_GROUPS))('%s is there, whole', async (name, id) => {
    const { call } = await caller();
    const { status, body } = await call(
      'GET',
      `${REGISTRY}/global/fieldgroups/${encodeURIComponent(id)}`,
      undefined,
      LOOKUP,
    );
    expect([status, body.$id]).toEqual([200, id]);
    expect(Object.keys(body.properties).length, name).toBeGreaterThan(0);
    const schema = await schemaOf(name.startsWith('experienceevent') ? EVENT : CLASSES.profile, id);
    expect(Object.keys(schema.properties ?? {})).toEqual(
      expect.arrayContaining(Object.keys(body.properties)),
    );
    compileValidator(schema);
  });

  it.each(Object.entries(FIELD_GROUPS))('a sample record of %s is what it must be', async (name, id) => {
    const with_ = await caller();
    const allOf = [name.startsWith('experienceevent') ? EVENT : CLASSES.profile, id].map(($ref) => ({
      $ref,
    }));
    const body = { type: 'object', title: 'x', allOf };
    const { $id } = (await with_.call('POST', `${REGISTRY}/tenant/schemas`, body)).body;
    const made = await with_.call('GET', `${REGISTRY}/rpc/sampledata/${encodeURIComponent($id)}`);
    const sandbox = with_.platform.state.sandboxes.get('dev1') as Sandbox;
    const schema = resolved(sandbox, lookUp(sandbox, 'schemas', $id) as JsonObject);
    const whole = compileValidator(schema);
    expect(whole(made.body)).toEqual([]);
    // What is compiled for these records alone says the same of each of them.
    const records = [made.body, ...spoiltOf(made.body)];
    const few = compileValidatorFor(schema, records);
    expect(records.map((one) => few(one))).toEqual(records.map((one) => whole(one)));
    expect(records.slice(1).flatMap((one) => few(one)).length, name).toBeGreaterThan(0);
  });

  it('refers to nothing that is not there, and has no text of Adobe’s', () => {
    const ids = new Set(builtInResources().map(({ id }) => id));
    const seen = JSON.stringify(builtInResources().map(({ content }) => content));
    for (const [, id] of seen.matchAll(/"\$ref":"([^"]+)"/g)) expect(ids).toContain(id);
    expect(seen).not.toMatch(/"(description|title|meta:enum|meta:titleId|examples?)":"/);
    expect(builtInResources().filter(({ description }) => description !== undefined)).toEqual([]);
  });

  it('data types are listed and looked up like any other', async () => {
    const { call } = await caller();
    const { body } = await call(
      'GET',
      `${REGISTRY}/global/datatypes?orderby=title&limit=500`,
      undefined,
      LIST,
    );
    expect(body.results.map(({ $id }: { $id: string }) => $id)).toContain(
      'https://ns.adobe.com/xdm/context/commerce',
    );
    const one = await call('GET', `${REGISTRY}/global/datatypes/_xdm.data.measure`, undefined, LOOKUP);
    expect(one.body).toMatchObject({ required: ['value'], properties: { value: { type: 'number' } } });
  });

  it('a type that holds itself is cut where it comes again', async () => {
    const { call } = await caller();
    const $ref = '#/definitions/own/properties/_acmelab';
    const properties = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { $ref }]));
    const own = { properties: { _acmelab: { type: 'object', properties } } };
    const made = await call('POST', `${REGISTRY}/tenant/fieldgroups`, {
      type: 'object',
      title: 'x',
      'meta:intendedToExtend': [EVENT],
      definitions: { own },
      allOf: [{ $ref: '#/definitions/own' }],
    });
    const id = encodeURIComponent(made.body.$id);
    const { body } = await call('GET', `${REGISTRY}/tenant/fieldgroups/${id}`, undefined, LOOKUP);
    expect(Object.keys(body.properties._acmelab.properties.a.properties)).toEqual(['a', 'b', 'c', 'd']);
    expect(body.properties._acmelab.properties.a.properties.a.properties).toBeUndefined();
  });

  it('a line that cannot be read is named', () => {
    expect(() => readFacts('fieldgroup xdm:a\n b')).toThrow('no field: ');
    expect(() => readFacts('nonsense xdm:a')).toThrow('no kind of resource');
    expect(() => readFacts('fieldgroup xdm:a\n   b string')).toThrow('no object');
  });
});

/** The record with each of its values replaced by a list, and with a field that no schema has beside each. */
function spoiltOf(record: JsonObject): JsonObject[] {
  return Object.entries(record).flatMap(([name, value]) => {
    const item = Array.isArray(value) ? value[0] : value;
    const inner = typeof item === 'object' && item !== null ? spoiltOf(item as JsonObject) : [];
    const outer = inner.map((one) => (Array.isArray(value) ? [one] : one));
    return [[], ...outer].map((one) => ({ ...record, [name]: one, [`no${name}`]: 1 }));
  });
}

describe('12 B 9: what a record must be', async () => {
  const schema = await schemaOf(
    EVENT,
    ...[
      'experienceevent-commerce',
      'experienceevent-environment-details',
      'experienceevent-segmentmembership',
      'experienceevent-channel',
      'experienceevent-enduserids',
      'experienceevent-media-analytics',
    ].map((name) => FIELD_GROUPS[name as keyof typeof FIELD_GROUPS]),
  );
  const validate = compileValidator(schema);
  const said = (more: JsonObject) =>
    validate({ _id: 'a', timestamp: '2026-01-01T00:00:00Z', ...more }).map(
      ({ pointerToViolation, message }) => `${pointerToViolation} ${message}`,
    );
  const place = (shape: JsonObject): JsonObject => ({
    placeContext: { activePOIs: [{ geoInteractionDetails: { geoShape: { _schema: shape } } }] },
  });
  const segment = (payload: JsonObject): JsonObject => ({ segmentMembership: { ups: { s1: { payload } } } });

  it('one that fits passes', () => {
    const found = said({
      productListItems: [
        { SKU: 'a', quantity: 2, priceTotal: 9.5, currencyCode: 'EUR', selectedOptions: [] },
      ],
      commerce: {
        purchases: { value: 1 },
        order: { payments: [{ paymentAmount: 9.5 }], orderType: 'checkout' },
      },
      environment: { ipV4: '10.0.0.1', ipV6: '::1', browserDetails: { cookiesEnabled: true }, colorDepth: 0 },
      placeContext: { geo: { countryCode: 'PT', _schema: { latitude: 38.7, longitude: -9.1 } } },
      channel: {
        _id: 'https://ns.adobe.com/xdm/channels/web',
        _type: 'https://ns.adobe.com/xdm/channel-types/web',
      },
      endUserIDs: { _experience: { mcid: { id: '1', namespace: { code: 'ECID' } } } },
      identityMap: { ECID: [{ id: '1', primary: true }] },
      ...segment({ payloadType: 'propensity', payloadPropensityValue: 1 }),
    });
    expect(found).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'required',
      { commerce: { purchases: { id: 'a' } } },
      '#/commerce/purchases required key [value] not found',
    ],
    ['required in a list', { productListItems: [{}] }, '#/productListItems/0 required key [SKU] not found'],
    [
      'pattern',
      { commerce: { order: { currencyCode: 'euro' } } },
      '#/commerce/order/currencyCode string [euro] does not match pattern ^[A-Z]{3}$',
    ],
    [
      'enum',
      { commerce: { order: { orderType: 'x' } } },
      '#/commerce/order/orderType x is not a valid enum value',
    ],
    [
      'type',
      { commerce: { purchases: { value: '1' } } },
      '#/commerce/purchases/value expected type: Number, found: String',
    ],
    [
      'a list',
      { productListItems: { SKU: 'a' } },
      '#/productListItems expected type: JSONArray, found: JSONObject',
    ],
    [
      'whole numbers',
      { productListItems: [{ SKU: 'a', quantity: 1.5 }] },
      '#/productListItems/0/quantity expected type: Integer, found: Double',
    ],
    [
      'minimum',
      { environment: { colorDepth: -1 } },
      '#/environment/colorDepth -1 is not greater or equal to 0',
    ],
    [
      'maximum',
      { placeContext: { geo: { _schema: { latitude: 91 } } } },
      '#/placeContext/geo/_schema/latitude 91 is not less or equal to 90',
    ],
    [
      'exclusiveMinimum',
      segment({ payloadType: 'propensity', payloadPropensityValue: 0 }),
      '#/segmentMembership/ups/s1/payload/payloadPropensityValue 0 is not greater than 0',
    ],
    ['ipv4', { environment: { ipV4: '10.0.0' } }, '#/environment/ipV4 [10.0.0] is not a valid ipv4 address'],
    ['ipv6', { environment: { ipV6: 'x' } }, '#/environment/ipV6 [x] is not a valid ipv6 address'],
    ['uri', { channel: { _id: 'a', _type: 'web' } }, '#/channel/_type [web] is not a valid uri'],
    [
      'date-time',
      { placeContext: { localTime: 'now' } },
      "#/placeContext/localTime [now] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z]",
    ],
    [
      'minItems',
      place({ box: [{}] }),
      '#/placeContext/activePOIs/0/geoInteractionDetails/geoShape/_schema/box expected minimum item count: 2, found: 1',
    ],
    [
      'maxItems',
      place({ box: [{}, {}, {}] }),
      '#/placeContext/activePOIs/0/geoInteractionDetails/geoShape/_schema/box expected maximum item count: 2, found: 3',
    ],
    [
      'maps in maps',
      { segmentMembership: { ups: 'a' } },
      '#/segmentMembership/ups expected type: JSONObject, found: String',
    ],
    ['no other key', { endUserIDs: { mcid: {} } }, '#/endUserIDs extraneous key [mcid] is not permitted'],
  ])('%s', (_, record, expected) => {
    expect(said(record)).toEqual([expected]);
  });

  it('suggested values are not required', () => {
    expect(said({ eventType: 'anything' })).toEqual([]);
  });
});

/** Files of a checkout, in the words of JSON-LD. */
const FILES: Record<string, object> = {
  'components/fieldgroups/shared/shop.schema.json': {
    $id: 'https://ns.adobe.com/xdm/context/shop',
    title: 'Shop',
    description: 'A shop.',
    type: 'object',
    'meta:intendedToExtend': [EVENT],
    definitions: {
      shop: {
        properties: {
          'xdm:shop': {
            title: 'Shop',
            type: 'object',
            properties: { 'xdm:tills': { $ref: '#/definitions/tills' } },
          },
          'xdm:kind': { type: 'string', 'meta:enum': { small: 'Small', large: 'Large' } },
          'repo:createDate': { type: 'string', format: 'date-time' },
          'https://ns.adobe.com/experience/campaign/outer': {
            type: 'object',
            properties: { 'https://ns.adobe.com/experience/campaign/inner': { type: 'integer' } },
          },
          'https://ns.adobe.com/xdm/channels/direct-mail': { type: 'boolean' },
        },
        required: ['repo:createDate'],
      },
      tills: { type: 'array', items: { $ref: 'https://ns.adobe.com/xdm/datatypes/till' } },
    },
    allOf: [
      { $ref: 'https://ns.adobe.com/xdm/common/extensible#/definitions/@context' },
      { $ref: '#/definitions/shop' },
    ],
  },
  'components/datatypes/till.schema.json': {
    $id: 'https://ns.adobe.com/xdm/datatypes/till',
    title: 'Till',
    type: 'object',
    definitions: {
      till: {
        properties: {
          '@id': { type: 'string' },
          'xdm:drawers': { type: 'array', minItems: 1, items: { type: 'string', enum: ['left', 'right'] } },
          'xdm:next': { $ref: '#/definitions/till' },
          'xdm:prices': { type: 'object', additionalProperties: { type: 'number' } },
        },
        required: ['@id'],
      },
    },
    allOf: [{ $ref: '#/definitions/till' }],
  },
  'components/datatypes/till.example.1.json': { 'xdm:drawers': [] },
  'components/datatypes/extensible.schema.json': {
    $id: 'https://ns.adobe.com/xdm/common/extensible',
    type: 'object',
    definitions: { '@context': { patternProperties: { '^xdm:.*$': {} } } },
  },
  'extensions/adobe/experience/visit.schema.json': {
    $id: 'https://ns.adobe.com/experience/visit',
    title: 'Visit',
    type: 'object',
    'meta:extends': ['https://ns.adobe.com/xdm/data/time-series'],
    allOf: [{ $ref: 'https://ns.adobe.com/xdm/data/time-series' }],
  },
  'archived/components/mixins/shop.schema.json': {
    $id: 'https://ns.adobe.com/xdm/context/shop',
    title: 'An old shop',
    type: 'object',
  },
  'archived/components/mixins/stall.schema.json': {
    $id: 'https://ns.adobe.com/xdm/context/stall',
    type: 'object',
  },
  'schemas/composed.schema.json': { $id: 'https://ns.adobe.com/xdm/schemas/composed', type: 'object' },
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function checkoutOf(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'xdm-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

describe('12 B 9: --xdm DIR', () => {
  const xdm = standardWith(checkoutOf(FILES));
  const sandbox = defaultSandbox(createPlatform({ xdm }).state) as Sandbox;
  const shop = resolved(sandbox, xdm.find('mixins', '_xdm.context.shop') as JsonObject);
  const at = (path: string) => fieldAt(shop, path.split('.'));

  it('class, field group and data type are told apart, and compositions are none of them', () => {
    expect(xdm.find('mixins', 'https://ns.adobe.com/xdm/context/shop')).toMatchObject({
      title: 'Shop',
      description: 'A shop.',
      'meta:intendedToExtend': [EVENT],
    });
    expect(xdm.find('datatypes', 'https://ns.adobe.com/xdm/datatypes/till')).toMatchObject({ title: 'Till' });
    expect(xdm.find('classes', 'https://ns.adobe.com/experience/visit')).toMatchObject({ title: 'Visit' });
    const kinds = ['classes', 'mixins', 'datatypes', 'behaviors'] as const;
    const all = kinds.flatMap((kind) => xdm.all(kind).map(({ $id }) => $id));
    expect(all).not.toContain('https://ns.adobe.com/xdm/schemas/composed');
    expect(all).not.toContain('https://ns.adobe.com/xdm/common/extensible');
    expect(all).toContain(FIELD_GROUPS['experienceevent-web']);
    expect(xdm.find('mixins', 'https://ns.adobe.com/xdm/context/stall')).toBeDefined();
  });

  it('fields are where the platform has them', () => {
    expect(Object.keys(shop.properties ?? {}).toSorted()).toEqual([
      '_channels',
      '_experience',
      '_repo',
      'kind',
      'shop',
    ]);
    expect(at('_repo.createDate')).toMatchObject({ format: 'date-time' });
    expect(at('_experience.campaign.outer.inner')).toMatchObject({ type: 'integer' });
    expect(at('_channels.directMail')).toMatchObject({ type: 'boolean' });
    expect(at('shop.tills.0._id')).toMatchObject({ type: 'string' });
    expect(at('shop.tills.0.prices.any')).toMatchObject({ type: 'number' });
    expect(at('kind')?.['meta:enum']).toEqual({ small: 'Small', large: 'Large' });
    expect(shop.required).toEqual(['_repo']);
    expect(at('_repo')?.required).toEqual(['createDate']);
  });

  it('required fields are checked, and a type that holds itself is cut', () => {
    const validate = compileValidator(shop);
    const _repo = { createDate: '2026-01-01T00:00:00Z' };
    const told = (record: JsonObject) =>
      validate(record).map((one) => `${one.pointerToViolation} ${one.keyword}`);
    expect(told({ _repo, kind: 'huge', shop: { tills: [{ _id: 'a', next: { next: {} } }] } })).toEqual([]);
    expect(told({})).toEqual(['# required']);
    expect(told({ _repo, shop: { tills: [{ drawers: [] }] } })).toEqual([
      '#/shop/tills/0 required',
      '#/shop/tills/0/drawers minItems',
    ]);
    expect(told({ _repo, shop: { tills: [{ _id: 'a', drawers: ['top'], prices: { a: 'b' } }] } })).toEqual([
      '#/shop/tills/0/drawers/0 enum',
      '#/shop/tills/0/prices/a type',
    ]);
  });

  it('a schema is made of it by the API, and no other platform knows it', async () => {
    const body = {
      type: 'object',
      title: 'x',
      allOf: [EVENT, 'https://ns.adobe.com/xdm/context/shop'].map(($ref) => ({ $ref })),
    };
    const made = async (options: object) =>
      (await (await caller(options)).call('POST', `${REGISTRY}/tenant/schemas`, body)).status;
    expect(await made({ xdm })).toBe(201);
    expect(await made({})).toBe(400);
  });

  it('what is Adobe’s and not simulated says so', async () => {
    const [$ref] = namedOnly('mixins');
    const { call } = await caller();
    const body = { type: 'object', title: 'x', allOf: [{ $ref: EVENT }, { $ref }] };
    const { status, body: said } = await call('POST', `${REGISTRY}/tenant/schemas`, body);
    expect([status, said.detail]).toEqual([400, expect.stringMatching(/not simulated without --xdm DIR/)]);
  });

  it.each([
    ['that is none', {}, /is no checkout of github\.com\/adobe\/xdm/],
    ['whose file is cut off', { 'components/a.schema.json': '{"$id": ' }, /a\.schema\.json is not JSON/],
    ['whose components are a file', { components: '' }, /is no checkout/],
    ['whose file is a list', { 'components/a.schema.json': '[]' }, /a\.schema\.json is no XDM/],
  ])('a folder %s is refused', (_, files, said) => {
    expect(() => standardWith(checkoutOf(files))).toThrow(said);
    expect(() => standardWith(checkoutOf(files))).toThrow(CheckoutError);
  });
});

/** Adobe's own files, where they are: they are no part of this project. */
const BESIDE = fileURLToPath(new URL('../../../../shared/xdm', import.meta.url));
const ADOBES = process.env.PENSTOCK_XDM || (existsSync(BESIDE) ? BESIDE : undefined);

/** What a value has to be, by Adobe's file: `name` → facets. Read here by other means than the platform's. */
type Flat = Record<string, string>;

const FACETS = [
  'type',
  'format',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'exclusiveMaximum',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'const',
];

function flatten(root: string, schemas: ReadonlyMap<string, JsonObject>): Flat {
  const flat: Flat = {};
  const walk = (node: JsonObject, file: string, path: string): void => {
    if (typeof node.$ref === 'string') {
      const [id, pointer = ''] = node.$ref.split('#');
      const target = schemas.get(id || file) as JsonObject;
      const steps = pointer.split('/').filter(Boolean);
      walk(
        steps.reduce((here, step) => here[step] as JsonObject, target),
        id || file,
        path,
      );
    }
    for (const part of (node.allOf ?? []) as JsonObject[]) walk(part, file, path);
    for (const facet of FACETS)
      if (node[facet] !== undefined && path !== '') flat[`${path} ${facet}`] ??= JSON.stringify(node[facet]);
    // Some files leave it out.
    if (node.properties !== undefined && path !== '') flat[`${path} type`] ??= '"object"';
    for (const name of (node.required ?? []) as string[]) flat[`${path} ! ${shown(name)}`] = 'required';
    for (const [name, inner] of Object.entries((node.properties ?? {}) as Record<string, JsonObject>))
      walk(inner, file, `${path}.${shown(name)}`);
    if (node.items !== undefined) walk(node.items as JsonObject, file, `${path}[]`);
    if (typeof node.additionalProperties === 'object')
      walk(node.additionalProperties as JsonObject, file, `${path}{}`);
  };
  walk(schemas.get(root) as JsonObject, root, '');
  return flat;
}

function shown(name: string): string {
  const known: [RegExp, string][] = [
    [/^xdm:/, ''],
    [/^@/, '_'],
    [/^(repo|schema|dc):/, '_$1.'],
    [/^https:\/\/ns\.adobe\.com\/(experience)\//, '_$1.'],
    [/^https:\/\/ns\.adobe\.com\/xdm\/(channels)\//, '_$1.'],
  ];
  const [from, to] = known.find(([one]) => one.test(name)) ?? [/^/, ''];
  return name.replace(from, to).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The same of what is built in. An object that only holds a namespace is none of Adobe's fields. */
function flattenField(field: Field, path = '', flat: Flat = {}): Flat {
  const node = field as JsonObject;
  const isNamespace = /\._[a-z]+$/.test(path) && field.type === 'object';
  if (path !== '' && !isNamespace)
    for (const facet of FACETS)
      if (node[facet] !== undefined) flat[`${path} ${facet}`] = JSON.stringify(node[facet]);
  for (const name of field.required ?? []) flat[`${path} ! ${name}`] = 'required';
  for (const [name, inner] of Object.entries(field.properties ?? {}))
    flattenField(inner, `${path}.${name}`, flat);
  if (field.items) flattenField(field.items, `${path}[]`, flat);
  if (typeof field.additionalProperties === 'object')
    flattenField(field.additionalProperties, `${path}{}`, flat);
  return flat;
}

const asked =
  ADOBES === undefined ? ' (not asked: set PENSTOCK_XDM to a checkout of github.com/adobe/xdm)' : '';

describe.skipIf(ADOBES === undefined)(`12 B 9: held against Adobe's own files${asked}`, () => {
  const folder = join(ADOBES ?? '', 'components');
  const files = ADOBES === undefined ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const schemas = new Map(
    files
      .filter((name) => name.endsWith('.schema.json'))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject)
      .map((schema) => [String(schema.$id), schema]),
  );
  // JSON-LD's open namespaces: the platform has none of it.
  schemas.set('https://ns.adobe.com/xdm/common/extensible', { definitions: { '@context': {} } });
  const sandbox = defaultSandbox(createPlatform().state) as Sandbox;

  test('names, types, limits and allowed values of all that is built in', () => {
    const ids = Object.entries({ ...CLASSES, ...FIELD_GROUPS });
    const part = (name: string) =>
      lookUp(sandbox, name in CLASSES ? 'classes' : 'mixins', idOf(name)) as JsonObject;
    const idOf = (name: string) => Object.fromEntries(ids)[name] as string;
    const each = (of: (name: string) => unknown) => Object.fromEntries(ids.map(([name]) => [name, of(name)]));
    expect(each((name) => flattenField(resolved(sandbox, part(name))))).toEqual(
      each((name) => flatten(idOf(name), schemas)),
    );
    expect(each((name) => part(name)['meta:intendedToExtend'] ?? [])).toEqual(
      each((name) => schemas.get(idOf(name))?.['meta:intendedToExtend'] ?? []),
    );
  });

  test('no other field group or class of theirs is unknown', () => {
    const theirs = standardWith(ADOBES ?? '');
    for (const kind of ['classes', 'mixins'] as const) {
      const known = [...builtIn.all(kind).map(({ $id }) => String($id)), ...namedOnly(kind)];
      expect(known).toEqual(expect.arrayContaining(theirs.all(kind).map(({ $id }) => String($id))));
    }
  });
});
