// Promises of docs/promises.md about tokens and secrets: how often they are asked for, changed under load, and never told.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMetrics } from '../../lib/aws/metrics.ts';
import { createForward } from '../../lib/forward/forward.ts';
import { createLog } from '../../lib/log.ts';
import { seededRandom } from '../../local/aep/ids.ts';
import { longRuns, runs } from '../support/depth.ts';
import { ALL_SETTLED, INLET_ID, kinesisEvent, PUBLISHED } from '../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, json } from '../support/inlet.ts';
import {
  AMBIGUOUS,
  type Asked,
  answerOf,
  CREDENTIALS_SECRET,
  Load,
  REFUSALS,
  SECRET,
  TOKEN,
  type Trouble,
  textAnswer,
} from '../support/load.ts';
import { plainRuntime } from '../support/plain-runtime.ts';

const SEED = 20_261_124;
const WITH_TOKEN = { authenticationRequired: true };

it('A 17: 500 invocations at once whose token has run out, or is not taken any more, ask IMS for one', async () => {
  let taken = 'Bearer token-1';
  const inlet = fakeInlet((request) =>
    request.headers.authorization === taken ? acknowledgeAll(request) : json(401, { title: 'x' }),
  );
  let now = Date.now();
  const clock = { now: () => now, sleep: async () => undefined };
  const forward = createForward(plainRuntime({ fetch: inlet.fetch, clock }, WITH_TOKEN));
  const storm = async () => {
    const invoke = () => forward(kinesisEvent(['{}']), { remainingMs: () => 60_000, invocationId: 'i' });
    const answers = await Promise.all(Array.from({ length: 500 }, invoke));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([ALL_SETTLED]));
  };
  await storm();
  expect([inlet.tokens.length, inlet.requests.length]).toEqual([1, 500]);
  now += 86_400_000;
  taken = 'Bearer token-2';
  await storm();
  expect([inlet.tokens.length, inlet.requests.length]).toEqual([2, 1_000]);
  taken = 'Bearer token-3';
  await storm();
  expect(inlet.tokens).toHaveLength(3);
  // Those that had not left when the first was refused go out with the new one.
  expect(inlet.requests.length).toBeGreaterThan(1_500);
});

const ROUNDS = 5;

it.each(Array.from({ length: longRuns(100) / ROUNDS }, (_, part) => part * ROUNDS))(
  `A 18: a secret rotated at ${ROUNDS} random moments from %i on, the old one dead ten seconds later: nothing is lost, nothing comes twice`,
  async (first) => {
    const random = seededRandom(SEED + first);
    for (let round = first; round < first + ROUNDS; round++) {
      const load = new Load({ random, latencyMs: 250, published: WITH_TOKEN });
      for (let n = 0; n < 120; n++) load.produce(`key-${n % 7}`, (m) => `{"n":${m}}`);
      const next = `${SECRET}-${round}`;
      const rotation = async () => {
        await load.clock.sleep(random() * 15_000);
        load.clientSecrets.add(next);
        load.setSecret(next);
        await load.clock.sleep(10_000);
        load.revoke(SECRET);
      };
      await Promise.all([load.drain(() => 1), rotation()]);
      expect([load.wrong, load.lost, load.duplicates], `round ${round}`).toEqual([[], [], 0]);
      expect(load.counts.get(`read ${CREDENTIALS_SECRET}`)).toBe(2);
      expect(load.counts.get('IMS')).toBe(2);
      // One extra would do; none is needed: the same invocation renews.
      expect(load.counts.get('invocations')).toBe(120);
    }
  },
);

let written = '';
beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
});
afterEach(() => vi.restoreAllMocks());

const LEAKS = 500;

