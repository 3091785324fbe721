// Bad inputs and bad answers, step by step: those of docs/promises.md that concern provisioning.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../local/aep/ids.ts';
import type { Call } from '../../support/chaos.ts';
import { surplus } from '../../support/graph.ts';
import { world } from '../../support/provisioning.ts';
import {
  among,
  byHand,
  changes,
  groupManifest,
  holdings,
  inletManifest,
  made,
  ONE_OF_EACH,
  PERSON,
  PUBLISHED,
  position,
  reportOf,
  richManifest,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

const POSTS = ['schemas', 'dataSets', 'connections', 'sources', 'targets', 'mappingSets', 'flows'] as const;
const STEPS = [
  'schema',
  'identity',
  'dataset',
  'baseConnection',
  'mapping',
  'sourceConnection',
  'targetConnection',
  'flow',
];
const UPPER = [{ expression: 'upper(id)', destination: '_id' }];

/** A document as `plan` hands it on. */
async function plannedDocument(own: World, manifest: object = inletManifest()) {
  const execution = { id: 'arn:by-hand', name: 'by-hand', startedAt: new Date(own.time.now).toISOString() };
  const begun = await own.steps.begin?.({ manifest, execution });
  const planned = await own.steps.plan?.(begun);
  if (planned === undefined) throw new Error('no plan');
  return planned;
}

describe('what is asked for', () => {
  it.each([
    ['a slash', 'a/b'],
    ['dots that climb', '..'],
    ['a way out', '../other'],
    ['a blank', 'a b'],
    ['an emoji', 'people🙂'],
    ['81 characters', 'p'.repeat(81)],
    ['65 characters', 'p'.repeat(65)],
    ['a control character', 'a\u0000b'],
    ['a line break', 'a\nb'],
    ['nothing', ''],
    ['a number', 7],
    ['a prototype', '__proto__'],
    ['a look-alike', 'рeople'],
    ['a bracket, as in an ownership tag', 'a]b'],
  ])('B 54: a name with %s is refused before anything is asked of AEP', async (_, name) => {
    const own = world();
    const { status, cause } = await own.run({ manifest: inletManifest({ name }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain('MANIFEST_INVALID');
    expect(cause).toContain('name: ');
    expect(sent(own)).toEqual([]);
    expect(own.ledger.items.size).toBe(0);
  });

  it.each(['a', '0', 'A.b_c-d', 'x'.repeat(64), 'constructor', 'toString'])(
    'B 54: the name %s is a name',
    async (name) => {
      const own = world();
      const { cause, status } = await own.run({ manifest: inletManifest({ name }) });
      expect(cause ?? status).toBe('SUCCEEDED');
      const from = position(own);
      expect((await own.run({ manifest: inletManifest({ name }) })).status).toBe('SUCCEEDED');
      expect(changes(own, from)).toEqual([]);
    },
  );

  it('B 54: an execution of the longest name Step Functions allows is one', async () => {
    const own = world();
    const name = 'e'.repeat(80);
    const { cause, status } = await own.run({ manifest: inletManifest() }, { name });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(JSON.stringify(made(own, 'flows'))).toContain(name);
  });

  it('B 58: what cannot travel through the state machine is refused, and nothing is made', async () => {
    const own = world();
    const mapping = Array.from({ length: 100 }, (_, index) => ({
      expression: `concat("${'x'.repeat(3_000)}", id)`,
      destination: `person.f${index}`,
    }));
    const { status } = await own.run({ manifest: inletManifest({ mapping }) });
    expect(status).toBe('FAILED');
    expect(changes(own)).toEqual([]);
    expect(own.secrets.writes()).toBe(0);
  });

  it('B 58: the largest manifest and samples that are taken come to an end, changed and refused as well', async () => {
    const own = world();
    const fields = Object.fromEntries(
      Array.from({ length: 330 }, (_, index) => [`f${index}`, { type: 'string' }]),
    );
    const mapping = (of: string) =>
      Object.keys(fields).map((name) => ({
        expression: `concat(${name}, "${of.repeat(205)}")`,
        destination: `{tenant}.${name}`,
      }));
    const samples = [{ record: { text: 'ä'.repeat(18_000) }, xdm: { _id: '1' } }];
    const manifest = groupManifest(fields, { mapping: mapping('x') });
    expect(JSON.stringify(manifest).length).toBeGreaterThan(90_000);
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    const changed = groupManifest(fields, { mapping: mapping('y') });
    const asked = await own.run({ manifest: changed, samples, mode: 'plan' });
    expect(asked.cause ?? asked.status).toBe('SUCCEEDED');
    const refused = await own.run({ manifest: changed, samples });
    expect(refused.error).toBe('Penstock.RolledBack');
    expect((await own.run({ manifest: changed })).status).toBe('SUCCEEDED');
    expect(own.ledger.items.get('people')?.owner).toBeUndefined();
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, fieldGroups: 1 });
  });

  it.each([
    ['a record', { record: 5, xdm: {} }],
    ['an unknown key', { record: {}, xdm: {}, expect: {} }],
    ['none', []],
  ])('samples with %s that is none are refused', async (_, sample) => {
    const own = world();
    const { status, cause } = await own.run({ manifest: inletManifest(), samples: [sample].flat() });
    expect(status).toBe('FAILED');
    expect(cause).toContain('samples');
    expect(sent(own)).toEqual([]);
  });
});

describe('what is found', () => {
  it('B 61: of none, one is made; of one of ours, none; of two of ours, the elder stays and the other goes', async () => {
    const own = world();
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    const sandbox = sandboxOf(own);
    const [dataset] = sandbox.dataSets.values();
    const [connection] = sandbox.connections.values();
    if (dataset === undefined || connection === undefined) throw new Error('not there');
    sandbox.dataSets.put('f'.repeat(24), {
      ...dataset,
      id: 'f'.repeat(24),
      created: dataset.created + 1_000,
    });
    const twin = '99999999-9999-4999-8999-999999999999';
    sandbox.connections.put(twin, { ...connection, id: twin, createdAt: connection.createdAt + 1_000 });
    const { status, document } = await own.run({ manifest: inletManifest() });
    expect(status).toBe('SUCCEEDED');
    expect(document.resources.dataset?.id).toBe(dataset.id);
    expect(document.resources['base-connection']?.id).toBe(connection.id);
    expect(surplus(own)).toEqual({});
  });

  it.each([
    [
      'schema',
      async (own: World) =>
        (
          await byHand(own).schemaRegistry.createSchema({
            title: 'people-schema',
            description: 'd',
            parts: ['https://ns.adobe.com/xdm/context/experienceevent'],
          })
        ).$id,
    ],
    [
      'dataset',
      async (own: World) => {
        const { $id } = await byHand(own).schemaRegistry.createSchema({
          title: 'Other',
          description: 'd',
          parts: ['https://ns.adobe.com/xdm/context/profile'],
        });
        return byHand(own).catalog.createDataset({
          name: 'people-dataset',
          description: 'd',
          schemaId: $id,
          tags: {},
        });
      },
    ],
    [
      'base-connection',
      async (own: World) =>
        byHand(own).flowService.createInletConnection({
          name: 'people-inlet',
          description: 'd',
          dataType: 'xdm',
          authenticationRequired: false,
        }),
    ],
  ])('B 62: a %s of the name, but another one, is a conflict and never taken over', async (key, make) => {
    const own = world();
    const id = await make(own);
    for (const adopt of [false, true]) {
      const from = position(own);
      const { status, cause } = await own.run({ manifest: inletManifest({ adopt }) });
      expect(status).toBe('FAILED');
      expect(cause).toContain('CONFLICT');
      expect(cause).toContain(id);
      expect(cause).toContain(key);
      expect(changes(own, from)).toEqual([]);
    }
  });

  it('B 62: a connection of the name, but of another kind, is nobody in the way', async () => {
    const own = world();
    await byHand(own).flowService.createConnection({
      name: 'people-inlet',
      description: 'd',
      specId: '86043421-563b-46ec-8e6c-e23184711bf6',
      auth: {
        specName: 'Aws Kinesis authentication credentials',
        params: { accessKeyId: 'x', secretKey: 'y', region: 'eu-west-1' },
      },
    });
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual({ ...ONE_OF_EACH, connections: 2 });
  });

  it.each([
    'Größe & Co. #1',
    "Ana's 100 % + more?",
    'a/b:c;d|e',
    '日本語 🙂',
    '(a) [b] {c}',
    'a%20b',
    'null',
  ])('what is called %s is found again by its name', async (name) => {
    const own = world();
    const names = {
      baseConnection: name,
      sourceConnection: name,
      targetConnection: name,
      mapping: name,
      flow: name,
    };
    const schema = { ...PERSON, title: name };
    const manifest = inletManifest({ names, schema, dataset: { name } });
    const { cause, status } = await own.run({ manifest });
    expect(cause ?? status).toBe('SUCCEEDED');
    own.ledger.items.clear();
    const from = position(own);
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });

  it('B 63: one on the third page is found', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest() });
    const sandbox = sandboxOf(own);
    for (const key of ['source-connection', 'target-connection', 'base-connection', 'flow'] as const) {
      const shelf = {
        'source-connection': sandbox.sourceConnections,
        'target-connection': sandbox.targetConnections,
        'base-connection': sandbox.connections,
        flow: sandbox.flows,
      }[key];
      const one = shelf.get(document.resources[key]?.id ?? '') as never as { id: string; body: object };
      shelf.remove(one.id);
      for (let index = 0; index < 250; index++) {
        const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
        const body = {
          ...one.body,
          description: 'By hand',
          ...(key.endsWith('n') && key !== 'base-connection' && { name: `Other ${index}` }),
        };
        shelf.put(id, { ...one, id, body } as never);
      }
      shelf.put(one.id, one as never);
    }
    const from = position(own);
    const { cause, status } = await own.run({ manifest: inletManifest() });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([]);
    expect(sent(own, from).some(({ query }) => query.continuationToken !== undefined)).toBe(true);
  });

  it('B 63: a list that leads back to itself comes to an end, and nothing is made', async () => {
    const own = world();
    const body = '{"items":[],"_links":{"next":{"href":"/connections?continuationToken=again"}}}';
    own.platform.faults.add({
      kind: 'notJson',
      method: 'GET',
      path: SERVICES.connections,
      status: 200,
      body,
    });
    const { status, cause } = await own.run({ manifest: inletManifest() });
    expect(status).toBe('FAILED');
    expect(cause).toContain('does not come to an end');
    expect(changes(own)).toEqual([]);
    expect(sent(own).length).toBeLessThanOrEqual(100);
  });
});

