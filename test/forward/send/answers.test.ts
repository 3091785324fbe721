import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../lib/aep/inlet.ts';
import { Session } from '../../../lib/aep/token.ts';
import { createLimits } from '../../../lib/forward/send/limits.ts';
import { seededRandom } from '../../../local/aep/ids.ts';
import { virtualClock, world } from '../../support/forwarding.ts';
import { fakeInlet, json, multi } from '../../support/inlet.ts';
import { type Answer, type Asked, answerOf, Load } from '../../support/load.ts';
import { all, answered, failed, type Post, sending } from '../../support/sending.ts';

const unknown: Post = (_, batch) => answered(batch.map((): Outcome => ({ kind: 'unknown' })));

describe('A 9 (b): what cannot be made out', () => {
  it('is sent once more, and then each message alone', async () => {
    const { run, posts } = sending((name, batch, session) =>
      batch.length > 1 ? unknown(name, batch, session) : all(batch),
    );
    const sent = await run('abc,d');
    expect(posts).toEqual(['abc', 'abc', 'a', 'b', 'c', 'd']);
    expect(sent).toMatchObject({ acknowledged: 4, unclear: 2, stop: undefined });
  });

  it('is sent by itself: what the same answers say of the others counts', async () => {
    const { run, posts } = sending((_, batch) =>
      answered(
        batch.map(({ message }, index): Outcome => {
          if (message.partitionKey === 'd')
            return { kind: 'refused', class: 'throttled', status: 429, said: '' };
          return batch.length > 1 && index < 2 ? { kind: 'unknown' } : { kind: 'acknowledged' };
        }),
      ),
    );
    const sent = await run('abcd');
    expect(posts.slice(0, 3)).toEqual(['abcd', 'abd', 'd']);
    expect(posts.filter((name) => name.includes('a'))).toEqual(['abcd', 'abd']);
    expect(sent.verdicts).toBe('at bt cl dt');
  });

  it('alone as well stops sending, and is nobody’s refusal', async () => {
    const { run, posts } = sending(unknown);
    const sent = await run('ab,cd');
    expect(posts).toEqual(['ab', 'ab', 'a']);
    expect(sent).toMatchObject({
      verdicts: 'at bt ct dt',
      unclear: 3,
      stop: { why: 'unclear', fault: false, failure: { code: 'AEP_UNEXPECTED' } },
    });
  });
});

