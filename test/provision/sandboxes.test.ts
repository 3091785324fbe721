// A pipeline lives in one sandbox: what an execution has left in another one is not forgotten when the manifest changes.
import { describe, expect, it } from 'vitest';
import { world } from '../support/provisioning.ts';
import {
  byHand,
  changes,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  ONE_OF_EACH,
  planned,
  position,
  pulledManifest,
  SECRETS,
  SERVICES,
  type World,
} from './cases.ts';

const { flows: _, ...HALF } = ONE_OF_EACH;
const KINDS: [string, (more: object) => object][] = [
  ['an inlet', (more) => inletManifest({ ...more })],
  ['a source that AEP reads', (more) => pulledManifest(KINESIS, { ...more })],
];

function begun(): World {
  const own = world();
  keep(own, SECRETS.kinesis);
  return own;
}

/** Everything but the flow, and a failure that passes. */
async function halfMade(manifest: object): Promise<World> {
  const own = begun();
  own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: SERVICES.flows });
  expect((await own.run({ manifest })).error).toBe('Penstock.Resumable');
  own.platform.faults.clear();
  expect(holdings(own)).toEqual(HALF);
  return own;
}

describe.each(KINDS)('of %s, half made in one sandbox,', (_kind, manifestOf) => {
  const [here, there] = [manifestOf({}), manifestOf({ sandbox: 'prod' })];

  it.each(['apply', 'plan', 'retire'])(
    '%s in another is a conflict that names the first, again and again',
    async (mode) => {
      const own = await halfMade(here);
      const from = position(own);
      for (const _again of [1, 2]) {
        const { error, document } = await own.run({ manifest: there, mode });
        if (mode !== 'plan') expect(error).toBe('Penstock.Conflict');
        else
          expect(planned(document, 'publish')).toMatchObject({
            action: 'conflict',
            reason: expect.stringMatching(/left .*source-connection.* in the sandbox dev1; retire it there/),
          });
      }
      expect(changes(own, from)).toEqual([]);
      expect(holdings(own, 'prod')).toEqual({});
    },
  );

  it('is brought to its end there, or retired there and made in the other', async () => {
    const own = await halfMade(here);
    await own.run({ manifest: there });
    expect((await own.run({ manifest: here })).status).toBe('SUCCEEDED');
    expect(holdings(own)).toEqual(ONE_OF_EACH);
    expect((await own.run({ manifest: there })).error).toBe('Penstock.Conflict');
    // Without its data: what stays is there on purpose.
    expect((await own.run({ manifest: here, mode: 'retire' })).status).toBe('SUCCEEDED');
    const moved = await own.run({ manifest: there });
    expect(moved.cause ?? moved.status).toBe('SUCCEEDED');
    expect(holdings(own, 'prod')).toEqual(ONE_OF_EACH);
  });
});

it('what was rolled back is nowhere, and can be made anywhere', async () => {
  const own = begun();
  own.platform.faults.add({ kind: 'refuse', status: 403, method: 'POST', path: SERVICES.flows });
  expect((await own.run({ manifest: inletManifest() })).error).toBe('Penstock.RolledBack');
  own.platform.faults.clear();
  expect((await own.run({ manifest: inletManifest({ sandbox: 'prod' }) })).status).toBe('SUCCEEDED');
});

it('what was somebody else’s all the time is not held either', async () => {
  const own = begun();
  const parts = ['profile', 'profile-person-details'].map(
    (name) => `https://ns.adobe.com/xdm/context/${name}`,
  );
  await byHand(own).schemaRegistry.createSchema({ title: 'people-schema', description: 'd', parts });
  expect((await own.run({ manifest: inletManifest() })).error).toBe('Penstock.Conflict');
  expect((await own.run({ manifest: inletManifest({ sandbox: 'prod' }) })).status).toBe('SUCCEEDED');
});
