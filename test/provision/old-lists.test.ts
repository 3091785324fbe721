// Right after something was removed: lists still show it for a while, and the next execution is not taken in by that.
import { describe, expect, it } from 'vitest';
import type { Call } from '../support/chaos.ts';
import { canonical } from '../support/graph.ts';
import { world } from '../support/provisioning.ts';
import { REMOVABLE } from '../support/scenarios.ts';
import { changes, inletManifest, position, SERVICES, type World } from './cases.ts';

type Input = Record<string, unknown>;

const AGES = [1_000, 5_000, 30_000];
const LATER_MS = 500;

const RETIRE = { mode: 'retire' };
const RETIRE_ALL = { mode: 'retire', deleteData: true };

/** An execution that ends in having removed what was there. */
const ENDINGS: [string, (own: World, manifest: object) => Promise<void>][] = [
  ['retired', (own, manifest) => removed(own, manifest, RETIRE)],
  ['retired with its data', (own, manifest) => removed(own, manifest, RETIRE_ALL)],
  [
    'rolled back',
    async (own, manifest) => {
      own.platform.faults.add({ kind: 'refuse', status: 403, method: 'POST', path: SERVICES.flows });
      // AEP takes its time: lists have heard of what was made when it is undone.
      const intercept = async <T>({ label }: Call, proceed: () => Promise<T>) => {
        if (label === `POST ${SERVICES.flows}`) own.time.now += 40_000;
        return proceed();
      };
      expect((await own.run({ manifest }, { intercept })).error).toBe('Penstock.RolledBack');
      own.platform.faults.clear();
    },
  ],
];

async function removed(own: World, manifest: object, how: Input): Promise<void> {
  expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
  // By then every list has heard of what was made.
  own.time.now += 600_000;
  expect((await own.run({ manifest, ...how })).status).toBe('SUCCEEDED');
}

const NEXT: [string, Input][] = [
  ['retired', RETIRE],
  ['retired with its data', RETIRE_ALL],
  ['applied', {}],
  ['planned', { mode: 'plan' }],
];

const MANIFESTS: [string, object][] = [
  ['a small pipeline', inletManifest()],
  ['one with all that can be removed', REMOVABLE],
];

/** What there is after both, and what the second one has planned. */
async function ended(
  staleMs: number,
  manifest: object,
  end: (typeof ENDINGS)[number][1],
  next: Input,
): Promise<unknown> {
  const own = world({ staleMs });
  await end(own, manifest);
  own.time.now += LATER_MS;
  const from = position(own);
  const { status, error, cause, document } = await own.run({ manifest, ...next });
  expect([status, error, cause]).toEqual(['SUCCEEDED', undefined, undefined]);
  const plan = document.plan.map(({ resource, action }) => [resource, action]);
  // What only an old list shows may be asked to go once more: what is gone is not changed by that.
  return { ...canonical(own), plan, changed: [...new Set(changes(own, from))] };
}

describe.each(MANIFESTS)('%s', (_, manifest) => {
  describe.each(ENDINGS)('%s', (_ending, end) => {
    it.each(NEXT)(
      'and then %s at once, comes to the same as with lists that are right',
      async (_next, next) => {
        const wanted = await ended(0, manifest, end, next);
        for (const staleMs of AGES) expect(await ended(staleMs, manifest, end, next)).toEqual(wanted);
      },
    );
  });
});

it('what the ledger knows and AEP has lost is no fault that stays', async () => {
  const own = world({ staleMs: 5_000 });
  const manifest = inletManifest();
  const { document } = await own.run({ manifest });
  own.time.now += 600_000;
  const { flows } = own.platform.state.sandboxes.get('dev1') ?? {};
  flows?.remove(document.resources.flow?.id ?? '');
  const next = await own.run({ manifest });
  expect(next.error ?? next.status).toMatch(/^(SUCCEEDED|Penstock\.Resumable)$/);
  own.time.now += 600_000;
  expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
  expect(flows?.values()).toHaveLength(1);
});