describe('A 5: an entry that blames the token', () => {
  const refused: Outcome = { kind: 'refused', class: 'auth', status: 401, said: 'wrong org in the header' };
  const blaming =
    (bad: string): Post =>
    (_, batch) =>
      answered(
        batch.map(
          ({ message }): Outcome => (message.partitionKey === bad ? refused : { kind: 'acknowledged' }),
        ),
      );
  /** Takes the first request, and none of the next until the one that is named, whatever its token. */
  const refusingAll = (until: number): Post => {
    let number = 0;
    return (_, batch) => {
      number++;
      return number > 1 && number <= until ? answered(batch.map(() => refused)) : all(batch);
    };
  };
  /** Gives a new token each time, and counts them. */
  const tokens = () => {
    const tokenOf = (number: number) => new Session(`token-${number}`, 'c', 'o');
    let [given, held] = [1, tokenOf(1)];
    return {
      current: () => Promise.resolve(held),
      accept: () => {},
      reject: () => {
        held = tokenOf(++given);
      },
      given: () => given,
    };
  };

  it('and gets a new one is about the message, where others are taken: it is rejected, and asks for no further token', async () => {
    const sessions = tokens();
    const { run, posts } = sending(blaming('!'), { sessions });
    const sent = await run('ab!,cd');
    expect(sent).toMatchObject({ verdicts: 'al bl !j cl dl', stop: undefined, acknowledged: 4 });
    expect(posts.slice(0, 2)).toEqual(['ab!', '!']);
    expect(sessions.given()).toBe(2);
  });

  it('is about the message where the inlet asks for no token', async () => {
    const { run, posts } = sending(blaming('!'));
    expect((await run('ab!,cd')).verdicts).toBe('al bl !j cl dl');
    expect(posts).toEqual(['ab!', 'cd']);
  });

  it('is about the token where nothing is taken: nothing is rejected', async () => {
    const sessions = tokens();
    const none: Post = (_, batch) => answered(batch.map(() => refused));
    const sent = await sending(none, { sessions }).run('ab,cd');
    expect(sent).toMatchObject({ verdicts: 'at bt ct dt', stop: { why: 'auth' } });
    expect(await sending(none).run('ab,cd')).toMatchObject({
      verdicts: 'at bt ct dt',
      stop: { why: 'auth', fault: true },
    });
  });

  it.each([0.02, 0.1, 0.3])(
    'that one entry in so many blames, now and then: %d, and nothing is rejected',
    async (share) => {
      for (let seed = 1; seed <= 20; seed++) {
        const random = seededRandom(seed);
        const inlet = fakeInlet(({ messages }) =>
          multi(
            messages.map((_, index) =>
              random() < share ? { status: 401, message: 'invalid token' } : { xactionId: `1:2:3:${index}` },
            ),
          ),
        );
        const w = world({ inlet, published: { authenticationRequired: true } });
        await w.run(Array.from({ length: 50 }, (_, n) => `{"n":${n}}`));
        expect(w.reasons(), `seed ${seed}`).toEqual([]);
      }
    },
  );

  it('that has gone bad since others were taken with it is tried again with the next one', async () => {
    const sessions = tokens();
    const numberOf = (session: Session | undefined) => Number(session?.accessToken.slice('token-'.length));
    // The second token is taken for one request only.
    const needs: Readonly<Record<string, number>> = { x: 1, '?': 3, c: 2, d: 3 };
    const post: Post = (name, batch, session) =>
      numberOf(session) >= (needs[name] as number) ? all(batch) : answered(batch.map(() => refused));
    expect((await sending(post, { sessions }).run('x,?,c,d')).verdicts).toBe('xl ?l cl dl');
    expect(sessions.given()).toBe(3);
  });

  it('and is about all for a while, whatever the token, costs no sound message', async () => {
    for (const until of [3, 4, 5]) {
      const { run } = sending(refusingAll(until), { sessions: tokens() });
      expect((await run('ab,cd,ef,gh')).verdicts, `until request ${until}`).not.toMatch(/.j/);
    }
  });

  it('and is about all for good, after some were taken, rejects nothing', async () => {
    const sent = await sending(refusingAll(Infinity), { sessions: tokens() }).run('ab,cd,ef,gh');
    expect(sent.verdicts).not.toMatch(/.j/);
    expect(sent.verdicts).toContain('al bl');
    expect(sent.stop).toBeDefined();
  });

  it('of a token that runs out meanwhile is believed: those messages are sent with the next one', async () => {
    const sessions = tokens();
    let old = 0;
    const { run } = sending(
      (_, batch, session) =>
        session?.accessToken === 'token-1' && old++ > 0 ? answered(batch.map(() => refused)) : all(batch),
      { sessions },
    );
    expect(await run('ab,cd,ef')).toMatchObject({ verdicts: 'al bl cl dl el fl', stop: undefined });
    expect(sessions.given()).toBe(2);
  });
});

