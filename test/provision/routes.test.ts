// Several pipelines of one stream: they join it, change, leave it, and the trigger belongs to all of them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_ROUTES } from '../../lib/bounds.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { readRoute, readStream, revisionOf } from '../../lib/published.ts';
import { readRequest } from '../../lib/redrive/request.ts';
import { STREAM_ARN, world } from '../support/provisioning.ts';
import { inletManifest } from './cases.ts';

type World = ReturnType<typeof world>;
const OLD_SECRET = 'penstock/dev/streams/customers';
const KNOWN_MS = 65_000;

const manifest = (name: string, source: object = {}) =>
  inletManifest({ name, source: { kind: 'inlet', stream: 'customers', data: 'raw', ...source } });

const routesOf = async (own: World) =>
  (await readStream(own.runtime, STREAM_ARN))?.routes.map(({ pipeline, from }) => [
    pipeline,
    from === undefined ? 'first' : 'joined',
  ]);

const planned = ({ plan }: Pipeline, key: string) => plan.find(({ resource }) => resource === key);

async function apply(own: World, asked: object) {
  const run = await own.run({ manifest: asked });
  expect(run.cause ?? run.status).toBe('SUCCEEDED');
  return run;
}

async function retire(own: World, asked: object) {
  const run = await own.run({ manifest: asked, mode: 'retire' });
  expect(run.cause ?? run.status).toBe('SUCCEEDED');
  return run;
}

/** A world as 0.1.0 left it: the stream's only pipeline in the stream's own secret, and no list. */
async function asOf010(name = 'people') {
  const own = world();
  await apply(own, manifest(name));
  const id = `${OLD_SECRET}/${name}`;
  own.secrets.values.set(OLD_SECRET, own.secrets.values.get(id) ?? '');
  own.secrets.values.delete(id);
  own.routes.clear();
  own.mutations();
  return own;
}

