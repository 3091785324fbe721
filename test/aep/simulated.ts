// The client against the simulated platform, in one process; its calls can be counted, and its clock only moves when asked.
import { type Aep, type AepOptions, createAep } from '../../lib/aep/client.ts';
import { type Failure, isFailure } from '../../lib/failure.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import { createPlatform, type Platform } from '../../local/aep/platform.ts';
import { quirks } from '../support/quirks.ts';
import { CREDENTIALS, type Reply, scripted } from '../support/scripted.ts';

const ORIGIN = 'http://127.0.0.1:4010';

/** `calls` gives method and path of each call since it was last asked, the token's aside. */
export function simulated(options: PlatformOptions = {}, client: Partial<AepOptions> = {}) {
  const clock = {
    time: Date.parse('2026-01-01T00:00:00Z'),
    now: () => clock.time,
    sleep: async (ms: number) => {
      clock.time += ms;
    },
  };
  const { clientId, clientSecret } = CREDENTIALS;
  const credentials = [{ clientId, clientSecrets: [clientSecret] }];
  const platform: Platform = createPlatform({ origin: ORIGIN, clock, credentials, quirks, ...options });
  const aep: Aep = createAep({
    sandbox: 'dev1',
    credentials: CREDENTIALS,
    platformUrl: ORIGIN,
    imsUrl: ORIGIN,
    transport: {
      clock,
      random: () => 0.5,
      fetch: (url, init) => platform.fetch(new Request(url, init as RequestInit)),
    },
    ...client,
  });
  let seen = 0;
  const calls = () => {
    const all = platform.journal.entries().filter(({ path }) => !path.startsWith('/ims/'));
    const fresh = all.slice(seen).map(({ method, path }) => `${method} ${path}`);
    seen = all.length;
    return fresh;
  };
  return { aep, platform, clock, calls };
}

/** What a call failed with; anything but a `Failure` fails the test. */
export async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error)) throw new Error(`expected a Failure, got ${String(error)}`);
  return error;
}

/** A client whose answers are written down beforehand. */
export function answered(...replies: Reply[]) {
  const world = scripted(replies);
  const aep = createAep({ sandbox: 'dev1', credentials: CREDENTIALS, transport: world.transport });
  return { ...world, aep };
}

export const CONTEXT = 'https://ns.adobe.com/xdm/context/';

/** A schema and a dataset, the ground most tests stand on. */
export async function ground(
  aep: Aep,
  groups = ['profile', 'profile-person-details', 'profile-work-details'],
) {
  const parts = groups.map((name) => CONTEXT + name);
  const { $id: schemaId } = await aep.schemaRegistry.createSchema({
    title: 'orders',
    description: 'd',
    parts,
  });
  const dataset = { name: 'orders', description: 'd', schemaId, tags: { penstock: ['a'] } };
  return { schemaId, datasetId: await aep.catalog.createDataset(dataset) };
}
