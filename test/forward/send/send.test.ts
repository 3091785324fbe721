import { describe, expect, it } from 'vitest';
import { Session } from '../../../lib/aep/token.ts';
import { Failure } from '../../../lib/failure.ts';
import { checkConservation } from '../../../lib/forward/conservation.ts';
import { HANDFUL, SERVER_ERROR } from '../../../lib/forward/send/classes.ts';
import { createLimits, MAX_AT_ONCE } from '../../../lib/forward/send/limits.ts';
import { turn } from '../../support/eventually.ts';
import { virtualClock } from '../../support/forwarding.ts';
import { all, answered, failed, type Post, sending } from '../../support/sending.ts';

describe('lanes', () => {
  it('go side by side, each with one request at a time and in order', async () => {
    const open = new Map<string, number>();
    let most = 0;
    const { run, posts } = sending(async (name, batch) => {
      const lane = name < 'd' ? 'one' : 'two';
      open.set(lane, (open.get(lane) ?? 0) + 1);
      expect(open.get(lane)).toBe(1);
      most = Math.max(
        most,
        [...open.values()].reduce((sum, count) => sum + count),
      );
      await turn();
      open.set(lane, 0);
      return all(batch);
    });
    const sent = await run('a,b,c', 'd,e,f');
    expect(most).toBe(2);
    expect(posts.filter((name) => name < 'd')).toEqual(['a', 'b', 'c']);
    expect(posts.filter((name) => name >= 'd')).toEqual(['d', 'e', 'f']);
    expect(sent).toMatchObject({ acknowledged: 6, requests: 6, stop: undefined });
  });

  it('all stop when one does; what is under way is still heard', async () => {
    const { run, posts } = sending((name, batch) => (name === 'a' ? failed('set-up') : all(batch)));
    const sent = await run('a,b', 'c,d,e');
    expect(posts).toEqual(['a', 'c']);
    expect(sent.verdicts).toBe('at bt cl dt et');
    expect(sent.stop).toMatchObject({ why: 'set-up', fault: true });
  });

  it('that wait are woken when another one stops', async () => {
    const forever = { sleep: () => new Promise<void>(() => {}) };
    const { run } = sending((name) => (name === 'a' ? failed('throttled') : failed('set-up')), {
      clock: forever,
    });
    expect((await run('a', 'b')).stop).toMatchObject({ why: 'set-up' });
  });

  it('end together with a defect, after all of them have ended', async () => {
    let ended = 0;
    const { run, posts } = sending(async (name, batch) => {
      if (name === 'a') throw new RangeError('defect');
      await turn();
      ended++;
      return all(batch);
    });
    await expect(run('a', 'b,c')).rejects.toThrow(RangeError);
    expect([ended, posts]).toEqual([1, ['a', 'b']]);
  });
});

describe('retries', () => {
  it.each([
    ['transient', 5, [250, 500, 999, 1_998]],
    ['throttled', 6, [999, 1_998, 3_996, 7_992, 7_992]],
  ] as const)('%s: %i tries under a doubling ceiling', async (kind, tries, ceilings) => {
    const { run, posts, clock } = sending(() => failed(kind));
    const sent = await run('ab');
    expect(posts).toEqual(Array(tries).fill('ab'));
    expect(clock.slept.every((ms, at) => Math.abs(ms - (ceilings[at] ?? 0)) <= 2)).toBe(true);
    expect(sent).toMatchObject({
      verdicts: 'at bt',
      stop: { why: 'attempts', fault: false },
      retries: tries - 1,
    });
  });

  it('send again only what is unresolved', async () => {
    let turn = 0;
    const { run, posts } = sending((_, batch) =>
      turn++ === 0
        ? answered([
            { kind: 'acknowledged' },
            { kind: 'refused', class: 'transient', status: 503, said: '' },
            { kind: 'refused', class: 'data', status: 400, said: 'bad' },
            { kind: 'unknown' },
          ])
        : all(batch),
    );
    const sent = await run('abcd,e');
    expect(posts).toEqual(['abcd', 'bd', 'e']);
    expect(sent.verdicts).toBe('al bl cj dl el');
    expect(sent.acknowledged).toBe(4);
    expect(sent.settled[2]?.verdict).toEqual({ kind: 'rejected', reason: 'refused', text: '400: bad' });
  });

  it('end in time: sleeping and sending stay within the budget', async () => {
    for (const budget of [0, 249, 250, 700, 3_000, 12_345]) {
      const { run, posts, timeouts, clock } = sending(() => failed('throttled'), { budget });
      const sent = await run('a');
      expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(budget);
      expect(posts.length).toBe(budget < 250 ? 0 : clock.slept.length + 1);
      expect(Math.max(0, ...timeouts)).toBeLessThanOrEqual(budget);
      expect(sent.stop?.why).toBe('time');
    }
  });

  it('of an answer that says nothing end after one, and one of a single message: each may make a copy', async () => {
    const { run, posts } = sending((_, batch) => answered(batch.map(() => ({ kind: 'unknown' }))));
    const sent = await run('abc');
    expect(posts).toEqual(['abc', 'abc', 'a']);
    expect(sent.settled.map(({ verdict }) => verdict.kind)).toEqual(['retry', 'retry', 'retry']);
    expect(sent.stop).toMatchObject({ why: 'unclear', fault: false });
  });
});