describe('what a create answers', () => {
  const answers: [string, string][] = [
    ['nothing', ''],
    ['an empty object', '{}'],
    ['an empty list', '[]'],
    ['null', 'null'],
    ['no id', '{"id":null,"$id":null}'],
    ['an empty id', '{"id":"","$id":""}'],
    ['a page', '<html>Created</html>'],
    ['a reference to something else', '["@/batches/01"]'],
    ['a reference without an id', '["@/dataSets/"]'],
    ['a reference that climbs', '["@/dataSets/../connections/1"]'],
    ['two references', '["@/dataSets/1","@/dataSets/2"]'],
  ];

  it.each(POSTS.flatMap((kind) => answers.map(([what, body]) => [kind, what, body] as const)))(
    'B 65: POST %s answered with %s: looked for, and one of each all the same',
    async (kind, _, body) => {
      const own = world();
      own.platform.faults.add({ kind: 'notJson', method: 'POST', path: SERVICES[kind], body, times: 1 });
      const { cause, status } = await own.run({ manifest: inletManifest() });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual(ONE_OF_EACH);
      expect(made(own, kind)).toHaveLength(1);
    },
  );

  it.each(['["@/dataSets/ID"]', '["@/datasets/ID"]'])(
    'B 65: %s is a reference to a dataset',
    async (answer) => {
      // Ids are drawn from a seed: the same world twice has the same ones.
      const { document } = await world().run({ manifest: inletManifest() });
      const own = world();
      const body = answer.replace('ID', document.resources.dataset?.id ?? '');
      own.platform.faults.add({ kind: 'notJson', method: 'POST', path: SERVICES.dataSets, body, times: 1 });
      const { status } = await own.run({ manifest: inletManifest() });
      expect(status).toBe('SUCCEEDED');
      const lists = sent(own).filter(({ method, path }) => method === 'GET' && path === SERVICES.dataSets);
      expect(lists.length).toBeLessThanOrEqual(2);
    },
  );

  it('B 66: a title that another kind of resource has is said with its id, and nothing is left', async () => {
    const own = world();
    const { schemaRegistry } = byHand(own);
    const { $id } = await schemaRegistry.createFieldGroup({
      title: 'people-schema',
      description: 'd',
      classes: ['https://ns.adobe.com/xdm/context/profile'],
      tenant: 'acmelab',
      properties: { a: { type: 'string' } },
    });
    const { status, cause } = await own.run({ manifest: inletManifest({ adopt: true }) });
    expect(status).toBe('FAILED');
    expect(cause).toContain($id);
    expect(holdings(own)).toEqual({ fieldGroups: 1 });
    const other = await own.run({
      manifest: groupManifest(
        { a: { type: 'string' } },
        {
          name: 'x',
          schema: {
            class: 'profile',
            fieldGroups: [{ name: 'g', title: 'people-schema', fields: { a: { type: 'number' } } }],
          },
        },
      ),
    });
    expect(other.status).toBe('FAILED');
    expect(holdings(own)).toEqual({ fieldGroups: 1 });
  });

  it.each(['connections', 'sources', 'targets', 'dataSets', 'flows'] as const)(
    'B 67: a 409 at POST %s is looked at, and not repeated for ever',
    async (kind) => {
      const own = world();
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 409,
        method: 'POST',
        path: SERVICES[kind],
      });
      const { error, cause } = await own.run({ manifest: inletManifest() });
      expect(error).toBe('Penstock.RolledBack');
      expect(cause).toContain('409');
      expect(fault.struck).toBeLessThanOrEqual(3);
      expect(holdings(own)).toEqual({});
    },
  );

  it('B 67: a flow that somebody changes meanwhile is read again before it is switched on', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest() });
    const flow = sandboxOf(own).flows.get(document.resources.flow?.id ?? '');
    if (flow === undefined) throw new Error('no flow');
    sandboxOf(own).flows.put(flow.id, { ...flow, state: 'disabled' });
    const body = { type: 'https://ns.adobe.com/aep/errors/FLOW-1422-400', report: {} };
    const path = `${SERVICES.flows}/*/action`;
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 400,
      method: 'POST',
      path,
      body,
      times: 2,
    });
    expect((await own.run({ manifest: inletManifest() })).status).toBe('SUCCEEDED');
    expect(fault.struck).toBe(2);
    expect(sandboxOf(own).flows.get(flow.id)?.state).toBe('enabled');
  });

  it.each(POSTS)('B 68: a 400 at POST %s ends it, and what it says is cut and cleaned', async (kind) => {
    const own = world();
    const token = `eyJ${'a'.repeat(40)}.eyJ${'b'.repeat(40)}.${'c'.repeat(40)}`;
    const body = {
      type: '/x/400',
      status: 400,
      title: 'Bad',
      detail: `Bearer ${token} p8e-FAKE ${'long '.repeat(5_000)}`,
    };
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 400,
      method: 'POST',
      path: SERVICES[kind],
      body,
    });
    const { error, cause = '' } = await own.run({ manifest: inletManifest() });
    expect(error).toBe('Penstock.RolledBack');
    expect(fault.struck).toBeLessThanOrEqual(3);
    expect(cause.length).toBeLessThan(4_000);
    const told = JSON.stringify([cause, own.logged, await reportOf(own)]);
    for (const secret of [token, 'eyJaaaa', 'p8e-FAKE']) expect(told).not.toContain(secret);
    expect(holdings(own)).toEqual({});
  });

  it.each(POSTS)(
    'B 69: a gateway that throttles POST %s is asked again after the time it names',
    async (kind) => {
      const own = world();
      const body = { error_code: '429050', message: 'Too many requests' };
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 429,
        retryAfter: 7,
        method: 'POST',
        path: SERVICES[kind],
        body,
        times: 2,
      });
      const times: number[] = [];
      const intercept = async <T>(call: Call, proceed: () => Promise<T>) => {
        if (call.label === `POST ${SERVICES[kind]}`) times.push(own.time.now);
        return proceed();
      };
      const { cause, status } = await own.run({ manifest: inletManifest() }, { intercept });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(fault.struck).toBe(2);
      for (const [index, time] of times.slice(1).entries())
        expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(7_000);
      expect(holdings(own)).toEqual(ONE_OF_EACH);
    },
  );
});

