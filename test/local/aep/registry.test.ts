// Schema Registry: titles, references, representations, union rules, lists, field groups and descriptors.
import { describe, expect, test } from 'vitest';
import {
  caller,
  GROUPS,
  LIST,
  LOOKUP,
  makeDataSet,
  makeSchema,
  REGISTRY,
  schemaBody,
  XDM,
} from './support.ts';

const SCHEMAS = `${REGISTRY}/tenant/schemas`;

describe('creating', () => {
  test('answers with ids the tenant can be told by', async () => {
    const { call } = await caller();
    const { status, body } = await call('POST', SCHEMAS, schemaBody());
    expect(status).toBe(201);
    expect(body.$id).toMatch(/^https:\/\/ns\.adobe\.com\/acmelab\/schemas\/[0-9a-f]+$/);
    expect(body['meta:altId']).toBe(`_acmelab.schemas.${body.$id.split('/').at(-1)}`);
    expect(body).toMatchObject({
      version: '1.0',
      'meta:class': `${XDM}profile`,
      'meta:containerId': 'tenant',
      'meta:tenantNamespace': '_acmelab',
    });
    expect((await call('GET', `${REGISTRY}/stats/`)).body).toMatchObject({
      tenantId: 'acmelab',
      counts: { schemas: 1 },
    });
  });

  test('a title is unique across every kind of resource', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_, 'taken');
    const again = await with_.call('POST', SCHEMAS, schemaBody('taken'));
    expect(again.status).toBe(400);
    expect(again.body).toMatchObject({
      type: 'http://ns.adobe.com/aep/errors/XDM-1521-400',
      title: 'Title not unique',
      report: { 'sub-errors': [] },
    });
    expect(again.body.detail).toContain(id);
    expect(again.body.report['detailed-message']).toBe(again.body.detail);
    const group = {
      type: 'object',
      title: 'taken',
      'meta:intendedToExtend': [`${XDM}profile`],
      properties: {},
    };
    expect((await with_.call('POST', `${REGISTRY}/tenant/fieldgroups`, group)).body.type).toContain(
      'XDM-1521-400',
    );
  });

  test.each([
    ['no class', { allOf: [{ $ref: `${XDM}identitymap` }] }, 'exactly one class'],
    [
      'two classes',
      { allOf: [{ $ref: `${XDM}profile` }, { $ref: `${XDM}experienceevent` }] },
      'exactly one class',
    ],
    ['an unknown reference', { allOf: [{ $ref: `${XDM}profile` }, { $ref: `${XDM}nothing` }] }, 'nothing'],
    ['no title', { title: '' }, 'title'],
    ['another type', { type: 'array' }, "'object'"],
  ])('%s is refused', async (_name, change, hint) => {
    const { call } = await caller();
    const reply = await call('POST', SCHEMAS, { ...schemaBody(), ...change });
    expect(reply.status).toBe(400);
    expect(reply.body.detail).toContain(hint);
  });
});