describe('issue 14 A 1, A 2: a stream with several pipelines', () => {
  it('the first one makes the trigger, the others join, and it goes with the last one', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const before = own.time.now;
    const { document } = await apply(own, manifest('two'));
    expect(await routesOf(own)).toEqual([
      ['one', 'first'],
      ['two', 'joined'],
    ]);
    // Every container of the forwarder knows of it by then.
    const from = (await readRoute(own.runtime, STREAM_ARN, 'two'))?.from ?? 0;
    expect(from).toBe(document.routeFrom);
    expect(from).toBeGreaterThan(before + KNOWN_MS);
    expect(own.triggers.all.size).toBe(1);
    const left = await retire(own, manifest('one'));
    expect(planned(left.document, 'trigger')).toMatchObject({
      action: 'keep',
      reason: expect.stringContaining('two'),
    });
    expect(left.document.report?.resources.find(({ resource }) => resource === 'trigger')?.done).toBe('kept');
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
    expect(await routesOf(own)).toEqual([['two', 'joined']]);
    await retire(own, manifest('two'));
    expect(own.triggers.all.size).toBe(0);
    expect(own.routes.lists.size).toBe(0);
    expect([...own.secrets.values.keys()].filter((id) => id.includes('/streams/'))).toEqual([]);
  });

  it('each change reaches its own route alone, and keeps from when it takes records', async () => {
    const own = world();
    await apply(own, manifest('one'));
    await apply(own, manifest('two'));
    const [one, two] = (await readStream(own.runtime, STREAM_ARN))?.routes ?? [];
    await apply(own, manifest('two', { order: 'strict' }));
    const after = (await readStream(own.runtime, STREAM_ARN))?.routes;
    expect(after?.[0]).toEqual(one);
    expect(after?.[1]).toMatchObject({ order: 'strict', from: two?.from });
    own.mutations();
    const writes = own.secrets.writes() + own.routes.writes() + own.triggers.writes();
    const again = await apply(own, manifest('two', { order: 'strict' }));
    expect(again.document.published).toBe('kept');
    expect(own.mutations()).toEqual([]);
    expect(own.secrets.writes() + own.routes.writes() + own.triggers.writes()).toBe(writes);
  });

  it.each([
    [
      'compression',
      { compression: 'gzip' },
      /source\.compression is "gzip" in the manifest of two, and "none" in that of one/,
    ],
    [
      'unrouted',
      { unrouted: 'keep' },
      /source\.unrouted is "keep" in the manifest of two, and "count" in that of one/,
    ],
  ])('that say different things of %s are a conflict that names both manifests', async (_, source, said) => {
    const own = world();
    await apply(own, manifest('one'));
    own.mutations();
    const run = await own.run({ manifest: manifest('two', source) });
    expect(run.error).toBe('Penstock.Conflict');
    expect(run.cause).toMatch(said);
    expect(own.mutations()).toEqual([]);
    // Alone, it may change what it likes.
    await apply(own, manifest('one', source));
    expect((await readStream(own.runtime, STREAM_ARN))?.settings).toMatchObject(source);
    await apply(own, manifest('two', source));
    const change = await own.run({ manifest: manifest('one') });
    expect(change.error).toBe('Penstock.Conflict');
  });

  it('one whose schemas are in Glue is a conflict where the deployment may not ask for them', async () => {
    const own = world();
    const asked = manifest('one', { format: { kind: 'avro', schemaIn: 'glue' } });
    const run = await own.run({ manifest: asked });
    expect([run.error, run.cause]).toEqual([
      'Penstock.Conflict',
      expect.stringMatching(/glueSchemaRegistry/),
    ]);
    expect(own.mutations()).toEqual([]);
    Object.assign(own.runtime.settings, { schemaRegistry: true });
    await apply(own, asked);
    // Whoever takes the permission away can retire the pipeline, and is told of it otherwise.
    Object.assign(own.runtime.settings, { schemaRegistry: false });
    expect((await own.run({ manifest: asked })).error).toBe('Penstock.Conflict');
    await retire(own, asked);
  });

  it('A 3: what a manifest says of an outage is published, and a change of it reaches the forwarder', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const parkOf = async () => (await readRoute(own.runtime, STREAM_ARN, 'one'))?.park;
    expect(await parkOf()).toBeUndefined();
    await apply(own, manifest('one', { onOutage: 'park' }));
    expect(await parkOf()).toEqual({ afterSeconds: 900 });
    await apply(own, manifest('one', { onOutage: 'park', parkAfterSeconds: 60 }));
    expect(await parkOf()).toEqual({ afterSeconds: 60 });
    const same = await apply(own, manifest('one', { onOutage: 'park', parkAfterSeconds: 60 }));
    expect(planned(same.document, 'publish')?.action).toBe('keep');
    await apply(own, manifest('one', { onOutage: 'hold' }));
    expect(await parkOf()).toBeUndefined();
  });

  it('A 3: a trigger that discards records before they would be parked is a conflict', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const [trigger] = [...own.triggers.all.values()];
    if (trigger === undefined) throw new Error('no trigger');
    (own.triggers.all as Map<string, typeof trigger>).set(trigger.id, {
      ...trigger,
      maximumRecordAgeSeconds: 600,
    });
    const plan = async (source: object) =>
      planned((await own.run({ manifest: manifest('one', source), mode: 'plan' })).document, 'trigger');
    expect(await plan({ onOutage: 'park' })).toMatchObject({
      action: 'conflict',
      reason: expect.stringContaining('source.parkAfterSeconds is 900'),
    });
    for (const source of [{}, { onOutage: 'park', parkAfterSeconds: 599 }])
      expect((await plan(source))?.action).toBe('keep');
  });

  it('are at most so many', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const { value, version } = await own.routes.read('customers');
    const list = value as { routes: object };
    const others = Array.from({ length: MAX_ROUTES - 1 }, (_, n) => [
      `other-${n}`,
      { revision: 'x'.repeat(64) },
    ]);
    await own.routes.write(
      'customers',
      { ...list, routes: { ...list.routes, ...Object.fromEntries(others) } },
      version,
    );
    const run = await own.run({ manifest: manifest('two') });
    expect(run.error).toBe('Penstock.Conflict');
    expect(run.cause).toContain(`carries ${MAX_ROUTES} pipelines already`);
    // One that is on the list may change.
    await apply(own, manifest('one', { order: 'strict' }));
  });

  it('the plan says that one joins, and that it starts at its publication', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const { document } = await own.run({ manifest: manifest('two'), mode: 'plan' });
    expect(planned(document, 'publish')).toMatchObject({
      action: 'create',
      reason: expect.stringMatching(
        /^joins the stream beside one; it starts at its publication: what arrived before is not sent;/,
      ),
    });
    expect(planned(document, 'trigger')).toMatchObject({
      action: 'keep',
      reason: expect.stringContaining('the stream carries one as well'),
    });
  });

  it.each([
    ['earliest', '1970-01-01T00:00:00.000Z'],
    ['2025-12-31T12:00:00Z', '2025-12-31T12:00:00.000Z'],
  ])('one that joins with startAt %s gets a ready event for what arrived before', async (startAt, from) => {
    const own = world();
    await apply(own, manifest('one'));
    const { document } = await apply(own, manifest('two', { startAt }));
    expect(planned(document, 'publish')?.reason).toContain(startAt);
    const text = document.report?.next.find((one) => one.includes('redrive with')) ?? '';
    const event = readRequest(JSON.parse(text.slice(text.indexOf('{'))));
    expect(event).toMatchObject({ stream: STREAM_ARN, pipeline: 'two', source: 'stream' });
    expect(event.where.arrived).toEqual({ from, to: new Date((document.routeFrom ?? 0) - 1).toISOString() });
    // The first one's trigger has started there already, and nobody needs an event who starts now.
    for (const run of [
      await apply(world(), manifest('one', { startAt })),
      await apply(own, manifest('three')),
    ])
      expect(run.document.report?.next.join()).not.toContain('redrive');
  });

  it('a trigger that is missing is made from now on by one that has joined, whatever its startAt', async () => {
    const own = world();
    await apply(own, manifest('one'));
    own.triggers.all.clear();
    // As long as an execution lives.
    own.time.now += 7_300_000;
    await apply(own, manifest('two', { startAt: 'earliest' }));
    const [made] = own.triggers.all.values();
    expect(made?.startAt).toBeInstanceOf(Date);
  });

  it('one that joins before the first one has made the trigger does not make it: it would pass over records of the first', async () => {
    const own = world();
    const dead = await own.run(
      { manifest: manifest('one', { startAt: 'earliest' }) },
      { fail: { trigger: 'Sandbox.Timedout' } },
    );
    expect([dead.error, own.triggers.all.size]).toEqual(['Penstock.Resumable', 0]);
    const early = await own.run({ manifest: manifest('two') });
    expect(early).toMatchObject({ error: 'Penstock.Resumable' });
    expect(early.cause).toContain('NOT_READY');
    expect(own.triggers.all.size).toBe(0);
    await apply(own, manifest('one', { startAt: 'earliest' }));
    await apply(own, manifest('two'));
    expect([...own.triggers.all.values()].map(({ startAt }) => startAt)).toEqual(['earliest']);
  });

  it('none joins while the last one leaves; what is half closed for too long is open again', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const dead = await own.run(
      { manifest: manifest('one'), mode: 'retire' },
      { fail: { retire: 'Sandbox.Timedout' } },
    );
    expect(dead.status).toBe('FAILED');
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['off']);
    const at = ((await own.routes.read('customers')).value as { closing: { at: number } }).closing.at;
    const [since, until] = [at, at + 7_300_000].map((ms) => new Date(ms).toISOString());
    const told = await own.run({ manifest: manifest('two'), mode: 'plan' });
    const reason = planned(told.document, 'publish')?.reason;
    expect(reason).toContain(
      `once one is retired: the execution run-2 began that at ${since}, and keeps others out until ${until}. If it was stopped, retire one again;`,
    );
    const early = await own.run({ manifest: manifest('two') });
    expect(early).toMatchObject({ error: 'Penstock.Resumable' });
    expect(early.cause).toContain('NOT_READY');
    expect(early.cause).toContain(`the execution run-2 has closed it at ${since}`);
    expect(early.cause).toContain(`None can join until that is done, or until ${until}`);
    expect(early.cause).toContain('retire one again, or apply it again if it is to stay');
    own.time.now = at + 7_300_000;
    const free = await own.run({ manifest: manifest('two'), mode: 'plan' });
    expect(planned(free.document, 'publish')?.reason).toMatch(/^joins the stream beside one; /);
    await apply(own, manifest('two'));
    expect(await routesOf(own)).toEqual([
      ['one', 'first'],
      ['two', 'joined'],
    ]);
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
    await retire(own, manifest('one'));
    expect(await routesOf(own)).toEqual([['two', 'joined']]);
    expect(own.triggers.all.size).toBe(1);
  });

  it('one of several is retired though its document is damaged', async () => {
    const own = world();
    await apply(own, manifest('one'));
    await apply(own, manifest('two'));
    own.secrets.values.set(`${OLD_SECRET}/two`, '{"version":1}');
    await retire(own, manifest('two'));
    expect(await routesOf(own)).toEqual([['one', 'first']]);
    expect(own.secrets.values.has(`${OLD_SECRET}/two`)).toBe(false);
  });

  it('one that is applied again while it was leaving is open again', async () => {
    const own = world();
    await apply(own, manifest('one'));
    await own.run({ manifest: manifest('one'), mode: 'retire' }, { fail: { retire: 'Sandbox.Timedout' } });
    await apply(own, manifest('one'));
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
    await apply(own, manifest('two'));
  });

  it('one that fails as it joins is taken off again, and the trigger stays for the others', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const failed = await own.run({ manifest: manifest('two') }, { fail: { trigger: 'PermanentFailure' } });
    expect(failed.error).toBe('Penstock.RolledBack');
    expect(await routesOf(own)).toEqual([['one', 'first']]);
    expect([...own.triggers.all.values()].map(({ state }) => state)).toEqual(['on']);
    expect(own.secrets.values.has(`${OLD_SECRET}/two`)).toBe(false);
  });
});

