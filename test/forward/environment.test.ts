// The bad inputs 40, 99 and 100 of docs/promises.md: clocks that jump, figures that do not go together, secrets in the open.
import { readFileSync } from 'node:fs';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { createTriggers } from '../../lib/aws/triggers.ts';
import { createForward } from '../../lib/forward/forward.ts';
import { createPipelines } from '../../lib/forward/pipelines.ts';
import { MAX_MESSAGES } from '../../lib/forward/send/batch.ts';
import {
  MIN_REQUEST_MS,
  PACE,
  REQUEST_TIMEOUT_MS,
  SETTLE_RESERVE_MS,
} from '../../lib/forward/send/classes.ts';
import { createLimits } from '../../lib/forward/send/limits.ts';
import { parseManifest } from '../../lib/manifest.ts';
import { Rate } from '../../lib/rate.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { ALL_SETTLED, kinesisEvent, SECRET, STREAM_ARN } from '../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, json } from '../support/inlet.ts';
import { plainRuntime } from '../support/plain-runtime.ts';

const ROOT = new URL('../../', import.meta.url);
const HOUR = 3_600_000;
const JUMPS = [-2 * HOUR, 2 * HOUR];

/** A clock that somebody sets while the world goes on. */
function jumpingClock() {
  const slept: number[] = [];
  let now = Date.parse('2026-01-31T12:00:00Z');
  return {
    slept,
    jump: (ms: number) => {
      now += ms;
    },
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms);
      await new Promise(setImmediate);
      now += ms;
    },
  };
}

describe('B 40: a clock that jumps', () => {
  it.each(JUMPS)(
    'by %i ms while a request is under way: no wait is negative or endless, nothing is lost',
    async (by) => {
      const clock = jumpingClock();
      const measured: number[] = [];
      let turn = 0;
      const inlet = fakeInlet((request) => {
        turn++;
        clock.jump(turn % 2 === 0 ? by : -by);
        if (turn % 3 === 1)
          return json(503, {}, { 'retry-after': new Date(clock.now() + 2_000).toUTCString() });
        return turn % 3 === 2 ? json(429, {}) : acknowledgeAll(request);
      });
      const metrics = {
        count: () => undefined,
        measure: (_: string, value: number) => void measured.push(value),
        flush: () => undefined,
      };
      const rate = { requestsPerSecond: 5, messagesPerSecond: 50 };
      const runtime = plainRuntime(
        { fetch: inlet.fetch, clock, metrics, random: () => 0.5 },
        { authenticationRequired: true, rate },
      );
      const forward = createForward(runtime);
      for (let n = 0; n < 30; n++) {
        const event = kinesisEvent([`{"n":${n}}`]);
        const answer = await forward(event, { remainingMs: () => 60_000, invocationId: 'i' });
        expect(JSON.stringify(answer)).toBe(ALL_SETTLED);
        clock.jump(n % 2 === 0 ? by : -by);
      }
      expect(new Set(inlet.acknowledged).size).toBe(30);
      expect(clock.slept.length).toBeGreaterThan(30);
      // No more than is asked for, and the jitter.
      expect(clock.slept.filter((ms) => !(ms >= 0 && ms <= 3_000 + PACE.capMs))).toEqual([]);
      expect(inlet.tokens.length).toBeLessThanOrEqual(61);
      expect(measured.length).toBeGreaterThan(60);
    },
  );

  it.each(JUMPS)('by %i ms: a published pipeline is not held for longer than its minute', async (by) => {
    const clock = jumpingClock();
    const { secrets, routes, settings, log } = plainRuntime({ fetch: fakeInlet().fetch });
    let reads = 0;
    const counting = {
      ...secrets,
      get: (id: string) => {
        reads++;
        return secrets.get(id);
      },
    };
    const pipelines = createPipelines({ secrets: counting, routes, settings, clock, log });
    await pipelines.of(STREAM_ARN);
    clock.jump(by);
    await pipelines.of(STREAM_ARN);
    expect(reads).toBe(2);
    await pipelines.of(STREAM_ARN);
    clock.jump(60_000);
    await pipelines.of(STREAM_ARN);
    expect(reads).toBe(3);
  });

  it.each(JUMPS)('by %i ms: the rate and the retries go on, and no faster than before', async (by) => {
    const clock = jumpingClock();
    const limits = createLimits(clock, { requestsPerSecond: 2 });
    const never = new Promise<void>(() => undefined);
    const enter = async () => {
      const slot = await limits.enter(1, () => 60_000, never);
      if (typeof slot === 'string') throw new Error(slot);
      slot.leave('other');
    };
    for (let n = 0; n < 4; n++) await enter();
    while (limits.payRetry(false));
    clock.slept.splice(0);
    clock.jump(by);
    for (let n = 0; n < 8; n++) await enter();
    // A second's worth at most is had for nothing.
    const waited = clock.slept.reduce((sum, ms) => sum + ms, 0);
    expect(clock.slept.every((ms) => ms >= 0)).toBe(true);
    expect(waited).toBeGreaterThanOrEqual(3_000);
    expect(waited).toBeLessThanOrEqual(5_500);
    // Ahead fills the bucket, as any two hours would; back is noticed by whoever asks first, and from then on it fills.
    expect(limits.payRetry(false)).toBe(by > 0);
    await clock.sleep(28_000);
    expect(limits.payRetry(false)).toBe(true);
  });
});

