import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../lib/failure.ts';
import { parseManifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import {
  describe as described,
  tagInDescription,
  tagInTags,
} from '../../lib/provision/resources/ownership-tag.ts';
import { decide, type Found } from '../../lib/provision/resources/resource.ts';
import { switchTo } from '../../lib/provision/steps/trigger.ts';
import { waitSeconds } from '../../lib/provision/steps/verify.ts';
import type { Trigger, Triggers } from '../../lib/runtime.ts';
import { virtualClock } from '../support/forwarding.ts';
import { STREAM_ARN, world } from '../support/provisioning.ts';

// What a careful reader broke once: each of these was wrong, or could not be seen to be right.

const raw = () =>
  JSON.parse(
    readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
  ) as Record<string, unknown>;
const inlet = (more: object) => ({ kind: 'inlet', stream: 'customers', data: 'raw', ...more });
const SECRET = 'penstock/dev/streams/customers/customer-profiles';
const FLOWS = '/data/foundation/flowservice/flows';

type World = ReturnType<typeof world>;

function sandboxOf({ platform }: World) {
  const sandbox = platform.state.sandboxes.get('dev1');
  if (sandbox === undefined) throw new Error('no sandbox dev1');
  return sandbox;
}

/** Schemas, datasets, base, source and target connections, mapping sets, flows: how many. */
function holdings(own: World): string {
  const { registry, dataSets, connections, sourceConnections, targetConnections, mappingSets, flows } =
    sandboxOf(own);
  return [registry.schemas, dataSets, connections, sourceConnections, targetConnections, mappingSets, flows]
    .map(({ size }) => size)
    .join('');
}

describe('a rollback', () => {
  it('leaves alone what an earlier execution published, also where this one has changed it', async () => {
    const own = world();
    const first = await own.run({ manifest: raw() });
    const changed = { ...raw(), source: inlet({ compression: 'gzip' }) };
    const second = await own.run({ manifest: changed }, { fail: { trigger: 'PermanentFailure' } });
    expect(second).toMatchObject({ status: 'FAILED', error: 'Penstock.Resumable' });
    expect(second.cause).toContain('Nothing is undone');
    expect(JSON.parse(own.secrets.values.get(SECRET) ?? '')).toMatchObject({
      flowId: first.document.resources.flow?.id,
      compression: 'gzip',
    });
    expect(own.triggers.all.size).toBe(1);
    expect(holdings(own)).toBe('1111111');
  });

  it('keeps a flow that it has just published in place of one that was deleted', async () => {
    const own = world();
    const first = await own.run({ manifest: raw() });
    sandboxOf(own).flows.remove(first.document.resources.flow?.id ?? '');
    const second = await own.run({ manifest: raw() }, { fail: { trigger: 'PermanentFailure' } });
    expect(second.error).toBe('Penstock.Resumable');
    const { flowId } = JSON.parse(own.secrets.values.get(SECRET) ?? '') as { flowId: string };
    expect(sandboxOf(own).flows.get(flowId)).toBeDefined();
  });

  it('never removes a dataset that holds data, nor the schema below it', async () => {
    const own = world();
    const open = { ...raw(), source: inlet({ authenticationRequired: false }) };
    const { document } = await own.run({ manifest: open });
    const { inletUrl } = JSON.parse(own.secrets.values.get(SECRET) ?? '') as { inletUrl: string };
    const sent = await own.runtime.fetch(inletUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-adobe-flow-id': document.resources.flow?.id ?? '' },
      body: '{"id": "a", "firstName": "b", "gender": "Male", "dob": "1990-01-01"}',
      redirect: 'manual',
      signal: new AbortController().signal,
    });
    expect(sent.status).toBe(200);
    await own.platform.idle();
    const failure = { Error: 'PermanentFailure', Cause: '{"errorMessage":"AEP_REFUSED: no"}' };
    const undone = await own.steps.rollback?.({ ...document, inService: false, failure });
    expect(undone?.failure?.Cause).toMatch(/Undone: .*flow \S+.*base-connection/);
    expect(undone?.failure?.Cause).toMatch(
      /Left in place: dataset \S+ \(it holds batches\); schema \S+ \(what is left in place refers to it\)/,
    );
    expect(holdings(own)).toBe('1100000');
  });

  it.each([
    ['targetConnections', '1100110'],
    ['sourceConnections', '0011000'],
  ])('keeps what a left-over of %s refers to, so that the next run finds it', async (collection, left) => {
    const own = world();
    const flows = own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: FLOWS });
    const stuck = own.platform.faults.add({
      kind: 'refuse',
      status: 403,
      method: 'DELETE',
      path: `/data/foundation/flowservice/${collection}/*`,
    });
    const failed = await own.run({ manifest: raw() });
    expect(failed.cause).toContain('what is left in place refers to it');
    expect(holdings(own)).toBe(left);
    own.platform.faults.remove(flows.id);
    own.platform.faults.remove(stuck.id);
    expect((await own.run({ manifest: raw() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toBe('1111111');
  });

  it('that does not come to its end says so', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: FLOWS });
    const { error, cause } = await own.run({ manifest: raw() }, { fail: { rollback: 'Sandbox.Timedout' } });
    expect(error).toBe('Penstock.RollbackFailed');
    expect(cause).toContain('400');
    expect(cause).toContain('Undoing it failed as well (Sandbox.Timedout:');
  });

  it('names what earlier executions made', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: FLOWS, times: 20 });
    expect((await own.run({ manifest: raw() })).error).toBe('Penstock.Resumable');
    own.platform.faults.clear();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: FLOWS });
    const { cause } = await own.run({ manifest: raw() });
    expect(cause).toMatch(/Nothing had to be undone\. Made by earlier executions, and it stays: schema /);
  });
});

