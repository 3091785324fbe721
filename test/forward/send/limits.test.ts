import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLimits, type Limits, MAX_AT_ONCE, type Slot } from '../../../lib/forward/send/limits.ts';
import { seededRandom } from '../../../local/aep/ids.ts';
import { virtualClock } from '../../support/forwarding.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const never = new Promise<void>(() => {});
const plenty = () => 60_000;

async function enter(limits: Limits, messages = 1): Promise<Slot> {
  const slot = await limits.enter(messages, plenty, never);
  if (typeof slot === 'string') throw new Error(slot);
  return slot;
}

async function answered(limits: Limits, outcome: Parameters<Slot['leave']>[0], times = 1): Promise<void> {
  for (let turn = 0; turn < times; turn++) (await enter(limits)).leave(outcome);
}

/** So many requests side by side, all with the same outcome. */
async function wave(limits: Limits, requests: number, outcome: Parameters<Slot['leave']>[0]): Promise<void> {
  const slots = await Promise.all(Array.from({ length: requests }, () => enter(limits)));
  for (const slot of slots) slot.leave(outcome);
}

describe('requests at once', () => {
  it('are halved where the inlet pushes back, never below one, and grow back one by one', async () => {
    const limits = createLimits(virtualClock());
    const seen: number[] = [limits.atOnce];
    for (let turn = 0; turn < 6; turn++) {
      await wave(limits, limits.atOnce, 'pushed-back');
      seen.push(limits.atOnce);
    }
    expect(seen).toEqual([16, 8, 4, 2, 1, 1, 1]);
    const grown: number[] = [];
    // One, two, three, … successes: 120 until there are sixteen again.
    for (let turn = 0; turn < 120; turn++) {
      await answered(limits, 'accepted');
      grown.push(limits.atOnce);
    }
    expect(grown[0]).toBe(2);
    expect(grown.slice(0, 3)).toEqual([2, 2, 3]);
    expect(grown.slice(-2)).toEqual([MAX_AT_ONCE - 1, MAX_AT_ONCE]);
    await answered(limits, 'accepted', 100);
    expect(limits.atOnce).toBe(MAX_AT_ONCE);
  });

  it.each([
    [6, 3],
    [8, 4],
    [1, 1],
    [16, 8],
  ])(
    'become half of the %i that were under way when the inlet pushed back, once for all of them',
    async (n, half) => {
      const limits = createLimits(virtualClock());
      await wave(limits, n, 'accepted');
      await wave(limits, n, 'pushed-back');
      expect(limits.atOnce).toBe(half);
    },
  );

  it('become half of the most since the last time, so that what was lately refused counts', async () => {
    const limits = createLimits(virtualClock());
    await wave(limits, 8, 'accepted');
    await wave(limits, 6, 'pushed-back');
    expect(limits.atOnce).toBe(4);
    await wave(limits, 2, 'pushed-back');
    expect(limits.atOnce).toBe(2);
  });

  it('are halved again by what waited for the end of a break, and left after it', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock);
    const first = await enter(limits);
    limits.holdOff(1_000);
    const waiting = Promise.all(Array.from({ length: 5 }, () => enter(limits)));
    first.leave('pushed-back');
    expect(limits.atOnce).toBe(3);
    for (const slot of await waiting) slot.leave('pushed-back');
    expect(limits.atOnce).toBe(1);
  });

  it('other failures change nothing', async () => {
    const limits = createLimits(virtualClock());
    await answered(limits, 'other', 20);
    expect(limits.atOnce).toBe(MAX_AT_ONCE);
  });

  it('are never more than the limit, and nobody waits for ever', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('accepted' as const, 'pushed-back' as const, 'other' as const), {
          minLength: 1,
          maxLength: 60,
        }),
        async (outcomes) => {
          const limits = createLimits(virtualClock());
          let [open, done] = [0, 0];
          await Promise.all(
            outcomes.map(async (outcome) => {
              const before = limits.atOnce;
              const slot = await enter(limits);
              open++;
              expect(open).toBeLessThanOrEqual(MAX_AT_ONCE);
              // What was let in before the limit fell may still be under way; nothing is let in above it.
              expect(open).toBeLessThanOrEqual(Math.max(before, limits.atOnce, open - 1));
              await new Promise(setImmediate);
              open--;
              done++;
              slot.leave(outcome);
            }),
          );
          expect([open, done]).toEqual([0, outcomes.length]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('wait for a place while the limit is low', async () => {
    const limits = createLimits(virtualClock());
    await answered(limits, 'pushed-back');
    expect(limits.atOnce).toBe(1);
    const first = await enter(limits);
    let second = false;
    const waiting = enter(limits).then((slot) => {
      second = true;
      return slot;
    });
    await new Promise(setImmediate);
    expect(second).toBe(false);
    first.leave('other');
    (await waiting).leave('other');
    expect(second).toBe(true);
  });
});