describe('A 9, the forwarder, by the rules of Lambda', () => {
  it.each([200, '200', null])('(a): successes whose status is %j are taken once each', async (status) => {
    const load: Load = new Load({
      trouble: () => (asked) => {
        asked.take(asked.texts);
        return answerOf(207, { responses: asked.entries.map((entry) => ({ ...entry, status })) });
      },
    });
    for (let n = 0; n < 50; n++) load.produce(`key-${n}`, (m) => `{"n":${m}}`);
    await load.drain(undefined, 20_000);
    expect([load.pending, load.duplicates, load.taken.size]).toEqual([0, 0, 50]);
  });

  /** Takes some, refuses some, and answers with entries that are swapped, doubled, or another request's. */
  function confused(random: () => number, earlier: object[][]) {
    return ({ texts, take }: Asked): Answer => {
      const own = Math.floor(random() * 1e9);
      const honest = texts.map((text, at) => {
        if (/"refused"/.test(text)) return { xactionId: `b-${own}-${at}`, status: 400, message: 'no' };
        if (random() < 0.2) return { xactionId: `b-${own}-${at}`, status: 503, message: 'later' };
        take([text]);
        return { xactionId: `b-${own}-${at}` };
      });
      earlier.push(honest);
      if (texts.length === 1) return answerOf(207, { responses: honest });
      const swapped = [...honest.slice(1), honest[0]];
      const foreign = earlier.filter(({ length }) => length !== texts.length);
      const another = foreign[Math.floor(random() * foreign.length)];
      const choices = [
        honest,
        swapped,
        [...honest.slice(1), honest[1]],
        [...honest].reverse(),
        another ?? honest,
      ];
      return answerOf(207, { responses: choices[Math.floor(random() * choices.length)] });
    };
  }

  it('(b): whatever order and whosever ids come: nothing is lost, and nothing is stored that was taken', async () => {
    const random = seededRandom(20_261_128);
    const answer = confused(random, []);
    const load: Load = new Load({ random, trouble: () => answer });
    for (let n = 0; n < 1_200; n++)
      load.produce(`key-${n % 31}`, (m) => (m % 40 === 7 ? `{"n":${m},"a":"refused"}` : `{"n":${m}}`));
    await load.drain(() => 1 + Math.floor(random() * 12));
    expect(load.wrong).toEqual([]);
    expect(load.lost).toEqual([]);
    expect([...load.stored.keys()].filter((n) => load.taken.has(n))).toEqual([]);
    expect(load.stored.size).toBe(30);
  });

  it('(c): a 2xx that says nothing is asked again ever more seldom, is counted, and holds nothing once it is over', async () => {
    let over = false;
    const load: Load = new Load({
      trouble: () =>
        over
          ? undefined
          : ({ texts, take }) => {
              take(texts);
              return answerOf(200, {});
            },
    });
    for (let n = 0; n < 50; n++) load.produce(`key-${n}`, (m) => `{"n":${m}}`);
    await load.drain(undefined, 3_600_000);
    expect(load.pending).toBe(50);
    // Twice together and once alone, and then one alone in each of the tries that an hour has: after 5, 10, 20 and 40 s.
    expect(Math.max(...load.taken.values())).toBeLessThanOrEqual(95);
    expect(load.metrics.RepliesUnclear).toBeGreaterThanOrEqual(60);
    expect(load.metrics.RepliesUnclear).toBeLessThanOrEqual(95);
    over = true;
    const healed = load.time.now;
    await load.drain();
    expect(load.pending).toBe(0);
    expect(load.time.now - healed).toBeLessThanOrEqual(60_000);
  });

  it('(c): the log says that it stops for that, and that the inlet is left alone', async () => {
    const w = world({ inlet: fakeInlet(() => json(200, {})) });
    await w.run(['{"n":1}', '{"n":2}']);
    await w.run(['{"n":1}', '{"n":2}'], 4_000);
    const stopped = w.lines
      .filter(({ message }) => message === 'forwarded')
      .map(({ fields }) => fields.stopped);
    expect(stopped).toEqual(['unclear', 'held-off']);
    expect(w.inlet.requests).toHaveLength(3);
    expect(w.counted.RepliesUnclear).toBe(3);
  });

  it('(c): is asked about with one message of all lanes; once that is made out, all go', async () => {
    let clear = false;
    const clock = virtualClock();
    const { run, posts } = sending(
      (name, batch, session) => (clear ? all(batch) : unknown(name, batch, session)),
      {
        clock,
        limits: createLimits(clock),
        budgetMs: () => 3_600_000,
      },
    );
    const texts = ['ab', 'cd', 'ef', 'gh', 'ij', 'kl', 'mn', 'op'];
    await run(...texts);
    posts.splice(0);
    expect(await run(...texts)).toMatchObject({ unclear: 1, stop: { why: 'unclear' } });
    expect(posts).toEqual(['a']);
    clear = true;
    expect(await run(...texts)).toMatchObject({ acknowledged: 16, stop: undefined });
  });

  it('(c): is asked with a message that then fails by itself: that is sent with no other, and counted once', async () => {
    let failures = 0;
    const isDown = () => failures++ < 5;
    const { run, sender } = sending((name, batch) =>
      name.includes('?') && isDown() ? failed('transient', undefined, 500) : all(batch),
    );
    sender.standing.unclear();
    expect(await run('?a,b')).toMatchObject({ verdicts: '?l al bl', acknowledged: 3, stop: undefined });
  });

  it('(c): one that is made out ends it: the next break is as short as the first', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock);
    let clear = false;
    const { run } = sending((name, batch, session) => (clear ? all(batch) : unknown(name, batch, session)), {
      clock,
      limits,
      budgetMs: () => 3_600_000,
    });
    const breakOf = async () => {
      const before = clock.now();
      await run('a');
      return clock.now() - before;
    };
    await run('a');
    const breaks = [await breakOf(), await breakOf(), await breakOf()];
    expect(breaks.map((ms) => Math.floor(ms / 5_000))).toEqual([1, 2, 4]);
    clear = true;
    await run('a');
    clear = false;
    await run('a');
    expect(Math.floor((await breakOf()) / 5_000)).toBe(1);
  });
});

describe('A 9 (b): a 207 through the forwarder', () => {
  it('whose ids and places disagree loses neither', async () => {
    let turn = 0;
    const inlet = fakeInlet(({ messages }) =>
      turn++ < 2 && messages.length === 2
        ? multi([{ xactionId: 'b-1' }, { xactionId: 'b-0', status: 503 }])
        : multi(messages.map((_, index) => ({ xactionId: `b-${index}` }))),
    );
    const w = world({ inlet });
    expect(await w.run(['{"n":1}', '{"n":2}'])).toEqual({ batchItemFailures: [] });
    expect(inlet.requests.map(({ messages }) => messages.length)).toEqual([2, 2, 1, 1]);
  });
});