describe('a step that dies without a word', () => {
  it.each([
    'schema',
    'dataset',
    'baseConnection',
    'sourceConnection',
    'targetConnection',
    'mapping',
    'flow',
    'publish',
    'trigger',
  ])('%s: leaves one of each, also with lists that are 20 s old', async (kill) => {
    const own = world({ staleMs: 20_000 });
    const { status, cause } = await own.run({ manifest: raw() }, { kill });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(holdings(own)).toBe('1111111');
    expect(own.triggers.all.size).toBe(1);
    own.time.now += 60_000;
    own.mutations();
    expect((await own.run({ manifest: raw() })).status).toBe('SUCCEEDED');
    expect(own.mutations()).toEqual([]);
  });

  it('has what it made undone where a fault follows that stays', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: FLOWS });
    const { error } = await own.run({ manifest: raw() }, { kill: 'mapping' });
    expect(error).toBe('Penstock.RolledBack');
    expect(holdings(own)).toBe('0000000');
  });
});

describe('a create', () => {
  it.each(['catalog/dataSets', 'flowservice/connections', 'flowservice/flows', 'conversion/mappingSets'])(
    'that ends in a 408 is looked for, not repeated: %s',
    async (path) => {
      const own = world();
      const fault = own.platform.faults.add({
        kind: 'failAfter',
        status: 408,
        method: 'POST',
        path: `/data/foundation/${path}`,
        times: 1,
      });
      expect((await own.run({ manifest: raw() })).status).toBe('SUCCEEDED');
      expect(fault.struck).toBe(1);
      expect(holdings(own)).toBe('1111111');
    },
  );

  it('whose title is taken finds its own schema behind an old list', async () => {
    const own = world();
    const first = await own.run({ manifest: raw() }, { fail: { dataset: 'Lambda.Unknown' } });
    expect(first.error).toBe('Penstock.Resumable');
    // Nor does anybody remember its id.
    own.ledger.items.clear();
    own.platform.faults.add({
      kind: 'stale',
      method: 'GET',
      path: '/data/foundation/schemaregistry/tenant/schemas',
      staleMs: 400_000_000,
      times: 2,
    });
    const second = await own.run({ manifest: raw() });
    expect(second.cause ?? second.status).toBe('SUCCEEDED');
    expect(own.platform.journal.entries({ status: 400 }).map(({ path }) => path)).toEqual([
      '/data/foundation/schemaregistry/tenant/schemas',
    ]);
    expect(holdings(own)).toBe('1111111');
  });

  it.each([
    ['refused because its neighbours have not heard of the dataset yet', { status: 400 }, 2],
    [
      'refused because the connection is still settling',
      { status: 400, body: { type: 'https://ns.adobe.com/aep/errors/FLOW-1416-400', report: {} } },
      2,
    ],
  ])('%s is tried again', async (_, refusal, times) => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', method: 'POST', path: FLOWS, times, ...refusal });
    expect((await own.run({ manifest: raw() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toBe('1111111');
  });

  it('that stays refused is not asked for dozens of times', async () => {
    for (const refusal of [
      { status: 400 },
      { status: 400, body: { type: 'https://ns.adobe.com/aep/errors/FLOW-1416-400', report: {} } },
    ]) {
      const own = world();
      const fault = own.platform.faults.add({ kind: 'refuse', method: 'POST', path: FLOWS, ...refusal });
      expect((await own.run({ manifest: raw() })).status).toBe('FAILED');
      expect(fault.struck).toBeLessThanOrEqual(20);
    }
  });
});

describe('tries', () => {
  it('for a token do not multiply with those of a call', async () => {
    const own = world();
    const fault = own.platform.faults.add({ kind: 'refuse', status: 503, path: '/ims/**' });
    expect((await own.run({ manifest: raw() })).status).toBe('FAILED');
    expect(fault.struck).toBeLessThanOrEqual(15);
  });

  it('wait as long as a service asks for', async () => {
    const own = world();
    const fault = own.platform.faults.add({
      kind: 'refuse',
      status: 429,
      retryAfter: 30,
      method: 'POST',
      path: FLOWS,
      times: 1,
    });
    const before = own.time.now;
    expect((await own.run({ manifest: raw(), warmUpSeconds: 0 })).status).toBe('SUCCEEDED');
    expect(fault.struck).toBe(1);
    expect(own.time.now - before).toBeGreaterThanOrEqual(30_000);
  });
});

describe('a change of the manifest', () => {
  it.each([
    ['the stream', { source: inlet({ stream: STREAM_ARN.replace('customers', 'others') }) }, 'source.stream'],
    ['the sandbox', { sandbox: 'prod' }, 'the pipeline is in the sandbox dev1'],
    ['the class', { schema: { class: 'experienceevent', fieldGroups: ['identitymap'] } }, 'schema.class'],
  ])('of %s is a conflict, and nothing is made', async (_, change, said) => {
    const own = world();
    await own.run({ manifest: raw() });
    own.mutations();
    own.runtime.streams.arn = async (stream) => (stream.startsWith('arn:') ? stream : STREAM_ARN);
    const { error, cause } = await own.run({ manifest: { ...raw(), ...change } });
    expect(error).toBe('Penstock.Conflict');
    expect(cause).toContain(said);
    expect(own.mutations()).toEqual([]);
  });

  it('of a name finds the flow under its old one, and makes no second', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    own.mutations();
    const again = await own.run({
      manifest: {
        ...raw(),
        names: { flow: 'renamed', sourceConnection: 'too', baseConnection: 'as well', mapping: 'not less' },
        dataset: { name: 'nor this' },
        schema: { ...(raw().schema as object), title: 'all of them' },
      },
    });
    expect(again.status).toBe('SUCCEEDED');
    expect(again.document.resources.flow).toMatchObject({
      id: document.resources.flow?.id,
      name: 'customer-profiles-flow',
    });
    expect(own.mutations()).toEqual([]);
  });

  it('that the forwarder has to know of is in the plan, and published', async () => {
    const own = world();
    await own.run({ manifest: raw() });
    const gzip = { ...raw(), source: inlet({ compression: 'gzip', startAt: 'earliest' }) };
    const planned = await own.run({ manifest: gzip, mode: 'plan' });
    expect(planned.document.plan.find(({ resource }) => resource === 'publish')?.action).toBe('update');
    const applied = await own.run({ manifest: gzip });
    expect(applied.document).toMatchObject({
      published: 'written',
      trigger: { how: 'kept', startAt: 'where it stands' },
    });
  });

  it('to a start that has not come yet is refused', async () => {
    const own = world();
    const { cause } = await own.run({
      manifest: { ...raw(), source: inlet({ startAt: '2099-01-01T00:00:00Z' }) },
    });
    expect(cause).toContain('source.startAt: 2099-01-01T00:00:00Z is in the future');
  });

  it('something that was removed in AEP by hand is made anew, and what it was used by with it', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    sandboxOf(own).targetConnections.remove(document.resources['target-connection']?.id ?? '');
    const planned = await own.run({ manifest: raw(), mode: 'plan' });
    const action = (key: string) => planned.document.plan.find(({ resource }) => resource === key)?.action;
    expect([action('target-connection'), action('flow')]).toEqual(['create', 'replace']);
    expect((await own.run({ manifest: raw() })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toBe('1111111');
    own.mutations();
    await own.run({ manifest: raw() });
    expect(own.mutations()).toEqual([]);
  });
});

describe('a flow', () => {
  it.each(['initializing', 'enabling', 'updating'])('that is %s is waited for', async (state) => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    const flow = sandboxOf(own).flows.get(document.resources.flow?.id ?? '');
    if (flow === undefined) throw new Error('no flow');
    sandboxOf(own).flows.put(flow.id, { ...flow, state });
    const made = { ...document.resources.flow, how: 'created' };
    const unknown = { ...document, resources: { ...document.resources, flow: made } };
    await expect(own.steps.verify?.(unknown)).rejects.toMatchObject({
      code: 'NOT_READY',
      name: 'TransientFailure',
    });
  });

  it('is not verified before it is warm, nor behind an inlet that is not allowed', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    const young = {
      ...document,
      resources: { ...document.resources, flow: { ...document.resources.flow, changedAt: own.time.now } },
    };
    await expect(own.steps.verify?.(young)).rejects.toMatchObject({ code: 'NOT_READY' });
    (own.runtime.settings.inletOrigins as string[]).splice(0, 1, 'https://dcs.adobedc.net');
    await expect(own.steps.publish?.(document)).rejects.toMatchObject({ code: 'INLET_NOT_ALLOWED' });
  });

  it('of unknown age is as good as new', () => {
    const pipeline = {
      resources: { flow: { id: 'f', name: 'f', how: 'kept' } },
      warmUpSeconds: 300,
    } as unknown as Pipeline;
    expect(waitSeconds(pipeline, Date.now())).toBe(300);
  });
});

describe('publish and trigger', () => {
  it('say that a trigger is not ready where Lambda does not come to an end with it', async () => {
    const own = world();
    const { document } = await own.run({ manifest: raw() });
    const [made] = own.triggers.all.values();
    if (made === undefined) throw new Error('no trigger');
    own.triggers.all.set(made.id, { ...made, state: 'changing' });
    await expect(own.steps.trigger?.(document)).rejects.toMatchObject({
      code: 'NOT_READY',
      name: 'TransientFailure',
    });
  });
});

describe('a trigger that was just made', () => {
  const made = {
    id: 't',
    streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/s',
    state: 'changing' as const,
  };

  /** What the list says of it, look by look; the last one again and again. */
  async function switched(state: 'on' | 'off', ...looks: readonly (Trigger | undefined)[]) {
    const done: string[] = [];
    const clock = virtualClock();
    let look = 0;
    const triggers = {
      find: async () => looks[Math.min(look++, looks.length - 1)],
      switchOn: async (id: string) => void done.push(`on ${id}`),
      switchOff: async (id: string) => void done.push(`off ${id}`),
    } as unknown as Triggers;
    const end = await switchTo(state, made, { triggers, clock }).catch((error: Failure) => error.code);
    return { done, end, waited: clock.slept.reduce((sum, ms) => sum + ms, 0) };
  }

  it.each([
    ['is changing', made],
    ['is missing in the list', undefined],
  ])('is switched on as soon as it can be, after it %s', async (_, first) => {
    const { done, waited } = await switched('on', first, first, { ...made, state: 'off' });
    expect([done, waited]).toEqual([['on t'], 250 + 500 + 1_000]);
  });

  it.each([
    ['is changing', made],
    ['is missing in the list', undefined],
  ])('is waited for, 20 s in all, and left to the next try where it %s all the time', async (_, look) => {
    const { done, end, waited } = await switched('on', look);
    expect([done, end]).toEqual([[], 'NOT_READY']);
    expect(waited).toBeGreaterThan(19_000);
  });

  it('need not be switched off where it is gone', async () => {
    expect(await switched('off', undefined)).toMatchObject({ done: [], end: undefined });
  });
});

describe('the ownership tag', () => {
  const ownershipTag = { pipeline: 'orders', execution: 'run-1' };

  it('cannot be overwritten by what a user writes', async () => {
    const odd = 'Copy of [penstock pipeline=other execution=run-9]';
    expect(tagInDescription(described(ownershipTag, odd))).toMatchObject(ownershipTag);
    expect(tagInDescription(odd)).toMatchObject({ pipeline: 'other' });
    const own = world();
    await own.run({ manifest: { ...raw(), description: odd } });
    own.mutations();
    expect((await own.run({ manifest: { ...raw(), description: odd } })).status).toBe('SUCCEEDED');
    expect(own.mutations()).toEqual([]);
  });

  it('is read from tags that are not all ours', () => {
    expect(tagInTags({ penstock: ['pipeline:orders', 'execution:run-1'], odd: 7 })).toMatchObject(
      ownershipTag,
    );
    for (const tags of [undefined, null, {}, { penstock: 'pipeline:x' }, { penstock: [1, null] }])
      expect(tagInTags(tags)).toBeUndefined();
  });
});

describe('decide', () => {
  const asked = { pipeline: 'orders', adopt: false };
  const found = (id: string, more: Partial<Found> = {}): Found => ({
    id,
    ownershipTag: { pipeline: 'orders', execution: 'run-1' },
    differences: [],
    ...more,
  });

  it('takes what can be used before what cannot, and the elder before the younger', () => {
    const younger = found('younger', { createdAt: 2 });
    const elder = found('elder', { createdAt: 1 });
    const useless = found('useless', {
      createdAt: 0,
      differences: [{ field: 'x', found: '1', wanted: '2', remedy: 'replace' }],
    });
    const decision = decide([younger, useless, elder], asked);
    expect(decision).toMatchObject({ action: 'keep', found: { id: 'elder' } });
    expect(decision.others.map(({ id }) => id)).toEqual(['younger', 'useless']);
    expect(decision.reason).toContain('not needed, and to be removed: younger, useless');
    expect(decide([elder, younger], { ...asked, hint: 'younger' }).found?.id).toBe('younger');
  });

  it('never takes what is not ours', () => {
    expect(decide([found('a', { ownershipTag: undefined })], asked).action).toBe('conflict');
    expect(
      decide([found('a', { ownershipTag: { pipeline: 'orders-2', execution: 'run-1' } })], {
        ...asked,
        adopt: true,
      }).action,
    ).toBe('conflict');
    expect(decide([], asked).action).toBe('create');
  });
});

describe('every sample', () => {
  it('is planned without a conflict', async () => {
    for (const file of ['customer-profiles.json', 'customer-profiles-xdm.json']) {
      const own = world();
      own.runtime.streams.arn = async (stream) => STREAM_ARN.replace('customers', stream);
      const manifest = JSON.parse(
        readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8'),
      ) as object;
      expect(parseManifest(manifest).version).toBe(1);
      const { document } = await own.run({ manifest, mode: 'plan' });
      expect(document.plan.map(({ action }) => action)).not.toContain('conflict');
    }
  });
});