describe('the rate', () => {
  it.each([
    ['requests', { requestsPerSecond: 10 }, 1, 10],
    ['messages', { messagesPerSecond: 1_000 }, 100, 10],
  ])('of %s is kept over any time', async (_, rate, messages, perSecond) => {
    const clock = virtualClock();
    const limits = createLimits(clock, rate);
    const begun = clock.now();
    for (let n = 1; n <= 200; n++) {
      (await enter(limits, messages)).leave('accepted');
      // A second's worth may go at once; from then on it is the rate.
      expect(n).toBeLessThanOrEqual(perSecond + ((clock.now() - begun) * perSecond) / 1_000 + 1);
    }
    expect((clock.now() - begun) / 1_000).toBeGreaterThan(18.5);
    expect((clock.now() - begun) / 1_000).toBeLessThan(20);
  });

  it('A 11: is a ceiling in every second as the inlet sees it: after idle times too, and whatever the network does', async () => {
    const story = fc.record({
      requestsPerSecond: fc.integer({ min: 1, max: 20 }),
      messagesPerSecond: fc.integer({ min: 50, max: 400 }),
      seed: fc.nat(),
      senders: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ senders, seed, ...rate }) => {
        const clock = new VirtualTime({ now: 0 });
        const random = seededRandom(seed);
        const limits = createLimits(clock, rate);
        const arrivals: { at: number; messages: number }[] = [];
        const sender = async () => {
          for (let n = 0; n < 15; n++) {
            if (random() < 0.3) await clock.sleep(random() * 5_000);
            const messages = 1 + Math.floor(random() * 50);
            const slot = await limits.enter(messages, plenty, never);
            if (typeof slot === 'string') throw new Error(slot);
            await clock.sleep(random() * 400);
            arrivals.push({ at: clock.now(), messages });
            await clock.sleep(random() * 400);
            slot.leave('accepted');
          }
        };
        await Promise.all(Array.from({ length: senders }, sender));
        arrivals.forEach(({ at }, first) => {
          const second = arrivals.slice(first).filter((one) => one.at < at + 1_000);
          expect(second.length).toBeLessThanOrEqual(rate.requestsPerSecond);
          expect(second.reduce((sum, { messages }) => sum + messages, 0)).toBeLessThanOrEqual(
            rate.messagesPerSecond,
          );
        });
      }),
      { numRuns: 100, seed: 20_261_128 },
    );
  });

  it('that allows none in time is told as late, and takes nothing', async () => {
    const clock = virtualClock();
    const limits = createLimits(clock, { messagesPerSecond: 10 });
    (await enter(limits, 10)).leave('accepted');
    expect(await limits.enter(5, () => 400, never)).toBe('late');
    expect(clock.slept).toEqual([]);
    await clock.sleep(500);
    (await enter(limits, 5)).leave('accepted');
    // What goes at once counts for a whole second.
    expect(clock.slept).toEqual([500, 500]);
  });

  it('ends its wait where everything stops', async () => {
    const asleep = { now: () => 0, sleep: () => never };
    const limits = createLimits(asleep, { requestsPerSecond: 1 });
    await enter(limits);
    const slot = await limits.enter(1, plenty, Promise.resolve());
    expect(slot).not.toBe('late');
  });

  it('does not mind a clock that is set back', async () => {
    let now = 1_000_000;
    const limits = createLimits({ now: () => now, sleep: async () => {} }, { requestsPerSecond: 2 });
    await enter(limits);
    now = 0;
    await enter(limits);
    expect(await limits.enter(1, () => 400, never)).toBe('late');
  });
});

describe('an inlet that is to be left alone', () => {
  it('and says so again meanwhile is left alone until then, also by those who wait already', async () => {
    const clock = new VirtualTime({ now: 0 });
    const limits = createLimits(clock);
    limits.holdOff(5_000);
    const waiting = enter(limits).then(() => clock.now());
    const told = clock.sleep(1_000).then(() => limits.holdOff(20_000));
    await told;
    expect(await waiting).toBe(21_000);
    limits.holdOff(5_000);
    const late = limits.enter(1, () => 26_000 - clock.now(), never);
    await clock.sleep(1_000).then(() => limits.holdOff(20_000));
    expect(await late).toBe('held-off');
  });
});

describe('retries', () => {
  it('A 11: 35 are paid for out of the bucket, 100 where they are throttled; then every one is bought by successes or by time', async () => {
    for (const [throttled, cost, least] of [
      [false, 14, 35],
      [true, 5, 100],
    ] as const) {
      const clock = virtualClock();
      const limits = createLimits(clock);
      let paid = 0;
      while (limits.payRetry(throttled)) paid++;
      expect(paid).toBe(least);
      await answered(limits, 'accepted', cost);
      expect([limits.payRetry(throttled), limits.payRetry(throttled)]).toEqual([true, false]);
      await clock.sleep(cost * 2_000);
      expect([limits.payRetry(throttled), limits.payRetry(throttled)]).toEqual([true, false]);
    }
  });
});
