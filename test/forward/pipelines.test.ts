// What the forwarder reads of a stream and its routes, how often, and for how long it goes by it while AWS is away.
import { expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { createPipelines, PUBLISHED_KEPT_MS } from '../../lib/forward/pipelines.ts';
import { type PublishedPipeline, revisionOf } from '../../lib/published.ts';
import { PUBLISHED, STREAM_ARN, virtualClock } from '../support/forwarding.ts';
import { fakeInlet } from '../support/inlet.ts';
import { plainRuntime } from '../support/plain-runtime.ts';
import { memoryRoutes } from '../support/routes.ts';

const OLD_SECRET = 'penstock/dev/streams/customers';
const MINUTE_MS = 60_000;

/** A container's view of a stream whose routes are published as provisioning does it. */
function container() {
  const routes = memoryRoutes();
  const secrets = new Map<string, string>();
  const reads: string[] = [];
  const away: { because?: Failure | undefined } = {};
  const clock = virtualClock();
  const { settings, log } = plainRuntime({ fetch: fakeInlet().fetch });
  const pipelines = createPipelines({
    settings,
    clock,
    log,
    routes: {
      read: async (stream) => {
        if (away.because !== undefined) throw away.because;
        return routes.read(stream);
      },
    },
    secrets: {
      get: async (id, version = '') => {
        reads.push(id.slice(id.lastIndexOf('/') + 1));
        return secrets.get(`${id} ${version}`);
      },
    },
  });
  return {
    reads,
    away,
    secrets,
    of: () => pipelines.of(STREAM_ARN),
    wait: (ms: number) => clock.sleep(ms),
    async publish(pipeline: string, more: Partial<PublishedPipeline> = {}, from?: number) {
      const text = JSON.stringify({ ...PUBLISHED, ...more, pipeline });
      const revision = revisionOf(text);
      secrets.set(`${OLD_SECRET}/${pipeline} ${revision}`, text);
      const { value, version } = await routes.read('customers');
      const { routes: others = {} } = (value ?? {}) as { routes?: object };
      const list = {
        version: 1,
        streamArn: STREAM_ARN,
        settings: { compression: 'none', unrouted: 'count' },
        routes: { ...others, [pipeline]: { revision, ...(from !== undefined && { from }) } },
      };
      await routes.write('customers', list, version);
    },
  };
}

it('issue 14 A 2: once a minute it reads the list, and only those documents that have changed', async () => {
  const own = container();
  await own.publish('b', {}, 5);
  await own.publish('a');
  expect((await own.of()).routes.map(({ pipeline, from }) => [pipeline, from])).toEqual([
    ['a', undefined],
    ['b', 5],
  ]);
  await own.of();
  await own.wait(MINUTE_MS);
  await own.of();
  expect(own.reads.sort()).toEqual(['a', 'b']);
  await own.publish('b', { order: 'strict' }, 5);
  await own.wait(MINUTE_MS);
  const { routes } = await own.of();
  expect(own.reads.sort()).toEqual(['a', 'b', 'b']);
  expect(routes.map(({ order }) => order)).toEqual([undefined, 'strict']);
});

it.each(['AWS_UNAVAILABLE', 'AWS_REFUSED'] as const)(
  'issue 14 A 2: while DynamoDB says %s, what was read is used for 840 s at most, or not at all',
  async (code) => {
    const own = container();
    await own.publish('a');
    await own.of();
    own.away.because = new Failure(code, 'no table');
    await own.wait(MINUTE_MS);
    if (code === 'AWS_REFUSED') return expect(own.of()).rejects.toMatchObject({ code });
    for (let at = MINUTE_MS; at < PUBLISHED_KEPT_MS; at += MINUTE_MS) {
      expect((await own.of()).routes).toHaveLength(1);
      await own.wait(MINUTE_MS);
    }
    await expect(own.of()).rejects.toMatchObject({ code });
  },
);

it('issue 14 A 2: a route without its document is named, and the others are there', async () => {
  const own = container();
  await own.publish('a');
  await own.publish('b');
  for (const key of own.secrets.keys()) if (key.includes('/b ')) own.secrets.delete(key);
  const { routes, faults } = await own.of();
  expect(routes.map(({ pipeline }) => pipeline)).toEqual(['a']);
  expect([...faults].map(([pipeline, { code }]) => [pipeline, code])).toEqual([['b', 'SECRET_MISSING']]);
});

it('issue 14 A 2: a damaged list is told, and not taken for none', async () => {
  const routes = memoryRoutes();
  await routes.write('customers', { version: 1, routes: 'x' }, undefined);
  const { settings, log, secrets } = plainRuntime({ fetch: fakeInlet().fetch });
  const pipelines = createPipelines({ settings, log, secrets, routes, clock: virtualClock() });
  await expect(pipelines.of(STREAM_ARN)).rejects.toMatchObject({
    message: expect.stringContaining('the list of the routes'),
  });
});
