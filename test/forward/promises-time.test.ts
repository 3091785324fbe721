// Promises of docs/promises.md about waiting: how long, how often, how fast, and when it is over. In virtual time.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { backoffMs } from '../../lib/aep/retry.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import { PACE } from '../../lib/forward/send/classes.ts';
import { seededRandom } from '../../local/aep/ids.ts';
import { ALL_SETTLED, from, kinesisEvent, world } from '../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, inTurn, json } from '../support/inlet.ts';
import { AMBIGUOUS, type Answer, answerOf, Load, type LoadOptions } from '../support/load.ts';
import { plainRuntime } from '../support/plain-runtime.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const SEED = 20_261_124;
const text = (n: number) => `{"n":${n}}`;

describe('A 9: Retry-After', () => {
  it('is kept to within the jitter, or the records go back at once: 500 cases of every form', async () => {
    const random = seededRandom(SEED);
    const start = Date.parse('2026-01-31T12:00:00Z');
    const date = (seconds: number) => new Date(start + seconds * 1_000).toUTCString();
    const forms: ((s: number) => [string, number])[] = [
      (s) => [String(s), s * 1_000],
      (s) => [date(s), s * 1_000],
      (s) => [date(-s), 0],
      () => ['0', 0],
      () => ['-1', 0],
      () => ['1000000000', 1e12],
      () => ['1e9', 0],
      (s) => [`${s} seconds`, 0],
    ];
    for (let round = 0; round < 500; round++) {
      const seconds = Math.floor(random() * 90);
      const [value, hintMs] = (forms[round % forms.length] as (typeof forms)[number])(seconds);
      const status = round % 2 === 0 ? 429 : 503;
      const inlet = fakeInlet(inTurn(() => json(status, {}, { 'retry-after': value }), acknowledgeAll));
      const w = world({ inlet });
      const answer = JSON.stringify(await w.run(['{}']));
      const ceiling = status === 429 ? PACE.throttledBaseMs : PACE.baseMs;
      const [slept = -1] = w.clock.slept;
      const says = `${status} with ${value}: ${answer} after ${slept} ms`;
      if (answer === ALL_SETTLED) {
        expect(slept, says).toBeGreaterThanOrEqual(hintMs);
        expect(slept, says).toBeLessThanOrEqual(hintMs + ceiling);
      } else {
        expect([answer, w.clock.slept, inlet.requests.length], says).toEqual([from(0), [], 1]);
        expect(hintMs + ceiling, says).toBeGreaterThan(57_000);
      }
    }
  });
});

describe('A 10: the wait', () => {
  /** Of a throttled request; of no class there are more. */
  const MOST_TRIES = 6;

  /** Kolmogorov and Smirnov's distance from the uniform distribution on [0, 1). */
  function distance(draws: readonly number[]): number {
    const sorted = draws.toSorted((a, b) => a - b);
    return sorted.reduce(
      (most, draw, at) => Math.max(most, draw - at / draws.length, (at + 1) / draws.length - draw),
      0,
    );
  }

  it.each([false, true])(
    'is uniform up to a doubling ceiling, never above 8 s (throttled: %s)',
    (throttled) => {
      for (let attempt = 1; attempt <= MOST_TRIES; attempt++) {
        const random = seededRandom(SEED + attempt);
        const ceiling = Math.min(8_000, (throttled ? 1_000 : 250) * 2 ** (attempt - 1));
        const draws = Array.from(
          { length: 10_000 },
          () => backoffMs(PACE, attempt, random(), { throttled }) / ceiling,
        );
        expect(Math.max(...draws)).toBeLessThanOrEqual(1);
        // p > 0.01 for 10,000 draws; a half more for waits of whole milliseconds.
        expect(distance(draws)).toBeLessThan(1.63 / 100 + 0.5 / ceiling);
      }
    },
  );

  /** The most requests of 100 clients in any 100 ms after an outage. */
  async function peakAfter(status: number, outageMs: number): Promise<number> {
    const arrivals: number[] = [];
    const load: Load = new Load({
      shards: 100,
      random: seededRandom(SEED),
      latencyMs: 20,
      trouble: () => {
        const since = load.time.now - began;
        if (since >= outageMs) arrivals.push(since);
        return since < outageMs ? () => answerOf(status, {}) : undefined;
      },
    });
    const began = load.time.now;
    for (let n = 0; n < 1_000; n++) load.produce(`key-${n}`, text);
    await load.drain();
    expect([load.lost, load.wrong]).toEqual([[], []]);
    return Math.max(
      ...arrivals.map((at) => arrivals.filter((other) => other >= at && other < at + 100).length),
    );
  }

  it.each([
    [429, 5_000],
    [429, 60_000],
    [503, 60_000],
  ])(
    'of 100 clients that meet a %i for %i ms ends for no more than 10 of them in any 100 ms',
    async (status, ms) => {
      expect(await peakAfter(status, ms)).toBeLessThanOrEqual(10);
    },
  );
});

