import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConservation } from '../../lib/forward/conservation.ts';
import { lowest, respond, settle } from '../../lib/forward/settle.ts';
import { DELIVERED, FILTERED, RETRY, rejected, type Settled } from '../../lib/forward/verdict.ts';
import { readBatchResponse } from '../../local/aws/batch-response.ts';

function settled(sequenceNumber: string, kind: 'd' | 'r' | 'x'): Settled {
  const message = { sequenceNumber, partitionKey: 'k', arrivedAt: 0, bytes: new Uint8Array() };
  const verdict = kind === 'd' ? DELIVERED : kind === 'r' ? RETRY : rejected('refused', 'no');
  return { message, verdict };
}

const keeps = (calls: string[][]) => async (rejects: readonly Settled[]) => {
  calls.push(rejects.map(({ message }) => message.sequenceNumber));
  return rejects.length;
};

describe('settle', () => {
  const verdicts = fc.array(
    fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.constantFrom('d', 'r', 'x')),
    {
      maxLength: 40,
    },
  );

  it('reports the lowest that is open, keeps what is below it, and accounts for all', async () => {
    await fc.assert(
      fc.asyncProperty(verdicts, fc.boolean(), async (pairs, works) => {
        const all = pairs.map(([number, kind]) => settled(number.toString(), kind));
        const calls: string[][] = [];
        const keep = keeps(calls);
        const result = await settle(all, [], (rejects) =>
          keep(rejects).then((count) => (works ? count : undefined)),
        );
        const open = pairs
          .filter(([, kind]) => kind === 'r' || (kind === 'x' && !works))
          .map(([number]) => number);
        const least = open.toSorted((a, b) => (a < b ? -1 : 1))[0];
        expect(result.checkpoint).toBe(least?.toString());
        const delivered = pairs.filter(([, kind]) => kind === 'd').length;
        expect(delivered + result.stored + result.unresolved).toBe(pairs.length);
        for (const kept of works ? calls.flat() : []) {
          expect(least === undefined || BigInt(kept) < least).toBe(true);
        }
        expect(calls.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('counts records that were not looked at as open', async () => {
    const result = await settle([settled('5', 'x'), settled('9', 'x')], ['7', '8'], keeps([]));
    expect(result).toMatchObject({ checkpoint: '7', stored: 1, unresolved: 1 });
  });
});

describe('what the pipeline does not want', () => {
  const filtered = (sequenceNumber: string): Settled => ({
    ...settled(sequenceNumber, 'd'),
    verdict: FILTERED,
  });

  it('is settled below the checkpoint, and comes again above it', async () => {
    const all = [filtered('1'), settled('2', 'd'), filtered('3'), settled('4', 'r'), filtered('5')];
    expect(await settle(all, [], keeps([]))).toMatchObject({
      checkpoint: '4',
      filtered: 2,
      stored: 0,
      unresolved: 2,
    });
  });

  it('asks for nothing to be kept', async () => {
    const calls: string[][] = [];
    expect(await settle([filtered('1')], [], keeps(calls))).toMatchObject({
      checkpoint: undefined,
      filtered: 1,
      unresolved: 0,
    });
    expect(calls).toEqual([]);
  });

  it('comes again with what could not be kept', async () => {
    const all = [filtered('1'), settled('2', 'x'), filtered('3'), settled('4', 'r')];
    expect(await settle(all, [], async () => undefined)).toMatchObject({
      checkpoint: '2',
      filtered: 1,
      stored: 0,
      unresolved: 3,
    });
  });
});

describe('lowest', () => {
  it('goes by value, not by text', () => {
    expect(lowest(['10', '9', '49590338271490256608559692538361571095921575989136588899'])).toBe('9');
    expect(lowest(['9007199254740993', '9007199254740992'])).toBe('9007199254740992');
    expect(lowest([])).toBeUndefined();
    // Of equal ones, the first as it is written: Lambda compares the text.
    expect(lowest(['7', '007', '8'])).toBe('7');
  });
});

describe('respond', () => {
  it('answers in literal JSON that Lambda reads as meant', () => {
    const batch = ['7', '8', '9'];
    const read = (checkpoint: string | undefined) => {
      const text = JSON.stringify(respond(checkpoint, (number) => batch.includes(number)));
      return [text, readBatchResponse({ ok: JSON.parse(text) }, batch, true)];
    };
    expect(read(undefined)).toEqual(['{"batchItemFailures":[]}', { kind: 'delivered' }]);
    expect(read('8')).toEqual([
      '{"batchItemFailures":[{"itemIdentifier":"8"}]}',
      { kind: 'redeliver', from: 1, reported: true, reason: expect.anything() },
    ]);
    expect(() => read('6')).toThrow('the checkpoint is not a record of the batch');
  });
});

describe('checkConservation', () => {
  it('holds where the counts add up, and only there', () => {
    const right = { decoded: 21, acknowledged: 6, known: 5, filtered: 4, stored: 3, unresolved: 3 };
    expect(() => checkConservation(right)).not.toThrow();
    for (const name of Object.keys(right) as (keyof typeof right)[]) {
      for (const by of [1, -1])
        expect(() => checkConservation({ ...right, [name]: right[name] + by })).toThrow(/^CONSERVATION/);
    }
  });
});
