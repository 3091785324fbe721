// A manifest that changes: what the plan says of it, and how a pipeline is swapped for another while records flow.
import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/pipeline.ts';
import { DRAIN_SECONDS } from '../../lib/waits.ts';
import { showPlan } from '../../terminal/report.ts';
import type { Call } from '../support/chaos.ts';
import { type RunOptions, world } from '../support/provisioning.ts';
import { shown } from '../support/shown.ts';
import {
  actions,
  byHand,
  changes,
  EVENT_HUBS,
  groupManifest,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  made,
  NAMES,
  ONE_OF_EACH,
  OWN_GROUP,
  PUB_SUB,
  PUBLISHED,
  planned,
  position,
  pulledManifest,
  richManifest,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from './cases.ts';

const UPPER = [
  { source: 'id', destination: '_id' },
  { expression: 'upper(${first})', destination: 'person.name.firstName' },
];
const other = (more: object = {}) => inletManifest({ mapping: UPPER, ...more });
const published = (own: World) =>
  JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as Record<string, string>;
const flowsOf = (own: World) =>
  sandboxOf(own)
    .flows.values()
    .map(({ id, state }) => ({ id, state }));

interface Moment {
  readonly what: string;
  readonly at: number;
}

/** Runs it and writes down every change, in words: `METHOD kind`, `secrets.put`, `triggers.…`, each with its time. */
async function timed(own: World, input: Record<string, unknown>, more: RunOptions = {}) {
  const moments: Moment[] = [];
  const intercept = async <T>(call: Call, proceed: () => Promise<T>) => {
    if (call.change && !/^(ledger|dynamodb)/.test(call.label))
      moments.push({ what: word(call.label), at: own.time.now });
    return proceed();
  };
  const result = await own.run(input, { intercept, ...more });
  return { ...result, moments, order: moments.map(({ what }) => what) };
}

function word(label: string): string {
  const [method = '', path = ''] = label.split(' ');
  const kind = Object.entries(SERVICES).find(([, base]) => path.startsWith(base))?.[0];
  if (kind === undefined) return method;
  return `${method} ${kind}${path.endsWith('/action') ? ' action' : ''}`;
}

const at = (moments: readonly Moment[], what: string) =>
  moments.find((one) => one.what === what)?.at ?? Number.NaN;

describe('the plan', () => {
  const scenarios: [string, object[], object, Record<string, string>][] = [
    [
      'of a new pipeline',
      [],
      inletManifest(),
      { schema: 'create', flow: 'create', publish: 'create', trigger: 'create' },
    ],
    [
      'of one that is there',
      [inletManifest()],
      inletManifest(),
      { schema: 'keep', flow: 'keep', publish: 'keep', trigger: 'keep' },
    ],
    [
      'of a changed mapping',
      [inletManifest()],
      other(),
      {
        'base-connection': 'keep',
        dataset: 'keep',
        'source-connection': 'replace',
        'target-connection': 'replace',
        flow: 'replace',
        publish: 'update',
      },
    ],
    [
      'of changed switches',
      [inletManifest()],
      inletManifest({ dataset: { identity: true } }),
      { dataset: 'update', flow: 'keep' },
    ],
    [
      'of another class',
      [inletManifest()],
      inletManifest({ schema: { class: 'experienceevent' } }),
      { schema: 'conflict' },
    ],
    [
      'of a richer one',
      [inletManifest({ name: 'members' })],
      richManifest(),
      { 'field-group:loyalty': 'create', schema: 'update', identity: 'create', profile: 'create' },
    ],
  ];

  it.each(scenarios)(
    '%s says what, why, and what differs, and only looks',
    async (_, before, manifest, expected) => {
      const own = world();
      for (const one of before) expect((await own.run({ manifest: one })).status).toBe('SUCCEEDED');
      const [from, writes, triggers, ledger] = [
        position(own),
        own.secrets.writes(),
        own.triggers.writes(),
        JSON.stringify([...own.ledger.items]),
      ];
      const { status, document, calls } = await own.run({ manifest, mode: 'plan' });
      expect(status).toBe('SUCCEEDED');
      expect(actions(document)).toMatchObject(expected);
      for (const { action, reason, name, differences = [] } of document.plan) {
        expect(reason).not.toBe('');
        expect(name).not.toBe('');
        if (/^(update|replace|conflict)$/.test(action))
          for (const { field, found, wanted } of differences)
            expect([field, found, wanted]).not.toContain('');
      }
      // C 2: a change is named once, where it is made: what follows from it says only what it follows from.
      for (const resource of document.plan.filter(({ action }) => /^(update|replace|conflict)$/.test(action)))
        if (resource.resource !== 'publish' && resource.resource !== 'trigger')
          expect(
            (resource.differences?.length ?? 0) > 0 || resource.reason.includes('refers to what is replaced'),
            resource.resource,
          ).toBe(true);
      expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
      expect(calls.filter(({ change }) => change)).toEqual([]);
      expect([own.secrets.writes(), own.triggers.writes()]).toEqual([writes, triggers]);
      expect(JSON.stringify([...own.ledger.items])).toBe(ledger);
    },
  );

  it('C 2: names the same change once, in the document and as it is printed', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    for (const [manifest, change] of [
      [other(), 'upper(${first}) (EXPRESSION)'],
      [inletManifest({ dataset: { identity: true } }), 'tag unifiedIdentity'],
      [inletManifest({ schema: { class: 'experienceevent' } }), 'schema.class'],
    ] as const) {
      const { document } = await own.run({ manifest, mode: 'plan' });
      const times = (text: string) => text.split(change).length - 1;
      expect(times(JSON.stringify(document.plan))).toBe(1);
      // The token is no text.
      const { token: _, ...report } = document.report as Report;
      expect(times(await shown((output) => showPlan(output, report)))).toBe(1);
    }
  });

  it('names both sides of every difference of a mapping', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const { document } = await own.run({ manifest: other(), mode: 'plan' });
    expect(planned(document, 'mapping')).toMatchObject({
      action: 'replace',
      differences: [
        {
          field: 'mapping person.name.firstName',
          found: 'first (ATTRIBUTE)',
          wanted: 'upper(${first}) (EXPRESSION)',
        },
      ],
    });
  });

  it('is made while another execution works on the pipeline', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const arn = 'arn:aws:states:eu-west-1:123456789012:execution:local:elsewhere';
    own.ledger.executions.running(arn);
    const item = own.ledger.items.get('people');
    own.ledger.items.set('people', { ...item, owner: { S: arn } });
    const { status } = await own.run({ manifest: other(), mode: 'plan' });
    expect(status).toBe('SUCCEEDED');
    expect(own.ledger.items.get('people')?.owner).toEqual({ S: arn });
  });

  it('of a conflict in one place still tells the rest', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const manifest = inletManifest({ name: 'second', dataset: { name: 'people-dataset' } });
    const { status, document } = await own.run({ manifest, mode: 'plan' });
    expect(status).toBe('SUCCEEDED');
    expect(actions(document)).toMatchObject({
      schema: 'create',
      dataset: 'conflict',
      flow: 'create',
      publish: 'create',
    });
    expect(document.report?.next).toEqual([expect.stringContaining('conflict')]);
  });

  const kinds: [string, object][] = [
    ['the plain one', inletManifest()],
    ['the richest one', richManifest()],
    ['the richest one, taken over', richManifest({ adopt: true })],
    ['one that AEP reads', pulledManifest(KINESIS)],
    [
      'the richest one that AEP reads',
      { ...richManifest(), source: { ...KINESIS, data: 'raw', credentials: 'teams/streaming/source' } },
    ],
  ];

  it.each(kinds)('of an unchanged manifest: no change, and at most 15 calls: %s', async (_, manifest) => {
    const own = world();
    keep(own, SECRETS.kinesis);
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    for (const mode of ['plan', 'apply']) {
      const from = position(own);
      const { status, document, states } = await own.run({ manifest, mode });
      expect(status).toBe('SUCCEEDED');
      expect(changes(own, from)).toEqual([]);
      expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
      expect(document.plan.every(({ action }) => action === 'keep' || action === 'none')).toBe(true);
      expect(states).not.toContain('warm-up');
      expect(sent(own, from).length).toBeLessThanOrEqual(15);
    }
  });
});

