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
  test('answers with ids that hold the tenant', async () => {
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
    const { classUsage } = (await call('GET', `${REGISTRY}/stats/`)).body;
    const used = { $id: body.$id, title: body.title, description: body.description };
    expect(classUsage).toEqual({ [`${XDM}profile`]: [used] });
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
  test('Accept chooses the form, and a wrong one is refused', async () => {
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
    expect(titles(await list('property=title==%22c%22'))).toEqual(['c']);
    expect(titles(await list('property=title!=c&property=title>b'))).toEqual(['d']);
    expect(titles(await list(`property=meta:class==${encodeURIComponent(`${XDM}profile`)}`))).toHaveLength(4);
    const first = await list('orderby=title&limit=3');
    expect(titles(first)).toEqual(['a', 'b', 'c']);
    expect(first._page.next).toBe('c');
    const second = await list(`orderby=title&limit=3&start=${first._page.next}`);
    expect(titles(second)).toEqual(['d']);
    expect(second._page.next).toBeNull();
  });

  describe('12 B 4: lists that name no order', () => {
    type Answer = { results: { title: string }[]; _page: { next: string | null; orderby: string } };
    const titles = ({ results }: Answer) => results.map(({ title }) => title);
    async function registry(count: number) {
      const with_ = await caller();
      for (let index = 0; index < count; index++) {
        await makeSchema(with_, `s${String(index).padStart(3, '0')}`);
        if (index % 5 === 4) with_.clock.advance(1000);
      }
      return async (query: string): Promise<Answer> =>
        (await with_.call('GET', `${SCHEMAS}?${query}`, undefined, LIST)).body;
    }

    test('answer as others have observed: ten for limit=10, also with an empty start, and none for start=0', async () => {
      const list = await registry(20);
      const ten = await list('limit=10');
      expect(ten.results).toHaveLength(10);
      expect(ten._page.orderby).toBe('updated');
      expect(titles(await list('limit=10&start='))).toEqual(titles(ten));
      for (const start of ['0', 'bogus']) {
        expect(await list(`limit=10&start=${start}`)).toMatchObject({ results: [], _page: { next: null } });
      }
    });

    test.each(['limit=7&', ''])(
      'lead through all of them by next alone, as Adobe’s client follows it: %s',
      async (query) => {
        const list = await registry(320);
        const seen: string[] = [];
        let page = await list(query);
        while (seen.push(...titles(page)) <= 320 && page._page.next !== null)
          page = await list(`${query}start=${encodeURIComponent(page._page.next)}`);
        expect(seen.length).toBe(320);
        expect(new Set(seen).size).toBe(320);
      },
    );
  });

  test('12 B 4: a page goes beyond its limit rather than between two with the same value', async () => {
    const with_ = await caller();
    for (const title of ['c', 'a', 'b']) await makeSchema(with_, title);
    const list = async (query: string) =>
      (await with_.call('GET', `${SCHEMAS}?${query}`, undefined, LIST)).body;
    const { results, _page } = await list('orderby=description,-title&limit=1');
    expect(results.map(({ title }: { title: string }) => title)).toEqual(['c', 'b', 'a']);
    expect(_page.next).toBeNull();
  });

  test('12 B 4: a schema that says no type is an object', async () => {
    const with_ = await caller();
    const { type: _type, ...body } = schemaBody();
    const made = await with_.call('POST', SCHEMAS, body);
    expect(made.status).toBe(201);
    expect(made.body.type).toBe('object');
    expect((await with_.call('POST', SCHEMAS, { ...body, title: 'other', type: 'string' })).status).toBe(400);
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
    expect((await with_.call('DELETE', one)).status).toBe(204);
    expect((await with_.call('GET', one, undefined, asked('xdm'))).status).toBe(404);
  });

  test('12 B 7: a descriptor has no version, so its look-up needs no Accept; one of a schema is refused', async () => {
    const with_ = await caller();
    const made = await with_.call('POST', base, identity(await makeSchema(with_)));
    const one = `${base}/${made.body['@id']}`;
    for (const accept of [null, '*/*', asked('xdm').accept]) {
      expect((await with_.call('GET', one, undefined, { accept })).body).toEqual(made.body);
    }
    for (const accept of ['application/vnd.adobe.xed+json; version=1', asked('xdm-whole').accept]) {
      const refused = await with_.call('GET', one, undefined, { accept });
      expect(refused.body.type).toContain('XDM-1009-400');
    }
  });

  test('12 B 7: a descriptor tells when it was made and changed, and in which sandbox', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const made = (await with_.call('POST', base, identity(id))).body;
    const at = made['meta:registryMetadata'];
    expect(made).toMatchObject({ 'meta:containerId': 'tenant', 'meta:sandboxType': 'development' });
    expect(at['repo:lastModifiedDate']).toBe(at['repo:createdDate']);
    with_.clock.advance(1_000);
    const again = (
      await with_.call('PUT', `${base}/${made['@id']}`, identity(id, { 'xdm:namespace': 'ECID' }))
    ).body;
    const after = again['meta:registryMetadata'];
    expect(after['repo:createdDate']).toBe(at['repo:createdDate']);
    expect(after['repo:lastModifiedDate']).toBe(at['repo:createdDate'] + 1_000);
    expect(after.eTag).not.toBe(at.eTag);
  });

  test('12 B 7: friendly names, keys of several fields and what belongs to the whole schema are kept', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_);
    const post = (type: string, more: object) =>
      with_.call('POST', base, { '@type': type, 'xdm:sourceSchema': id, 'xdm:sourceVersion': 1, ...more });
    const title = { en_us: 'Mail' };
    const named = await post('xdm:alternateDisplayInfo', {
      'xdm:sourceProperty': '/xdm:workEmail/xdm:address',
      'xdm:title': title,
    });
    expect([named.status, named.body['xdm:title']]).toEqual([201, title]);
    const key = ['/person/name/firstName', '/workEmail/address'];
    const keyed = await post('xdm:descriptorPrimaryKey', { 'xdm:sourceProperty': key });
    expect([keyed.status, keyed.body['xdm:sourceProperty']]).toEqual([201, key]);
    const whole = { 'xdm:granularity': 'day', 'xdm:ianaTimezone': 'UTC' };
    expect((await post('xdm:descriptorTimeSeriesGranularity', whole)).status).toBe(201);
    const groups = (await with_.call('GET', base, undefined, asked('xdm-id'))).body;
    expect(groups['xdm:alternateDisplayInfo']).toEqual([named.body['@id']]);
    expect((await post('xdm:descriptorPrimaryKey', { 'xdm:sourceProperty': ['/none'] })).status).toBe(400);
    expect((await post('xdm:descriptorPrimaryKey', { 'xdm:sourceProperty': [] })).status).toBe(400);
    expect((await post('xdm:alternateDisplayName', { 'xdm:sourceProperty': '/person' })).status).toBe(400);
    expect((await post('xdm:descriptorIdentity', { 'xdm:sourceProperty': key })).status).toBe(400);
  });

  test('a schema with a primary identity may join the union', async () => {
    const with_ = await caller();
    const id = await makeSchema(with_, 'by email', ['profile', 'profile-work-details']);
    await with_.call('POST', base, identity(id));
    const patch = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
    expect((await with_.call('PATCH', `${SCHEMAS}/${encodeURIComponent(id)}`, patch)).status).toBe(200);
  });
});

