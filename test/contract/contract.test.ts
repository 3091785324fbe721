// The contract suite against a second simulated platform in the place of a real one: what it finds, what it makes, and that all of it goes.
import { afterEach, expect, test } from 'vitest';
import { realClock } from '../../local/aep/clock.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import type { Platform } from '../../local/aep/platform.ts';
import { QUIRK_NAMES, QUIRKS, type QuirkName } from '../../local/aep/quirks.ts';
import { type RunningServer, startServer } from '../../local/aep/server.ts';
import { CLIENT, caller, makePipeline, ORGANIZATION, SECRET } from '../local/aep/support.ts';
import { holdings } from './holdings.ts';
import { askSimulated, contract, type Here, main } from './run.ts';
import { READS, type Way } from './suite.ts';

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

let asked: Promise<Here> | undefined;

/** The simulated platform answers the same each time. */
function askOnce(way: Way): Promise<Here> {
  asked ??= askSimulated(way);
  return asked;
}

async function run(
  env: Record<string, string>,
  signal?: AbortSignal,
): Promise<{ code: number; text: string; different: string[] }> {
  let text = '';
  const print = (more: string) => {
    text += more;
  };
  const way = { signal, pauseMs: 0, longestWaitMs: 0 };
  const code = await contract(env, print, way, signal ? askSimulated : askOnce);
  const different = text.split('\n').filter((line) => line.includes('| different |'));
  return { code, text, different };
}

test('12 C 3: two platforms that are alike differ in nothing, and nothing of the run stays', async () => {
  const { env, platform } = await real({});
  const before = JSON.stringify(holdings(platform));
  const { code, text, different } = await run(env);
  expect(different).toEqual([]);
  expect(text).toMatch(/\n\d{2} same, 0 different, \d+ not asked\n/);
  expect(code).toBe(0);
  expect(JSON.stringify(holdings(platform))).toBe(before);
  // It was there, and all of it bore its mark.
  const made = platform.journal.entries({ method: 'POST' }).filter(({ status }) => status === 201);
  const own = made.filter(({ body }) => JSON.stringify(body).includes('penstock-contract-'));
  expect(new Set(own.map(({ path }) => path.split('/').at(-1)))).toEqual(
    new Set([
      'schemas',
      'fieldgroups',
      'dataSets',
      'connections',
      'sourceConnections',
      'targetConnections',
      'flows',
    ]),
  );
});

test('12 C 3: each endpoint that the simulated platform answers is asked by a step, or stands as not asked', async () => {
  const { env, platform } = await real({});
  const { text } = await run(env);
  const rows = text.split('\n').filter((line) => line.includes('| no step calls it |'));
  const names = rows.map((line) => line.split(' | ')[0]?.slice(2));
  expect(names).toContain('POST /data/infrastructure/observability/insights/metrics');
  expect(names).not.toContain('GET /data/foundation/flowservice/flows');
  expect(names).not.toContain('DELETE /data/foundation/catalog/dataSets/:id');
  const absent = platform.notSimulated.map(({ method, pattern }) => `${method} ${pattern}`);
  expect(names.filter((name) => absent.includes(name ?? ''))).toEqual([]);
});

test('12 C 3: a platform that is throttling is no other one, and each read that needs nothing is answered', async () => {
  const { env, platform } = await real({});
  const path = '/data/foundation/flowservice/runs';
  platform.faults.add({ kind: 'refuse', path, status: 429, times: 1 });
  const { code, text, different } = await run(env);
  expect(different).toEqual([]);
  expect(text).toContain('| runs | not asked | it was throttled, or the platform was not there |');
  expect(code).toBe(0);
  const paths = READS.map(([, each]) => each.split('?')[0]);
  const answers = platform.journal.entries({ method: 'GET' }).filter((each) => paths.includes(each.path));
  expect(answers.filter(({ status }) => status !== 200).map((each) => each.path)).toEqual([path]);
});

type Handle = Platform['handle'];

/** The same platform, but that each call comes to it as `otherwise` makes of it. */
function played(platform: Platform, otherwise: (call: Parameters<Handle>[0]) => Parameters<Handle>[0]): void {
  const handle: Handle = platform.handle.bind(platform);
  Object.assign(platform, { handle: (call: Parameters<Handle>[0]) => handle(otherwise(call)) });
}

