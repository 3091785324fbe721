// Schema Registry: the tenant, schemas that join Profile, lists. What any platform can be asked is in test/contract.
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

describe('C 4: the fields of a schema', () => {
  it('go on in the items of arrays, and of what cannot be read nothing is known', async () => {
    const fields = {
      type: 'object',
      properties: {
        orders: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
        grid: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
        odd: { type: 'array', items: [{ type: 'string' }] },
      },
    };
    const { aep } = answered(json(200, fields));
    const read = await aep.schemaRegistry.getFields('s');
    const { orders, grid, odd } = fields.properties;
    expect(read.properties).toEqual({ orders, grid, odd: { ...odd, items: {} } });
  });
});

describe('identity descriptors', () => {
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