describe('division', () => {
  it.each(['data', 'too-large'] as const)(
    '%s: finds every culprit, and the order of the rest stays',
    async (kind) => {
      for (const culprits of ['a', 'p', 'gh', 'afkp', 'abcdefghijklmn']) {
        const accepted: string[] = [];
        const { run } = sending((name, batch) => {
          if ([...name].some((one) => culprits.includes(one))) return failed(kind);
          accepted.push(name);
          return all(batch);
        });
        const sent = await run('abcdefghijklmnop');
        const rest = [...'abcdefghijklmnop'].filter((one) => !culprits.includes(one));
        // Where more than a handful fail in a row, one that is taken is looked for among the others.
        const order = culprits.length > HANDFUL ? accepted.toSorted() : accepted;
        expect(order.join('')).toBe(rest.join(''));
        expect(
          sent.settled
            .filter(({ verdict }) => verdict.kind === 'rejected')
            .map(({ message }) => message.partitionKey)
            .join(''),
        ).toBe(culprits);
        expect(sent.settled.find(({ verdict }) => verdict.kind === 'rejected')?.verdict).toMatchObject({
          reason: kind === 'data' ? 'refused' : 'too-large',
          text: 'no',
        });
      }
    },
  );
});

describe('a processing error', () => {
  const serverError = () => failed('transient', undefined, 500);
  const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(20);

  it('that a record makes every time costs that record alone', async () => {
    for (const culprits of ['a', 'p', 'gh', 'afkp']) {
      const { run } = sending((name, batch) =>
        [...name].some((one) => culprits.includes(one)) ? serverError() : all(batch),
      );
      const sent = await run('bcd', 'abcdefghijklmnop'.replace(/[bcd]/g, ''));
      const rejects = sent.settled.filter(({ verdict }) => verdict.kind === 'rejected');
      expect(rejects.map(({ message }) => message.partitionKey).join('')).toBe(culprits);
      expect(rejects[0]?.verdict).toEqual({ kind: 'rejected', reason: 'refused', text: 'no' });
      expect(sent).toMatchObject({ stop: undefined, acknowledged: 16 - culprits.length });
    }
  });

  it('costs that record alone wherever it stands, though nothing else is on its way', async () => {
    for (let at = 0; at < 10; at++) {
      const { run } = sending((name, batch) => (name.includes('!') ? serverError() : all(batch)));
      const name = `${'a'.repeat(at)}!${'a'.repeat(9 - at)}`;
      const sent = await run(name);
      expect(sent.verdicts).toBe([...name].map((one) => one + (one === '!' ? 'j' : 'l')).join(' '));
      expect(sent).toMatchObject({ stop: undefined, acknowledged: 9 });
    }
  });

  it('A 7: of 1 % of 2,000 records costs those alone, in one invocation, even with no retry left', async () => {
    const { run, clock, posts } = sending(
      (name, batch) => (name.includes('!') ? serverError() : all(batch)),
      {
        limits: { ...createLimits(virtualClock()), payRetry: () => false },
      },
    );
    const name = `!${'a'.repeat(98)}!`.repeat(20);
    const sent = await run(name, 'b');
    const rejects = sent.settled.filter(({ verdict }) => verdict.kind === 'rejected');
    expect(rejects.map(({ message }) => message.partitionKey).join('')).toBe('!'.repeat(40));
    expect(sent).toMatchObject({ stop: undefined, acknowledged: 1_961 });
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000);
    expect(posts.length).toBeLessThan(900);
  });

  it('of a record that passes is no reason to reject it', async () => {
    let times = 0;
    const { run } = sending((name, batch) =>
      name.includes('!') && ++times <= 10 ? serverError() : all(batch),
    );
    expect((await run('!a,b')).verdicts).toBe('!l al bl');
  });

  it('of several at the head of all there is does not keep the rest waiting', async () => {
    const { run } = sending((name, batch) => (name.includes('!') ? serverError() : all(batch)));
    expect((await run('!!!!!ab,c')).verdicts).toBe('!j !j !j !j !j al bl cl');
  });

  it('of one among 520 in a request is found with the retries there are', async () => {
    const { run, clock } = sending((name, batch) => (name.includes('!') ? serverError() : all(batch)));
    const sent = await run(`${letters.slice(0, 99)}!${letters.slice(99)}`);
    expect(sent).toMatchObject({ stop: undefined, acknowledged: 520 });
    expect(clock.slept.reduce((sum, ms) => sum + ms)).toBeLessThan(20_000);
  });

  it('told of one message in a 207 costs that message alone, after as many tries', async () => {
    const { run, posts } = sending((_, batch) =>
      answered(
        batch.map(({ message }) =>
          message.partitionKey === 'b'
            ? { kind: 'refused', class: 'transient', status: 500, said: 'broken' }
            : { kind: 'acknowledged' },
        ),
      ),
    );
    const sent = await run('abc,d');
    expect(sent.verdicts).toBe('al bj cl dl');
    // d is taken before b is tried, and once more after.
    expect(posts).toEqual(['abc', ...Array(4).fill('b'), 'd', ...Array(SERVER_ERROR.passes).fill('b'), 'd']);
  });

  it('of everything is an outage: nothing is rejected, and the retries are bounded', async () => {
    const { run, posts } = sending(serverError);
    const sent = await run(letters.slice(0, 64), letters.slice(0, 64));
    expect(sent.settled.every(({ verdict }) => verdict.kind === 'retry')).toBe(true);
    expect(sent.stop).toMatchObject({ why: 'attempts', fault: false });
    expect(posts.length).toBeLessThan(50);
  });
});

