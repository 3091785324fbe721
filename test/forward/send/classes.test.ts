import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextStep, RULES, SERVER_ERROR, type Untaken } from '../../../lib/forward/send/classes.ts';

const KINDS = Object.keys(RULES) as Untaken['class'][];
const untaken: fc.Arbitrary<Untaken> = fc
  .record({
    class: fc.constantFrom(...KINDS),
    status: fc.constantFrom(undefined, 200, 400, 401, 429, 500, 502, 503),
    messages: fc.integer({ min: 1, max: 64 }),
    beside: fc.integer({ min: 0, max: 3 }),
    attempt: fc.integer({ min: 1, max: 7 }),
    searching: fc.boolean(),
  })
  .map(({ beside, ...one }) => ({ ...one, asked: one.messages + beside }));

/** Where all paths end if every answer is the same, and how many steps the longest has. */
function endsOf(one: Untaken): { ends: Set<string>; steps: number } {
  const step = nextStep(one);
  const again = (more: Partial<Untaken>) => endsOf({ ...one, ...more });
  const last = (end: string) => ({ ends: new Set([end]), steps: 1 });
  const plus = (...parts: { ends: Set<string>; steps: number }[]) => ({
    ends: new Set(parts.flatMap(({ ends }) => [...ends])),
    steps: 1 + Math.max(...parts.map(({ steps }) => steps)),
  });
  const unpaid = step.do === 'repeat' ? step.unpaid : undefined;
  switch (step.do) {
    case 'repeat':
      expect(unpaid?.do).not.toBe('repeat');
      return plus(again({ attempt: one.attempt + 1 }));
    case 'renew':
      return plus(again({ attempt: one.attempt + 1 }));
    case 'halve': {
      const half = Math.ceil(one.messages / 2);
      const fresh = { attempt: 1, searching: step.searching };
      return plus(
        again({ ...fresh, messages: half, asked: half }),
        again({ ...fresh, messages: one.messages - half, asked: one.messages - half }),
      );
    }
    case 'single':
      return plus(again({ messages: 1, asked: 1 }));
    case 'doubt':
      return last(step.state);
    case 'stop':
      return last(step.why);
  }
}

describe('B 4: what is done next about messages that were not taken', () => {
  it('always ends, however often the same answer comes, and in the same way for all messages', () => {
    fc.assert(
      fc.property(untaken, (one) => {
        const { ends, steps } = endsOf(one);
        expect(ends.size).toBe(1);
        expect(steps).toBeLessThanOrEqual(20);
      }),
      { numRuns: 1_000, seed: 20_261_128 },
    );
  });

  it.each([
    ['throttled', 429, 'attempts'],
    ['transient', 503, 'attempts'],
    ['transient', 500, 'failed'],
    ['unknown', 200, 'unclear'],
    ['auth', 401, 'auth'],
    ['data', 400, 'refused'],
    ['too-large', 413, 'refused'],
    ['set-up', 404, 'set-up'],
  ] as const)('%s (%i) ends as %s', (kind, status, end) => {
    const first = { class: kind, status, messages: 9, asked: 9, attempt: 1, searching: false };
    expect([...endsOf(first).ends]).toEqual([end]);
  });

  it('is never a doubt about a message for what the service does to all, but for a processing error', () => {
    fc.assert(
      fc.property(untaken, (one) => {
        const isAboutRecords =
          ['data', 'too-large'].includes(one.class) || one.status === SERVER_ERROR.status;
        if (!isAboutRecords) for (const end of endsOf(one).ends) expect(end).not.toMatch(/refused|failed/);
      }),
      { numRuns: 1_000, seed: 20_261_129 },
    );
  });
});