describe('reading', () => {
  test('Accept decides, and the wrong one is refused', async () => {
    const with_ = await caller();
    const id = encodeURIComponent(await makeSchema(with_));
    const one = (accept?: string) =>
      with_.call('GET', `${SCHEMAS}/${id}`, undefined, accept ? { accept } : {});
    expect((await one()).body.type).toContain('XDM-1007-400');
    expect((await one('application/vnd.adobe.xed+json')).body.type).toContain('XDM-1007-400');
    const full = (await one(LOOKUP.accept)).body;
    expect(full.properties.person.properties.name.properties.firstName).toMatchObject({
      type: 'string',
      'meta:xdmType': 'string',
    });
    expect(full.allOf).toBeUndefined();
    expect((await one('application/vnd.adobe.xed+json; version=1')).body.allOf).toHaveLength(5);
    expect((await one('application/vnd.adobe.xed-notext+json;version=1')).body.title).toBeUndefined();
    expect((await one('application/vnd.adobe.xed+json;version=2')).body.type).toContain('XDM-1012-404');
    const list = (accept: string) => with_.call('GET', SCHEMAS, undefined, { accept });
    expect((await list('*/*')).body.type).toContain('XDM-1006-400');
    expect((await list('application/vnd.adobe.xed+json;version=1')).body.type).toContain('XDM-1006-400');
    expect((await list('application/vnd.adobe.xed+json')).body.results[0].allOf).toHaveLength(5);
    expect(Object.keys((await list(LIST.accept)).body.results[0])).toEqual([
      '$id',
      'meta:altId',
      'version',
      'title',
    ]);
  });

  test('one is found by its encoded $id and by its meta:altId', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const alternative = `_acmelab.schemas.${id.split('/').at(-1)}`;
    for (const name of [encodeURIComponent(id), alternative]) {
      expect((await with_.call('GET', `${SCHEMAS}/${name}`, undefined, LOOKUP)).body.$id).toBe(id);
    }
    const missing = await with_.call('GET', `${SCHEMAS}/_acmelab.schemas.none`, undefined, LOOKUP);
    expect(missing.status).toBe(404);
  });

  test('lists are filtered, ordered and paged by the value of the sort key', async () => {
    const with_ = await caller();
    for (const title of ['c', 'a', 'd', 'b']) await makeSchema(with_, title);
    const list = async (query: string) =>
      (await with_.call('GET', `${SCHEMAS}?${query}`, undefined, LIST)).body;
    const titles = (body: { results: { title: string }[] }) => body.results.map(({ title }) => title);
    expect(titles(await list('property=title==c'))).toEqual(['c']);
    expect(titles(await list('property=title!=c&property=title>b'))).toEqual(['d']);
    expect(titles(await list(`property=meta:class==${encodeURIComponent(`${XDM}profile`)}`))).toHaveLength(4);
    const first = await list('orderby=title&limit=3');
    expect(titles(first)).toEqual(['a', 'b', 'c']);
    expect(first._page.next).toBe('c');
    const second = await list(`orderby=title&limit=3&start=${first._page.next}`);
    expect(titles(second)).toEqual(['d']);
    expect(second._page.next).toBeNull();
  });

  test('the global container shows classes and field groups, and cannot be written', async () => {
    const { call } = await caller();
    const groups = await call(
      'GET',
      `${REGISTRY}/global/fieldgroups?property=meta:intendedToExtend==${XDM}experienceevent`,
      undefined,
      LIST,
    );
    const titles = groups.body.results.map((each: { title: string }) => each.title);
    expect(titles).toEqual(expect.arrayContaining(['Demographic Details', 'Personal Contact Details']));
    expect(titles).not.toContain('Work Contact Details');
    const one = await call('GET', `${REGISTRY}/global/classes/_xdm.context.profile`, undefined, LOOKUP);
    expect(one.body).toMatchObject({ $id: `${XDM}profile`, title: 'XDM Individual Profile' });
    expect((await call('POST', `${REGISTRY}/global/classes`, {})).status).toBe(403);
  });

  test('a sample record fits the schema it was made for', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const { body } = await with_.call('GET', `${REGISTRY}/rpc/sampledata/${encodeURIComponent(id)}`);
    expect(body.person.gender).toBe('male');
    expect(body.identityMap.Email[0].id).toEqual(expect.any(String));
  });
});

describe('changing', () => {
  const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];

  test('a patch bumps the version; the union tag needs an identity', async () => {
    const with_ = await caller();
    const plain = encodeURIComponent(await makeSchema(with_, 'plain', ['profile', 'profile-work-details']));
    const refused = await with_.call('PATCH', `${SCHEMAS}/${plain}`, union);
    expect(refused.body.type).toContain('XDM-1528-400');
    const added = await with_.call('PATCH', `${SCHEMAS}/${plain}`, [
      { op: 'add', path: '/allOf/-', value: { $ref: `${XDM}identitymap` } },
    ]);
    expect(added.body.version).toBe('1.1');
    const tagged = await with_.call('PATCH', `${SCHEMAS}/${plain}`, union);
    expect(tagged.status).toBe(200);
    expect(tagged.body['meta:immutableTags']).toEqual(['union']);
    const untag = await with_.call('PATCH', `${SCHEMAS}/${plain}`, [
      { op: 'remove', path: '/meta:immutableTags' },
    ]);
    expect(untag.status).toBe(400);
    expect((await with_.call('DELETE', `${SCHEMAS}/${plain}`)).status).toBe(400);
  });

  test('a schema in use grows but does not shrink, and stays', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    await makeDataSet(with_, id);
    const path = `${SCHEMAS}/${encodeURIComponent(id)}`;
    const smaller = await with_.call('PUT', path, schemaBody('acmelab.customers', GROUPS.slice(0, 2)));
    expect(smaller.status).toBe(400);
    expect(smaller.body.detail).toContain('additive');
    expect((await with_.call('DELETE', path)).status).toBe(400);
  });

  test('an unused one is deleted with 204 and then gone', async () => {
    const with_ = await caller();
    const path = `${SCHEMAS}/${encodeURIComponent(await makeSchema(with_))}`;
    const deleted = await with_.call('DELETE', path);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await with_.call('DELETE', path)).status).toBe(404);
  });
});