describe('limits', () => {
  it('A 11: an inlet that is down for ten minutes is sent little more than once what comes, and then all at once', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock);
    let [up, requests] = [false, 0];
    const deadline = () => clock.now() + 58_000;
    const invoke = async () => {
      const end = deadline();
      const { run } = sending((_, batch) => (up ? all(batch) : failed('transient', undefined, 503)), {
        clock,
        limits,
        budgetMs: () => end - clock.now(),
      });
      const sent = await run('a', 'b', 'c', 'd', 'e', 'f');
      requests += sent.requests;
      return sent;
    };
    const shares: number[] = [];
    for (let turn = 0; turn < 100; turn++) {
      const before = requests;
      await invoke();
      shares.push((requests - before) / 6);
      await clock.sleep(6_000);
    }
    expect(shares.reduce((sum, share) => sum + share) / 100).toBeLessThan(1.5);
    expect(Math.max(...shares.slice(-50))).toBeLessThanOrEqual(1.4);
    up = true;
    const healed = clock.now();
    expect((await invoke()).acknowledged).toBe(6);
    while (limits.atOnce < 8) await invoke();
    expect(clock.now() - healed).toBeLessThan(60_000);
  });

  it('of requests at once hold for the lanes', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock, {}, 2);
    let [open, most] = [0, 0];
    const { run } = sending(
      async (_, batch) => {
        most = Math.max(most, ++open);
        await turn();
        open--;
        return all(batch);
      },
      { limits, clock },
    );
    expect((await run('a,b', 'c,d', 'e,f', 'g,h')).acknowledged).toBe(8);
    expect(most).toBe(2);
  });

  it('fall where one message is told to come later, and a rate that leaves no time ends in time', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock, { messagesPerSecond: 2 });
    const end = clock.now() + 3_000;
    let turn = 0;
    const { run } = sending(
      (_, batch) =>
        turn++ === 0
          ? answered([
              { kind: 'acknowledged' },
              { kind: 'refused', class: 'throttled', status: 429, said: '' },
            ])
          : all(batch),
      { limits, clock, budgetMs: () => end - clock.now() },
    );
    const sent = await run('ab,cd,ef,gh,ij,kl');
    expect(limits.atOnce).toBeLessThan(MAX_AT_ONCE);
    expect(sent.stop).toMatchObject({ why: 'time' });
    expect(sent.acknowledged).toBeGreaterThan(2);
    expect(clock.now()).toBeLessThanOrEqual(end);
  });
});

