// How long events are kept, in the lake and in Profile: set, compared, and refused where AEP takes it not.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { world } from '../../support/provisioning.ts';
import { actions, byHand, inletManifest, planned, position, sandboxOf, sent, type World } from '../cases.ts';

const EVENTS = {
  schema: { class: 'experienceevent', fieldGroups: ['identitymap'], profile: true },
  mapping: [
    { source: 'id', destination: '_id' },
    { source: 'at', destination: 'timestamp' },
  ],
  allowIrreversible: true,
};

const kept = (retention?: object, more: object = {}) =>
  inletManifest({ ...EVENTS, dataset: { profile: true, ...(retention && { retention }) }, ...more });

async function done(own: World, manifest: object) {
  const result = await own.run({ manifest });
  expect(result.cause ?? result.status).toBe('SUCCEEDED');
  return result;
}

async function periodsOf(own: World) {
  const [one] = sandboxOf(own).dataSets.values();
  const { dataset } = await byHand(own).catalog.getDataset(one?.id ?? '');
  const { adobe_lakeHouse: lake, adobe_unifiedProfile: profile } = dataset.extensions ?? {};
  return [lake?.rowExpiration?.ttlValue, profile?.rowExpiration?.ttlValue];
}

async function refused(own: World, manifest: object) {
  const was = await periodsOf(own);
  const { document } = await own.run({ manifest, mode: 'plan' });
  const { error } = await own.run({ manifest });
  expect(error).toBe('Penstock.Conflict');
  expect(await periodsOf(own)).toEqual(was);
  return planned(document, 'dataset')?.differences;
}

const DAY_MS = 86_400_000;

describe('C: `retention` of lake and Profile', () => {
  it('a new dataset gets both, and a second run changes nothing, also by another word for a year', async () => {
    const own = world();
    await done(own, kept({ lake: 'P1Y', profile: 'P90D' }));
    expect(await periodsOf(own)).toEqual(['P1Y', 'P90D']);
    const from = position(own);
    const { document } = await done(own, kept({ lake: 'P12M', profile: 'P90D' }));
    expect(actions(document)).toMatchObject({ dataset: 'keep' });
    expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('each is changed by itself, and what the manifest leaves out stays', async () => {
    const own = world();
    await done(own, kept({ lake: 'P13M', profile: 'P90D' }));
    const { document } = await done(own, kept({ lake: 'P60D' }));
    expect(planned(document, 'dataset')?.differences).toMatchObject([
      { field: 'dataset.retention.lake', found: 'P13M', wanted: 'P60D' },
    ]);
    expect(await periodsOf(own)).toEqual(['P60D', 'P90D']);
    await done(own, kept({ lake: 'forever' }));
    expect(await periodsOf(own)).toEqual([null, 'P90D']);
    expect(actions((await done(own, kept())).document)).toMatchObject({ dataset: 'keep' });
  });

  it("Profile's 30-day rule is in the plan, with the day from which it may be changed", async () => {
    const own = world();
    await done(own, kept({ profile: 'P90D' }));
    const setOn = new Date(own.time.now).toISOString().slice(0, 10);
    own.time.now += 10 * DAY_MS;
    const [difference] = (await refused(own, kept({ profile: 'P60D' }))) ?? [];
    expect(difference).toMatchObject({ field: 'dataset.retention.profile', found: 'P90D' });
    expect(difference?.wanted).toContain(
      `Profile's value is changed once in 30 days: it was on ${setOn}, so from 2026-01-31 on`,
    );
    own.time.now += 21 * DAY_MS;
    await done(own, kept({ profile: 'P60D' }));
    expect(await periodsOf(own)).toEqual([undefined, 'P60D']);
  });

  it('what AEP does not take of this dataset is a conflict that names the bound', async () => {
    const own = world();
    await done(own, kept());
    expect(await refused(own, kept({ lake: 'P20Y' }))).toMatchObject([
      { field: 'dataset.retention.lake', found: 'forever', wanted: 'P20Y, but AEP takes P10Y at most' },
    ]);
  });

  it('drift tells of what somebody has changed in AEP', async () => {
    const own = world();
    await done(own, kept({ lake: 'P90D' }));
    const [one] = sandboxOf(own).dataSets.values();
    await byHand(own).catalog.setRowExpiration(one?.id ?? '', { adobe_lakeHouse: 'P31D' }, undefined);
    const { lines } = ((await own.steps.drift?.({})) ?? {}) as unknown as { lines: string[] };
    expect(lines.join()).toContain('dataset.retention.lake: found P31D, wanted P90D');
  });

  it('a schema that the manifest names and that is not for events is refused before anything is made', async () => {
    const own = world();
    const { $id } = await byHand(own).schemaRegistry.createSchema({
      title: 'Records',
      description: 'by hand',
      parts: ['https://ns.adobe.com/xdm/context/profile'],
    });
    const manifest = inletManifest({ schema: { id: $id }, dataset: { retention: { lake: 'P90D' } } });
    const { error, cause } = await own.run({ manifest });
    expect(error).toBe('Penstock.Conflict');
    expect(cause).toContain('dataset.retention is for events alone');
    expect(sandboxOf(own).dataSets.values()).toHaveLength(0);
  });

  it.each([
    ['less than 30 days in the lake', { lake: 'P29D' }, 'dataset.retention.lake: expected 30 days at least'],
    ['no period', { lake: '90 days' }, 'dataset.retention.lake: expected days, months or years such as P90D'],
    ['another store', { edge: 'P90D' }, 'dataset.retention: unknown "edge"; allowed: lake, profile'],
  ])('%s is a mistake', (_, retention, said) => {
    expect(() => parseManifest(kept(retention))).toThrow(said);
  });

  it('records are kept for ever, and a dataset outside Profile has no retention there', () => {
    const records = inletManifest({ dataset: { retention: { lake: 'P90D' } } });
    expect(() => parseManifest(records)).toThrow(
      'dataset.retention: not allowed: AEP keeps only events for a time',
    );
    const outside = kept({ profile: 'P90D' }, { dataset: { retention: { profile: 'P90D' } } });
    expect(() => parseManifest(outside)).toThrow(
      'dataset.profile: expected true, because dataset.retention.profile is set',
    );
  });
});
