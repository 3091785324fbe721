// The token of a plan: `apply` with it does what was planned, or refuses before anything is changed and names what has moved.
import { describe, expect, it } from 'vitest';
import type { Pipeline, Report } from '../../../lib/pipeline.ts';
import { movedParts, planToken, TOKEN_PARTS } from '../../../lib/provision/plan/token.ts';
import { STREAM_ARN, world } from '../../support/provisioning.ts';
import { CREDENTIALS } from '../../support/scripted.ts';
import {
  byHand,
  changes,
  groupManifest,
  inletManifest,
  KINESIS,
  keep,
  position,
  pulledManifest,
  reportOf,
  richManifest,
  SECRETS,
  sandboxOf,
  type World,
} from '../cases.ts';

const MAPPING = [
  { source: 'id', destination: '_id' },
  { expression: 'upper(${first})', destination: 'person.name.firstName' },
];

/** A class is never changed. */
const CONFLICT = inletManifest({ schema: { class: 'experienceevent', fieldGroups: ['identitymap'] } });

async function planned(own: World, manifest: object, more: object = {}): Promise<Report> {
  const { status, document } = await own.run({ manifest, mode: 'plan', ...more });
  expect(status).toBe('SUCCEEDED');
  return document.report as Report;
}

async function tokenFor(own: World, manifest: object, more: object = {}): Promise<string> {
  const { token } = await planned(own, manifest, more);
  if (token === undefined) throw new Error('the plan has no token');
  return token;
}

/** Applies it with the token, which must be refused before any change, and returns what has moved. */
async function refused(own: World, manifest: object, token: string, more: object = {}): Promise<string[]> {
  const from = position(own);
  const [secrets, routes, triggers] = [own.secrets.writes(), own.routes.writes(), own.triggers.writes()];
  const run = await own.run({ manifest, token, ...more });
  expect([run.status, run.error]).toEqual(['FAILED', 'Penstock.Moved']);
  expect(changes(own, from)).toEqual([]);
  expect([own.secrets.writes(), own.routes.writes(), own.triggers.writes()]).toEqual([
    secrets,
    routes,
    triggers,
  ]);
  expect(run.states).not.toContain('schema');
  // The execution has failed, so it has no output: its report is in the ledger.
  const report = await reportOf(own);
  expect(report.failure?.code).toBe('PLAN_MOVED');
  // The state as it is now has a token of its own, and that one is taken.
  expect(report.token).not.toBe(token);
  expect(await tokenFor(own, manifest, more)).toBe(report.token);
  return report.moved ?? [];
}

/** A world with the pipeline in it. */
async function applied(manifest: object = inletManifest()): Promise<World> {
  const own = world();
  expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
  return own;
}

const only = <T>(all: readonly T[]): T => {
  expect(all).toHaveLength(1);
  return all[0] as T;
};

