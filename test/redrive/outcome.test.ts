// The outcomes of a group of documents: how far the walk came, and what is counted when.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { messageOf } from '../../lib/forward/read/decode.ts';
import { DELIVERED, RETRY, rejected, type Verdict } from '../../lib/forward/verdict.ts';
import {
  countsOfOpen,
  type DocumentOutcome,
  doneWithin,
  firstOpen,
  type HandledOutcome,
} from '../../lib/redrive/outcome.ts';
import { type Item, readParcel } from '../../lib/redrive/parcel.ts';
import { restOf } from '../../lib/redrive/rest.ts';
import type { Carried, SentPart } from '../../lib/redrive/send.ts';
import { PUBLISHED, seq } from '../support/forwarding.ts';
import { document, entry, redriveWorld } from '../support/redriving.ts';

const REFUSED = rejected('refused', 'still no');
const BY = { pipeline: 'customers', others: [], redacts: false };
const FAILURE = new Failure('STORE_UNAVAILABLE', 'away');

/** A document of three records and what became of each; `undefined`: it was not looked at. */
function handled(kind: HandledOutcome['kind'], verdicts: readonly (Verdict | undefined)[], key = 'a') {
  const text = JSON.stringify(document([entry(1, '{"n":1}'), entry(2, '{"n":2}'), entry(3, '{"n":3}')]));
  const parcel = readParcel(text, 'rejected', PUBLISHED);
  if (typeof parcel === 'string') throw new Error(parcel);
  const parts = new Map<Item, SentPart[]>();
  for (const [at, item] of parcel.items.entries()) {
    const verdict = verdicts[at];
    const message = messageOf(item.record, Buffer.from('{}'));
    if (verdict !== undefined) parts.set(item, [{ message, chosen: true, verdict, openFor: [] }]);
  }
  const { counts } = restOf(parcel, new Set(parcel.items), parts, BY);
  const of = { key, version: '1', text, parcel, lost: undefined, chosen: parcel.items, withheld: 0 };
  const outcome: HandledOutcome =
    kind === 'failed'
      ? { kind, document: of, counts, failure: FAILURE }
      : { kind, document: of, counts, written: 'as-settled' };
  const carried: Carried = { parts, stop: undefined, stuck: 0 };
  return { outcome, carried };
}

const DONE = handled('done', [DELIVERED, DELIVERED, REFUSED]).outcome;
const PARTIAL = handled('partial', [DELIVERED, RETRY, REFUSED]);
const FAILED = handled('failed', [DELIVERED, DELIVERED, REFUSED]);

describe('issue 13 B 4: one outcome per document', () => {
  it.each<[string, DocumentOutcome[], number]>([
    ['nothing', [], 0],
    ['all that can be done', [{ kind: 'not-meant' }, { kind: 'skipped', reason: 'claimed' }, DONE], 3],
    ['one done in part', [DONE, PARTIAL.outcome, DONE], 1],
    ['one that the store did not take', [{ kind: 'not-meant' }, DONE, FAILED.outcome], 2],
  ])('a walk comes as far as the first that is open: %s', (_, outcomes, expected) => {
    expect(firstOpen(outcomes)).toBe(expected);
  });

  it('and within it as far as the record before the first that is open', () => {
    const { outcome, carried } = PARTIAL;
    const before = { key: 'a', through: seq(0) };
    expect(doneWithin(outcome, carried, undefined, false)).toEqual({ key: 'a', through: seq(1) });
    expect(doneWithin(outcome, carried, undefined, true)).toEqual({ key: 'a', through: seq(3) });
    const untouched = handled('partial', [undefined, undefined, undefined]);
    expect(doneWithin(untouched.outcome, untouched.carried, before, false)).toEqual(before);
    expect(doneWithin(untouched.outcome, untouched.carried, { ...before, key: 'b' }, false)).toBeUndefined();
    expect(doneWithin(FAILED.outcome, FAILED.carried, before, false)).toEqual(before);
    expect(doneWithin(undefined, carried, before, false)).toBeUndefined();
  });

  it('what was rejected behind that place is counted when it comes again, and takes no room', () => {
    const within = { key: 'a', through: seq(1) };
    const { counts, again } = countsOfOpen(PARTIAL.outcome, PARTIAL.carried, within);
    expect(PARTIAL.outcome.counts).toMatchObject({ chosen: 3, delivered: 1, rejectedAgain: 1, left: 1 });
    expect(counts).toMatchObject({ chosen: 3, delivered: 1, rejectedAgain: 0, left: 2 });
    expect(again).toBe(1);
    const through = { ...within, through: seq(3) };
    expect(countsOfOpen(PARTIAL.outcome, PARTIAL.carried, through)).toEqual({
      counts: PARTIAL.outcome.counts,
      again: 0,
    });
  });

  it('each is told once: what was passed over and what went, and nothing behind the first open one', async () => {
    const own = redriveWorld();
    const keys: string[] = [];
    for (const id of ['a', 'b', 'c', 'd'])
      keys.push(
        await own.store(document([entry(1, `{"id":"${id}"}`), entry(2, '{}')], { invocationId: id })),
      );
    const [first, , , last] = keys.toSorted();
    own.s3.objects.set(`${first}-text`, 'hello');
    own.s3.objects.set(`${last}-text`, 'hello');
    const answer = await own.run({ source: 'rejected', limit: 3 });
    expect(answer).toMatchObject({ documents: 2, chosen: 3, delivered: 3, left: 0 });
    expect(answer).toMatchObject({ skipped: { 'not-json': 1 }, stopped: { why: 'limit' } });
    expect(answer.skippedObjects).toEqual([{ key: `${first}-text`, reason: 'not-json' }]);
    const rest = await own.run({ source: 'rejected' });
    expect(rest).toMatchObject({ documents: 3, delivered: 5, left: 0, skipped: { 'not-json': 2 } });
    expect(own.inlet.acknowledged).toHaveLength(8);
  });
});
