// Operations of Data Prep: what of a message reaches Profile and the Identity Service, and what is acknowledged and goes nowhere.
import { describe, expect, it, test } from 'vitest';
import {
  CATALOG,
  type Caller,
  caller,
  type Made,
  makeDataSet,
  makePipeline,
  makeSchema,
  REGISTRY,
  ROW,
  rowsOf,
  sendBatch,
  WARM_UP,
} from './support.ts';

const ON = ['enabled:true'];
const IDENTITY_TAGS = {
  unifiedProfile: ['enabled:false'],
  unifiedIdentity: ON,
  acp_validationContext: ['disabled'],
};

const { acp_validationContext: _, ...VALIDATED } = IDENTITY_TAGS;

async function intoProfile({ call }: Caller, { schemaId, dataSetId }: Made): Promise<void> {
  await call('POST', `${REGISTRY}/tenant/descriptors`, {
    '@type': 'xdm:descriptorIdentity',
    'xdm:sourceSchema': schemaId,
    'xdm:sourceVersion': 1,
    'xdm:sourceProperty': '/workEmail/address',
    'xdm:namespace': 'Email',
    'xdm:property': 'xdm:code',
    'xdm:isPrimary': true,
  });
  const union = [{ op: 'add', path: '/meta:immutableTags', value: ['union'] }];
  expect(
    (await call('PATCH', `${REGISTRY}/tenant/schemas/${encodeURIComponent(schemaId)}`, union)).status,
  ).toBe(200);
  const patch = await call('PATCH', `${CATALOG}/dataSets/${dataSetId}`, { tags: { unifiedProfile: ON } });
  expect(patch.status).toBe(200);
}

async function pipeline(inProfile = true) {
  const with_ = await caller();
  const made = await makePipeline(with_);
  if (inProfile) await intoProfile(with_, made);
  with_.clock.advance(WARM_UP);
  const send = async (operations: object, body: object = ROW) => {
    const sent = await sendBatch(with_, made, [{ header: { flowId: made.flowId, operations }, body }]);
    expect(sent.body.responses).toEqual([{ xactionId: expect.any(String) }]);
    const { counts, losses, unlinked } = (await with_.bare('GET', '/_simulator/state')).body;
    const reasons = losses.map(({ reason }: { reason: string }) => reason);
    return { ...counts, reasons, unlinked };
  };
  return { with_, made, send };
}

describe('A 6: an update of a profile', () => {
  test.each(['merge', 'delete'])('%s is applied to Profile alone, never to the lake', async (data) => {
    const { with_, made, send } = await pipeline();
    expect(await send({ data })).toMatchObject({ profileOnly: 1, lost: 0 });
    expect(await rowsOf(with_, made.dataSetId)).toHaveLength(0);
  });

  test.each(['merge', 'delete'])(
    '%s on a dataset outside Profile is acknowledged and applied nowhere',
    async (data) => {
      const { with_, made, send } = await pipeline(false);
      const told = await send({ data });
      expect(told).toMatchObject({ profileOnly: 0, lost: 1, reasons: ['the dataset is not in Profile'] });
      expect(await rowsOf(with_, made.dataSetId)).toHaveLength(0);
    },
  );

  it('without an identity is applied nowhere', async () => {
    const { send } = await pipeline();
    const told = await send({ data: 'merge' }, { id: 'cust-1', firstName: 'Ana' });
    expect(told).toMatchObject({ profileOnly: 0, lost: 1, reasons: ['the record has no primary identity'] });
  });

  it('as a whole record lands in the lake, in Profile or not', async () => {
    const { with_, made, send } = await pipeline(false);
    expect(await send({ data: 'create' })).toMatchObject({ landed: 1, profileOnly: 0, lost: 0 });
    expect(await rowsOf(with_, made.dataSetId)).toHaveLength(1);
  });
});

describe('A 6: new identities', () => {
  const cases: [
    string,
    (own: Awaited<ReturnType<typeof pipeline>>) => Promise<string | undefined>,
    string?,
  ][] = [
    [
      'an identity dataset as Adobe asks for',
      ({ with_, made }) => makeDataSet(with_, made.schemaId, { tags: IDENTITY_TAGS }),
    ],
    ['none named', async () => undefined, 'no identity dataset is named'],
    ['one that is not there', async () => '69a1f3c27be5a40c1d2e3f40', 'the identity dataset is not there'],
    [
      'that of the data',
      async ({ made }) => made.dataSetId,
      'the identity dataset is that of the data: it is overwritten',
    ],
    [
      'one of another schema',
      async ({ with_ }) =>
        makeDataSet(with_, await makeSchema(with_, 'another schema'), { tags: IDENTITY_TAGS }),
      'the identity dataset is of another schema',
    ],
    [
      'one in Profile',
      ({ with_, made }) =>
        makeDataSet(with_, made.schemaId, { tags: { ...IDENTITY_TAGS, unifiedProfile: ON } }),
      'the identity dataset is in Profile: it is overwritten',
    ],
    [
      'one without Identity',
      ({ with_, made }) =>
        makeDataSet(with_, made.schemaId, { tags: { ...IDENTITY_TAGS, unifiedIdentity: ['enabled:false'] } }),
      'the identity dataset is not enabled for the Identity Service',
    ],
    [
      'one that is validated, of a schema that asks for nothing besides',
      ({ with_, made }) => makeDataSet(with_, made.schemaId, { tags: VALIDATED }),
    ],
    [
      'one that is validated, of a schema that asks for more',
      async ({ with_, made }) => {
        const schemas = [...with_.platform.state.sandboxes.values()].map(({ registry }) => registry.schemas);
        for (const shelf of schemas) {
          const schema = shelf.get(made.schemaId);
          if (schema !== undefined) shelf.put(made.schemaId, { ...schema, required: ['_id'] });
        }
        return makeDataSet(with_, made.schemaId, { tags: VALIDATED });
      },
      'the identity dataset asks for fields that are no identities',
    ],
  ];

  it.each(cases)('are linked or not: %s', async (_, make, reason) => {
    const own = await pipeline();
    const identityDatasetId = await make(own);
    const told = await own.send({
      data: 'merge',
      identity: 'create',
      ...(identityDatasetId && { identityDatasetId }),
    });
    expect(told).toMatchObject({
      profileOnly: 1,
      linked: reason === undefined ? 1 : 0,
      unlinked: reason === undefined ? {} : { [reason]: 1 },
    });
  });
});