describe('issue 15: apply --token takes the state that was planned', () => {
  it('of a pipeline that is not there yet, and of one that is', async () => {
    const own = world();
    const manifest = inletManifest();
    expect((await own.run({ manifest, token: await tokenFor(own, manifest) })).status).toBe('SUCCEEDED');
    own.mutations();
    expect((await own.run({ manifest, token: await tokenFor(own, manifest) })).status).toBe('SUCCEEDED');
    expect(own.mutations()).toEqual([]);
  });

  it.each([
    ['own field groups, identities and Profile', richManifest(), undefined],
    ['a source that AEP reads', pulledManifest(KINESIS), SECRETS.kinesis],
  ])('of %s', async (_, manifest, secret) => {
    const own = world();
    if (secret !== undefined) keep(own, secret);
    for (let time = 0; time < 2; time++)
      expect((await own.run({ manifest, token: await tokenFor(own, manifest) })).error).toBeUndefined();
  });

  it('the same whenever it is asked, and whatever the order of members', async () => {
    const own = await applied(richManifest());
    const token = await tokenFor(own, richManifest());
    own.time.now += 3_600_000;
    const turned = Object.fromEntries(Object.entries(richManifest()).reverse());
    expect(await tokenFor(own, turned)).toBe(token);
  });

  it('an execution between that failed and left nothing has moved nothing', async () => {
    const own = await applied();
    const manifest = inletManifest({ mapping: MAPPING });
    const token = await tokenFor(own, manifest);
    expect((await own.run({ manifest: CONFLICT })).error).toBe('Penstock.Conflict');
    expect((await own.run({ manifest, token })).status).toBe('SUCCEEDED');
  });

  it('another pipeline of the stream that is applied anew between has moved nothing', async () => {
    const own = await applied();
    const other = (more: object) => inletManifest({ name: 'others', ...more });
    expect((await own.run({ manifest: other({}) })).status).toBe('SUCCEEDED');
    const token = await tokenFor(own, inletManifest());
    expect((await own.run({ manifest: other({ mapping: MAPPING }) })).status).toBe('SUCCEEDED');
    expect(await tokenFor(own, inletManifest())).toBe(token);
  });

  it('records and batches that arrive between have moved nothing', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const trigger = only([...own.triggers.all.values()]);
    own.triggers.all.set(trigger.id, { ...trigger, lastResult: 'OK', changedAt: own.time.now });
    expect(await tokenFor(own, inletManifest())).toBe(token);
  });
});

describe('issue 15: stale tokens in every way are refused', () => {
  it('manifest', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const manifest = inletManifest({ mapping: MAPPING });
    expect(await refused(own, manifest, token)).toContain('manifest');
  });

  it('samples', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const samples = [{ name: 'one', record: { id: '1', first: 'Ada' }, xdm: { _id: '1' } }];
    expect(await refused(own, inletManifest(), token, { samples })).toEqual(['samples']);
  });

  it.each(['connections', 'sourceConnections', 'targetConnections'] as const)(
    'etag of the %s, changed by a stranger',
    async (collection) => {
      const own = await applied();
      const token = await tokenFor(own, inletManifest());
      const { id, etag, body } = only(sandboxOf(own)[collection].values());
      const text = `${String(body.description)} (looked at by Kim)`;
      const change = { op: 'replace' as const, path: '/description', value: text };
      await byHand(own).flowService.patch(collection, id, [change], etag);
      const moved = {
        connections: 'base-connection',
        sourceConnections: 'source-connection',
        targetConnections: 'target-connection',
      };
      expect(await refused(own, inletManifest(), token)).toEqual([moved[collection]]);
    },
  );

  it('flow state', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    await byHand(own).flowService.actOnFlow(only(sandboxOf(own).flows.values()).id, 'disable');
    expect(await refused(own, inletManifest(), token)).toEqual(['flow-state', 'flow']);
  });

  it('a schema that somebody has changed', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    own.time.now += 1_000;
    const id = String(only(sandboxOf(own).registry.schemas.values()).$id);
    const value = { $ref: 'https://ns.adobe.com/xdm/context/profile-personal-details' };
    await byHand(own).schemaRegistry.patchSchema(id, [{ op: 'add', path: '/allOf/-', value }]);
    expect(await refused(own, inletManifest(), token)).toContain('schema');
  });

  it('an own field group, by its name', async () => {
    const own = await applied(groupManifest());
    const token = await tokenFor(own, groupManifest());
    own.time.now += 1_000;
    const id = String(only(sandboxOf(own).registry.mixins.values()).$id);
    const more = { op: 'replace' as const, path: '/title', value: 'Kim has another name for it' };
    await byHand(own).schemaRegistry.patchFieldGroup(id, [more]);
    expect(await refused(own, groupManifest(), token)).toEqual(['field-group:loyalty']);
  });

  it('another execution between, which changed nothing', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const { name } = (await own.run({ manifest: inletManifest() })).execution;
    expect(await refused(own, inletManifest(), token)).toEqual(['execution']);
    expect((await own.run({ manifest: inletManifest(), token })).cause).toContain(name);
  });

  it('another execution between, which was stopped half way', async () => {
    const own = world();
    const token = await tokenFor(own, inletManifest());
    const failing = { fail: { dataset: 'TransientFailure' } };
    expect((await own.run({ manifest: inletManifest() }, failing)).status).toBe('FAILED');
    expect(await refused(own, inletManifest(), token)).toEqual(
      expect.arrayContaining(['schema', 'base-connection', 'mapping']),
    );
  });

  it('pipeline retired', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    expect((await own.run({ manifest: inletManifest(), mode: 'retire' })).status).toBe('SUCCEEDED');
    expect(await refused(own, inletManifest(), token)).toEqual(
      expect.arrayContaining(['execution', 'applied', 'routes', 'flow', 'publish', 'trigger']),
    );
  });

  it('a route joined the stream', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    expect((await own.run({ manifest: inletManifest({ name: 'others' }) })).status).toBe('SUCCEEDED');
    expect(await refused(own, inletManifest(), token)).toEqual(['routes']);
  });

  it('a namespace was made between, so that what was a conflict is a change', async () => {
    const own = world();
    const schema = richManifest().schema as { identities: object[] };
    const [first] = schema.identities;
    const identities = [first, { path: 'mobilePhone.number', namespace: 'ShopPhone' }];
    const { name } = inletManifest();
    const manifest = richManifest({ name, schema: { ...schema, identities } });
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect(document.plan.find(({ resource }) => resource === 'identity')?.action).toBe('conflict');
    const { token = '' } = document.report as Report;
    sandboxOf(own).namespaces.put('ShopPhone', { id: 10_000_001, code: 'ShopPhone', idType: 'PHONE' });
    expect(await refused(own, manifest, token)).toEqual(['identity']);
  });

  it('another version of Penstock made it: nothing of it can be compared', async () => {
    const own = await applied();
    const token = (await tokenFor(own, inletManifest())).replace(/^p4/, 'p3');
    expect(await refused(own, inletManifest(), token)).toEqual(['version']);
    const { cause } = await own.run({ manifest: inletManifest(), token });
    expect(cause).toMatch(/^PLAN_MOVED: this token was made by another version of Penstock/);
  });
});