describe('tokens', () => {
  function sessions() {
    let count = 1;
    let held = new Session('token-1', 'c', 'o');
    return {
      rejected: [] as string[],
      current: async () => held,
      accept: () => {},
      reject(session: Session) {
        if (session !== held) return;
        this.rejected.push(session.accessToken);
        held = new Session(`token-${++count}`, 'c', 'o');
      },
    };
  }

  it('are renewed once for all lanes', async () => {
    const held = sessions();
    const { run, posts } = sending(
      (_, batch, session) => (session?.accessToken === 'token-1' ? failed('auth') : all(batch)),
      { sessions: held },
    );
    const sent = await run('a,b', 'c,d', 'e,f');
    expect(held.rejected).toEqual(['token-1']);
    expect([sent.acknowledged, sent.stop, posts.length]).toEqual([6, undefined, 9]);
  });

  it('that are refused twice stop everything', async () => {
    const held = sessions();
    const { run, posts } = sending(() => failed('auth'), { sessions: held });
    const sent = await run('a,b');
    expect([held.rejected, posts]).toEqual([['token-1'], ['a', 'a']]);
    expect(sent.stop).toMatchObject({ why: 'auth', fault: false });
  });

  it('are asked of nobody where the inlet wants none', async () => {
    const { run, posts } = sending(() => failed('auth'));
    expect((await run('a,b')).stop?.why).toBe('auth');
    expect(posts).toEqual(['a']);
  });

  it.each([
    ['IMS_REFUSED', true],
    ['AEP_UNREACHABLE', false],
  ] as const)('that cannot be had (%s) stop everything; fault: %s', async (code, fault) => {
    let asked = 0;
    const broken = {
      current: () => {
        asked++;
        return Promise.reject(new Failure(code, 'x'));
      },
      accept: () => {},
      reject: () => {},
    };
    const { run, posts } = sending((_, batch) => all(batch), { sessions: broken });
    const sent = await run('a,c,d', 'b');
    expect([posts, asked]).toEqual([[], 2]);
    expect(sent).toMatchObject({ verdicts: 'at ct dt bt', stop: { why: 'token', fault, failure: { code } } });
  });

  it('that do not come in time stop everything', async () => {
    const slow = { current: () => new Promise<never>(() => {}), accept: () => {}, reject: () => {} };
    const { run } = sending((_, batch) => all(batch), { sessions: slow, budgetMs: () => 300 });
    expect((await run('a')).stop?.why).toBe('time');
  });
});

const NONE = { known: 0, filtered: 0, stored: 0, unresolved: 0 };

describe('conservation', () => {
  it.each([1, -1])('an inlet whose acknowledgements are miscounted by %i does not add up', async (by) => {
    const { run } = sending((_, batch) =>
      answered(
        batch.map(() => ({ kind: 'acknowledged' })),
        batch.length + by,
      ),
    );
    const { acknowledged, settled } = await run('abc');
    expect(settled).toHaveLength(3);
    expect(() => checkConservation({ ...NONE, decoded: 3, acknowledged })).toThrow(/CONSERVATION/);
  });
});

describe('review E: a rate that leaves no time for the next request of a lane', () => {
  const atRate = (post: Post, messagesPerSecond: number, budget: number, strict = false) => {
    const clock = virtualClock();
    const end = clock.now() + budget;
    const limits = createLimits(clock, { messagesPerSecond });
    return sending(post, { clock, limits, budgetMs: () => end - clock.now(), strict });
  };

  it('puts back that lane alone: what fits of others goes on, and sending says that time ran out', async () => {
    const { run, posts } = atRate((_, batch) => all(batch), 5, 900);
    const sent = await run('abc', 'def', 'g', 'h');
    expect(posts).toEqual(['abc', 'g', 'h']);
    expect(sent).toMatchObject({ verdicts: 'al bl cl dt et ft gl hl', stop: { why: 'time', fault: false } });
  });

  it.each([false, true])('sends none of its lane ahead of it (strict order: %s)', async (strict) => {
    const { run, posts } = atRate((_, batch) => all(batch), 5, 900, strict);
    const sent = await run('abc', 'def,i', 'g', 'hj');
    expect(posts).toEqual(['abc', 'g']);
    expect(sent).toMatchObject({ verdicts: 'al bl cl dt et ft it gl ht jt', stop: { why: 'time' } });
  });

  it('says nothing of the set-up where there was no time to ask whether the inlet takes anything', async () => {
    const refused = () => failed('data', undefined, 400);
    const { run, posts } = atRate((name, batch) => (name === 'a' ? all(batch) : refused()), 7, 900);
    const sent = await run('a,!,!,!,!,!,!');
    expect(posts.join('')).toBe('a!!!!!!');
    expect(sent).toMatchObject({ verdicts: 'al !t !t !t !t !t !t', stop: { why: 'time', fault: false } });
  });
});
