// What no stream can fill is refused by the plan, with the reason, before anything is made.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { world } from '../../support/provisioning.ts';
import { actions, byHand, changes, holdings, inletManifest, position, type World } from '../cases.ts';

const REGISTRY = '/data/foundation/schemaregistry/tenant';
const DATA = 'https://ns.adobe.com/xdm/data';

async function madeByHand(own: World, kind: 'schemas' | 'classes', body: object): Promise<string> {
  const path = `${REGISTRY}/${kind}`;
  const { value } = await byHand(own).request({
    method: 'POST',
    path,
    body: { type: 'object', description: 'by hand', ...body },
    answer: z.object({ $id: z.string() }),
  });
  return value.$id;
}

/** As Adobe's page xdm/api/schemas makes one: no class, no field group, its fields at the top. */
const RELATIONAL = {
  title: 'Loyalty members',
  'meta:extends': [`${DATA}/adhoc-v2`],
  'meta:behaviorType': 'record',
  definitions: { customFields: { type: 'object', properties: { memberId: { type: 'string' } } } },
  allOf: [{ $ref: '#/definitions/customFields', 'meta:xdmType': 'object' }],
};

async function refused(own: World, manifest: object) {
  const from = position(own);
  const { document } = await own.run({ manifest, mode: 'plan' });
  const said = document.plan.find(({ resource }) => resource === 'schema');
  const { status, error, cause } = await own.run({ manifest });
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'Penstock.Conflict' });
  expect(cause).toMatch(/^CONFLICT: /);
  expect(changes(own, from)).toEqual([]);
  expect(actions(document)).toMatchObject({ schema: 'conflict' });
  return { said, cause };
}

describe('C: relational schemas and what cannot be fed by a stream are refused with that reason', () => {
  it('a relational schema that the manifest names', async () => {
    const own = world();
    const id = await madeByHand(own, 'schemas', RELATIONAL);
    const { said, cause } = await refused(own, inletManifest({ schema: { id } }));
    expect(said?.differences).toMatchObject([{ field: 'behavior', found: 'relational' }]);
    expect(cause).toContain('a stream cannot fill a relational schema');
    expect(holdings(own)).toEqual({ schemas: 1 });
  });

  it('a class for ad-hoc data', async () => {
    const own = world();
    const id = await madeByHand(own, 'classes', {
      title: 'Import of a file',
      'meta:extends': [`${DATA}/adhoc`],
      allOf: [{ $ref: `${DATA}/adhoc` }],
    });
    const { said } = await refused(own, inletManifest({ schema: { class: id } }));
    expect(said?.reason).toContain(
      `schema.class: found "${id}", which is ad-hoc; expected record or time-series`,
    );
  });

  it.each(['adhoc', 'adhoc-v2'])('the behavior %s in the place of a class', async (behavior) => {
    const { said } = await refused(world(), inletManifest({ schema: { class: `${DATA}/${behavior}` } }));
    expect(said?.reason).toContain('a stream cannot fill');
  });

  it('a schema of an own class for records or events is taken', async () => {
    const own = world();
    const id = await madeByHand(own, 'classes', {
      title: 'Shop',
      'meta:extends': [`${DATA}/record`],
      allOf: [{ $ref: `${DATA}/record` }],
    });
    const { document } = await own.run({
      manifest: inletManifest({ schema: { class: id }, mapping: [{ source: 'id', destination: '_id' }] }),
      mode: 'plan',
    });
    expect(actions(document)).toMatchObject({ schema: 'create' });
  });
});
