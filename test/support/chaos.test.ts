// Faults hit the one call they are meant for, once, and do there what they say; two executions take turns call by call.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { type Call, type Fault, type Mode, scheduler } from './chaos.ts';
import { canonical, surplus } from './graph.ts';
import { world } from './provisioning.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const CREATE = 'POST /data/foundation/catalog/dataSets';
const put = 'arn:aws:states:::dynamodb:putItem';

const states = JSON.parse(
  readFileSync(new URL('../../functions/provision/states.asl.json', import.meta.url), 'utf8'),
) as { States: { dataset: { Retry: { ErrorEquals: string[]; IntervalSeconds: number }[] } } };
/** Seconds until a function that died is tried again. */
const INTERVAL =
  states.States.dataset.Retry.find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.Unknown'))
    ?.IntervalSeconds ?? 0;

/** The number of the call that makes the dataset. */
const k = (await world().run({ manifest })).calls.find(({ label }) => label === CREATE)?.index ?? 0;

async function struck(fault: Omit<Fault, 'k'>) {
  const own = world();
  const run = await own.run({ manifest }, { fault: { k, ...fault } });
  const posted = own.platform.journal.entries({ method: 'POST', path: '/catalog/dataSets' });
  return { own, run, posted };
}

describe('a fault', () => {
  it.each<[Mode, number[], string[]]>([
    ['refused', [0, 201], ['dropBefore']],
    ['lost', [0], ['dropAfter']],
    ['error-after', [500], ['failAfter']],
    ['truncated', [201], ['truncate']],
    ['throttled', [429, 201], ['refuse']],
    ['killed', [201], []],
    ['zombie', [201], []],
  ])('%s hits one call, once', async (mode, statuses, faults) => {
    const { own, run, posted } = await struck({ mode });
    expect(run.status).toBe('SUCCEEDED');
    expect(posted.map(({ status }) => status)).toEqual(statuses);
    expect(posted[0]?.faults).toEqual(faults);
    expect(own.platform.journal.entries().filter(({ faults }) => faults.length > 0)).toHaveLength(
      faults.length,
    );
    expect(run.calls.filter(({ fault }) => fault !== undefined)).toMatchObject([
      { index: k, label: CREATE, fault: mode },
    ]);
    expect(own.platform.faults.list()).toEqual([]);
  });

  it.each<[Fault['as'], string, number]>([
    ['Lambda.Unknown', 'retried dataset Lambda.Unknown', INTERVAL],
    ['Sandbox.Timedout', 'retried dataset Sandbox.Timedout', 120 + INTERVAL],
  ])('that kills is called %s', async (as, path, seconds) => {
    const { own, run } = await struck({ mode: 'killed', ...(as && { as }) });
    expect(run.paths).toContain(path);
    // The retry's interval, after what is left of the function's 120 s.
    expect(own.time.now - Date.parse(run.document.execution.startedAt)).toBe((seconds + 300) * 1_000);
    // The new container asks for a token of its own, and looks before it makes another.
    const after = run.calls.slice(run.calls.findIndex(({ fault }) => fault !== undefined) + 1);
    expect(
      after
        .filter(({ kind }) => kind === 'aep')
        .slice(0, 2)
        .map(({ label }) => label),
    ).toEqual(['POST /ims/token/v3', 'GET /data/foundation/catalog/dataSets']);
  });

  it('that makes a zombie leaves it to be released, and what it does then is told apart', async () => {
    const { own, run } = await struck({ mode: 'zombie' });
    expect(run.paths).toContain('retried dataset States.Timeout');
    const [zombie] = run.execution.zombies;
    own.mutations();
    expect(zombie).toMatchObject({ step: 'dataset', calls: [] });
    expect(await zombie?.release()).toMatchObject({ ok: { resources: { dataset: { how: 'created' } } } });
    expect(own.mutations()).toEqual([]);
    expect(surplus(own)).toEqual({});
  });

  it('a zombie that does go on doing things is seen doing them', async () => {
    const own = world();
    // Hangs at the answer to its look, that is: before it makes anything.
    const run = await own.run({ manifest }, { fault: { k: k - 1, mode: 'zombie' } });
    const before = run.calls.length;
    const [zombie] = run.execution.zombies;
    await zombie?.release();
    expect(zombie?.calls.length).toBeGreaterThan(0);
    for (const call of zombie?.calls ?? [])
      expect(call).toMatchObject({ zombie: true, index: 0, step: 'dataset' });
    expect(run.calls).toHaveLength(before);
  });

  it.each<[Mode, number]>([
    ['refused', 0],
    ['killed', 1],
    ['zombie', 1],
  ])('%s and a stop: nothing of it runs any more', async (mode, dataSets) => {
    const { own, run, posted } = await struck({ mode, after: 'abort' });
    expect(run.status).toBe('ABORTED');
    expect(run.states.at(-1)).toBe('dataset');
    expect(own.platform.state.sandboxes.get('dev1')?.dataSets.size).toBe(dataSets);
    expect(posted).toHaveLength(1);
    const calls = own.platform.journal.entries().length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(own.platform.journal.entries()).toHaveLength(calls);
    expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
    expect(surplus(own)).toEqual({});
  });

  it.each<[Mode, number]>([
    ['refused', 1],
    // A document that the list does not name is not used: the step writes it again.
    ['lost', 2],
    ['killed', 2],
  ])('%s at a call to AWS', async (mode, writes) => {
    const own = world();
    const golden = await world().run({ manifest });
    const at = golden.calls.find(({ label }) => label.startsWith('secrets.create'))?.index ?? 0;
    const run = await own.run({ manifest }, { fault: { kind: 'aws', k: at, mode } });
    expect(run).toMatchObject({ status: 'SUCCEEDED', execution: { struck: true } });
    expect(own.secrets.writes()).toBe(writes);
  });

  it.each<[Mode, string, number]>([
    ['refused', 'DynamoDB.InternalServerError', 1],
    ['lost', 'DynamoDB.InternalServerError', 2],
    ['throttled', 'DynamoDB.ThrottlingException', 1],
  ])('%s at a call of the machine itself is an error that its Retry can name', async (mode, error, puts) => {
    const own = world();
    const seen: unknown[] = [];
    own.integrations[put] = async (parameters) => seen.push(parameters);
    const Retry = [{ ErrorEquals: [error] }];
    const Lease = { Type: 'Task', Resource: put, Parameters: { 'k.$': '$.k' }, Retry, End: true };
    const definition = { StartAt: 'Lease', States: { Lease } };
    const run = await own.run({ k: 'a' }, { definition, fault: { kind: 'aws', k: 1, mode } });
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: puts });
    expect(run.calls[0]).toMatchObject({
      kind: 'aws',
      label: 'dynamodb:putItem',
      step: 'Lease',
      change: true,
    });
    expect(seen).toEqual(Array.from({ length: puts }, () => ({ k: 'a' })));
  });

  it('none: a function that sleeps past its timeout is ended by Lambda', async () => {
    const own = world();
    own.platform.faults.add({
      kind: 'refuse',
      status: 429,
      retryAfter: 44,
      path: '/data/foundation/catalog/**',
      times: 3,
    });
    const { paths } = await own.run({ manifest });
    expect(paths).toContain('retried plan Sandbox.Timedout');
  });
});

