// Flow Service: secrets, lists, lost answers, older forms. What any platform can be asked is in test/contract.
import { describe, expect, it } from 'vitest';
import { type Aep, CONNECTION_SPECS, FLOW_SPECS } from '../../lib/aep/index.ts';
import { json } from '../support/scripted.ts';
import { answered, failure, ground, simulated } from './simulated.ts';

const SECRET = 'fake/kinesis+secret"key';
const named = (name: string) => ({ name, description: 'd' });

const kinesis = (name: string) => ({
  ...named(name),
  specId: CONNECTION_SPECS.kinesis,
  auth: {
    specName: 'Aws Kinesis authentication credentials',
    params: { accessKeyId: 'AKIAFAKE', secretKey: SECRET, region: 'eu-west-1' },
  },
});

async function reader(aep: Aep, stream: string) {
  const baseId = await aep.flowService.createConnection(kinesis('base'));
  const sourceId = await aep.flowService.createSourceConnection({
    ...named('source'),
    baseConnectionId: baseId,
    specId: CONNECTION_SPECS.kinesis,
    params: { stream, dataType: 'raw', reset: 'earliest' },
  });
  return { baseId, sourceId };
}

async function pipeline(aep: Aep) {
  const { schemaId, datasetId } = await ground(aep);
  const { baseId, sourceId } = await reader(aep, 'orders');
  const targetId = await aep.flowService.createTargetConnection({ ...named('target'), datasetId, schemaId });
  const source = 'firstName';
  const mappings = [{ sourceType: 'ATTRIBUTE', source, destination: 'person.name.firstName' }] as const;
  const mapping = await aep.dataPrep.createMappingSet({ name: 'm', schemaId, mappings });
  const flow = {
    ...named('flow'),
    flowSpecId: FLOW_SPECS.streaming,
    sourceConnectionId: sourceId,
    targetConnectionId: targetId,
    mapping,
  };
  return { baseId, sourceId, targetId, mapping, schemaId, datasetId, flow };
}

describe('connections', () => {
  it('keep their secrets out of messages, whatever the service repeats', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nfakefakefake\n-----END PRIVATE KEY-----';
    const credentials = JSON.stringify({ private_key: pem });
    const wanted = (params: Record<string, unknown>) => ({
      ...named('x'),
      specId: CONNECTION_SPECS.kinesis,
      auth: { specName: 'x', params },
    });
    const params = {
      region: 'eu-west-1',
      secretKey: SECRET,
      nested: { short: 'fake-n', key: 'fake-nested' },
      credentials,
    };
    const echoes = [
      json(400, { errorMessage: `cannot use ${SECRET}, fake-nested or ${credentials} in eu-west-1` }),
      json(400, { report: { 'detailed-message': JSON.stringify(params) } }),
      json(400, { errorMessage: `cannot use ${pem} in eu-west-1` }),
      json(400, { errorMessage: 'in eu-west-1', error: `bad ${SECRET}` }),
      json(400, `not JSON: ${JSON.stringify({ region: 'eu-west-1', secretKey: SECRET })}`),
    ];
    for (const echo of echoes) {
      const error = await failure(answered(echo).aep.flowService.createConnection(wanted(params)));
      const said = `${error.stack} ${error.serviceCode} ${JSON.stringify(error)} ${String(error.cause)}`;
      for (const secret of ['secret"key', 'secret\\"key', 'fakefake', '***ested', 'kinesis+secret']) {
        expect(said).not.toContain(secret);
      }
      expect(error.message).toContain('eu-west-1');
    }
    const { aep } = answered(json(400, { errorMessage: `no ${SECRET}` }));
    const operations = [
      { op: 'replace', path: '/auth/params/secretKey', value: SECRET },
      { op: 'replace', path: '/description', value: 'no' },
    ] as const;
    const refused = await failure(aep.flowService.patch('connections', 'x', operations, '"1"'));
    expect(refused.what).toMatch(/: no \*\*\*$/);
  });
});

describe('source connections', () => {
  it('of several bases come in one call, and of none without one', async () => {
    const { aep, calls } = simulated();
    const [a, b, c] = [await reader(aep, 'a'), await reader(aep, 'b'), await reader(aep, 'c')];
    calls();
    const found = await aep.flowService.findSourceConnectionsOf([a.baseId, c.baseId]);
    expect(found.map(({ id }) => id)).toEqual([a.sourceId, c.sourceId]);
    expect(calls()).toHaveLength(1);
    expect(await aep.flowService.findSourceConnectionsOf([])).toEqual([]);
    expect(await aep.flowService.findFlowsReading([])).toEqual([]);
    expect(calls()).toEqual([]);
    expect(b.baseId).not.toBe(a.baseId);
  });

  it('that the service should not have listed are left out', async () => {
    const { aep } = answered(
      json(200, {
        items: [
          { id: '1', params: { stream: 'other' } },
          { id: '2', params: { stream: 'orders' } },
          { id: '3', params: null, baseConnectionId: null, etag: null },
          { id: '4', connectionSpec: { id: 'other' } },
        ],
      }),
    );
    const { kinesis: spec } = CONNECTION_SPECS;
    const found = await aep.flowService.findStreamReaders(spec, 'orders');
    expect(found.map(({ id }) => id)).toEqual(['2', '3']);
  });
});