const lineOf = (text: string, name: string) =>
  text.split('\n').find((line) => line.startsWith(`| ${name} |`));

test('12 C 3: a platform that heeds no filter is told by what the client relies on', async () => {
  const { env, platform } = await real({});
  played(platform, (call) => {
    if (!call.path.endsWith('/flows')) return call;
    const query = new URLSearchParams(call.query);
    query.delete('property');
    return { ...call, query };
  });
  const { code, text } = await run(env);
  expect(
    lineOf(text, 'client: a flow is found by its name and its source, and says which mapping it has'),
  ).toMatch(/\| different \| by its name: here, not there; by its source: here, not there/);
  expect(code).toBe(1);
});

test('12 C 3: a platform that heeds no etag is told by what the client relies on', async () => {
  const { env, platform } = await real({});
  played(platform, (call) => {
    if (call.method !== 'PATCH') return call;
    const { 'if-match': _, ...headers } = call.headers;
    return { ...call, headers };
  });
  const { text } = await run(env);
  expect(
    lineOf(text, 'client: a dataset is changed at the version that was read, by anybody but one'),
  ).toContain('an old version is refused with 412: here, not there');
});

/** Which steps show it where the other platform plays another variant. */
const SHOWN_BY: Partial<Record<QuirkName, readonly string[]>> = {
  '207': ['a batch to the inlet'],
  'sandbox-header': ['Flow Service without a sandbox'],
  'inlet-token': ['client: an inlet that wants a token refuses another one as a token'],
  'received-time': [
    'one message to the inlet',
    'a batch to the inlet',
    'client: a batch has an outcome for each message',
    'client: an inlet that wants a token refuses another one as a token',
  ],
  'dataset-labels': [
    'client: a dataset without labels gets some, which are changed at the version that was read',
  ],
  'descriptor-put': ['an identity is written anew'],
  'mapping-path': ['mapping sets without conversion in the path'],
  'stale-etag': [
    'a flow is changed, and then at a version that is old',
    ...['connections', 'sourceConnections', 'targetConnections', 'flows'].map(
      (collection) => `client: ${collection} are changed at the version that was read, once`,
    ),
  ],
  'patch-reply': ['sourceConnections', 'targetConnections'].map(
    (collection) => `client: ${collection} are changed at the version that was read, once`,
  ),
  'class-usage': [
    'the tenant',
    'client: a field group is made below the tenant, found by its title, and changed',
  ],
};

/** What no run shows, or not beside the others. */
const NOT_SHOWN: Partial<Record<QuirkName, string>> = {
  'inlet-sandbox': 'hides what else an inlet answers; it has a test of its own',
  'dataset-deletion': 'the run deletes nothing but what it has made',
  'failed-rows': 'rows are refused minutes after they were received',
  'namespace-put': 'a namespace cannot be removed',
  'old-metrics': 'the run asks for no metrics: those of a new dataset come hours later',
  'sandbox-deletion': 'the sandbox is not the run’s',
};

test('12 C 3: each quirk that is set otherwise is found, and only where it shows', async () => {
  expect([...Object.keys(SHOWN_BY), ...Object.keys(NOT_SHOWN)].sort()).toEqual([...QUIRK_NAMES].sort());
  const names = Object.keys(SHOWN_BY) as QuirkName[];
  const quirks = Object.fromEntries(names.map((name) => [name, QUIRKS[name].variants.at(-1)?.name]));
  const { env } = await real({ quirks });
  const { code, text, different } = await run(env);
  const found = different.map((line) => line.split(' | ')[0]?.slice(2));
  expect(new Set(found)).toEqual(new Set(Object.values(SHOWN_BY).flat()));
  expect(lineOf(text, 'mapping sets without conversion in the path')).toContain(
    'status: 200 here, 404 there',
  );
  expect(lineOf(text, 'a batch to the inlet')).toContain(
    '/responses/*/status: only here; /responses/*/statusCode: only there',
  );
  expect(lineOf(text, 'an identity is written anew')).toContain('status: 200 here, 201 there');
  expect(code).toBe(1);
  expect(text).toContain(` ${found.length} different,`);
});

