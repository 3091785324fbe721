import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PROGRESS_BYTES } from '../../lib/bounds.ts';
import {
  batchMark,
  fittingProgress,
  lookFrom,
  placeIn,
  readOld,
  readSoFar,
  sweepOf,
  withFlows,
  withPlace,
} from '../../lib/reconcile/progress.ts';

const DAY = 86_400_000;
const now = 100 * DAY;
const NOTHING = readSoFar(undefined);
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('how far back', () => {
  it.each([
    ['30 days at first', undefined, now - 30 * DAY],
    ['7 days before the last whole sweep', now - 3_600_000, now - 7 * DAY - 3_600_000],
    ['from there also when that was long ago', now - 20 * DAY, now - 27 * DAY],
    ['30 days at most', now - 90 * DAY, now - 30 * DAY],
    ['7 days where the clock was set back', now + DAY, now - 7 * DAY],
  ])('%s', (_, complete, from) => {
    expect(lookFrom({ ...(complete !== undefined && { complete }) }, now)).toBe(from);
  });

  it('a sweep goes on where it was left, unless it is from the future, or too far back', () => {
    const sweep = {
      started: now - 5,
      from: now - 9 * DAY,
      status: 'failure',
      reached: now - DAY,
      whole: false,
    } as const;
    expect(sweepOf({ ...NOTHING, sweep }, now)).toEqual(sweep);
    expect(sweepOf({ ...NOTHING, sweep }, now - 10)).toMatchObject({ started: now - 10, whole: true });
    const late = sweepOf({ ...NOTHING, sweep }, now + 25 * DAY);
    expect(late).toMatchObject({ from: now - 5 * DAY, reached: now - DAY, status: 'failure' });
  });
});

describe('what is remembered', () => {
  it('A 3: is never more than fits, whatever flows and batches there are', () => {
    const place = { kind: 'failed', file: 'f'.repeat(12), lines: Number.MAX_SAFE_INTEGER } as const;
    const flow = fc.oneof(
      fc.string(),
      fc.nat(2_000).map((length) => '字'.repeat(length)),
    );
    const flows = fc.array(fc.array(flow, { maxLength: 300 }), { maxLength: 3 });
    const updates = fc.array(fc.nat(400), { maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(flows, updates, (lists, batches) => {
        let soFar = NOTHING;
        for (const list of lists) soFar = fittingProgress(withFlows(soFar, list));
        for (const updated of batches) {
          soFar = fittingProgress(withPlace(soFar, batchMark({ id: 'x'.repeat(updated), updated }), place));
          expect(bytesOf(soFar)).toBeLessThanOrEqual(MAX_PROGRESS_BYTES);
          expect(placeIn(soFar, batchMark({ id: 'x'.repeat(updated), updated }))).toEqual(place);
        }
        expect(readSoFar(JSON.parse(JSON.stringify(soFar)))).toEqual(soFar);
      }),
      { numRuns: 50 },
    );
  });

  it('is the latest of it where not all of it fits', () => {
    const flows = Array.from({ length: 120 }, (_, n) => `${n}`.padStart(36, 'f'));
    const soFar = withFlows(withFlows(NOTHING, flows), [flows[50] as string]);
    expect(soFar.flows).toHaveLength(100);
    expect(soFar.flows.at(-1)).toBe(flows[50]);
    expect(soFar.flows).not.toContain(flows[19]);
    expect(withFlows(NOTHING, ['x'.repeat(101), 'short']).flows).toEqual(['short']);
  });

  it('of a batch is the same as long as the batch is, and as short for every id', () => {
    const mark = batchMark({ id: 'b', updated: 1 });
    expect(mark).toBe(batchMark({ id: 'b', updated: 1 }));
    expect(new Set([mark, batchMark({ id: 'b', updated: 2 }), batchMark({ id: 'c', updated: 1 })]).size).toBe(
      3,
    );
    expect([mark.length, batchMark({ id: 'x'.repeat(9_999), updated: undefined }).length]).toEqual([22, 22]);
  });

  it.each([
    ['damaged'],
    [{ version: 2 }],
    [{ version: 2, flows: [1], begun: [] }],
    [undefined],
    [null],
    [[]],
  ])('as %j is nothing: everything is read again', (kept) => {
    expect(readSoFar(kept)).toEqual({ version: 2, flows: [], begun: [] });
  });

  it('by a newer version is refused, not overwritten', () => {
    expect(() => readSoFar({ version: 3, more: true })).toThrow(
      /^NEWER_VERSION: .* has version 3, and this release knows 2 /,
    );
  });

  it('by 0.1.0 is understood: its flows, its last whole run, and the batches it had read', () => {
    const of = (created: number, done: boolean) => ({ created, updated: created + 1, done, files: { a: 3 } });
    const text = JSON.stringify({
      complete: 7,
      flows: ['f'],
      batches: { a: of(5, true), b: of(DAY, true), c: of(6, false) },
    });
    expect(readOld(text)).toEqual({
      complete: 7,
      flows: ['f'],
      marks: new Map([
        ['1970-01-01', [batchMark({ id: 'a', updated: 6 })]],
        ['1970-01-02', [batchMark({ id: 'b', updated: DAY + 1 })]],
      ]),
    });
    for (const damaged of ['', '{', '{"flows":[]}']) expect(readOld(damaged)).toBeUndefined();
  });
});
