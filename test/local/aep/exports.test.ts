// What a tenant made in the registry is carried from one sandbox to another, with all it needs.

import { expect, it } from 'vitest';
import { type Caller, caller, LIST, LOOKUP, makeSchema, REGISTRY, XDM } from './support.ts';

const PROD = { 'x-sandbox-name': 'prod' };
const at = (id: string) => encodeURIComponent(id);
const customFields = (properties: object) => ({
  type: 'object',
  definitions: { customFields: { type: 'object', properties } },
  allOf: [{ $ref: '#/definitions/customFields', type: 'object' }],
});

/** A schema with a field group of its own, which uses a data type of its own. */
async function made() {
  const with_ = await caller();
  const { call } = with_;
  const create = async (kind: string, body: object) =>
    (await call('POST', `${REGISTRY}/tenant/${kind}`, body)).body.$id as string;
  const type = await create('datatypes', {
    title: 'Property',
    ...customFields({ propertyId: { type: 'string' } }),
  });
  const group = await create('fieldgroups', {
    title: 'Restaurant',
    'meta:intendedToExtend': [`${XDM}profile`],
    ...customFields({
      _acmelab: { type: 'object', properties: { property: { $ref: type }, capacity: { type: 'integer' } } },
    }),
  });
  const schema = await create('schemas', {
    title: 'Guests',
    type: 'object',
    allOf: [{ $ref: `${XDM}profile` }, { $ref: group }],
  });
  return { with_, type, group, schema };
}

const exportOf = ({ call }: Caller, id: string) => call('GET', `${REGISTRY}/rpc/export/${at(id)}`);
const importInto = ({ call }: Caller, body: unknown, headers: Record<string, string> = PROD) =>
  call('POST', `${REGISTRY}/rpc/import`, body, headers);

it("12 B 8: an export has what is needed first, each once, without the tenant's name and without what is the server's", async () => {
  const { with_, type, group, schema } = await made();
  const { status, body } = await exportOf(with_, schema);
  expect(status).toBe(200);
  const own = (id: string) => id.replace('/acmelab/', '/<XDM_TENANTID_PLACEHOLDER>/');
  expect(body.map(({ $id }: { $id: string }) => $id)).toEqual([type, group, schema].map(own));
  expect(JSON.stringify(body)).not.toContain('acmelab');
  expect(body[1].definitions.customFields.properties).toHaveProperty(['_<XDM_TENANTID_PLACEHOLDER>']);
  for (const each of body)
    expect(Object.keys(each)).not.toEqual(expect.arrayContaining(['meta:registryMetadata']));
  expect((await exportOf(with_, `${XDM}profile`)).status).toBe(404);
});

it('12 B 8: data types that refer to each other are exported once each, and imported', async () => {
  const { with_, type } = await made();
  const other = customFields({ parent: { $ref: type } });
  const { $id } = (await with_.call('POST', `${REGISTRY}/tenant/datatypes`, { title: 'Other', ...other }))
    .body;
  const both = customFields({ propertyId: { type: 'string' }, other: { $ref: $id } });
  const changed = await with_.call('PUT', `${REGISTRY}/tenant/datatypes/${at(type)}`, {
    title: 'Property',
    ...both,
  });
  expect(changed.status).toBe(200);
  const { body } = await exportOf(with_, type);
  expect(body.map(({ title }: { title: string }) => title)).toEqual(['Other', 'Property']);
  expect((await importInto(with_, body)).status).toBe(200);
});

it('12 B 8: an import makes it in another sandbox under the same ids, and its fields are those of the original', async () => {
  const { with_, schema } = await made();
  const { status, body } = await importInto(with_, (await exportOf(with_, schema)).body);
  expect(status).toBe(200);
  expect(body).toMatchObject([
    { title: 'Property', imsOrg: with_.platform.settings.organization, 'meta:tenantNamespace': '_acmelab' },
    { title: 'Restaurant' },
    { title: 'Guests', $id: schema },
  ]);
  const path = `${REGISTRY}/tenant/schemas/${at(schema)}`;
  const [original, copy] = [
    (await with_.call('GET', path, undefined, LOOKUP)).body,
    (await with_.call('GET', path, undefined, { ...LOOKUP, ...PROD })).body,
  ];
  expect(copy.properties).toEqual(original.properties);
  expect(copy.properties._acmelab.properties.property.properties.propertyId.type).toBe('string');
  expect(copy['meta:sandboxId']).not.toBe(original['meta:sandboxId']);
});

it("12 B 8: an import into another organization gets that tenant's name", async () => {
  const { with_, schema } = await made();
  const other = await caller({ tenant: 'beta' });
  const { body } = await importInto(other, (await exportOf(with_, schema)).body);
  expect(body[2].$id).toBe(schema.replace('/acmelab/', '/beta/'));
  expect(JSON.stringify(body)).not.toContain('acmelab');
  expect(body[1].definitions.customFields.properties).toHaveProperty('_beta');
});

it('12 B 8: where an id or a title is taken nothing is imported, and the answer says which', async () => {
  const { with_, schema } = await made();
  const { body: payload } = await exportOf(with_, schema);
  const again = await importInto(with_, payload, {});
  expect(again.body).toMatchObject({
    status: 400,
    type: 'http://ns.adobe.com/aep/errors/XDM-3005-400',
    title: 'Import Resource Failed',
  });
  await makeSchema({ ...with_, call: (m, p, b, h = {}) => with_.call(m, p, b, { ...PROD, ...h }) }, 'Guests');
  const clash = await importInto(with_, payload);
  expect(clash.body.detail).toMatch(
    /^Failed to import resources\. Error: Title must be unique\. An object .* already exists/,
  );
  const left = async (kind: string) =>
    (await with_.call('GET', `${REGISTRY}/tenant/${kind}`, undefined, { ...LIST, ...PROD })).body.results
      .length;
  expect([await left('datatypes'), await left('fieldgroups'), await left('schemas')]).toEqual([0, 0, 1]);
});

it('12 B 8: an import of anything else is refused', async () => {
  const with_ = await caller();
  for (const body of [{}, [], [1], [{}], [{ 'meta:resourceType': 'schemas', $id: `${XDM}profile` }]])
    expect.soft((await importInto(with_, body)).status, JSON.stringify(body)).toBe(400);
});