it('A 11: of an inlet that is down for ten minutes, 100 invocations ask for little; once the retries are used up, 1.1 times', async () => {
  const random = seededRandom(SEED);
  let healthy = false;
  const load = new Load({
    random,
    latencyMs: 20,
    trouble: () => (healthy ? undefined : () => answerOf(503, {})),
  });
  // Eight lanes of them, and all in one event.
  const records = 24;
  for (let n = 0; n < records; n++)
    load.produce(`key-${n}`, (m) => `{"n":${m},"pad":"${'x'.repeat(190_000)}"}`);
  const tries: number[] = [];
  const began = load.time.now;
  for (let turn = 0; turn < 100; turn++) {
    const before = load.counts.get('messages') ?? 0;
    await load.poll();
    tries.push(((load.counts.get('messages') ?? 0) - before) / records);
    load.time.now = Math.max(load.time.now, began + (turn + 1) * 6_000);
  }
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  expect(mean(tries)).toBeLessThan(1.5);
  expect(mean(tries.slice(-50))).toBeLessThanOrEqual(1.1);
  healthy = true;
  const healed = load.time.now;
  await load.drain();
  expect(load.time.now - healed).toBeLessThan(60_000);
  expect([load.lost, load.misjudged, load.wrong]).toEqual([[], [], []]);
});

describe('A 12: the rate of a manifest, on 20 shards', () => {
  const MESSAGE = '{"n":1}';
  const SHARDS = 20;
  const LIMIT = { requests: 1_000, messages: 10_000 };
  const SECONDS = 20;

  /** An inlet that answers 429 to what is more than it takes in a second, counted by the length of the bodies. */
  function limited(clock: VirtualTime) {
    const seconds = Array.from({ length: SECONDS + 61 }, () => ({ requests: 0, messages: 0, refused: 0 }));
    const fetch = async (_: string, { body = '' }: { readonly body?: string | Uint8Array }) => {
      await clock.sleep(20);
      const second = seconds[Math.floor(clock.now() / 1_000)] as (typeof seconds)[number];
      const messages = (body.length - '{"messages":[]}'.length + 1) / (MESSAGE.length + 1);
      if (second.requests >= LIMIT.requests || second.messages + messages > LIMIT.messages) {
        second.refused++;
        return answerOf(429, {});
      }
      second.requests++;
      second.messages += messages;
      const entries = Array.from({ length: messages }, (_, at) => ({ xactionId: `1771:3120:78:${at}` }));
      return answerOf(207, { responses: entries });
    };
    return { seconds, fetch };
  }

  it.each([
    ['messages', 500, { messagesPerSecond: 500 }],
    ['requests', 1, { requestsPerSecond: 50 }],
  ] as const)('keeps within so many %s a second and uses them', async (what, records, rate) => {
    const clock = new VirtualTime({ now: 0 });
    const { seconds, fetch } = limited(clock);
    const event = kinesisEvent(
      Array.from({ length: records }, (_, n) => ({ data: MESSAGE, key: String(n) })),
    );
    const forwarder = () =>
      createForward(plainRuntime({ fetch, clock, random: seededRandom(SEED) }, { rate }));
    const shard = async (forward: Forward) => {
      while (clock.now() < SECONDS * 1_000) {
        const deadline = clock.now() + 60_000;
        await forward(event, { remainingMs: () => deadline - clock.now(), invocationId: 'i' });
      }
    };
    await Promise.all(Array.from({ length: SHARDS }, () => shard(forwarder())));
    const steady = seconds.slice(15, SECONDS);
    const sum = (of: 'requests' | 'messages' | 'refused') =>
      steady.reduce((all, second) => all + second[of], 0);
    expect(sum('refused') / (sum('requests') + sum('refused'))).toBeLessThan(0.01);
    expect(sum(what) / steady.length).toBeGreaterThanOrEqual(0.8 * LIMIT[what]);
  });
});