describe('the cause says of each thing that has moved what it was then, and what it is now', () => {
  /** The lines of the refusal, without the names that AEP and Step Functions give. */
  const linesOf = async (own: World, manifest: object, token: string) => {
    const { cause = '' } = await own.run({ manifest, token });
    const [, text = ''] =
      cause.match(/^PLAN_MOVED: what this token is of has changed since:\n([\s\S]*) \| Next: /) ?? [];
    return text.split(';\n').map((line) => line.replace(/^ {2}/, ''));
  };

  it('a dataflow that was switched off', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    await byHand(own).flowService.actOnFlow(only(sandboxOf(own).flows.values()).id, 'disable');
    expect(await linesOf(own, inletManifest(), token)).toEqual([
      'the state of the dataflow: then enabled, now disabled',
      expect.stringMatching(
        /^flow people-flow: then keep, now update \(.*state: found disabled, wanted enabled\)$/,
      ),
    ]);
  });

  it('a resource that is found the same by the plan, and is not as it was', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const { id, etag, body } = only(sandboxOf(own).connections.values());
    const change = {
      op: 'replace' as const,
      path: '/description',
      value: `${String(body.description)} (Kim)`,
    };
    await byHand(own).flowService.patch('connections', id, [change], etag);
    expect(await linesOf(own, inletManifest(), token)).toEqual([
      expect.stringMatching(/^base-connection people-inlet: then and now keep, but it is not as it was \(/),
    ]);
  });

  it('what was not there yet, and an execution that made it', async () => {
    const own = world();
    const token = await tokenFor(own, inletManifest());
    const { execution } = await own.run({ manifest: inletManifest() });
    const lines = await linesOf(own, inletManifest(), token);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          new RegExp(`^the last execution that succeeded: then none, now \\S+:${execution.name}$`),
        ),
        'the manifest in force: then none, now one',
        'the state of the dataflow: then none, now enabled',
        expect.stringMatching(/^dataset people-dataset: then create, now keep \(/),
        expect.stringMatching(/^trigger \S+: then create, now keep \(/),
      ]),
    );
  });

  it('a pipeline that was retired, and what of it is to be made again', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    await own.run({ manifest: inletManifest(), mode: 'retire' });
    expect(await linesOf(own, inletManifest(), token)).toEqual(
      expect.arrayContaining([
        'the manifest in force: then another, now none',
        'the state of the dataflow: then enabled, now none',
        expect.stringMatching(/^flow people-flow: then keep, now create \(/),
      ]),
    );
  });

  it('a manifest, an own field group and a pipeline that joined the stream', async () => {
    const own = await applied(groupManifest());
    const token = await tokenFor(own, groupManifest());
    own.time.now += 1_000;
    const id = String(only(sandboxOf(own).registry.mixins.values()).$id);
    const more = { op: 'replace' as const, path: '/title', value: 'Kim has another name for it' };
    await byHand(own).schemaRegistry.patchFieldGroup(id, [more]);
    await own.run({ manifest: inletManifest({ name: 'others' }) });
    expect(await linesOf(own, groupManifest(undefined, { mapping: MAPPING }), token)).toEqual(
      expect.arrayContaining([
        'manifest: not what was planned',
        'the list of pipelines of the stream: then another, now with others',
        expect.stringMatching(
          /^field-group:loyalty people-loyalty: then and now keep, but it is not as it was/,
        ),
      ]),
    );
  });

  it('an own field group that the plan of the token did not have', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    expect(await linesOf(own, groupManifest(), token)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^field-group:loyalty .*: then another or none, now create \(/),
      ]),
    );
  });
});

