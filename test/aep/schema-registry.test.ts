// Schema Registry and Identity Service: schemas changed in place, field groups, identities, the tenant.
import { describe, expect, it } from 'vitest';
import { json } from '../support/scripted.ts';
import { answered, CONTEXT, failure, ground, simulated } from './simulated.ts';

const UNION = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }] as const;

describe('tenantId', () => {
  it('is what the registry says', async () => {
    expect(await simulated({ tenant: 'acmelab' }).aep.schemaRegistry.tenantId()).toBe('acmelab');
  });

  it.each(['', 'a b', '../x', 'x'.repeat(65), 'açme', 'a.b', 'acmelab\n'])(
    'B 71: %j is refused for good',
    async (tenantId) => {
      const { aep, sent } = answered(json(200, { tenantId }));
      const error = await failure(aep.schemaRegistry.tenantId());
      expect(error).toMatchObject({ code: 'AEP_UNEXPECTED', retryable: false, inDoubt: false });
      expect(sent).toHaveLength(1);
    },
  );
});

describe('schemas', () => {
  it('say their class, their tags and their age, and are patched as plain JSON', async () => {
    const { aep, platform } = simulated();
    const { schemaId } = await ground(aep, ['profile', 'identitymap']);
    const before = await aep.schemaRegistry.getSchema(schemaId);
    expect(before).toMatchObject({
      'meta:class': `${CONTEXT}profile`,
      'meta:registryMetadata': { 'repo:createdDate': expect.any(Number) },
    });
    expect(before['meta:immutableTags']).toBeUndefined();
    await aep.schemaRegistry.patchSchema(schemaId, [{ op: 'replace', path: '/description', value: 'new' }]);
    const after = await aep.schemaRegistry.patchSchema(schemaId, UNION);
    expect(after).toMatchObject({ description: 'new', 'meta:immutableTags': ['union'], version: '1.2' });
    expect(platform.journal.entries().at(-1)?.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  it('join the union only with a primary identity, and then stay', async () => {
    const { aep } = simulated();
    const { schemaId, datasetId } = await ground(aep);
    await aep.catalog.deleteDataset(datasetId);
    const refused = await failure(aep.schemaRegistry.patchSchema(schemaId, UNION));
    expect(refused).toMatchObject({ code: 'AEP_REFUSED', serviceCode: 'XDM-1528-400', inDoubt: false });
    const identity = { schemaId, property: '/workEmail/address', namespace: 'Email' };
    const id = await aep.schemaRegistry.createIdentityDescriptor({ ...identity, primary: false });
    expect((await failure(aep.schemaRegistry.patchSchema(schemaId, UNION))).serviceCode).toBe('XDM-1528-400');
    await aep.schemaRegistry.deleteDescriptor(id);
    const primary = await aep.schemaRegistry.createIdentityDescriptor({ ...identity, primary: true });
    await aep.schemaRegistry.patchSchema(schemaId, UNION);
    expect((await failure(aep.schemaRegistry.deleteSchema(schemaId))).code).toBe('AEP_REFUSED');
    expect((await failure(aep.schemaRegistry.deleteDescriptor(primary))).code).toBe('AEP_FORBIDDEN');
  });

  it('a change whose answer was lost is in doubt, and not made twice', async () => {
    const { aep, sent } = answered(json(500, undefined));
    expect(await failure(aep.schemaRegistry.patchSchema('x', UNION))).toMatchObject({ inDoubt: true });
    expect(sent).toHaveLength(1);
  });
});

describe('field groups', () => {
  const fields = (properties: Record<string, unknown>) => ({
    title: 'order fields',
    description: 'd',
    classes: [`${CONTEXT}profile`],
    tenant: 'acmelab',
    properties,
  });

  it('are made below the tenant, found by title, changed and removed', async () => {
    const { aep } = simulated();
    const { schemaRegistry } = aep;
    const made = await schemaRegistry.createFieldGroup(fields({ points: { type: 'integer' } }));
    expect(await schemaRegistry.findFieldGroups('order fields')).toEqual([made.$id]);
    expect(await schemaRegistry.findFieldGroups('order')).toEqual([]);
    expect(await schemaRegistry.findSchemas('order fields')).toEqual([]);
    const path = '/definitions/customFields/properties/_acmelab/properties/level';
    await schemaRegistry.patchFieldGroup(made.$id, [{ op: 'add', path, value: { type: 'string' } }]);
    expect(await schemaRegistry.getFieldGroup(made.$id)).toMatchObject({
      $id: made.$id,
      title: 'order fields',
      description: 'd',
      'meta:intendedToExtend': [`${CONTEXT}profile`],
      definitions: {
        customFields: {
          properties: {
            _acmelab: {
              type: 'object',
              properties: { points: { type: 'integer' }, level: { type: 'string' } },
            },
          },
        },
      },
      allOf: [{ $ref: '#/definitions/customFields' }],
    });
    await schemaRegistry.deleteFieldGroup(made.$id);
    expect((await failure(schemaRegistry.getFieldGroup(made.$id))).code).toBe('AEP_NOT_FOUND');
  });

  it('stay while a schema has them, and share their titles with schemas', async () => {
    const { schemaRegistry } = simulated().aep;
    const { $id } = await schemaRegistry.createFieldGroup(fields({}));
    const parts = [`${CONTEXT}profile`, $id];
    const taken = schemaRegistry.createSchema({ title: 'order fields', description: 'd', parts });
    expect((await failure(taken)).serviceCode).toBe('XDM-1521-400');
    await schemaRegistry.createSchema({ title: 'orders', description: 'd', parts });
    expect((await failure(schemaRegistry.deleteFieldGroup($id))).code).toBe('AEP_REFUSED');
  });

  it('of another tenant are refused', async () => {
    const group = { ...fields({}), tenant: 'other' };
    const error = await failure(simulated().aep.schemaRegistry.createFieldGroup(group));
    expect(error.serviceCode).toBe('XDM-1020-400');
  });
});

describe('identity descriptors', () => {
  it('are found for one schema alone, and removed', async () => {
    const { aep } = simulated();
    const { schemaRegistry } = aep;
    const { schemaId } = await ground(aep);
    const parts = [`${CONTEXT}profile`, `${CONTEXT}profile-work-details`];
    const other = await schemaRegistry.createSchema({ title: 'other', description: 'd', parts });
    expect(await schemaRegistry.findIdentityDescriptors(schemaId)).toEqual([]);
    const identity = { property: '/workEmail/address', namespace: 'Email', primary: true };
    await schemaRegistry.createIdentityDescriptor({ ...identity, schemaId: other.$id });
    const id = await schemaRegistry.createIdentityDescriptor({ ...identity, schemaId });
    expect(await schemaRegistry.findIdentityDescriptors(schemaId)).toEqual([{ id, schemaId, ...identity }]);
    await schemaRegistry.deleteDescriptor(id);
    expect(await schemaRegistry.findIdentityDescriptors(schemaId)).toEqual([]);
  });

  it('of other schemas are left out where the service does not filter', async () => {
    const descriptor = (schema: string, more: object) => ({
      '@id': schema,
      'xdm:sourceSchema': schema,
      'xdm:sourceProperty': '/personID',
      ...more,
    });
    const { aep, sent } = answered(
      json(200, {
        'xdm:alternateDisplayInfo': [{ '@id': 'x' }],
        'xdm:descriptorIdentity': [
          descriptor('mine', { 'xdm:namespace': 6, 'xdm:property': 'xdm:id' }),
          descriptor('theirs', { 'xdm:namespace': 'ECID', 'xdm:isPrimary': true }),
        ],
      }),
      json(200, { 'xdm:descriptorIdentity': null }),
    );
    expect(await aep.schemaRegistry.findIdentityDescriptors('mine')).toEqual([
      { id: 'mine', schemaId: 'mine', property: '/personID', namespace: '6', primary: false },
    ]);
    expect(sent[0]?.init.headers.accept).toBe('application/vnd.adobe.xdm+json');
    expect(new URL(sent[0]?.url ?? '').searchParams.getAll('property')).toEqual(['xdm:sourceSchema==mine']);
    expect(await aep.schemaRegistry.findIdentityDescriptors('mine')).toEqual([]);
  });

  it('need a namespace that exists', async () => {
    const { aep } = simulated();
    const { schemaId } = await ground(aep);
    const identity = { schemaId, property: '/workEmail/address', namespace: 'Nobody', primary: true };
    expect((await failure(aep.schemaRegistry.createIdentityDescriptor(identity))).code).toBe('AEP_REFUSED');
    const codes = await aep.identity.namespaceCodes();
    expect(codes).toContain('Email');
    expect(codes).not.toContain('Nobody');
  });
});

describe('12 B 4: a search by title that comes in several pages', () => {
  const page = (ids: string[], next: unknown) =>
    json(200, {
      results: ids.map((id) => ({ $id: `https://ns.adobe.com/acmelab/schemas/${id}`, title: 't' })),
      _page: { orderby: 'updated', next, count: ids.length },
    });

  it.each([
    ['its value', 'a+b', 'a+b'],
    ['a number', 1771000000000, '1771000000000'],
    [
      'a URI',
      'https://platform.adobe.io/data/foundation/schemaregistry/tenant/schemas?limit=1&start=a%2Bb',
      'a+b',
    ],
  ])('goes on where the answer names the next by %s', async (_what, next, start) => {
    const { aep, sent } = answered(page(['1'], next), page(['2'], null));
    expect(await aep.schemaRegistry.findSchemas('t')).toHaveLength(2);
    const asked = sent.map(({ url }) => new URL(url).searchParams);
    expect(asked.map((query) => query.get('start'))).toEqual([null, start]);
    expect(asked.map((query) => query.get('property'))).toEqual(['title==t', 'title==t']);
  });

  it('ends as a failure where it leads back to itself', async () => {
    const { aep, sent } = answered(page(['1'], 'again'));
    expect(await failure(aep.schemaRegistry.findSchemas('t'))).toMatchObject({ code: 'AEP_UNEXPECTED' });
    expect(sent).toHaveLength(2);
  });

  it.each([{}, { _page: null }, { _page: 'unexpected' }, { _page: { next: '' } }])(
    'is one page with %j',
    async (more) => {
      const { aep, sent } = answered(json(200, { results: [], ...more }));
      expect(await aep.schemaRegistry.findSchemas('t')).toEqual([]);
      expect(sent).toHaveLength(1);
    },
  );
});