/** What the mapping is made with. */
async function polling(): Promise<Record<string, unknown>> {
  let input: Record<string, unknown> = {};
  const client = {
    send: async (command: { readonly input: Record<string, unknown> }) => {
      input = command.input;
      return { UUID: 'u', EventSourceArn: STREAM_ARN, State: 'Disabled' };
    },
  };
  const options = { forwarder: 'forward', onFailureArn: 'arn:aws:s3:::dead-letters' };
  await createTriggers(options, client as unknown as LambdaClient).create(STREAM_ARN, 'earliest');
  return input;
}

describe('B 99: the figures that are shipped', () => {
  const serverless = readFileSync(new URL('serverless.yml', ROOT), 'utf8');
  const forward = /^ {2}forward:\n((?: {4,}.*\n)+)/m.exec(serverless)?.[1] ?? '';
  const timeoutMs = Number(/^ {4}timeout: (\d+)$/m.exec(forward)?.[1]) * 1_000;

  it('are within the bounds of Lambda', async () => {
    const input = (await polling()) as Record<string, number>;
    const within = (name: string, least: number, most: number) => {
      expect(input[name], name).toBeGreaterThanOrEqual(least);
      expect(input[name], name).toBeLessThanOrEqual(most);
    };
    // API reference of CreateEventSourceMapping.
    within('BatchSize', 1, 10_000);
    within('MaximumBatchingWindowInSeconds', 0, 300);
    within('ParallelizationFactor', 1, 10);
    within('MaximumRetryAttempts', -1, 10_000);
    within('MaximumRecordAgeInSeconds', 60, 604_800);
    expect(timeoutMs).toBeLessThanOrEqual(900_000);
  });

  it('go together: time to prepare, send, store and answer; a window for large batches; an age below the retention', async () => {
    const input = (await polling()) as Record<string, number>;
    expect(timeoutMs / 2).toBeGreaterThan(REQUEST_TIMEOUT_MS + SETTLE_RESERVE_MS + MIN_REQUEST_MS);
    expect(SETTLE_RESERVE_MS).toBeGreaterThan(MIN_REQUEST_MS);
    // AWS: a batch of more than 10 needs a window.
    expect(input.MaximumBatchingWindowInSeconds).toBeGreaterThanOrEqual(1);
    // The shortest retention is 24 h, and a batch under way has to end before it.
    expect((input.MaximumRecordAgeInSeconds ?? 0) * 1_000 + timeoutMs).toBeLessThan(24 * HOUR * 0.9);
    expect(input).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      Enabled: false,
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::dead-letters' } },
    });
    expect(MAX_MESSAGES).toBeLessThanOrEqual(10_000);
  });

  const manifest = (): Record<string, unknown> =>
    JSON.parse(readFileSync(new URL('examples/customer-profiles.json', ROOT), 'utf8')) as Record<
      string,
      unknown
    >;

  it('cannot be set by a manifest', () => {
    expect(() => parseManifest(manifest())).not.toThrow();
    for (const name of [
      'batchSize',
      'batchingWindowSeconds',
      'maximumRecordAgeSeconds',
      'timeout',
      'parallelizationFactor',
    ]) {
      const [top, source] = [manifest(), manifest()];
      top[name] = 10;
      source.source = { ...(source.source as object), [name]: 10 };
      expect(() => parseManifest(top), name).toThrow(name);
      expect(() => parseManifest(source), name).toThrow(name);
    }
  });

  it.each([
    { requestsPerSecond: 0 },
    { requestsPerSecond: 1_001 },
    { requestsPerSecond: 1.5 },
    { messagesPerSecond: -1 },
    { messagesPerSecond: 100_001 },
    { messagesPerSecond: '10' },
    { perMinute: 10 },
  ])('a rate of %j is refused', (rate) => {
    expect(Rate.safeParse(rate).success).toBe(false);
  });

  it.each([
    ['PENSTOCK_LIST_DELAY_SECONDS', '-1'],
    ['PENSTOCK_LIST_DELAY_SECONDS', '601'],
    ['PENSTOCK_PUBLISHED_SECONDS', '61'],
    ['PENSTOCK_PUBLISHED_SECONDS', '-1'],
    ['PENSTOCK_PUBLISHED_SECONDS', 'NaN'],
  ])('%s of %s is refused', (name, value) => {
    expect(() => settingsFrom({ [name]: value })).toThrow(name);
  });
});

describe('B 100: the credentials', () => {
  it.each([
    'penstock/prod/credentials',
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:penstock/prod/credentials-AbC123',
  ])('are named by %s', (name) => {
    expect(settingsFrom({ PENSTOCK_CREDENTIALS_SECRET: name }).credentialsSecret).toBe(name);
  });

  it.each([
    ['as they are in the secret', JSON.stringify({ clientId: 'c', clientSecret: SECRET })],
    ['as the client secret', SECRET],
    ['as a list of both', `c, ${SECRET}`],
  ])('given themselves %s are refused and not repeated', (_, value) => {
    const attempt = () => settingsFrom({ PENSTOCK_CREDENTIALS_SECRET: value });
    expect(attempt).toThrow(
      /SETTINGS_INVALID.*\n.*PENSTOCK_CREDENTIALS_SECRET: expected the name or the ARN/,
    );
    expect(attempt).not.toThrow(SECRET);
  });
});