describe('what could lead astray', () => {
  it.each(['ac/me', '..', 'a%2fb', 'a b', '', 'x'.repeat(65), 'a"b'])(
    'B 71: the tenant %j is refused, and nothing is made',
    async (tenant) => {
      const own = world({ tenant });
      const { status, cause } = await own.run({ manifest: groupManifest() });
      expect(status).toBe('FAILED');
      expect(cause).toContain('cannot be the id of a tenant');
      expect(changes(own)).toEqual([]);
    },
  );

  it.each(['connections', 'sources', 'targets', 'mappingSets', 'flows'] as const)(
    'B 71: an id from POST %s that climbs reaches nothing, and nothing is left',
    async (kind) => {
      for (const id of ['../../sandboxes/prod', '..', 'a/b', 'a%2fb', '?x=1', '#']) {
        const own = world();
        const body = JSON.stringify({ id, version: 0 });
        own.platform.faults.add({ kind: 'notJson', method: 'POST', path: SERVICES[kind], body, times: 1 });
        const { status } = await own.run({ manifest: inletManifest() });
        if (status === 'FAILED') expect(holdings(own), id).toEqual({});
        else expect(holdings(own)).toEqual(ONE_OF_EACH);
        expect(own.secrets.values.has(PUBLISHED)).toBe(status === 'SUCCEEDED');
        const known = Object.values(SERVICES);
        for (const { path } of sent(own)) {
          expect(path).not.toMatch(/\/\.\.?(\/|$)/);
          expect(known.some((base) => path.startsWith(base)) || /batches|stats|identities/.test(path)).toBe(
            true,
          );
        }
      }
    },
  );

  it('B 73: a document of an older or newer release, or of none, is told from one', async () => {
    const own = world();
    const document = await plannedDocument(own);
    const { manifest: _, ...without } = document;
    const isNewer = (event: unknown) => (event as { version?: number } | null)?.version === 99;
    for (const event of [
      { ...document, version: 0 },
      { ...document, version: 99 },
      { ...document, plan: [{ resource: 'schema', action: 'merge' }] },
      { ...document, resources: { schema: { id: '' } } },
      { ...document, resources: { schema: 'https://ns.adobe.com/acmelab/schemas/1' } },
      { ...document, resources: { workspace: { id: 'x', name: 'x', how: 'created' } } },
      without,
      null,
      'document',
      [],
    ]) {
      for (const step of [...STEPS, 'plan', 'verify', 'publish', 'trigger', 'stop', 'retire', 'rollback'])
        await expect(own.steps[step]?.(event), step).rejects.toMatchObject({
          code: isNewer(event) ? 'NEWER_VERSION' : 'EVENT_INVALID',
          name: 'PermanentFailure',
        });
    }
    expect(changes(own)).toEqual([]);
  });

  it.each([
    ['dataset', 'schema'],
    ['mapping', 'schema'],
    ['sourceConnection', 'base-connection'],
    ['targetConnection', 'dataset'],
    ['flow', 'source-connection'],
    ['publish', 'base-connection'],
  ])('B 73: %s without the id of a %s says so, and sends no "undefined"', async (step, missing) => {
    const own = world();
    const document = await plannedDocument(own);
    await expect(own.steps[step]?.(document)).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining(`the document holds no ${missing}`),
    });
    for (const { path, query } of sent(own)) expect(JSON.stringify([path, query])).not.toContain('undefined');
    expect(changes(own)).toEqual([]);
  });

  it('B 73: verify without a flow is a failure with a name', async () => {
    const own = world();
    const document = await plannedDocument(own);
    await expect(own.steps.verify?.({ ...document, waitSeconds: 0 })).rejects.toMatchObject({
      name: expect.stringMatching(/^(Permanent|Transient)Failure$/),
    });
  });

  it('B 74: without the credentials secret nothing is asked of AEP, in no mode', async () => {
    for (const mode of ['apply', 'plan', 'retire']) {
      const own = world();
      own.secrets.values.delete('penstock/dev/credentials');
      const { error, cause } = await own.run({ manifest: inletManifest(), mode });
      expect(error).toBe('PermanentFailure');
      expect(cause).toContain('SECRET_MISSING');
      expect(cause).toContain('penstock/dev/credentials');
      expect(own.platform.journal.entries()).toEqual([]);
    }
  });
});

