import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACCEPTED } from '../lib/accepted.ts';
import { doctor } from '../lib/doctor/doctor.ts';
import { bundle } from '../lib/hook/bundle.ts';
import { ProvisionRequest } from '../lib/pipeline.ts';
import { asksForRecord, where } from '../lib/where/where.ts';
import { surroundings } from './support/doctoring.ts';
import { world as forwarding } from './support/forwarding.ts';
import { bodyOf, EXAMPLES, hookWorld } from './support/hooks.ts';
import { world } from './support/provisioning.ts';
import { reconciling } from './support/reconciling.ts';
import { document, entry, ON_FAILURE_KEY, onFailureDocument, redriveWorld } from './support/redriving.ts';
import { tapping } from './tap/tapping.ts';

// The events for the console and for `serverless invoke` do what they are there for.

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../events/${name}.json`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;

describe('the events', () => {
  it('are these', () => {
    const files = readdirSync(new URL('../events', import.meta.url)).filter((file) => file.endsWith('.json'));
    expect(files.sort()).toEqual(
      [
        'deploy-hook-cloudformation',
        'deploy-hook-codedeploy',
        'deploy-hook-codepipeline',
        'deploy-hook-manifest',
        'deploy-hook-url',
        'deploy-hook',
        'doctor',
        'drift',
        'forward',
        'import',
        'plan',
        'provision',
        'reconcile',
        'redrive-on-failure',
        'redrive-parked',
        'redrive-route',
        'redrive',
        'retire',
        'status',
        'tap',
        'where',
      ].map((name) => `${name}.json`),
    );
  });

  it('plan, provision, ask, look and retire, one after the other', async () => {
    const own = world();
    expect((await own.run(read('plan'))).document.report?.outcome).toBe('planned');
    expect((await own.run(read('provision'))).document.report?.outcome).toBe('succeeded');
    expect(await own.steps.status?.(read('status'))).toMatchObject({
      pipeline: 'customer-profiles',
      applied: true,
      report: { outcome: 'succeeded' },
    });
    expect(await own.steps.drift?.(read('drift'))).toEqual({ checked: 1, moved: 0, lines: [] });
    expect(await own.steps.import?.(read('import'))).toMatchObject({
      imported: [{ complete: true, manifest: { name: 'customer-profiles' } }],
    });
    expect((await own.run(read('retire'))).document.report?.outcome).toBe('retired');
    expect(await own.steps.status?.(read('status'))).toMatchObject({ applied: false });
  });

  it('forward three records', async () => {
    const own = forwarding();
    const answer = await own.forward(read('forward'), { remainingMs: () => 60_000, invocationId: 'i' });
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(own.inlet.requests.flatMap(({ messages }) => messages)).toHaveLength(3);
    expect(own.counted).toMatchObject({ RecordsReceived: 3, RecordsAcknowledged: 3 });
  });

  it('ask what is wrong, and where a record is', async () => {
    const all = await surroundings(read('provision').manifest as Record<string, unknown>);
    expect(await doctor(read('doctor'), all.runtime)).toMatchObject({
      pipeline: 'customer-profiles',
      ok: true,
    });
    expect(asksForRecord(read('where'))).toBe(true);
    expect(await where(read('where'), all.runtime)).toMatchObject({ place: 'unknown', deadLetters: [] });
  });

  it('15 tap: begin to look at the next records', async () => {
    const own = await tapping();
    await own.provision();
    expect(await own.step(read('tap'))).toMatchObject({ messages: [], continue: { after: {} } });
  });

  it('look for what was refused later', async () => {
    const own = await reconciling({}, undefined, 'customer-profiles');
    expect(await own.run({ event: read('reconcile') })).toMatchObject({
      pipelines: 1,
      stored: 0,
      complete: true,
    });
  });

  it('13 A 3: rehearse sending again all that was rejected, whatever the reason, then send it', async () => {
    const own = redriveWorld();
    await own.store(
      document([entry(1, '{}', { reason: 'envelope' }), entry(2, '{}', { reason: 'not-json' })]),
    );
    expect(await own.run(read('redrive'))).toMatchObject({ dryRun: true, chosen: 2, left: 2, delivered: 0 });
    expect(await own.run({ ...read('redrive'), dryRun: false })).toMatchObject({
      delivered: 2,
      complete: true,
    });
    expect(own.documents().size).toBe(0);
  });

  it('13 A 3: rehearse sending again all that Lambda discarded in an outage, then send it', async () => {
    const own = redriveWorld();
    const records = Array.from({ length: 1_500 }, (_, index) => JSON.stringify({ index }));
    own.s3.objects.set(ON_FAILURE_KEY, onFailureDocument({ records, payload: 'object' }));
    expect(await own.run(read('redrive-on-failure'))).toMatchObject({
      dryRun: true,
      complete: true,
      chosen: 1_500,
      left: 1_500,
    });
    expect(await own.run({ ...read('redrive-on-failure'), dryRun: false })).toMatchObject({
      delivered: 1_500,
      complete: true,
    });
  });

  it('14 A 3: rehearse sending again the rejects of one route, then send them', async () => {
    const event = read('redrive-route') as { pipeline: string };
    const own = redriveWorld({ others: { [event.pipeline]: {} } });
    for (const of of [{ pipeline: event.pipeline }, {}]) await own.store(document([entry(1, '{}')], of));
    expect(await own.run(event)).toMatchObject({ dryRun: true, chosen: 1, left: 1 });
    expect(await own.run({ ...event, dryRun: false })).toMatchObject({ delivered: 1, complete: true });
    expect(own.sentBy(event.pipeline)).toEqual(['{}']);
    expect(own.documents().size).toBe(1);
  });

  it('14 A 3: rehearse sending what is parked, then send it', async () => {
    const own = redriveWorld();
    await own.store(document([entry(1, '{}', { reason: 'parked' })]), 'parked');
    expect(await own.run(read('redrive-parked'))).toMatchObject({ dryRun: true, chosen: 1, left: 1 });
    expect(await own.run({ ...read('redrive-parked'), dryRun: false })).toMatchObject({
      delivered: 1,
      complete: true,
    });
    expect(own.documents('parked').size).toBe(0);
  });

  it('that the hook names are there', () => {
    const named = [...ACCEPTED.deployHook.join().matchAll(/events\/([\w-]+)\.json/g)].map(
      ([, name = '']) => name,
    );
    expect(named).toEqual(['deploy-hook', 'deploy-hook-manifest', 'deploy-hook-codepipeline']);
    for (const name of named) expect(read(name)).toBeTypeOf('object');
  });

  it.each([
    ['deploy-hook', ['customer-profiles']],
    ['deploy-hook-manifest', ['customer-profiles']],
    ['deploy-hook-url', ['customer-profiles']],
    ['deploy-hook-codepipeline', Object.keys(bundle(EXAMPLES))],
    ['deploy-hook-codedeploy', Object.keys(bundle(EXAMPLES))],
    ['deploy-hook-cloudformation', Object.keys(bundle(EXAMPLES))],
  ])('hook: %s starts the state machine for each pipeline it asks for', async (name, pipelines) => {
    const own = hookWorld({ bundle: bundle(EXAMPLES), environment: { PENSTOCK_HOOK_MANIFESTS: 'yes' } });
    const answer = await own.hook(read(name));
    const report = 'statusCode' in answer ? bodyOf(answer) : answer;
    expect(report).toMatchObject({ executions: pipelines.map((pipeline) => ({ pipeline })) });
    const inputs = own.executions.list().map(({ input }) => ProvisionRequest.parse(JSON.parse(input)));
    expect(inputs.map(({ manifest }) => (manifest as { name: string }).name)).toEqual(pipelines);
  });

  it('of a hook start what the state machine understands', async () => {
    const hook = hookWorld({ bundle: bundle(EXAMPLES) });
    await hook.hook(read('deploy-hook'));
    const own = world();
    const input = JSON.parse(hook.executions.list()[0]?.input ?? '') as Record<string, unknown>;
    const { document } = await own.run(input);
    expect(document.report?.outcome).toBe('planned');
    expect(document).not.toHaveProperty('requestedBy');
  });
});