it.each(Array.from({ length: Math.max(1, longRuns(5_000) / LEAKS) }, (_, part) => part * LEAKS))(
  `A 19: in ${LEAKS} runs of every kind, from %i on, nothing that is written has a secret, a token or an inlet`,
  async (first) => {
    const random = seededRandom(SEED + first);
    // An inlet that repeats what it was sent, in every place that is read.
    const echo = ({ authorization = '', texts }: Asked) =>
      `${authorization}, ${authorization.split(' ')[1]} at /collection/${INLET_ID} for ${texts[0]}`;
    const echoes: Trouble[] = [400, 401, 403, 404, 413, 429, 500, 503].flatMap((status) => [
      (asked) => answerOf(status, { title: echo(asked), report: { message: echo(asked) } }),
      (asked) => answerOf(207, { responses: asked.texts.map(() => ({ status, message: echo(asked) })) }),
      (asked) => textAnswer(status, echo(asked), { 'x-request-id': echo(asked) }),
    ]);
    const thrown: Trouble = (asked) => {
      throw new TypeError(echo(asked), {
        cause: Object.assign(new Error(echo(asked)), { code: 'ECONNRESET' }),
      });
    };
    const troubles = [...echoes, thrown, ...Object.values(REFUSALS), ...Object.values(AMBIGUOUS)];
    const shared = { log: createLog('DEBUG'), metrics: createMetrics('dev') };
    const kept: string[] = [];
    const outcomes = new Map<string, number>();
    for (let run = first; run < first + LEAKS; run++) {
      const load: Load = new Load({
        random,
        published: WITH_TOKEN,
        timeoutMs: random() < 0.1 ? 3_000 : 60_000,
        written: shared,
        onWritten: (text) => kept.push(text),
        trouble: () => (random() < 0.7 ? troubles[run % troubles.length] : undefined),
        ims: () =>
          random() < 0.2
            ? answerOf(random() < 0.5 ? 400 : 503, { error_description: `not ${SECRET}` })
            : undefined,
        storeFails: () => random() < 0.2,
      });
      if (run % 50 === 7)
        load.secrets.set(CREDENTIALS_SECRET, `{"clientSecret":"${SECRET}","clientId":"${SECRET}`);
      if (run % 50 === 8)
        load.secrets.set('penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, inletUrl: 7 }));
      if (run % 50 === 9) load.setSecret(`${SECRET}-dead`);
      for (let n = 0; n < 3; n++)
        load.produce(`key-${n}`, (m) => `{"n":${m}}`, n === 1 ? 'refused' : 'sound');
      await load.poll();
      for (const name of load.counts.keys()) outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    }
    const all = written + kept.join('\n');
    expect([written.length, kept.length].every((length) => length > LEAKS)).toBe(true);
    for (const way of [
      'IMS refused',
      'the store failed',
      'threw SECRET_INVALID',
      'threw IMS_REFUSED',
      'threw AEP_NOT_FOUND',
    ])
      expect(outcomes.get(way), way).toBeGreaterThanOrEqual(5);
    for (const canary of [SECRET, TOKEN, INLET_ID, INLET_ID.slice(0, 12)])
      expect(all.split(canary)).toHaveLength(1);
  },
);

const NAMED = runs(20_000);

it(`A 32: ${NAMED} records with names that mean something change nothing but the request they are in`, async () => {
  const own = () => [Object.prototype, Array.prototype].map((one) => Object.getOwnPropertyNames(one).join());
  const before = own();
  const random = seededRandom(SEED);
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    '_aws',
    'toString',
    'forged',
    '\\r\\n',
    '\\u001b[31m',
  ];
  const name = () => names[Math.floor(random() * names.length)] as string;
  const forged = '{\\"_aws\\":{\\"CloudWatchMetrics\\":[]}}\\n{\\"level\\":\\"forged\\"}\\u001b[2J';
  const text = (n: number) =>
    `{"n":${n},"${name()}":{"${name()}":{"forged":"${forged}"}},"${name()}":["${forged}",{"${name()}":1}]}`;
  const load = new Load({
    random,
    written: { log: createLog('DEBUG'), metrics: createMetrics('dev') },
    // An inlet's own words are as foreign as a record.
    trouble: () =>
      random() < 0.3
        ? ({ texts }) => answerOf(random() < 0.5 ? 503 : 400, { title: `\r\n{"_aws":{}} forged ${texts[0]}` })
        : undefined,
  });
  for (let n = 0; n < NAMED; n++)
    load.produce(`forged\r\n{"_aws":{}}\u001b[31m${n % 50}`, text, n % 40 === 0 ? 'refused' : 'sound');
  await load.drain(() => 50);
  expect([load.wrong, load.lost]).toEqual([[], []]);
  expect(own()).toEqual(before);
  expect(({} as Record<string, unknown>).forged).toBeUndefined();
  const lines = written.split('\n').filter(Boolean);
  expect(lines.length).toBeGreaterThan(50);
  for (const line of lines) {
    const parsed = JSON.parse(line) as {
      level?: string;
      _aws?: { CloudWatchMetrics: { Namespace: string }[] };
    };
    expect(parsed._aws?.CloudWatchMetrics[0]?.Namespace ?? parsed.level).toMatch(
      /^(Penstock|INFO|WARN|ERROR)$/,
    );
  }
  expect(written).not.toContain('forged');
  expect(written).not.toContain('\u001b');
});