describe('a token that is not whole', () => {
  it.each([
    ['cut off at the end of a line', (token: string) => token.slice(0, 80)],
    ['without one character', (token: string) => token.slice(0, -1)],
    ['with a part missing', (token: string) => token.slice(0, -8 * 2)],
    ['of a few letters', () => 'p4.abc'],
  ])('%s, is told as that, and not as one of another place', async (_, part) => {
    const own = await applied();
    const token = part(await tokenFor(own, inletManifest()));
    expect(await refused(own, inletManifest(), token)).toEqual(['form']);
    const { cause } = await own.run({ manifest: inletManifest(), token });
    expect(cause).toMatch(/^PLAN_MOVED: this is not a whole token/);
    expect(cause).not.toContain('another');
  });
});

describe('a token of another place is refused, although all that was read is the same', () => {
  /** The same world as the functions of another stage see it. */
  const inStage = (own: World, stage: string) =>
    Object.assign(own.runtime, { settings: { ...own.runtime.settings, stage } });

  it('another stage, which it names', async () => {
    const own = world();
    const token = await tokenFor(own, inletManifest());
    inStage(own, 'prod');
    expect(await refused(own, inletManifest(), token)).toEqual(['stage']);
    const { cause } = await own.run({ manifest: inletManifest(), token });
    expect(cause).toContain('this token is of another stage (here: prod)');
  });

  it('another account with a stage of the same name', async () => {
    const own = world();
    const begun = (await own.steps.begin?.({ manifest: inletManifest(), mode: 'plan' })) as Pipeline;
    const tokenIn = async (account: string) => {
      const id = `arn:aws:states:eu-west-1:${account}:execution:penstock-dev-provision:run-1`;
      const execution = { ...begun.execution, id };
      const planned = (await own.steps.plan?.({ ...begun, execution })) as Pipeline | undefined;
      return planned?.token;
    };
    const token = await tokenIn('123456789012');
    expect(token).toMatch(/^p4/);
    expect(await tokenIn('123456789012')).toBe(token);
    expect(await tokenIn('210987654321')).not.toBe(token);
  });

  it('another organization, which it names', async () => {
    const token = await tokenFor(world(), inletManifest());
    const organizationId = 'FEDCBA9876543210FEDCBA98@AdobeOrg';
    const own = world({ organization: organizationId });
    own.secrets.values.set('penstock/dev/credentials', JSON.stringify({ ...CREDENTIALS, organizationId }));
    expect(await refused(own, inletManifest(), token)).toEqual(['organization']);
    const { cause } = await own.run({ manifest: inletManifest(), token });
    expect(cause).toContain(`this token is of another organization (here: ${organizationId})`);
  });

  it('another sandbox, which it names alone: all else follows from it', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    own.platform.state.sandboxes.set('dev2', sandboxOf(world(), 'dev1'));
    const manifest = inletManifest({ sandbox: 'dev2' });
    expect(await refused(own, manifest, token)).toEqual(
      expect.arrayContaining(['sandbox', 'manifest', 'flow']),
    );
    const { cause } = await own.run({ manifest, token });
    expect(cause).toMatch(/^PLAN_MOVED: this token is of another sandbox \(here: dev2\) \| Next: /);
  });

  it('another pipeline of the same sandbox and stream, which it names alone', async () => {
    const own = await applied();
    const token = await tokenFor(own, inletManifest());
    const manifest = inletManifest({ name: 'others' });
    const { status, error, cause } = await own.run({ manifest, token });
    expect([status, error]).toEqual(['FAILED', 'Penstock.Moved']);
    expect(cause).toMatch(/^PLAN_MOVED: this token is of another pipeline \(here: others\) \| Next: /);
  });

  it('another stream of that name, as in another region', async () => {
    const own = world();
    const token = await tokenFor(own, inletManifest());
    const elsewhere = STREAM_ARN.replace('eu-west-1', 'us-east-1');
    Object.assign(own.runtime.streams, { arn: async () => elsewhere });
    expect(await refused(own, inletManifest(), token)).toEqual(['stream']);
    const { cause } = await own.run({ manifest: inletManifest(), token });
    expect(cause).toContain(`this token is of another stream (here: ${elsewhere})`);
  });

  it('no stream at all, where AEP reads the source itself', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const token = await tokenFor(own, inletManifest());
    const { cause } = await own.run({ manifest: pulledManifest(KINESIS), token });
    expect(cause).toContain('this token is of another stream (here: none)');
  });
});