describe('a changed mapping', () => {
  it('gets a flow of its own beside the old one, which goes when nobody sends to it any more', async () => {
    const own = world();
    const first = await own.run({ manifest: inletManifest() });
    const [old, before] = [first.document.resources, published(own)];
    const triggers = own.triggers.writes();
    let during: { id: string; state: string }[] = [];
    const watch = async <T>(call: Call, proceed: () => Promise<T>) => {
      if (call.label.startsWith('secrets.put')) during = flowsOf(own);
      return proceed();
    };
    const second = await own.run({ manifest: other() }, { intercept: watch });
    expect(second.status).toBe('SUCCEEDED');
    const now = second.document.resources;
    for (const key of ['mapping', 'source-connection', 'target-connection', 'flow'] as const)
      expect(now[key]?.id).not.toBe(old[key]?.id);
    for (const key of ['schema', 'dataset', 'base-connection'] as const)
      expect(now[key]?.id).toBe(old[key]?.id);
    expect(during).toEqual([
      { id: old.flow?.id, state: 'enabled' },
      { id: now.flow?.id, state: 'enabled' },
    ]);
    expect(published(own)).toMatchObject({ flowId: now.flow?.id, inletUrl: before.inletUrl });
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect(own.triggers.writes()).toBe(triggers);
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
  });

  it('is done in this order, each wait in its place', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    own.time.now += 86_400_000;
    const { order, moments, states } = await timed(own, { manifest: other() });
    expect(order).toEqual([
      'POST mappingSets',
      'POST sources',
      'POST targets',
      'POST flows',
      'secrets.put',
      'routes.write',
      'DELETE flows',
      'DELETE targets',
      'DELETE mappingSets',
      'DELETE sources',
    ]);
    const warm = at(moments, 'secrets.put') - at(moments, 'POST flows');
    expect(warm).toBeGreaterThanOrEqual(300_000);
    expect(warm).toBeLessThan(310_000);
    const drained = at(moments, 'DELETE flows') - at(moments, 'secrets.put');
    expect(drained).toBeGreaterThanOrEqual(DRAIN_SECONDS * 1_000);
    expect(drained).toBeLessThan((DRAIN_SECONDS + 10) * 1_000);
    expect(states).toEqual(expect.arrayContaining(['warm-up', 'drain', 'retire']));
  });

  const grown = (more: object = {}) =>
    groupManifest(
      { ...OWN_GROUP.fields, shop: { type: 'string' } },
      { mapping: [...NAMES, { source: 'shop', destination: '{tenant}.shop' }], ...more },
    );

  it.each([
    ['a field', groupManifest(), grown()],
    [
      'a field group',
      inletManifest(),
      other({
        schema: {
          class: 'profile',
          fieldGroups: ['profile-person-details', 'identitymap', 'profile-work-details'],
        },
      }),
    ],
    [
      'an own field group',
      groupManifest(),
      {
        ...grown(),
        schema: {
          class: 'profile',
          fieldGroups: [
            'profile-person-details',
            OWN_GROUP,
            { name: 'next', fields: { shop: { type: 'string' } } },
          ],
        },
      },
    ],
  ])(
    'with %s added to the schema waits until nobody has the old schema in a cache',
    async (_, before, manifest) => {
      const own = world();
      await own.run({ manifest: before });
      own.time.now += 86_400_000;
      const { status, moments } = await timed(own, { manifest });
      expect(status).toBe('SUCCEEDED');
      const patched = moments
        .filter(({ what }) => /^PATCH (schemas|fieldGroups)$/.test(what))
        .map((one) => one.at);
      const waited = at(moments, 'secrets.put') - Math.max(...patched);
      expect(waited).toBeGreaterThanOrEqual(900_000);
      expect(waited).toBeLessThan(920_000);
    },
  );

  it.each([
    ['a field', groupManifest(), grown()],
    [
      'a field group',
      inletManifest(),
      other({
        schema: {
          class: 'profile',
          fieldGroups: ['profile-person-details', 'identitymap', 'profile-work-details'],
        },
      }),
    ],
  ])(
    'with %s added waits as long where the execution that added it did not get to the flow',
    async (_, before, manifest) => {
      const own = world();
      await own.run({ manifest: before });
      own.time.now += 86_400_000;
      own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: SERVICES.flows });
      const first = await timed(own, { manifest });
      expect(first.error).toBe('Penstock.Resumable');
      own.platform.faults.clear();
      const second = await timed(own, { manifest });
      expect(second.status).toBe('SUCCEEDED');
      const patched = first.moments
        .filter(({ what }) => /^PATCH (schemas|fieldGroups)$/.test(what))
        .map((one) => one.at);
      expect(at(second.moments, 'secrets.put') - Math.max(...patched)).toBeGreaterThanOrEqual(900_000);
    },
  );

  it.each([
    ['POST', 'mappingSets'],
    ['POST', 'sources'],
    ['POST', 'targets'],
    ['POST', 'flows'],
  ] as const)(
    'that fails for good at %s %s leaves the old one as it was, and running',
    async (method, kind) => {
      const own = world();
      const first = await own.run({ manifest: inletManifest() });
      const [before, was] = [own.secrets.values.get(PUBLISHED), flowsOf(own)];
      const fault = own.platform.faults.add({ kind: 'refuse', status: 400, method, path: SERVICES[kind] });
      const { error, cause } = await own.run({ manifest: other() });
      expect(error).toBe('Penstock.RolledBack');
      expect(cause).toContain('400');
      expect(holdings(own)).toEqual(ONE_OF_EACH);
      expect(flowsOf(own)).toEqual(was);
      expect(own.secrets.values.get(PUBLISHED)).toBe(before);
      own.platform.faults.remove(fault.id);
      const from = position(own);
      const again = await own.run({ manifest: inletManifest() });
      expect(again.document.resources.flow?.id).toBe(first.document.resources.flow?.id);
      expect(changes(own, from)).toEqual([]);
    },
  );

  it.each(['verify', 'publish'])(
    'that fails for good in %s leaves the old one as it was, and running',
    async (step) => {
      const own = world();
      await own.run({ manifest: inletManifest() });
      const [before, was] = [own.secrets.values.get(PUBLISHED), flowsOf(own)];
      const { error } = await own.run({ manifest: other() }, { fail: { [step]: 'PermanentFailure' } });
      expect(error).toBe('Penstock.RolledBack');
      expect(holdings(own)).toEqual(ONE_OF_EACH);
      expect(flowsOf(own)).toEqual(was);
      expect(own.secrets.values.get(PUBLISHED)).toBe(before);
      expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
    },
  );

  it('that fails after the forwarder was told keeps both, and the next execution takes the old one away', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const second = await own.run({ manifest: other() }, { fail: { trigger: 'PermanentFailure' } });
    expect(second.error).toBe('Penstock.Resumable');
    expect(holdings(own)).toMatchObject({ flows: 2, mappingSets: 2 });
    const third = await timed(own, { manifest: other() });
    expect(third.status).toBe('SUCCEEDED');
    expect(third.order).toEqual(['DELETE flows', 'DELETE targets', 'DELETE mappingSets', 'DELETE sources']);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect(published(own).flowId).toBe(flowsOf(own)[0]?.id);
  });

  it('whose old flow cannot be taken away for a while ends resumable, and is finished by the next execution', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    own.platform.faults.add({ kind: 'refuse', status: 503, method: 'DELETE', path: `${SERVICES.flows}/*` });
    const second = await own.run({ manifest: other() });
    expect(second.error).toBe('Penstock.Resumable');
    own.platform.faults.clear();
    expect((await own.run({ manifest: other() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('whose old target may not be removed says so, and tries again the next time', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const path = `${SERVICES.targets}/*`;
    const fault = own.platform.faults.add({ kind: 'refuse', status: 403, method: 'DELETE', path });
    const { status, document } = await own.run({ manifest: other() });
    expect(status).toBe('SUCCEEDED');
    expect(document.left).toContainEqual(expect.stringMatching(/^target-connection \S+ \(.*403/));
    expect(document.report?.next.join(' ')).toContain('left in place');
    own.platform.faults.remove(fault.id);
    expect((await own.run({ manifest: other() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('takes nothing away that is not its own, though its old flow was led there by hand', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest() });
    const { schema, dataset, flow } = document.resources;
    const { flowService, dataPrep } = byHand(own);
    const named = { name: 'By hand', description: 'By hand' };
    const target = await flowService.createTargetConnection({
      ...named,
      datasetId: dataset?.id ?? '',
      schemaId: schema?.id ?? '',
    });
    const set = await dataPrep.createMappingSet({
      name: 'By hand',
      schemaId: schema?.id ?? '',
      mappings: [{ sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' }],
    });
    const live = sandboxOf(own).flows.get(flow?.id ?? '');
    if (live === undefined) throw new Error('no flow');
    const transformations = [{ name: 'Mapping', params: { mappingId: set.id, mappingVersion: 0 } }];
    const body = { ...live.body, targetConnectionIds: [target], transformations };
    sandboxOf(own).flows.put(live.id, { ...live, body });
    const { status } = await own.run({ manifest: other() });
    expect(status).toBe('SUCCEEDED');
    expect(sandboxOf(own).targetConnections.get(target)).toBeDefined();
    expect(sandboxOf(own).mappingSets.get(set.id)).toBeDefined();
    expect(sandboxOf(own).flows.get(live.id)).toBeUndefined();
  });

  it('that is taken back half-way leaves what was there first', async () => {
    const own = world();
    const first = await own.run({ manifest: inletManifest() });
    own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: SERVICES.flows });
    expect((await own.run({ manifest: other() })).error).toBe('Penstock.Resumable');
    own.platform.faults.clear();
    const back = await own.run({ manifest: inletManifest() });
    expect(back.status).toBe('SUCCEEDED');
    expect(back.document.resources.flow?.id).toBe(first.document.resources.flow?.id);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it.each([
    ['a line more', [...NAMES, { source: 'last', destination: 'person.name.lastName' }]],
    ['a line less', NAMES.slice(0, 1)],
    ['another source', [NAMES[0], { source: 'given', destination: 'person.name.firstName' }]],
    ['the same words as an expression', [{ expression: 'id', destination: '_id' }, NAMES[1]]],
    ['another destination', [NAMES[0], { source: 'first', destination: 'person.name.lastName' }]],
  ])('of %s is another mapping, made and used', async (_, mapping) => {
    const own = world();
    const first = await own.run({ manifest: inletManifest() });
    const manifest = inletManifest({ mapping });
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(actions(document)).toMatchObject({ mapping: 'replace', flow: 'replace' });
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    const [set] = sandboxOf(own).mappingSets.values();
    expect(set?.id).not.toBe(first.document.resources.mapping?.id);
    expect(set?.body.mappings).toHaveLength(mapping.length);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    const from = position(own);
    await own.run({ manifest });
    expect(changes(own, from)).toEqual([]);
  });

  it('of which only the order is another, or nothing but the description, is none', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const from = position(own);
    await own.run({
      manifest: inletManifest({ description: 'Said otherwise', mapping: [...NAMES].reverse() }),
    });
    expect(changes(own, from)).toEqual([]);
  });
});

describe('a changed inlet', () => {
  const open = inletManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'raw', authenticationRequired: false },
  });
  const xdm = inletManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'xdm' },
    mapping: undefined,
  });

  it.each([
    ['that wants no token any more', open, { authenticationRequired: false }, 1],
    ['for XDM', xdm, { data: 'xdm' }, 0],
  ])(
    '%s is a new one; the old one goes last, and the trigger never pauses',
    async (_, manifest, told, mappingSets) => {
      const own = world();
      await own.run({ manifest: inletManifest() });
      const before = published(own);
      const triggers = own.triggers.writes();
      own.time.now += 86_400_000;
      const { status, order, moments, document } = await timed(own, { manifest });
      expect(status).toBe('SUCCEEDED');
      expect(actions(document)).toMatchObject({ 'base-connection': 'replace', flow: 'replace' });
      expect(order.indexOf('secrets.put')).toBeGreaterThan(order.indexOf('POST flows'));
      expect(order.indexOf('DELETE flows')).toBeGreaterThan(order.indexOf('secrets.put'));
      expect(order.at(-1)).toBe('DELETE connections');
      expect(at(moments, 'secrets.put') - at(moments, 'POST flows')).toBeGreaterThanOrEqual(300_000);
      expect(published(own)).toMatchObject(told);
      expect(published(own).inletUrl).not.toBe(before.inletUrl);
      expect(own.triggers.writes()).toBe(triggers);
      const { mappingSets: _none, ...rest } = ONE_OF_EACH;
      expect(holdings(own)).toEqual(mappingSets === 0 ? rest : ONE_OF_EACH);
      const from = position(own);
      await own.run({ manifest });
      expect(changes(own, from)).toEqual([]);
    },
  );

  it('has an id of its own: two inlets stand side by side for a while', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    await own.run({ manifest: open });
    const ids = made(own, 'connections').map(
      (body) => (body as { auth: { params: { sourceId: string } } }).auth.params.sourceId,
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('that fails for good leaves the old one, its URL and its flow', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const before = own.secrets.values.get(PUBLISHED);
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    expect((await own.run({ manifest: open })).error).toBe('Penstock.RolledBack');
    expect(own.secrets.values.get(PUBLISHED)).toBe(before);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('what only the forwarder has to know is told to it, and no flow is touched', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const source = { kind: 'inlet', stream: 'customers', data: 'raw', compression: 'gzip' };
    const { order } = await timed(own, { manifest: inletManifest({ source }) });
    expect(order).toEqual(['secrets.put', 'routes.write']);
    expect(published(own).compression).toBe('gzip');
  });
});

describe('a changed mapping of a source that AEP reads', () => {
  const KINDS = [
    ['kinesis', KINESIS],
    ['event-hubs', EVENT_HUBS],
    ['pubsub', PUB_SUB],
  ] as const;
  const changed = (source: object) => pulledManifest(source as Record<string, unknown>, { mapping: UPPER });
  const started = async (kind: keyof typeof SECRETS, source: object) => {
    const own = world();
    keep(own, SECRETS[kind]);
    const first = await own.run({ manifest: pulledManifest(source as Record<string, unknown>) });
    expect(first.status).toBe('SUCCEEDED');
    return { own, first, old: first.document.resources.flow?.id ?? '' };
  };
  const acted = (own: World, from: number) =>
    sent(own, from)
      .filter(({ method, path }) => method !== 'GET' && path.startsWith(SERVICES.flows))
      .map(({ method, path, query }) => {
        const op = path.endsWith('/action') ? ` ${query.op}` : '';
        return `${method}${op}${query.mode === 'draft' ? ' draft' : ''}`;
      });

  it.each(KINDS)('%s: the new flow waits as a draft until the old one has stopped', async (kind, source) => {
    const { own, old } = await started(kind, source);
    const from = position(own);
    const { status, document } = await own.run({ manifest: changed(source) });
    expect(status).toBe('SUCCEEDED');
    expect(acted(own, from)).toEqual(['POST draft', 'POST disable', 'POST publish', 'DELETE']);
    const [, disable, publish, gone] = sent(own, from).filter(
      ({ method, path }) => method !== 'GET' && path.startsWith(SERVICES.flows),
    );
    expect(disable?.path).toContain(old);
    expect(publish?.path).toContain(document.resources.flow?.id);
    expect(gone?.path).toContain(old);
    expect(flowsOf(own)).toEqual([{ id: document.resources.flow?.id, state: 'enabled' }]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    const after = position(own);
    await own.run({ manifest: changed(source) });
    expect(changes(own, after)).toEqual([]);
  });

  it('reads from the oldest record on, so that nothing in between is missed', async () => {
    for (const [kind, source] of [KINDS[0], KINDS[1]]) {
      const { own } = await started(kind, source);
      const from = position(own);
      await own.run({ manifest: changed(source) });
      expect(made(own, 'sources', from)).toMatchObject([{ params: { reset: 'earliest' } }]);
    }
  });

  it.each(KINDS)('%s: the plan says what may be read twice or late', async (kind, source) => {
    const { own } = await started(kind, source);
    const { document } = await own.run({ manifest: changed(source), mode: 'plan' });
    expect(document.warnings).toHaveLength(1);
    for (const word of ['twice', 'late']) expect(document.warnings[0]).toContain(word);
    expect(document.report?.warnings).toEqual(document.warnings);
    const fresh = await own.run({ manifest: { ...changed(source), name: 'fresh' }, mode: 'plan' });
    expect(fresh.document.warnings.join(' ')).not.toContain('old flow');
  });

  it.each(KINDS)('%s: undone, the old flow is switched on again', async (kind, source) => {
    const { own, old } = await started(kind, source);
    const path = `${SERVICES.flows}/*/action`;
    // The first action stops the old flow, the second one would start the new one.
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path, after: 1, times: 3 });
    const from = position(own);
    const { error, cause } = await own.run({ manifest: changed(source) });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toContain('400');
    expect(acted(own, from).at(-1)).toBe('POST enable');
    expect(flowsOf(own)).toEqual([{ id: old, state: 'enabled' }]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    const after = position(own);
    expect((await own.run({ manifest: pulledManifest(source) })).status).toBe('SUCCEEDED');
    expect(changes(own, after)).toEqual([]);
  });

  it('together with rotated credentials: the connection is changed in place, the flow replaced', async () => {
    const { own, first } = await started('kinesis', KINESIS);
    keep(own, { accessKeyId: 'AKIANEXTNEXTNEXTNEXT', secretKey: 'next' });
    const { status, document } = await own.run({ manifest: changed(KINESIS) });
    expect(status).toBe('SUCCEEDED');
    expect(actions(document)).toMatchObject({ 'base-connection': 'update', flow: 'replace' });
    expect(document.resources['base-connection']?.id).toBe(first.document.resources['base-connection']?.id);
    expect(JSON.stringify(sandboxOf(own).connections.values()[0]?.body)).toContain('"next"');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('undone after the new flow was warm, the old one is switched on again', async () => {
    const { own, old } = await started('kinesis', KINESIS);
    const { error } = await own.run({ manifest: changed(KINESIS) }, { fail: { verify: 'PermanentFailure' } });
    expect(error).toBe('Penstock.RolledBack');
    expect(flowsOf(own)).toEqual([{ id: old, state: 'enabled' }]);
  });

  it('that fails before there is a new flow never stops the old one', async () => {
    const { own, old } = await started('kinesis', KINESIS);
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    const from = position(own);
    expect((await own.run({ manifest: changed(KINESIS) })).error).toBe('Penstock.RolledBack');
    expect(acted(own, from).filter((one) => one !== 'POST draft')).toEqual([]);
    expect(flowsOf(own)).toEqual([{ id: old, state: 'enabled' }]);
  });

  it('undone, an old flow that somebody had switched off stays off', async () => {
    const { own, old } = await started('kinesis', KINESIS);
    const flow = sandboxOf(own).flows.get(old);
    if (flow === undefined) throw new Error('no flow');
    sandboxOf(own).flows.put(old, { ...flow, state: 'disabled' });
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.targets });
    expect((await own.run({ manifest: changed(KINESIS) })).error).toBe('Penstock.RolledBack');
    expect(flowsOf(own)).toEqual([{ id: old, state: 'disabled' }]);
  });

  it('that is interrupted between the two is finished by the next execution', async () => {
    const { own } = await started('kinesis', KINESIS);
    const path = `${SERVICES.flows}/*/action`;
    const fault = own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path, after: 1 });
    expect((await own.run({ manifest: changed(KINESIS) })).error).toBe('Penstock.Resumable');
    own.platform.faults.remove(fault.id);
    const { status, document } = await own.run({ manifest: changed(KINESIS) });
    expect(status).toBe('SUCCEEDED');
    expect(flowsOf(own)).toEqual([{ id: document.resources.flow?.id, state: 'enabled' }]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('that is interrupted and taken back runs the old one again', async () => {
    const { own, old } = await started('kinesis', KINESIS);
    const path = `${SERVICES.flows}/*/action`;
    const fault = own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path, after: 1 });
    expect((await own.run({ manifest: changed(KINESIS) })).error).toBe('Penstock.Resumable');
    own.platform.faults.remove(fault.id);
    const { cause, status } = await own.run({ manifest: pulledManifest(KINESIS) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(flowsOf(own)).toEqual([{ id: old, state: 'enabled' }]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });
});