describe('field groups', () => {
  const loyalty = (properties: object) => ({
    type: 'object',
    title: 'loyalty',
    description: 'Loyalty',
    'meta:intendedToExtend': [`${XDM}profile`],
    definitions: { loyalty: { properties } },
    allOf: [{ $ref: '#/definitions/loyalty', type: 'object' }],
  });
  const own = { _acmelab: { type: 'object', properties: { points: { type: 'integer', minimum: 0 } } } };

  test.each(['fieldgroups', 'mixins'])('made at /%s, they join a schema', async (word) => {
    const { call } = await caller();
    const group = await call('POST', `${REGISTRY}/tenant/${word}`, loyalty(own));
    expect(group.status).toBe(201);
    expect(group.body.$id).toContain('/acmelab/mixins/');
    const body = { ...schemaBody(), allOf: [{ $ref: `${XDM}profile` }, { $ref: group.body.$id }] };
    const schema = await call('POST', SCHEMAS, body);
    const full = await call('GET', `${SCHEMAS}/${encodeURIComponent(schema.body.$id)}`, undefined, LOOKUP);
    expect(full.body.properties._acmelab.properties.points.minimum).toBe(0);
    expect((await call('DELETE', `${REGISTRY}/tenant/${word}/${group.body['meta:altId']}`)).status).toBe(400);
  });

  test('a field outside the tenant namespace is refused', async () => {
    const { call } = await caller();
    const reply = await call(
      'POST',
      `${REGISTRY}/tenant/fieldgroups`,
      loyalty({ points: { type: 'integer' } }),
    );
    expect(reply.body.type).toContain('XDM-1020-400');
  });
});

describe('descriptors', () => {
  const identity = (schema: string, more: object = {}) => ({
    '@type': 'xdm:descriptorIdentity',
    'xdm:sourceSchema': schema,
    'xdm:sourceVersion': 1,
    'xdm:sourceProperty': '/workEmail/address',
    'xdm:namespace': 'Email',
    'xdm:property': 'xdm:code',
    'xdm:isPrimary': true,
    ...more,
  });
  const base = `${REGISTRY}/tenant/descriptors`;
  const asked = (word: string) => ({ accept: `application/vnd.adobe.${word}+json` });

  test('one primary identity per schema, on a field that exists', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const made = await with_.call('POST', base, identity(id));
    expect(made.status).toBe(201);
    expect(made.body['@id']).toEqual(expect.any(String));
    expect((await with_.call('POST', base, identity(id))).status).toBe(400);
    expect((await with_.call('POST', base, identity(id, { 'xdm:sourceProperty': '/nothing' }))).status).toBe(
      400,
    );
    expect((await with_.call('POST', base, identity(id, { 'xdm:sourceProperty': 'workEmail' }))).status).toBe(
      400,
    );
  });

  test('lists are grouped by type, or flat when asked for v2', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const { body } = await with_.call('POST', base, identity(id));
    const list = async (word: string) => (await with_.call('GET', base, undefined, asked(word))).body;
    expect(await list('xdm-id')).toEqual({ 'xdm:descriptorIdentity': [body['@id']] });
    expect((await list('xdm'))['xdm:descriptorIdentity'][0]['xdm:namespace']).toBe('Email');
    expect((await list('xdm-v2')).results[0]['@id']).toBe(body['@id']);
    expect((await with_.call('GET', base)).body.type).toContain('XDM-1008-400');
    const one = `${base}/${body['@id']}`;
    expect((await with_.call('GET', one)).body.type).toContain('XDM-1009-400');
    expect((await with_.call('DELETE', one)).status).toBe(204);
    expect((await with_.call('GET', one, undefined, asked('xdm'))).status).toBe(404);
  });

  test('a primary identity opens the way to the union', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_, 'by email', ['profile', 'profile-work-details']);
    await with_.call('POST', base, identity(id));
    const patch = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
    expect((await with_.call('PATCH', `${SCHEMAS}/${encodeURIComponent(id)}`, patch)).status).toBe(200);
  });
});