test('12 C 3: an inlet that wants the sandbox named is found by what comes without it', async () => {
  const { env } = await real({ quirks: { 'inlet-sandbox': 'required' } });
  const { different } = await run(env);
  expect(different.map((line) => line.split(' | ')[0]?.slice(2))).toEqual([
    'one message to the inlet',
    'a batch to the inlet',
  ]);
});

/** A call whose answer is lost has made something all the same, and nobody knows its id. */
const lost = (path: string) => ({ kind: 'dropAfter', method: 'POST', path, times: 1 }) as const;

test.each([
  '/data/foundation/schemaregistry/tenant/schemas',
  '/data/foundation/schemaregistry/tenant/fieldgroups',
  '/data/foundation/schemaregistry/tenant/descriptors',
  '/data/foundation/catalog/dataSets',
  '/data/foundation/flowservice/connections',
  '/data/foundation/flowservice/sourceConnections',
  '/data/foundation/flowservice/targetConnections',
  '/data/foundation/flowservice/flows',
  '/data/foundation/conversion/mappingSets',
])('12 C 3: where the answer of POST %s is lost, what it made goes by its mark', async (path) => {
  const { env, platform } = await real({});
  const before = JSON.stringify(holdings(platform));
  platform.faults.add(lost(path));
  const { code, text } = await run(env);
  expect(text).not.toContain('LEFT BEHIND');
  expect(code).toBe(1);
  expect(JSON.stringify(holdings(platform))).toBe(before);
});

test('12 C 3: what needs something that was not made is not asked', async () => {
  const { env, platform } = await real({});
  platform.faults.add(lost('/data/foundation/catalog/dataSets'));
  const { text } = await run(env);
  expect(text).toContain('| a dataset is read | not asked | there is no datasetId |');
  expect(text).toContain('| a flow is made | not asked |');
});

test('12 C 3: what cannot be removed is named by kind and id, and the rest goes', async () => {
  const { env, platform } = await real({});
  const before = JSON.stringify(holdings(platform));
  platform.faults.add({
    kind: 'refuse',
    method: 'DELETE',
    path: '/data/foundation/catalog/dataSets/*',
    status: 403,
  });
  const { code, text } = await run(env);
  expect(code).toBe(3);
  const told = /LEFT BEHIND, marked (penstock-contract-[0-9a-f]{12}): (.*)\n/.exec(text) ?? [];
  // A schema that a dataset has cannot go either.
  const names = told[2]?.split(', ') ?? [];
  expect(names.map((name) => name.split(' ')[0])).toEqual(['dataset', 'dataset', 'schema']);
  const { dataSets } = platform.state.sandboxes.get('dev1') ?? {};
  expect(dataSets?.get(names[0]?.split(' ')[1] ?? '')?.body.name).toBe(told[1]);
  platform.faults.clear();
  const connections = 4;
  expect(JSON.stringify(holdings(platform)[connections])).toBe(
    JSON.stringify(JSON.parse(before)[connections]),
  );
});

test('12 C 3: an interrupted run makes nothing more, and removes what it has made', async () => {
  const { env, platform } = await real({});
  const before = JSON.stringify(holdings(platform));
  const end = new AbortController();
  const handle = platform.handle.bind(platform);
  Object.assign(platform, {
    handle: async (call: Parameters<typeof handle>[0]) => {
      const answer = await handle(call);
      if (call.method === 'POST' && call.path.endsWith('/sourceConnections'))
        end.abort(new Error('interrupted'));
      return answer;
    },
  });
  const { code, text } = await run(env, end.signal);
  expect(code).toBe(130);
  expect(text).toContain('| a target connection is made | not asked | it was interrupted |');
  expect(JSON.stringify(holdings(platform))).toBe(before);
  const paths = platform.journal.entries({ method: 'POST' }).map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith('/data/')).at(-1)).toMatch(/\/sourceConnections$/);
});

test('12 C 3: with a wrong credential nothing is asked but for a token, and nothing is said to be left', async () => {
  const { env, platform } = await real({});
  const asked = platform.journal.entries().length;
  const wrong = { ...env, AEP_CONTRACT_CLIENT_SECRET: 'fake-wrong-secret' };
  const failed = await run(wrong).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'IMS_REFUSED' });
  expect(String(failed)).not.toContain('fake-wrong-secret');
  const since = platform.journal.entries().slice(asked);
  expect(since.map(({ path }) => path)).toEqual(['/ims/token/v3']);
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