describe('issue 14 A 2: what 0.1.0 published, one pipeline in the secret of its stream', () => {
  const document = readFileSync(new URL('../stored/0.1.0/published.json', import.meta.url), 'utf8');

  it('is read as one route', async () => {
    const own = world();
    own.secrets.values.set(OLD_SECRET, document);
    const stream = await readStream(own.runtime, STREAM_ARN);
    expect(stream).toEqual({
      streamArn: JSON.parse(document).streamArn,
      settings: { compression: 'none', unrouted: 'count' },
      routes: [JSON.parse(document)],
    });
    expect(await readRoute(own.runtime, 'customers', 'people')).toEqual(JSON.parse(document));
    expect(await readRoute(own.runtime, 'customers', 'another')).toBeUndefined();
  });

  it('an unchanged pipeline stays where it is, and nothing is written', async () => {
    const own = await asOf010();
    const { document } = await apply(own, manifest('people'));
    expect(document.published).toBe('kept');
    expect(own.mutations()).toEqual([]);
    expect(own.routes.lists.size).toBe(0);
  });

  it('a second pipeline joins: both are on the list, and the first one stays where it is', async () => {
    const own = await asOf010();
    const before = own.secrets.values.get(OLD_SECRET);
    await apply(own, manifest('second'));
    expect(await routesOf(own)).toEqual([
      ['people', 'first'],
      ['second', 'joined'],
    ]);
    expect(own.secrets.values.get(OLD_SECRET)).toBe(before);
    // Its next change gives it a secret of its own, and the old one goes.
    await apply(own, manifest('people', { order: 'strict' }));
    expect(own.secrets.values.has(OLD_SECRET)).toBe(false);
    expect(await routesOf(own)).toEqual([
      ['people', 'first'],
      ['second', 'joined'],
    ]);
  });

  it('a second one that says something else of what all share is a conflict', async () => {
    const own = await asOf010();
    const run = await own.run({ manifest: manifest('second', { compression: 'zstd' }) });
    expect(run.cause).toMatch(
      /source\.compression is "zstd" in the manifest of second, and "none" in that of people/,
    );
  });

  it.each([[false], [true]])('its pipeline is retired (beside another one: %s)', async (beside) => {
    const own = await asOf010();
    if (beside) await apply(own, manifest('second'));
    await retire(own, manifest('people'));
    expect(own.secrets.values.has(OLD_SECRET)).toBe(false);
    expect(await routesOf(own)).toEqual(beside ? [['second', 'joined']] : undefined);
    expect(own.triggers.all.size).toBe(beside ? 1 : 0);
    expect(own.routes.lists.size).toBe(beside ? 1 : 0);
  });
});

it('issue 14 A 2: the version that the list names is read, also while a newer one is being published', async () => {
  const own = world();
  await apply(own, manifest('one'));
  const listed = await readRoute(own.runtime, STREAM_ARN, 'one');
  const id = `${OLD_SECRET}/one`;
  const newer = JSON.stringify({ ...JSON.parse(own.secrets.values.get(id) ?? ''), flowId: 'newer' });
  await own.secrets.put(id, newer, '', revisionOf(newer));
  expect(await readRoute(own.runtime, STREAM_ARN, 'one')).toEqual(listed);
});