describe('twice at once', () => {
  const manifests: [string, object][] = [
    ['the plain one', inletManifest()],
    ['the richest one', richManifest()],
  ];

  it.each(manifests)(
    'B 75: every step invoked twice at the same time leaves one of each: %s',
    async (_, manifest) => {
      const own = world();
      let document = await plannedDocument(own, manifest);
      for (const step of [...STEPS, 'verify', 'publish', 'trigger']) {
        if (step === 'verify') own.time.now += 900_000;
        const both = await Promise.allSettled([own.steps[step]?.(document), own.steps[step]?.(document)]);
        const done = both.flatMap((one) =>
          one.status === 'fulfilled' && one.value !== undefined ? [one.value] : [],
        );
        for (const one of both)
          if (one.status === 'rejected') expect(one.reason, step).toMatchObject({ code: 'LEASE_LOST' });
        const [last] = done.slice(-1);
        if (last === undefined) throw new Error(`neither of two ${step} came to its end`);
        document = last;
      }
      const own2 = await (async () => {
        const twin = world();
        await twin.run({ manifest });
        return holdings(twin);
      })();
      expect(holdings(own)).toEqual(own2);
      expect(own.triggers.all.size).toBe(1);
    },
  );

  it('B 75: a step that is repeated after its whole work was done changes nothing more', async () => {
    const own = world();
    let document = await plannedDocument(own, richManifest());
    for (const step of STEPS) {
      const done = await own.steps[step]?.(document);
      const held = JSON.stringify(holdings(own));
      document = (await own.steps[step]?.(document)) ?? document;
      expect(JSON.stringify(holdings(own)), step).toBe(held);
      expect(Object.keys(document.resources)).toEqual(Object.keys(done?.resources ?? {}));
    }
  });
});

