// A 1: the name of an execution comes back; what an earlier execution of that name made is not this one's to undo.
import { describe, expect, it } from 'vitest';
import { executionTag } from '../../lib/provision/resources/ownership-tag.ts';
import { held } from '../support/graph.ts';
import { world } from '../support/provisioning.ts';
import {
  inletManifest,
  KINESIS,
  markByNameAlone,
  PUBLISHED,
  pulledManifest,
  SECRET_ID,
  SECRETS,
  type World,
} from './cases.ts';

const DAYS_91 = 91 * 86_400_000;
const source = (more: object) => ({ kind: 'inlet', stream: 'customers', data: 'raw', ...more });
const ids = (own: World) => held(own).map(({ kind, id, state }) => `${kind} ${id} ${state}`);
const published = (own: World) =>
  JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as Record<string, string>;

describe('A 1: a name that comes back', () => {
  it('after another execution has published: a failure undoes nothing of the pipeline in service', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() }, { name: 'build-42' });
    const zipped = inletManifest({ source: source({ compression: 'gzip' }) });
    const changed = await own.run({ manifest: zipped }, { name: 'build-43' });
    expect(changed.status).toBe('SUCCEEDED');
    const before = [ids(own), published(own), [...own.triggers.all.values()]];
    own.time.now += DAYS_91;
    own.mutations();
    const again = await own.run(
      { manifest: zipped },
      { name: 'build-42', fail: { verify: 'PermanentFailure' } },
    );
    expect(again).toMatchObject({ status: 'FAILED', error: 'Penstock.RolledBack' });
    expect(again.cause).toContain('Nothing had to be undone.');
    expect([ids(own), published(own), [...own.triggers.all.values()]]).toEqual(before);
    expect(own.mutations()).toEqual([]);
    // And it goes on as ever.
    expect((await own.run({ manifest: zipped }, { name: 'build-44' })).status).toBe('SUCCEEDED');
  });

  it('of the same execution that published: the same', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() }, { name: 'build-42' });
    const before = [ids(own), published(own), [...own.triggers.all.values()]];
    own.time.now += DAYS_91;
    const again = await own.run(
      { manifest: inletManifest() },
      { name: 'build-42', fail: { verify: 'PermanentFailure' } },
    );
    expect(again.status).toBe('FAILED');
    expect([ids(own), published(own), [...own.triggers.all.values()]]).toEqual(before);
  });

  it('of a source that AEP reads by itself: its flow goes on reading', async () => {
    const own = world();
    own.secrets.values.set(SECRET_ID, JSON.stringify(SECRETS.kinesis));
    const manifest = pulledManifest(KINESIS);
    await own.run({ manifest }, { name: 'nightly' });
    const before = ids(own);
    expect(before.some((one) => /^flows \S+ enabled$/.test(one))).toBe(true);
    own.time.now += DAYS_91;
    const again = await own.run({ manifest }, { name: 'nightly', fail: { verify: 'PermanentFailure' } });
    expect(again).toMatchObject({ status: 'FAILED', error: 'Penstock.RolledBack' });
    expect(ids(own)).toEqual(before);
  });

  it('undoes what it has made itself, as under any other name', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() }, { name: 'build-42' });
    const before = ids(own);
    const open = inletManifest({ source: source({ authenticationRequired: false }) });
    own.time.now += DAYS_91;
    const again = await own.run(
      { manifest: open },
      { name: 'build-42', fail: { verify: 'PermanentFailure' } },
    );
    expect(again).toMatchObject({ status: 'FAILED', error: 'Penstock.RolledBack' });
    expect(again.cause).toMatch(/Undone: flow \S+, source-connection /);
    expect(ids(own)).toEqual(before);
  });
});

describe('A 1: what is in service', () => {
  it('is never removed, even where it bears the ownership tag of the execution that is undone', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() }, { name: 'build-42' });
    const before = ids(own);
    // As if another one had published it: what bears the ownership tag of this execution is in service all the same.
    const secret = published(own);
    own.secrets.rewrite(PUBLISHED, JSON.stringify({ ...secret, execution: 'somebody else' }));
    const [first] = own.executions;
    const startedAt = new Date(Date.parse('2026-01-01T00:00:00Z')).toISOString();
    expect(secret.execution).toBe(executionTag({ name: first?.name ?? '', startedAt }));
    own.time.now = Date.parse(startedAt);
    const again = await own.run(
      { manifest: inletManifest() },
      { name: 'build-42', fail: { verify: 'PermanentFailure' } },
    );
    expect(again.error).toBe('Penstock.RolledBack');
    expect(again.cause).toContain('the pipeline in service needs it');
    expect(ids(own)).toEqual(before);
  });
});

describe('ownership tags of version 0.1.0, which hold the name alone', () => {
  it("are the pipeline's still, and not this execution's", async () => {
    const own = world();
    await own.run({ manifest: inletManifest() }, { name: 'build-42' });
    markByNameAlone(own, 'build-42');
    expect(JSON.stringify(held(own))).not.toContain('build-42@');
    const before = ids(own);
    own.mutations();
    expect((await own.run({ manifest: inletManifest() }, { name: 'build-43' })).status).toBe('SUCCEEDED');
    expect(own.mutations()).toEqual([]);
    own.time.now += DAYS_91;
    const again = await own.run(
      { manifest: inletManifest() },
      { name: 'build-42', fail: { verify: 'PermanentFailure' } },
    );
    expect(again.cause).toContain('Nothing had to be undone.');
    expect(ids(own)).toEqual(before);
  });
});
