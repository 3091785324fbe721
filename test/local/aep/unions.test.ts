// Unions hold the fields of every schema of a class that is enabled for Profile.

import { expect, it } from 'vitest';
import { caller, LIST, LOOKUP, makeSchema, REGISTRY, XDM } from './support.ts';

const UNIONS = `${REGISTRY}/tenant/unions`;
const PROFILE = `${XDM}profile`;
const ENABLE = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
const at = (id: string) => encodeURIComponent(id);
const RAW = { accept: 'application/vnd.adobe.xed+json; version=1' };

it('12 B 8: without a schema that is enabled there is no union', async () => {
  const with_ = await caller();
  await makeSchema(with_);
  const list = await with_.call('GET', UNIONS, undefined, LIST);
  expect([list.status, list.body.results]).toEqual([200, []]);
  expect((await with_.call('GET', `${UNIONS}/${at(`${PROFILE}__union`)}`, undefined, LOOKUP)).status).toBe(
    404,
  );
});

it('12 B 8: a union is listed once for its class, with the fields of all of its schemas and none of the others', async () => {
  const with_ = await caller();
  const { call } = with_;
  const schemas = [
    await makeSchema(with_, 'one', ['profile', 'profile-person-details', 'identitymap']),
    await makeSchema(with_, 'two', ['profile', 'profile-work-details', 'identitymap']),
  ];
  await makeSchema(with_, 'not enabled', ['profile', 'profile-personal-details', 'identitymap']);
  for (const id of schemas) await call('PATCH', `${REGISTRY}/tenant/schemas/${at(id)}`, ENABLE);
  const list = await call('GET', UNIONS, undefined, LIST);
  expect(list.body.results).toEqual([
    {
      title: 'XDM Individual Profile',
      $id: `${PROFILE}__union`,
      'meta:altId': '_xdm.context.profile__union',
      version: '1.0',
    },
  ]);
  for (const id of [at(`${PROFILE}__union`), '_xdm.context.profile__union']) {
    const full = (await call('GET', `${UNIONS}/${id}`, undefined, LOOKUP)).body;
    expect(Object.keys(full.properties)).toEqual(
      expect.arrayContaining(['person', 'workEmail', 'identityMap', 'timeSeriesEvents', 'segmentMembership']),
    );
    expect(full.properties.homeAddress).toBeUndefined();
  }
  const raw = (await call('GET', `${UNIONS}/_xdm.context.profile__union`, undefined, RAW)).body;
  expect(raw).toMatchObject({
    'meta:class': PROFILE,
    'meta:resourceType': 'unions',
    'meta:containerId': 'tenant',
  });
  expect(raw.allOf).toContainEqual({ $ref: `${XDM}profile-work-details` });
  expect(raw.allOf).not.toContainEqual({ $ref: `${XDM}profile-personal-details` });
  expect(raw['meta:extends']).toEqual(expect.arrayContaining(schemas));
});

it('12 B 8: a union can be looked up among the schemas as well, and the registry wants to be asked properly', async () => {
  const with_ = await caller();
  const { call } = with_;
  const id = await makeSchema(with_);
  await call('PATCH', `${REGISTRY}/tenant/schemas/${at(id)}`, ENABLE);
  const union = at(`${PROFILE}__union`);
  const [one, other] = [
    await call('GET', `${UNIONS}/${union}`, undefined, LOOKUP),
    await call('GET', `${REGISTRY}/tenant/schemas/${union}`, undefined, LOOKUP),
  ];
  expect(one.status).toBe(200);
  expect(other.body).toEqual(one.body);
  expect((await call('GET', `${UNIONS}/${union}`, undefined, LIST)).body.type).toContain('XDM-1007-400');
  expect((await call('GET', UNIONS, undefined, { accept: 'application/json' })).body.type).toContain(
    'XDM-1006-400',
  );
});