describe('undoing', () => {
  const failing = (own: World) =>
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });

  it.each(['connections', 'sources', 'targets', 'dataSets', 'schemas', 'mappingSets'] as const)(
    'B 76: a 409 at DELETE %s is asked again: it is still referred to',
    async (kind) => {
      const own = world();
      failing(own);
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 409,
        method: 'DELETE',
        path: `${SERVICES[kind]}/*`,
        times: 2,
      });
      const { error } = await own.run({ manifest: inletManifest() });
      expect(error).toBe('Penstock.RolledBack');
      expect(fault.struck).toBe(2);
      expect(holdings(own)).toEqual({});
    },
  );

  it.each(['connections', 'sources', 'targets'] as const)(
    'B 76: "in use" at DELETE %s is asked again',
    async (kind) => {
      const own = world();
      failing(own);
      const code = kind === 'connections' ? '1418' : '1447';
      const body = { type: `https://ns.adobe.com/aep/errors/FLOW-${code}-400`, report: {} };
      const path = `${SERVICES[kind]}/*`;
      const fault = own.platform.faults.add({
        kind: 'refuse',
        status: 400,
        method: 'DELETE',
        path,
        body,
        times: 2,
      });
      expect((await own.run({ manifest: inletManifest() })).error).toBe('Penstock.RolledBack');
      expect(fault.struck).toBe(2);
      expect(holdings(own)).toEqual({});
    },
  );

  it('B 76: deletes go backwards: nothing goes before what refers to it', async () => {
    const own = world();
    const schema = { ...(richManifest().schema as object), profile: false };
    const manifest = richManifest({ schema, dataset: {} });
    const { error } = await own.run({ manifest }, { fail: { verify: 'PermanentFailure' } });
    expect(error).toBe('Penstock.RolledBack');
    expect(holdings(own)).toEqual({});
    const before = [
      ['flows', 'targets'],
      ['flows', 'sources'],
      ['flows', 'mappingSets'],
      ['targets', 'dataSets'],
      ['sources', 'connections'],
      ['dataSets', 'schemas'],
      ['schemas', 'fieldGroups'],
    ];
    for (const pair of before) {
      const [first, ...rest] = among(changes(own), ...pair.map((kind) => `DELETE ${kind}`));
      expect(first).toBe(`DELETE ${pair[0]}`);
      expect(rest).not.toContain(first);
    }
  });
});