describe('A 14: an inlet that takes too long', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** Answers after so long, or as long as nobody hangs up. */
  const answersIn = (ms: number, answer: () => Response) => (signal: AbortSignal) =>
    new Promise<Response>((resolve, reject) => {
      const timer = setTimeout(() => resolve(answer()), ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  const drip = (signal: AbortSignal) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const timer = setInterval(() => controller.enqueue(Buffer.from(' ')), 900);
        signal.addEventListener('abort', () => {
          clearInterval(timer);
          controller.error(signal.reason);
        });
      },
    });
    return Promise.resolve(new Response(body, { status: 207 }));
  };
  const acknowledged = () => acknowledgeAll({ messages: ['', ''] });
  const WAYS = [
    answersIn(1e9, acknowledged),
    drip,
    answersIn(59_000, acknowledged),
    answersIn(19_999, acknowledged),
  ];

  it('never keeps an invocation: 1,000 of 1,000 return two seconds before their minute is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), ms);
      return controller.signal;
    });
    const random = seededRandom(SEED);
    const started = Date.now();
    const ended: [number, string][] = [];
    const invoke = async (at: number) => {
      const way = WAYS[at % WAYS.length] as (typeof WAYS)[0];
      const forward = createForward(plainRuntime({ fetch: (_, { signal }) => way(signal), random }));
      const answer = await forward(kinesisEvent(['{}', '{}']), {
        remainingMs: () => started + 60_000 - Date.now(),
        invocationId: 'i',
      });
      ended.push([Date.now() - started, JSON.stringify(answer)]);
    };
    const all = Promise.all(Array.from({ length: 1_000 }, (_, at) => invoke(at)));
    await vi.advanceTimersByTimeAsync(60_000);
    await all;
    expect(ended).toHaveLength(1_000);
    expect(Math.max(...ended.map(([ms]) => ms))).toBeLessThanOrEqual(58_000);
    expect(ended.filter(([, answer]) => answer === ALL_SETTLED)).toHaveLength(250);
    expect(ended.filter(([, answer]) => answer === from(0))).toHaveLength(750);
  });
});

describe('A 38: an hour of it, on one shard, costs no more', () => {
  const always = (answer: Answer) => () => answer;
  const refused = answerOf(400, { error: 'invalid_client' });

  it.each<[string, { billedSeconds: number; requests: number; tokens: number }, LoadOptions]>([
    ['nothing wrong', { billedSeconds: 1, requests: 1, tokens: 1 }, {}],
    [
      'the inlet down',
      { billedSeconds: 60, requests: 360, tokens: 1 },
      { trouble: () => () => answerOf(503, {}) },
    ],
    [
      'the inlet throttling',
      { billedSeconds: 1_200, requests: 660, tokens: 1 },
      { trouble: () => () => answerOf(429, {}) },
    ],
    [
      'the inlet gone',
      { billedSeconds: 4, requests: 150, tokens: 1 },
      { trouble: () => () => answerOf(404, {}) },
    ],
    [
      'every answer lost',
      { billedSeconds: 60, requests: 360, tokens: 1 },
      { trouble: () => AMBIGUOUS['reset after'] },
    ],
    ['IMS down', { billedSeconds: 120, requests: 0, tokens: 400 }, { ims: always(answerOf(503, {})) }],
    ['the credential refused', { billedSeconds: 4, requests: 0, tokens: 150 }, { ims: always(refused) }],
    [
      'no token taken',
      { billedSeconds: 10, requests: 300, tokens: 150 },
      { trouble: () => () => answerOf(401, {}) },
    ],
    ['the store down', { billedSeconds: 4, requests: 150, tokens: 1 }, { storeFails: () => true }],
  ])('%s: %j', async (_, most, options) => {
    const load = new Load({
      random: seededRandom(SEED),
      latencyMs: 20,
      published: { authenticationRequired: true },
      ...options,
    });
    for (let n = 0; n < 100; n++) load.produce(`key-${n}`, text, n === 50 ? 'refused' : 'sound');
    await load.drain(() => 10_000, 3_600_000);
    const of = (what: string) => load.counts.get(what) ?? 0;
    expect(of('billed ms') / 1_000).toBeLessThanOrEqual(most.billedSeconds);
    expect(of('requests')).toBeLessThanOrEqual(most.requests);
    expect(of('IMS')).toBeLessThanOrEqual(most.tokens);
    expect(of('invocations')).toBeLessThanOrEqual(150);
    expect(load.wrong).toEqual([]);
  });
});
