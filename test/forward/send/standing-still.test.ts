import { describe, expect, it } from 'vitest';
import { Failure } from '../../../lib/failure.ts';
import { PUBLISHED_KEPT_MS } from '../../../lib/forward/pipelines.ts';
import { DRAIN_SECONDS } from '../../../lib/waits.ts';
import { seededRandom } from '../../../local/aep/ids.ts';
import { ALL_SETTLED, from, world } from '../../support/forwarding.ts';
import { acknowledgeAll, fakeInlet, json } from '../../support/inlet.ts';
import { answerOf, Load } from '../../support/load.ts';

const WITH_TOKEN = { authenticationRequired: true };
const GOOD = '{"n":1}';

describe('A 11: a 401 now and then', () => {
  it('fails no invocation: a token that was taken once is a good token', async () => {
    let turn = 0;
    const load = new Load({
      random: seededRandom(20_261_128),
      latencyMs: 20,
      published: WITH_TOKEN,
      trouble: () =>
        turn++ % 10 === 3 ? () => answerOf(401, { title: 'Oauth token is not valid' }) : undefined,
    });
    for (let n = 0; n < 2_000; n++) load.produce(`key-${n % 50}`, (m) => `{"n":${m}}`);
    await load.drain(() => 1);
    expect([load.wrong, load.lost, load.duplicates]).toEqual([[], [], 0]);
    expect([...load.counts.keys()].filter((name) => name.startsWith('threw'))).toEqual([]);
    expect(load.counts.get('invocations')).toBe(2_000);
  });

  it('that never ends still stops it, and IMS is left alone', async () => {
    const inlet = fakeInlet(() => json(401, { title: 'x' }));
    const w = world({ inlet, published: WITH_TOKEN });
    for (let turn = 0; turn < 20; turn++) await w.run([GOOD]).catch(() => undefined);
    expect(inlet.tokens.length).toBeLessThanOrEqual(2);
  });

  it('of one request, again and again while others are taken, asks for a bounded number of tokens', async () => {
    const inlet = fakeInlet((request) =>
      request.text.includes('"never"') ? json(401, { title: 'x' }) : acknowledgeAll(request),
    );
    const w = world({ inlet, published: { ...WITH_TOKEN, order: 'strict' } });
    const texts = Array.from({ length: 200 }, (_, n) => ({ data: `{"n":${n}}`, key: 'a' }));
    expect(JSON.stringify(await w.run([{ data: '{"a":"never"}', key: 'b' }, ...texts]))).toBe(from(0));
    expect(inlet.tokens.length).toBeLessThanOrEqual(6);
  });
});

describe('A 11: Retry-After', () => {
  it('is kept by the container: the next invocations ask nothing until then', async () => {
    let down = true;
    const inlet = fakeInlet((request) =>
      down ? json(429, {}, { 'retry-after': '300' }) : acknowledgeAll(request),
    );
    const w = world({ inlet });
    for (let turn = 0; turn < 5; turn++) {
      expect(JSON.stringify(await w.run([GOOD]))).toBe(from(0));
      await w.clock.sleep(1_000);
    }
    expect(inlet.requests).toHaveLength(1);
    const stopped = w.lines.map(({ fields }) => fields.stopped).filter((why) => why !== undefined);
    expect(stopped).toEqual(['time', 'held-off', 'held-off', 'held-off', 'held-off']);
    down = false;
    await w.clock.sleep(294_000);
    w.clock.slept.splice(0);
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    // What is left of it is waited for.
    expect(w.clock.slept).toEqual([1_000]);
  });

  it('with what is refused for good holds nothing else up', async () => {
    const load: Load = new Load({
      trouble: ({ texts }) =>
        texts.some((text) => text.includes('"poison"'))
          ? () => answerOf(400, {}, { 'retry-after': '600' })
          : undefined,
    });
    for (let n = 0; n < 20; n++)
      load.produce('key', (m) => (m === 10 ? '{"n":10,"a":"poison"}' : `{"n":${m}}`));
    await load.drain(() => 100, 60_000);
    expect([load.pending, [...load.stored.keys()], load.taken.size]).toEqual([0, [10], 19]);
  });

  it('of a thousand years is asked about again after a quarter of an hour', async () => {
    let down = true;
    const inlet = fakeInlet((request) =>
      down ? json(503, {}, { 'retry-after': '31536000000' }) : acknowledgeAll(request),
    );
    const w = world({ inlet });
    await w.run([GOOD]);
    down = false;
    await w.clock.sleep(900_000);
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
  });
});

describe('A 11: while Secrets Manager is away', () => {
  const away = new Failure('AWS_UNAVAILABLE', 'reading the secret: TimeoutError');

  it('a published pipeline that is known is used on, for less than its old flow is kept, and the log says so', async () => {
    const w = world();
    await w.run([GOOD]);
    w.away.because = away;
    for (let minute = 1; minute < PUBLISHED_KEPT_MS / 60_000; minute++) {
      await w.clock.sleep(60_000);
      expect(JSON.stringify(await w.run([GOOD])), `minute ${minute}`).toBe(ALL_SETTLED);
    }
    expect(
      w.lines.filter(({ message }) => message.startsWith('what is published cannot be read')),
    ).toHaveLength(PUBLISHED_KEPT_MS / 60_000 - 1);
    await w.clock.sleep(60_000);
    await expect(w.run([GOOD])).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    w.away.because = undefined;
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    expect(PUBLISHED_KEPT_MS).toBeLessThanOrEqual(DRAIN_SECONDS * 1_000 - 60_000);
  });

  it('it is asked once a minute, and not in every invocation', async () => {
    const w = world();
    await w.run([GOOD]);
    w.away.because = away;
    await w.clock.sleep(60_000);
    for (let turn = 0; turn < 30; turn++) {
      await w.run([GOOD]);
      await w.clock.sleep(1_000);
    }
    expect(w.secretReads).toHaveLength(2);
  });

  it('credentials that are known get a new token, for a quarter of an hour', async () => {
    let taken = 'Bearer token-1';
    const inlet = fakeInlet((request) =>
      request.headers.authorization === taken ? acknowledgeAll(request) : json(401, { title: 'x' }),
    );
    const w = world({ inlet, published: WITH_TOKEN });
    await w.run([GOOD]);
    w.away.because = away;
    await w.clock.sleep(60_000);
    taken = 'Bearer token-2';
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
    expect(w.lines.map(({ message }) => message)).toContain(
      'Secrets Manager cannot be reached: the last ones are used',
    );
  });

  it.each(['AWS_REFUSED', 'SECRET_INVALID'] as const)('%s is another matter: it stops', async (code) => {
    const w = world();
    await w.run([GOOD]);
    w.away.because = new Failure(code, 'x');
    await w.clock.sleep(60_000);
    await expect(w.run([GOOD])).rejects.toMatchObject({ code });
  });
});