describe('two executions', () => {
  const interleaved = async (seed: number) => {
    const own = world();
    const random = seededRandom(seed);
    const turns = scheduler((ready) => Math.floor(random() * ready.length));
    const runs = await turns.drive(
      own.time,
      own.run({ manifest }, { intercept: turns.intercept, name: 'a' }),
      own.run({ manifest }, { intercept: turns.intercept, name: 'b' }),
    );
    return { own, turns, runs };
  };
  const order = (trace: readonly Call[]) => trace.map(({ execution }) => execution).join('');

  it('take turns, the same for the same seed, another for another', async () => {
    const [one, same, other] = [await interleaved(1), await interleaved(1), await interleaved(2)];
    expect(order(one.turns.trace)).toBe(order(same.turns.trace));
    expect(canonical(one.own)).toEqual(canonical(same.own));
    expect(order(one.turns.trace)).not.toBe(order(other.turns.trace));
    expect(order(one.turns.trace)).toMatch(/a.*b.*a|b.*a.*b/);
  });

  it('one before the other, which goes on while the first one waits, leave nothing over', async () => {
    const own = world();
    const turns = scheduler((ready) =>
      Math.max(
        0,
        ready.findIndex(({ execution }) => execution === 'a'),
      ),
    );
    const runs = await turns.drive(
      own.time,
      own.run({ manifest }, { intercept: turns.intercept, name: 'a' }),
      own.run({ manifest }, { intercept: turns.intercept, name: 'b' }),
    );
    // What becomes of the second is the lease's business.
    expect(runs[0].status).toBe('SUCCEEDED');
    expect(order(turns.trace)).toMatch(/^a+b+a+b*$/);
    expect(surplus(own)).toEqual({});
  });
});

describe('surplus', () => {
  it('is what no published pipeline leads to', async () => {
    const own = world();
    await own.run({ manifest });
    expect(surplus(own)).toEqual({});
    const { dataSets } = own.platform.state.sandboxes.get('dev1') ?? {};
    const [one] = dataSets?.values() ?? [];
    if (one !== undefined) dataSets?.put('a'.repeat(24), { ...one, id: 'a'.repeat(24) });
    expect(surplus(own)).toEqual({ dataSets: 1 });
    expect(canonical(own).resources).toHaveProperty('<dataSets customer-profiles-dataset #2>');
    own.secrets.values.delete('penstock/dev/streams/customers/customer-profiles');
    expect(surplus(own)).toMatchObject({ flows: 1, schemas: 1, dataSets: 2 });
  });
});

describe('canonical', () => {
  it('is the same whoever made it and whatever the ids, and not where anything else differs', async () => {
    const [one, other, zipped] = [world(), world({ seed: 7 }), world()];
    await one.run({ manifest });
    await other.run({ manifest, mode: 'plan' });
    await other.run({ manifest });
    await zipped.run({ manifest: { ...manifest, description: 'Another' } });
    expect(canonical(one)).toEqual(canonical(other));
    expect(canonical(zipped)).not.toEqual(canonical(one));
    const text = JSON.stringify(canonical(one));
    expect(text).not.toMatch(/run-1|[0-9a-f]{24}/);
    expect(text).toContain('"sourceConnectionIds":["<sourceConnections customer-profiles-source>"]');
  });
});
