// C 6: told by the plan: a source that AEP does not offer where it runs, and a stream whose records an inlet does not take.
import { describe, expect, it } from 'vitest';
import { createStreams } from '../../../lib/aws/streams.ts';
import { world } from '../../support/provisioning.ts';
import {
  EVENT_HUBS,
  inletManifest,
  KINESIS,
  keep,
  type Manifest,
  PUB_SUB,
  pulledManifest,
  SECRETS,
  type World,
} from '../cases.ts';

const SANDBOXES = '/data/foundation/sandbox-management/';
const inRegion = (region?: string) =>
  world({ sandboxes: [{ name: 'dev1', isDefault: true, ...(region && { region }) }] });

async function told(own: World, manifest: Manifest, text: string): Promise<string[]> {
  const { document, cause } = await own.run({ manifest, mode: 'plan' });
  expect(cause).toBeUndefined();
  return document.warnings.filter((one) => one.includes(text));
}

describe('C 6: Pub/Sub where AEP runs on AWS', () => {
  const pubsub = pulledManifest(PUB_SUB);
  const ready = (own: World) => {
    keep(own, SECRETS.pubsub);
    return own;
  };

  it('is a warning in a sandbox of VA6, and none elsewhere', async () => {
    expect(await told(ready(inRegion('VA6')), pubsub, 'Pub/Sub')).toEqual([
      expect.stringMatching(/^source\.kind: found "pubsub" in a sandbox of the region VA6: /),
    ]);
    for (const region of [undefined, 'VA7', 'NLD2', 'IND1'])
      expect(await told(ready(inRegion(region)), pubsub, 'Pub/Sub')).toEqual([]);
  });

  it.each([
    ['may not be asked for', { kind: 'refuse', status: 403, path: SANDBOXES } as const],
    [
      'is not told',
      { kind: 'refuse', status: 200, body: { sandboxes: [{ name: 'dev1' }] }, path: SANDBOXES } as const,
    ],
  ])('is a warning with its condition where the region %s', async (_, fault) => {
    const own = ready(inRegion('VA7'));
    own.platform.faults.add(fault);
    expect(await told(own, pubsub, 'Pub/Sub')).toEqual([
      expect.stringContaining('(region VA6); the region of this sandbox is not known'),
    ]);
  });

  it('is told of no other source, and asked for once: a plan tells the type of the sandbox as well', async () => {
    for (const [source, secret] of [
      [KINESIS, SECRETS.kinesis],
      [EVENT_HUBS, SECRETS['event-hubs']],
    ] as const) {
      const own = inRegion('VA6');
      keep(own, secret);
      expect(await told(own, pulledManifest(source), 'VA6')).toEqual([]);
      expect(own.platform.journal.entries().filter(({ path }) => path === SANDBOXES)).toHaveLength(1);
      await own.run({ manifest: pulledManifest(source) });
      expect(own.platform.journal.entries().filter(({ path }) => path === SANDBOXES)).toHaveLength(1);
    }
  });
});

describe('C 6: a stream whose records may be larger than an inlet takes', () => {
  const withRecords = (maxRecordKiB: number | undefined) => {
    const own = world();
    const described = { state: 'ACTIVE', retentionHours: 24, maxRecordKiB };
    Object.assign(own.runtime.streams, { describe: async () => described });
    return own;
  };

  it.each([
    [10_240, true],
    [1_025, true],
    [1_024, false],
    [undefined, false],
  ])('of %s KiB: a warning is %s', async (kib, warned) => {
    const warnings = await told(withRecords(kib), inletManifest(), 'MaxRecordSizeInKiB');
    expect(warnings).toEqual(
      warned
        ? [
            expect.stringContaining(
              `source.stream: found records of up to ${kib} KiB (MaxRecordSizeInKiB of customers); expected 1024 KiB at most`,
            ),
          ]
        : [],
    );
  });

  it('is in the report of what is applied as well, and not asked for when it is retired', async () => {
    const own = withRecords(10_240);
    const made = await own.run({ manifest: inletManifest() });
    expect(made.document.report?.warnings.join()).toContain('10240 KiB');
    Object.assign(own.runtime.streams, { describe: () => Promise.reject(new Error('asked')) });
    expect((await own.run({ manifest: inletManifest(), mode: 'retire' })).status).toBe('SUCCEEDED');
  });

  it('is what Kinesis says in DescribeStreamSummary', async () => {
    const summary = { StreamStatus: 'ACTIVE', RetentionPeriodHours: 24, MaxRecordSizeInKiB: 2_048 };
    const client = { send: async () => ({ StreamDescriptionSummary: summary }) };
    const streams = createStreams(client as unknown as Parameters<typeof createStreams>[0]);
    expect(await streams.describe('arn')).toMatchObject({ maxRecordKiB: 2_048 });
  });
});
