import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, CONTROL_PLANE, retryAfterMs } from '../../lib/aep/retry.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('retryAfterMs', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    [' 7 ', 7_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['-5', undefined],
    ['abc', undefined],
    ['1.5', undefined],
    ['', undefined],
    [null, undefined],
  ])('B 35: %j', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

describe('backoffMs', () => {
  it('stays between what was asked for and the ceiling above it', () => {
    const cases = fc.record({
      attempt: fc.integer({ min: 1, max: 60 }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
      throttled: fc.boolean(),
      retryAfter: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(cases, ({ attempt, random, throttled, retryAfter }) => {
        const wait = backoffMs(CONTROL_PLANE, attempt, random, { throttled, retryAfterMs: retryAfter });
        expect(wait).toBeGreaterThanOrEqual(retryAfter ?? 0);
        expect(wait).toBeLessThanOrEqual((retryAfter ?? 0) + CONTROL_PLANE.capMs);
      }),
    );
  });

  it('has full jitter: from nothing to the whole ceiling, which doubles', () => {
    expect(backoffMs(CONTROL_PLANE, 1, 0)).toBe(0);
    expect(backoffMs(CONTROL_PLANE, 1, 0.999)).toBe(500);
    expect(backoffMs(CONTROL_PLANE, 3, 0.5)).toBe(1_000);
    expect(backoffMs(CONTROL_PLANE, 1, 0.5, { throttled: true })).toBe(500);
  });
});