describe('bad days', () => {
  it('every answer of a run lost or refused now and then: one of each in the end', async () => {
    const random = seededRandom(7);
    for (let day = 0; day < 12; day++) {
      const own = world({ seed: day + 1 });
      const kinds = ['dropAfter', 'dropBefore', 'failAfter', 'truncate'] as const;
      for (let fault = 0; fault < 6; fault++) {
        const kind = kinds[Math.floor(random() * kinds.length)] ?? 'dropAfter';
        own.platform.faults.add({ kind, path: '/data/**', after: Math.floor(random() * 40), times: 1 });
      }
      let last = await own.run({ manifest: richManifest() });
      for (let more = 0; more < 3 && last.status !== 'SUCCEEDED'; more++) {
        expect(last.error).not.toBe('Penstock.RolledBack');
        last = await own.run({ manifest: richManifest() });
      }
      expect(last.cause ?? last.status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual({ ...ONE_OF_EACH, fieldGroups: 2, descriptors: 2 });
      const from = position(own);
      await own.run({ manifest: richManifest() });
      expect(changes(own, from)).toEqual([]);
    }
  });

  it('a swap on such days: one flow in the end, and never none', async () => {
    const random = seededRandom(11);
    for (let day = 0; day < 12; day++) {
      const own = world({ seed: day + 1 });
      await own.run({ manifest: inletManifest() });
      const kinds = ['dropAfter', 'dropBefore', 'failAfter', 'truncate'] as const;
      for (let fault = 0; fault < 5; fault++) {
        const kind = kinds[Math.floor(random() * kinds.length)] ?? 'dropAfter';
        own.platform.faults.add({ kind, path: '/data/**', after: Math.floor(random() * 40), times: 1 });
      }
      const flows: number[] = [];
      const intercept = async <T>(_call: Call, proceed: () => Promise<T>) => {
        const { flowId } = JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as { flowId: string };
        flows.push(sandboxOf(own).flows.get(flowId)?.state === 'enabled' ? 1 : 0);
        return proceed();
      };
      const manifest = inletManifest({ mapping: UPPER, schema: PERSON });
      let last = await own.run({ manifest }, { intercept });
      for (let more = 0; more < 3 && last.status !== 'SUCCEEDED'; more++)
        last = await own.run({ manifest }, { intercept });
      expect(last.cause ?? last.status).toBe('SUCCEEDED');
      expect(Math.min(...flows)).toBe(1);
      expect(holdings(own)).toEqual(ONE_OF_EACH);
    }
  });
});
