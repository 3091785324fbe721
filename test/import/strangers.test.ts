// Import of pipelines that others' requests have made: each becomes a manifest whose next plan changes nothing in AEP.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../lib/manifest.ts';
import { actions, SECRETS } from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import {
  byTutorial,
  EVENT,
  EVENT_HUBS_HANDS,
  groupByHand,
  importsFlow,
  KINESIS_HANDS,
  PUB_SUB_HANDS,
  PUB_SUB_TOPIC_HANDS,
  planOf,
  SECRET_OF_SOURCE,
  send,
} from './hands.ts';

const KINDS = [
  ['an inlet of raw data', {}, undefined],
  ['an inlet of XDM', { dataType: 'xdm' }, undefined],
  ['a Kinesis stream that AEP reads', KINESIS_HANDS, SECRETS.kinesis],
  ['an event hub that AEP reads', EVENT_HUBS_HANDS, SECRETS['event-hubs']],
  ['a Pub/Sub subscription, by a project', PUB_SUB_HANDS, SECRETS.pubsub],
  ['a Pub/Sub subscription, by itself', PUB_SUB_TOPIC_HANDS, SECRETS.pubsub],
] as const;

describe("15 import: a pipeline by the requests of Adobe's tutorial", () => {
  it.each(KINDS)('%s: nothing is left out, and the next plan says no change', async (_, hands, secret) => {
    const own = world();
    const { flow } = await byTutorial(own, hands);
    const found = await importsFlow(own, flow);
    expect(found.findings).toEqual([]);
    expect(found.complete).toBe(true);
    expect(parseManifest(found.manifest)).toMatchObject({ adopt: true, sandbox: 'dev1' });
    expect(await planOf(own, found.manifest, secret)).toEqual([]);
    expect(JSON.stringify([found, own.logged])).not.toContain('CANARY');
  });

  it.each(KINDS)(
    '%s: applied, it is adopted whole, and the plan after that keeps all',
    async (_, hands, secret) => {
      const own = world();
      const { flow } = await byTutorial(own, hands);
      own.time.now += 86_400_000;
      const { manifest } = await importsFlow(own, flow);
      expect(await planOf(own, manifest, secret)).toEqual([]);
      own.mutations();
      const applied = await own.run({ manifest });
      expect(applied.cause ?? applied.status).toBe('SUCCEEDED');
      expect(applied.document.resources.flow?.id).toBe(flow);
      // Tags are written, and nothing is made.
      expect(
        own
          .mutations()
          .filter((one) => !one.startsWith('PATCH') && !/\/ims\/|\/preview$|\/validate$/.test(one)),
      ).toEqual([]);
      const { document } = await own.run({ manifest, mode: 'plan' });
      expect(Object.entries(actions(document)).filter(([, action]) => !/^(keep|none)$/.test(action))).toEqual(
        [],
      );
    },
  );

  it('what Penstock has made itself becomes a manifest by its own name, with its stream', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    const { manifest } = await importsFlow(own, flow);
    await own.run({ manifest });
    const again = await importsFlow(own, flow, { stream: undefined });
    expect(again).toMatchObject({
      complete: true,
      findings: [],
      manifest: { name: 'tutorial-customers-flow', source: { stream: 'customers' } },
    });
    expect(await planOf(own, again.manifest)).toEqual([]);
  });

  it('what AEP does not tell is said to be missing, and is left out', async () => {
    const own = world();
    const inlet = await byTutorial(own);
    const asked = { stream: undefined, sourceCredentials: undefined };
    const found = await importsFlow(own, inlet.flow, asked);
    expect(found.complete).toBe(false);
    expect(found.findings.map(({ path, effect }) => [path, effect])).toEqual([['source.stream', 'missing']]);
    expect(found.manifest?.source).toEqual({ kind: 'inlet', data: 'raw', authenticationRequired: true });
    const pulled = await byTutorial(own, { ...KINESIS_HANDS, title: 'Orders' });
    const other = await importsFlow(own, pulled.flow, asked);
    expect(other.findings.map(({ path, effect }) => [path, effect])).toEqual([
      ['source.credentials', 'missing'],
    ]);
    const source = { ...(other.manifest?.source as object), credentials: SECRET_OF_SOURCE };
    expect(await planOf(own, { ...other.manifest, source }, SECRETS.kinesis)).toEqual([]);
  });

  it('own field groups are told with their fields, in a manifest that fits every organization', async () => {
    const own = world();
    const loyalty = { loyalty: { type: 'object', properties: { tier: { type: 'string', enum: ['gold'] } } } };
    const group = await groupByHand(own, 'Loyalty of a customer', loyalty);
    const { flow } = await byTutorial(own, {
      groups: ['profile-person-details', 'profile-personal-details', group],
      rows: [
        { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
        { sourceType: 'ATTRIBUTE', source: 'email', destination: 'personalEmail.address' },
        { sourceType: 'ATTRIBUTE', source: 'tier', destination: '_acmelab.loyalty.tier' },
      ],
    });
    const found = await importsFlow(own, flow);
    expect(found.findings).toEqual([]);
    expect(JSON.stringify(found.manifest)).not.toContain('acmelab');
    expect(found.manifest?.schema).toMatchObject({
      fieldGroups: [
        'profile-person-details',
        'profile-personal-details',
        { name: 'loyalty-of-a-customer', title: 'Loyalty of a customer', fields: loyalty },
      ],
    });
    expect(await planOf(own, found.manifest)).toEqual([]);
  });

  it('events, whose rows are kept for a time', async () => {
    const own = world();
    const { flow, dataset } = await byTutorial(own, {
      classId: EVENT,
      groups: ['identitymap'],
      identity: false,
      union: false,
      rows: [
        { sourceType: 'ATTRIBUTE', source: 'id', destination: '_id' },
        { sourceType: 'EXPRESSION', source: 'now()', destination: 'timestamp' },
      ],
    });
    const extensions = { adobe_lakeHouse: { rowExpiration: { ttlValue: 'P90D' } } };
    await send(own, 'PATCH', `/data/foundation/catalog/v2/dataSets/${dataset}`, { extensions });
    const found = await importsFlow(own, flow);
    expect(found).toMatchObject({
      complete: true,
      findings: [],
      manifest: { dataset: { retention: { lake: 'P90D' } } },
    });
    expect(await planOf(own, found.manifest)).toEqual([]);
  });
});
