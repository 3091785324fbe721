// The contract suite against a second simulated platform in the place of a real one: what it finds, what it makes, and that all of it goes.
import { afterEach, expect, test } from 'vitest';
import { realClock } from '../../local/aep/clock.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import type { Platform } from '../../local/aep/platform.ts';
import { type RunningServer, startServer } from '../../local/aep/server.ts';
import { CLIENT, caller, makePipeline, ORGANIZATION, SECRET } from '../local/aep/support.ts';
import { contract, main } from './run.ts';

let running: RunningServer | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** A platform in which somebody else has a pipeline already. */
async function real(options: PlatformOptions) {
  const user = await caller({ clock: realClock, warmUpMs: 0, seed: 2, ...options });
  await makePipeline(user);
  const { origin, platform } = await startServer({ port: 0, platform: user.platform }).then((one) => {
    running = one;
    return one;
  });
  const env = {
    AEP_CONTRACT_URL: origin,
    AEP_CONTRACT_IMS_URL: origin,
    AEP_CONTRACT_CLIENT_ID: CLIENT,
    AEP_CONTRACT_CLIENT_SECRET: SECRET,
    AEP_CONTRACT_ORGANIZATION_ID: ORGANIZATION,
    AEP_CONTRACT_SANDBOX: 'dev1',
  };
  return { env, platform };
}

async function run(
  env: Record<string, string>,
): Promise<{ code: number; text: string; different: string[] }> {
  let text = '';
  const code = await contract(env, (more) => {
    text += more;
  });
  const different = text.split('\n').filter((line) => line.includes('| different |'));
  return { code, text, different };
}

/** All that a sandbox holds, to the last field. */
function holdings({ state }: Platform): string {
  const sandbox = state.sandboxes.get('dev1');
  const { registry, dataSets, connections, sourceConnections, targetConnections, flows, mappingSets } =
    sandbox ?? {};
  const shelves = [
    registry?.schemas,
    dataSets,
    connections,
    sourceConnections,
    targetConnections,
    flows,
    mappingSets,
  ];
  return JSON.stringify(shelves.map((shelf) => shelf?.values()));
}

test('12 C 3: two platforms that are alike differ in nothing, and nothing of the run stays', async () => {
  const { env, platform } = await real({});
  const before = holdings(platform);
  const { code, text, different } = await run(env);
  expect(different).toEqual([]);
  expect(text).toMatch(/\n\d{2} same, 0 different, 4 not asked\n/);
  expect(code).toBe(0);
  expect(holdings(platform)).toBe(before);
  // It was there, and all of it bore its mark.
  const made = platform.journal.entries({ method: 'POST' }).filter(({ status }) => status === 201);
  const own = made.slice(-9).map(({ body }) => JSON.stringify(body));
  expect(own.filter((body) => body.includes('penstock-contract-'))).toHaveLength(6);
});

test('12 C 3: each quirk that is set otherwise is found, and only where it shows', async () => {
  const { env } = await real({
    quirks: { '207': 'statusCode', 'stale-etag': 'message', 'mapping-path': 'conversion' },
  });
  const { code, text, different } = await run(env);
  expect(different.map((line) => line.split(' | ')[0]?.slice(2))).toEqual([
    'mapping sets without conversion in the path',
    'a batch to the inlet',
    'a flow is changed, and then at a version that is old',
  ]);
  expect(different[0]).toContain('status: 200 here, 404 there');
  expect(different[1]).toContain('/responses/*/status: only here; /responses/*/statusCode: only there');
  expect(code).toBe(1);
  expect(text).toContain(' 3 different,');
});

test('12 C 3: what a lost answer leaves behind is told, and what needs it is not asked', async () => {
  const { env, platform } = await real({});
  platform.faults.add({
    kind: 'dropAfter',
    method: 'POST',
    path: '/data/foundation/catalog/dataSets',
    times: 1,
  });
  const { code, text } = await run(env);
  expect(code).toBe(3);
  expect(text).toMatch(/LEFT BEHIND, marked penstock-contract-[0-9a-f]{12}: .*dataset by its mark/);
  expect(text).toContain('| a dataset is read | not asked | there is no datasetId |');
  expect(text).toContain('| a flow is made | not asked |');
});

test('12 C 3: no value of the other platform is in the table', async () => {
  const { env, platform } = await real({ tenant: 'realtenant', organization: ORGANIZATION });
  const { text } = await run(env);
  for (const secret of [SECRET, CLIENT, ORGANIZATION, 'realtenant', ...platform.state.tokens.keys()])
    expect(text).not.toContain(secret);
});

test('12 C 3: without an address or a credential nothing is asked', async () => {
  await expect(contract({}, () => undefined)).rejects.toThrow('AEP_CONTRACT_URL is not set');
  await expect(main([], {}, () => undefined)).rejects.toThrow('npm run contract -- --help');
  await expect(contract({ AEP_CONTRACT_URL: 'https://platform.adobe.io' }, () => undefined)).rejects.toThrow(
    'AEP_CONTRACT_CLIENT_ID',
  );
});

test('12 C 3: --help names every variable that is read, and asks nobody', async () => {
  let text = '';
  expect(await main(['--help'], {}, (more) => (text += more))).toBe(0);
  for (const name of ['URL', 'CLIENT_ID', 'CLIENT_SECRET', 'ORGANIZATION_ID', 'SANDBOX', 'IMS_URL', 'SCOPES'])
    expect(text).toMatch(new RegExp(`AEP_CONTRACT_${name}\\s`));
  await expect(main(['--url', 'x'], {}, () => undefined)).rejects.toThrow("Unknown option '--url'");
});