describe('a token', () => {
  it('holds nothing that was read, and no secret', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const token = await tokenFor(own, pulledManifest(KINESIS));
    expect(token).toMatch(/^p4\.[\w-]{22}\.([\w-]{8})+$/);
    expect(token.length).toBeLessThan(250);
  });

  it.each([
    ['plan', 'p4.abc', '"token" belongs to "mode": "apply"'],
    ['retire', 'p4.abc', '"token" belongs to "mode": "apply"'],
    ['apply', 'what I mean', 'expected the token of a plan'],
  ])('in mode %s, %s is refused as an event', async (mode, token, text) => {
    const own = await applied();
    const { status, cause } = await own.run({ manifest: inletManifest(), mode, token });
    expect(status).toBe('FAILED');
    expect(cause).toMatch(/^EVENT_INVALID/);
    expect(cause).toContain(text);
  });

  it('grants nothing: what is planned anew decides, also against a conflict', async () => {
    const own = await applied();
    const { error } = await own.run({ manifest: CONFLICT, token: await tokenFor(own, CONFLICT) });
    expect(error).toBe('Penstock.Conflict');
  });

  it.each(TOKEN_PARTS)('tells a change of %s by itself', (part) => {
    const state = { manifest: { name: 'people' }, 'field-group:loyalty': { id: 1 } };
    expect(movedParts(planToken(state), { ...state, [part]: { is: 'another' } })).toEqual([part]);
  });
});