describe('flows', () => {
  it('an action whose answer was lost is in doubt, and not taken twice', async () => {
    const { aep, platform, calls } = simulated();
    const id = await aep.flowService.createFlow((await pipeline(aep)).flow);
    calls();
    platform.faults.add({ kind: 'dropAfter', path: '/data/foundation/flowservice/flows/*/action', times: 1 });
    expect(await failure(aep.flowService.actOnFlow(id, 'disable'))).toMatchObject({ inDoubt: true });
    expect(calls()).toHaveLength(1);
    expect((await aep.flowService.getFlow(id)).state).toBe('disabled');
  });

  it.each([
    [2, 2],
    ['2', 2],
    ['2.0', 2],
    ['newest', undefined],
    ['', undefined],
    [null, undefined],
  ])('a mapping version of %j is %j', async (mappingVersion, expected) => {
    const transformations = [{ name: 'Mapping', params: { mappingId: 'm', mappingVersion } }];
    const { aep } = answered(json(200, { items: [{ id: 'f', transformations }] }));
    const { transformations: read } = await aep.flowService.getFlow('f');
    expect(read?.[0]?.params?.mappingVersion).toBe(expected);
  });
});

describe('patch', () => {
  it('sends the etag with its quotes', async () => {
    const { aep, sent } = answered(json(200, { id: 'x', etag: '"2"' }));
    await aep.flowService.patch('flows', 'x', [{ op: 'remove', path: '/description' }], '"6a01-00"');
    expect(sent[0]?.init.headers['if-match']).toBe('"6a01-00"');
    expect(sent[0]?.body).toBe('[{"op":"remove","path":"/description"}]');
  });

  it('understands the older answer to a stale version', async () => {
    const { aep } = answered(json(412, { errorMessage: 'Supplied version=[1] does not match' }));
    expect((await failure(aep.flowService.patch('flows', 'x', [], '"1"'))).code).toBe('AEP_CHANGED');
  });
});

describe('12 B 4: a list of several pages', () => {
  const flows = (ids: string[], href?: string) =>
    json(200, {
      items: ids.map((id) => ({ id })),
      _links: href === undefined ? {} : { next: { href } },
    });

  it.each([
    ['the token alone', '/flows?continuationToken=ab%2Bc%2Fd%3D', 'ab+c/d='],
    ['a token that nobody has escaped', '/flows?continuationToken=ab+c/d=', 'ab+c/d='],
    ['the filters, too', '/flows?property=name%3D%3Df&continuationToken=t1&limit=100', 't1'],
    [
      'a whole address',
      'https://platform.adobe.io/data/foundation/flowservice/flows?continuationToken=t1',
      't1',
    ],
    ['a token with a lone %', '/flows?continuationToken=100%', '100%'],
  ])('is followed where the link carries %s', async (_what, href, token) => {
    const { aep, sent } = answered(
      flows(['1'], href),
      flows([], href.replace(/en=.*$/, 'en=last')),
      flows(['2']),
    );
    expect((await aep.flowService.findFlows('f')).map(({ id }) => id)).toEqual(['1', '2']);
    const asked = sent.map(({ url }) => new URL(url).searchParams);
    expect(asked.map((query) => query.get('continuationToken'))).toEqual([null, token, 'last']);
    expect(asked.map((query) => query.getAll('property'))).toEqual(Array(3).fill(['name==f']));
  });

  it('that has grown meanwhile names each item once', async () => {
    const { aep } = answered(flows(['1', '2'], '/flows?continuationToken=t'), flows(['2', '3']));
    expect((await aep.flowService.findFlows('f')).map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('whose token leads back to itself ends as a failure, at once and not as half a list', async () => {
    const again = flows(['1'], '/flows?continuationToken=again');
    const { aep, sent } = answered(again, again);
    expect(await failure(aep.flowService.findFlows('f'))).toMatchObject({
      code: 'AEP_UNEXPECTED',
      retryable: false,
    });
    expect(sent).toHaveLength(2);
  });

  it('whose token stays the same while its pages bring something new is read to its end', async () => {
    const link = '/flows?continuationToken=cursor';
    const { aep } = answered(flows(['1'], link), flows(['2'], link), flows(['3']));
    expect((await aep.flowService.findFlows('f')).map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('of the simulated platform is whole', async () => {
    const { aep } = simulated();
    const ids = new Set<string>();
    for (let count = 0; count < 230; count++)
      ids.add(await aep.flowService.createConnection(kinesis('same')));
    const found = await aep.flowService.findConnections({ name: 'same', specId: CONNECTION_SPECS.kinesis });
    expect(new Set(found.map(({ id }) => id))).toEqual(ids);
  });
});