describe('what Adobe brings', () => {
  test.each([
    ['classes', 'profile'],
    ['fieldgroups', 'profile-person-details'],
    ['datatypes', '../common/address'],
  ])('12 B 7: %s are found by way of /tenant/ as well, and cannot be changed there', async (word, name) => {
    const { call } = await caller();
    const list = await call('GET', `${REGISTRY}/global/${word}`, undefined, LIST);
    const id: string = new URL(name, XDM).href;
    expect(list.body.results.map((each: { $id: string }) => each.$id)).toContain(id);
    const path = `${REGISTRY}/tenant/${word}/${encodeURIComponent(id)}`;
    const found = await call('GET', path, undefined, LOOKUP);
    expect([found.status, found.body.$id]).toEqual([200, id]);
    expect((await call('GET', `${REGISTRY}/tenant/${word}`, undefined, LIST)).body.results).toEqual([]);
    expect((await call('DELETE', path)).status).toBe(404);
    const altId = `_${id.slice('https://ns.adobe.com/'.length).split('/').join('.')}`;
    const byAltId = await call('GET', `${REGISTRY}/tenant/${word}/${altId}`, undefined, LOOKUP);
    expect(byAltId.body.$id).toBe(id);
  });

  test('12 B 7: resources of a tenant are not in the global container', async () => {
    const with_ = await caller();
    const id = encodeURIComponent(await makeSchema(with_));
    expect((await with_.call('GET', `${REGISTRY}/global/schemas/${id}`, undefined, LOOKUP)).status).toBe(404);
  });
});

test('12 B 7: unknown words in Accept are refused, in look-ups and in lists', async () => {
  const with_ = await caller();
  const id = encodeURIComponent(await makeSchema(with_));
  const get = async (path: string, words: string) =>
    (await with_.call('GET', path, undefined, { accept: `application/vnd.adobe.${words}` })).body;
  expect((await get(`${SCHEMAS}/${id}`, 'xed-fully+json; version=1')).type).toContain('XDM-1007-400');
  expect((await get(SCHEMAS, 'xed-ids+json')).type).toContain('XDM-1006-400');
  expect((await get(`${REGISTRY}/tenant/descriptors`, 'xdm-v3+json')).type).toContain('XDM-1008-400');
  expect((await get(`${SCHEMAS}/${id}`, 'xed-full-notext+json; version=1')).properties).toBeDefined();
});

test('12 B 7: xdm-full-flat has every field under its whole path', async () => {
  const with_ = await caller();
  const id = encodeURIComponent(await makeSchema(with_));
  const accept = 'application/vnd.adobe.xdm-full-flat+json; version=1';
  const { properties } = (await with_.call('GET', `${SCHEMAS}/${id}`, undefined, { accept })).body;
  expect(properties['person/name/firstName']).toMatchObject({ type: 'string' });
  expect(
    Object.values(properties).filter((field) => (field as object) && 'properties' in (field as object)),
  ).toEqual([]);
});
