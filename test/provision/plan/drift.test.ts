// Drift: what has moved in AEP since a pipeline was applied, in a line each, by looking only.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Drift } from '../../../lib/provision/plan/drift.ts';
import type { Flow } from '../../../local/aep/state.ts';
import { world } from '../../support/provisioning.ts';
import {
  byHand,
  inletManifest,
  KINESIS,
  keep,
  PUBLISHED,
  position,
  pulledManifest,
  richManifest,
  SECRET_ID,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

type Resources = Awaited<ReturnType<World['run']>>['document']['resources'];
type Change = (own: World, resources: Resources) => unknown;

const UPPER = [{ expression: 'upper(id)', destination: '_id' }];

async function applied(manifest: object = richManifest()) {
  const own = world();
  keep(own, SECRETS.kinesis);
  const { cause, status, document } = await own.run({ manifest });
  expect(cause ?? status).toBe('SUCCEEDED');
  own.time.now += 86_400_000;
  return { own, resources: document.resources };
}

/** Looks, and makes sure that nothing was done but looking. */
async function drift(own: World, event: unknown = {}): Promise<Drift> {
  const [from, ledger, secrets] = [
    position(own),
    JSON.stringify([...own.ledger.items]),
    JSON.stringify([...own.secrets.values]),
  ];
  const writes = own.secrets.writes() + own.triggers.writes();
  const found = (await own.steps.drift?.(event)) as unknown as Drift;
  expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(own.secrets.writes() + own.triggers.writes()).toBe(writes);
  expect(JSON.stringify([...own.ledger.items])).toBe(ledger);
  expect(JSON.stringify([...own.secrets.values])).toBe(secrets);
  expect(found.moved).toBe(found.lines.length);
  for (const line of found.lines) expect(line).not.toContain('\n');
  return found;
}

function withFlow(own: World, { flow }: Resources, change: (one: Flow) => Partial<Flow>): void {
  const there = sandboxOf(own).flows.get(flow?.id ?? '');
  if (there === undefined) throw new Error('no flow');
  sandboxOf(own).flows.put(there.id, { ...there, ...change(there) });
}

function withDataset(
  own: World,
  { dataset }: Resources,
  change: (body: Record<string, unknown>) => object,
): void {
  const there = sandboxOf(own).dataSets.get(dataset?.id ?? '');
  if (there === undefined) throw new Error('no dataset');
  const body = { ...there.body, ...change(there.body) } as typeof there.body;
  sandboxOf(own).dataSets.put(there.id, { ...there, body });
}

function withoutTag(name: string): Change {
  return (own, resources) =>
    withDataset(own, resources, ({ tags }) => ({
      tags: Object.fromEntries(Object.entries(tags as object).filter(([tag]) => tag !== name)),
    }));
}

/** The same mapping set, rewritten in AEP's pages: a new version, and the flow told to use it. */
const rewritten: Change = async (own, resources) => {
  const { mapping, schema } = resources;
  const set = sandboxOf(own).mappingSets.get(mapping?.id ?? '');
  if (set === undefined) throw new Error('no mapping set');
  await byHand(own).request({
    method: 'PUT',
    path: `${SERVICES.mappingSets}/${set.id}`,
    body: {
      name: set.body.name,
      outputSchema: {
        schemaRef: { id: schema?.id, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
      },
      mappings: [{ sourceType: 'EXPRESSION', source: 'upper(id)', destination: '_id' }],
    },
    answer: z.unknown(),
  });
  withFlow(own, resources, ({ body }) => ({
    body: {
      ...body,
      transformations: [{ name: 'Mapping', params: { mappingId: set.id, mappingVersion: 1 } }],
    },
  }));
};

const DAY = 86_400_000;

/** One batch a day that is refused whole, for so many days, or one that lands; then a look at AEP, for it to notice. */
function batches(own: World, { flow, dataset }: Resources, days: number, lands = false): void {
  for (let day = 0; day < days; day++) {
    own.time.now += DAY;
    const created = own.time.now;
    const violation = { keyword: 'type', message: 'no', pointerToViolation: '#', schemaLocation: '#' };
    const at = { created, sealAt: created, updated: created };
    sandboxOf(own).batches.set(`batch-${created}`, {
      id: `batch-${created}`,
      dataSetId: dataset?.id ?? '',
      flowId: flow?.id ?? '',
      ...at,
      bytes: 1,
      rowCount: lands ? 1 : 0,
      rows: [],
      refused: lands
        ? []
        : [
            {
              stage: 'streamingValidation',
              code: 'DCVS-1104-400',
              violations: [violation],
              header: {},
              body: {},
              source: {},
            },
          ],
    });
  }
  own.time.now += DAY;
}

const stateOf = (own: World, { flow }: Resources) => sandboxOf(own).flows.get(flow?.id ?? '')?.state;

describe('C 6: a flow that AEP itself has disabled', () => {
  const good = [
    { record: { id: 'A', first: 'Ann' }, xdm: { _id: 'A', person: { name: { firstName: 'Ann' } } } },
  ];
  const bad = [{ record: { id: 'A', first: 'Ann' }, xdm: { _id: 'B' } }];

  it('is named by drift, and one that was disabled otherwise is not taken for it', async () => {
    for (const [landed, failing, disabled, said] of [
      [0, 31, 'AEP', true],
      [3, 31, 'AEP', true],
      [0, 20, 'by hand', false],
      [3, 0, 'by hand', false],
      [0, 0, 'by hand', false],
    ] as const) {
      const { own, resources } = await applied(inletManifest());
      batches(own, resources, landed, true);
      batches(own, resources, failing);
      if (disabled === 'by hand') {
        expect(await drift(own)).toMatchObject({ moved: 0 });
        withFlow(own, resources, () => ({ state: 'disabled', updatedAt: own.time.now }));
      }
      const { lines } = await drift(own);
      expect(stateOf(own, resources)).toBe('disabled');
      expect(lines).toEqual([expect.stringMatching(/^people: flow: update \(.*state: found disabled/)]);
      expect(lines[0]?.includes('by AEP itself'), `${landed}, ${failing}`).toBe(said);
    }
  });

  it('is enabled again only when the samples pass', async () => {
    const { own, resources } = await applied(inletManifest());
    batches(own, resources, 31);
    const failed = await own.run({ manifest: inletManifest(), samples: bad });
    expect(failed.cause).toMatch(/MAPPING_INVALID.*the samples do not become the expected XDM/s);
    expect(stateOf(own, resources)).toBe('disabled');
    // Undoing leaves what is in service.
    expect(own.secrets.values.get(PUBLISHED)).toContain(resources.flow?.id);
    const { cause, status } = await own.run({ manifest: inletManifest(), samples: good });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(stateOf(own, resources)).toBe('enabled');
    expect(await drift(own)).toMatchObject({ moved: 0 });
  });

  it('without samples is left as it is, and what to do is said', async () => {
    const { own, resources } = await applied(inletManifest());
    batches(own, resources, 31);
    const { cause } = await own.run({ manifest: inletManifest() });
    expect(cause).toMatch(/AEP_REFUSED.*there are no samples.*Monitoring.*enable the flow in AEP by hand/s);
    expect(stateOf(own, resources)).toBe('disabled');
  });

  it('one that was disabled by hand is enabled without samples, and with some that fail it is not', async () => {
    const { own, resources } = await applied(inletManifest());
    withFlow(own, resources, () => ({ state: 'disabled' }));
    expect((await own.run({ manifest: inletManifest(), samples: bad })).status).toBe('FAILED');
    expect(stateOf(own, resources)).toBe('disabled');
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(stateOf(own, resources)).toBe('enabled');
  });

  it('is tried before anything that still runs is stopped', async () => {
    const { own, resources } = await applied(pulledManifest(KINESIS));
    withFlow(own, resources, () => ({ state: 'disabled' }));
    const from = position(own);
    const { cause } = await own.run({ manifest: pulledManifest(KINESIS), samples: bad });
    expect(cause).toContain('MAPPING_INVALID');
    expect(sent(own, from).filter(({ path }) => path.includes('/action'))).toEqual([]);
  });
});

describe('drift', () => {
  it('finds nothing where nothing has moved', async () => {
    for (const manifest of [inletManifest(), richManifest(), pulledManifest(KINESIS)]) {
      const { own } = await applied(manifest);
      expect(await drift(own)).toEqual({ checked: 1, moved: 0, lines: [] });
    }
  });

  it.each<[string, Change, string[]]>([
    [
      'a flow that was switched off',
      (own, resources) => withFlow(own, resources, () => ({ state: 'disabled' })),
      ['flow', 'disabled'],
    ],
    [
      'a flow that was deleted',
      (own, { flow }) => sandboxOf(own).flows.remove(flow?.id ?? ''),
      ['flow', 'create'],
    ],
    [
      'a target connection that was deleted',
      (own, resources) => sandboxOf(own).targetConnections.remove(resources['target-connection']?.id ?? ''),
      ['target-connection', 'create'],
    ],
    [
      'a source connection that was deleted',
      (own, resources) => sandboxOf(own).sourceConnections.remove(resources['source-connection']?.id ?? ''),
      ['source-connection', 'create'],
    ],
    [
      'a connection that was deleted',
      (own, resources) => sandboxOf(own).connections.remove(resources['base-connection']?.id ?? ''),
      ['base-connection', 'create'],
    ],
    [
      'a dataset that was deleted',
      (own, { dataset }) => sandboxOf(own).dataSets.remove(dataset?.id ?? ''),
      ['dataset', 'create'],
    ],
    ['a switch of the dataset', withoutTag('unifiedProfile'), ['dataset', 'unifiedProfile']],
    [
      "the pipeline's ownership tag on the dataset",
      withoutTag('penstock'),
      ['dataset', 'has no ownership tag'],
    ],
    [
      'diagnostics that were switched off',
      (own, resources) => withDataset(own, resources, () => ({ enableErrorDiagnostics: false })),
      ['dataset', 'errorDiagnostics'],
    ],
    [
      'an identity that was deleted',
      (own) => sandboxOf(own).descriptors.remove(String(sandboxOf(own).descriptors.values()[1]?.['@id'])),
      ['identity', '/mobilePhone/number'],
    ],
    [
      'a flow that was given another mapping set',
      async (own, resources) => {
        const mappings = [{ sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' }] as const;
        const set = await byHand(own).dataPrep.createMappingSet({
          name: 'By hand',
          schemaId: resources.schema?.id ?? '',
          mappings,
        });
        withFlow(own, resources, ({ body }) => ({
          body: {
            ...body,
            transformations: [{ name: 'Mapping', params: { mappingId: set.id, mappingVersion: 0 } }],
          },
        }));
      },
      ['flow', 'mapping'],
    ],
    [
      'a mapping set that was deleted',
      (own, { mapping }) => sandboxOf(own).mappingSets.remove(mapping?.id ?? ''),
      ['mapping', 'create'],
    ],
    ['a mapping set that was rewritten, and the flow with it', rewritten, ['mapping']],
    [
      'a trigger that was switched off',
      (own) => {
        for (const [id, one] of own.triggers.all) own.triggers.all.set(id, { ...one, state: 'off' });
      },
      ['trigger'],
    ],
    ['a trigger that was deleted', (own) => own.triggers.all.clear(), ['trigger']],
    [
      'what is published',
      (own) => own.secrets.values.delete(PUBLISHED.replace('people', 'members')),
      ['publish'],
    ],
  ])('says %s in one line, and looks only', async (_, change, said) => {
    const { own, resources } = await applied();
    await change(own, resources);
    const { checked, lines } = await drift(own);
    expect(checked).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^members: /);
    for (const text of said) expect(lines[0]).toContain(text);
  });

  it.each<[string, Change]>([
    [
      'a dataset that has another name',
      (own, resources) => withDataset(own, resources, () => ({ name: 'Renamed' })),
    ],
    [
      'a dataset that has more tags',
      (own, resources) =>
        withDataset(own, resources, ({ tags }) => ({ tags: { ...(tags as object), team: ['x'] } })),
    ],
    [
      'a flow that has another name',
      (own, resources) => withFlow(own, resources, ({ body }) => ({ body: { ...body, name: 'Renamed' } })),
    ],
    [
      'connections that have other names',
      (own) => {
        const { connections, sourceConnections, targetConnections } = sandboxOf(own);
        for (const shelf of [connections, sourceConnections, targetConnections])
          for (const one of shelf.values())
            shelf.put(one.id, { ...one, body: { ...one.body, name: 'Renamed' } });
      },
    ],
    [
      'a schema and a field group that have other titles',
      (own) => {
        const { schemas, mixins } = sandboxOf(own).registry;
        for (const shelf of [schemas, mixins])
          for (const one of shelf.values())
            shelf.put(String(one.$id), { ...one, title: `Renamed ${one.title}` });
      },
    ],
    [
      'a mapping set of somebody else',
      (own, { schema }) =>
        byHand(own).dataPrep.createMappingSet({
          name: 'By hand',
          schemaId: schema?.id ?? '',
          mappings: [{ sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' }],
        }),
    ],
  ])('takes %s for what it was', async (_, change) => {
    const { own, resources } = await applied();
    await change(own, resources);
    expect(await drift(own)).toEqual({ checked: 1, moved: 0, lines: [] });
  });

  it('of a source that AEP reads: its flow, and credentials that were changed here and not there', async () => {
    const { own, resources } = await applied(pulledManifest(KINESIS));
    withFlow(own, resources, () => ({ state: 'disabled' }));
    expect((await drift(own)).lines).toEqual([expect.stringMatching(/^people: .*flow.*disabled/)]);
    withFlow(own, resources, () => ({ state: 'enabled' }));
    keep(own, { accessKeyId: 'AKIANEXTNEXTNEXTNEXT', secretKey: 'CANARY' });
    const { lines } = await drift(own);
    expect(lines).toEqual([expect.stringMatching(/^people: base-connection: update .*credentials/)]);
    expect(lines.join()).not.toMatch(/CANARY|AKIA/);
  });

  it('compares with the manifest that is in force, not with one that failed', async () => {
    const { own } = await applied(inletManifest());
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    expect((await own.run({ manifest: inletManifest({ mapping: UPPER }) })).status).toBe('FAILED');
    own.platform.faults.clear();
    expect(await drift(own)).toEqual({ checked: 1, moved: 0, lines: [] });
  });

  it('goes by what AEP has now, after a change that succeeded', async () => {
    const { own } = await applied(inletManifest());
    expect((await own.run({ manifest: inletManifest({ mapping: UPPER }) })).status).toBe('SUCCEEDED');
    expect(await drift(own)).toEqual({ checked: 1, moved: 0, lines: [] });
  });

  it('looks at what is in force only: not at what is retired, never was, or is being changed', async () => {
    const { own } = await applied(inletManifest());
    await own.run({ manifest: inletManifest(), mode: 'retire' });
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    await own.run({ manifest: inletManifest({ name: 'failed' }) });
    own.platform.faults.clear();
    expect(await drift(own)).toEqual({ checked: 0, moved: 0, lines: [] });
    expect(await drift(own, { pipeline: 'people' })).toEqual({ checked: 0, moved: 0, lines: [] });
    await own.run({ manifest: inletManifest() });
    let seen: Drift | undefined;
    const intercept = async <T>(call: { label: string }, proceed: () => Promise<T>) => {
      if (call.label === `POST ${SERVICES.flows}`) seen = await drift(own);
      return proceed();
    };
    await own.run({ manifest: inletManifest({ mapping: UPPER }) }, { intercept });
    expect(seen).toEqual({ checked: 0, moved: 0, lines: [] });
  });

  it('looks at one that is named, or at all of them, each with a line of its own', async () => {
    const { own, resources } = await applied(inletManifest());
    await own.run({ manifest: pulledManifest(KINESIS, { name: 'orders' }) });
    withFlow(own, resources, () => ({ state: 'disabled' }));
    own.secrets.values.delete(SECRET_ID);
    const schedule = { version: '0', 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} };
    for (const event of [{}, schedule, null]) {
      const { checked, lines } = await drift(own, event);
      expect(checked).toBe(2);
      expect(lines).toEqual([
        expect.stringMatching(/^orders: could not be checked: .*SECRET_MISSING/),
        expect.stringMatching(/^people: flow: update/),
      ]);
    }
    expect((await drift(own, { pipeline: 'people' })).lines).toHaveLength(1);
  });

  it('refuses a name that no pipeline has, and says which is near', async () => {
    const { own } = await applied(inletManifest());
    for (const [pipeline, said] of [
      ['stranger', /no execution has worked on a pipeline stranger/],
      ['poeple', /did you mean "people"/],
    ] as const) {
      const asked = drift(own, { pipeline });
      await expect(asked).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      await expect(asked).rejects.toThrow(said);
    }
  });

  it('says what could not be looked at, in one line, and goes on with the others', async () => {
    for (const change of [
      (own: World) => keep(own, { accessKeyId: 'x' }),
      (own: World) => Object.assign(own.runtime.streams, { arn: async () => undefined }),
      (own: World) => own.platform.faults.add({ kind: 'refuse', status: 503, path: SERVICES.dataSets }),
      (own: World) => own.platform.faults.add({ kind: 'refuse', status: 401, path: '/data/**' }),
      (own: World) => own.platform.faults.add({ kind: 'notJson', path: SERVICES.connections }),
    ]) {
      const { own } = await applied(inletManifest());
      await own.run({ manifest: pulledManifest(KINESIS, { name: 'orders' }) });
      change(own);
      const { checked, lines } = await drift(own);
      expect(checked).toBe(2);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(line).toMatch(/^(people|orders): could not be checked: [A-Z_]+: /);
    }
  });

  it('says in one line all that has moved', async () => {
    const { own, resources } = await applied(inletManifest());
    withFlow(own, resources, () => ({ state: 'disabled' }));
    withDataset(own, resources, () => ({ enableErrorDiagnostics: false }));
    own.triggers.all.clear();
    const { lines } = await drift(own);
    expect(lines).toEqual([expect.stringMatching(/^people: dataset: .*; flow: .*; trigger: /)]);
  });

  it('is logged, a line for each', async () => {
    const { own, resources } = await applied(inletManifest());
    withFlow(own, resources, () => ({ state: 'disabled' }));
    await drift(own);
    expect(own.logged.filter((line) => line.includes('"drift"'))).toHaveLength(1);
  });

  it('is gone after the pipeline was applied again', async () => {
    const { own, resources } = await applied(inletManifest());
    withFlow(own, resources, () => ({ state: 'disabled' }));
    sandboxOf(own).targetConnections.remove(resources['target-connection']?.id ?? '');
    expect((await drift(own)).moved).toBe(1);
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(await drift(own)).toEqual({ checked: 1, moved: 0, lines: [] });
  });
});
