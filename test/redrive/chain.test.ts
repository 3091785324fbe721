import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishedPipeline } from '../../lib/published.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import { acknowledgeBut, fakeInlet } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  type RedriveWorld,
  redriveWorld,
} from '../support/redriving.ts';

// A chain of runs, each begun with the `next` of the one before: it comes to an end, and what it tries, it tries once.

const SEED = 20_261_127;

/** What the inlet takes, refuses, and Penstock itself rejects. */
const KINDS = ['good', 'bad', 'broken'] as const;
type Kind = (typeof KINDS)[number];
/** Documents, and of each its records: the messages of an aggregate, or one by itself. */
type Stock = readonly (readonly (readonly Kind[])[])[];

const stocks = (): fc.Arbitrary<Stock> => {
  const record = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 3 });
  return fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });
};
const textOf = (kind: Kind, id: string) =>
  kind === 'broken' ? `{"id":"${id}"` : `{"id":"${id}","kind":"${kind}"}`;

interface Told {
  readonly id: string;
  readonly kind: Kind;
}

/** Puts them into the store, and says what there is. The order within a document is nobody's promise. */
async function fill(own: RedriveWorld, source: string, stock: Stock, turned: boolean): Promise<Told[]> {
  const told: Told[] = [];
  let index = 0;
  for (const [at, records] of stock.entries()) {
    const first = index;
    const texts = records.map((kinds, n) =>
      kinds.map((kind, sub) => {
        told.push({ id: `${at}.${n}.${sub}`, kind });
        return textOf(kind, `${at}.${n}.${sub}`);
      }),
    );
    index += records.length;
    if (source === 'rejected') {
      const entries = texts.flatMap((parts, n) =>
        parts.map((text, sub) => entry(first + n, text, parts.length > 1 ? { subSequenceNumber: sub } : {})),
      );
      await own.store(document(turned ? entries.reverse() : entries, { invocationId: `i-${at}` }));
      continue;
    }
    const event = JSON.parse(
      onFailureDocument({ records: texts.map(() => ''), first, payload: 'object' }),
    ) as {
      payload: { Records: { kinesis: { data: string } }[] };
    };
    event.payload.Records.forEach(({ kinesis }, n) => {
      const parts = texts[n] ?? [];
      const bytes =
        parts.length === 1
          ? Buffer.from(parts[0] ?? '')
          : aggregate(parts.map((text) => ({ key: 'k', data: Buffer.from(text) })));
      kinesis.data = bytes.toString('base64');
    });
    own.s3.objects.set(`${ON_FAILURE_KEY}-${at}`, JSON.stringify(event));
  }
  return told;
}

function world(published: Partial<PublishedPipeline> = {}): RedriveWorld {
  const refuse = acknowledgeBut((message) =>
    message.includes('"bad"') ? { statusCode: 400, message: 'still no' } : undefined,
  );
  return redriveWorld({ inlet: fakeInlet(refuse), published });
}

/** Follows `next` to the end. */
async function follow(
  own: RedriveWorld,
  request: object,
  most: number,
  remainingMs?: number,
): Promise<RedriveAnswer[]> {
  const answers = [await own.run(request, remainingMs)];
  for (let next = answers[0]?.next; next !== undefined; ) {
    if (answers.length > most) throw new Error(`no end after ${most} runs: ${JSON.stringify(next)}`);
    const answer = await own.run(JSON.parse(JSON.stringify(next)) as object, remainingMs);
    answers.push(answer);
    next = answer.next;
  }
  return answers;
}

const sum = (answers: readonly RedriveAnswer[], name: 'chosen' | 'delivered' | 'rejectedAgain' | 'left') =>
  answers.reduce((total, answer) => total + answer[name], 0);
const idsOf = (messages: readonly string[]) =>
  messages.map((message) => (JSON.parse(message) as { id: string }).id).sort();
const sent = (own: RedriveWorld) => idsOf(own.inlet.requests.flatMap(({ messages }) => messages));
const of = (told: readonly Told[], ...kinds: readonly Kind[]) =>
  told
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ id }) => id)
    .sort();

/** The texts of all that is in the store as a reject. */
const stored = (own: RedriveWorld) =>
  [...own.documents().values()]
    .flatMap(({ entries }) => entries)
    .map(({ data }) => /"id":"([\d.]+)"/.exec(Buffer.from(data, 'base64').toString())?.[1] ?? '')
    .sort();

describe.each(['rejected', 'on-failure'])('a chain of runs through %s with a limit', (source) => {
  it('comes to an end, tries every message once, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(
        stocks(),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (stock, limit, turned) => {
          const own = world();
          const told = await fill(own, source, stock, turned);
          const dry = await follow(own, { source, limit, dryRun: true }, told.length + 1);
          expect(sum(dry, 'chosen')).toBe(told.length);
          const answers = await follow(own, { source, limit }, told.length + 1);
          expect(sent(own)).toEqual(of(told, 'good', 'bad'));
          expect(idsOf(own.inlet.acknowledged)).toEqual(of(told, 'good'));
          expect(stored(own)).toEqual(of(told, 'bad', 'broken'));
          expect(own.others()).toEqual([]);
          expect(sum(answers, 'chosen')).toBe(told.length);
          expect(sum(answers, 'rejectedAgain')).toBe(of(told, 'bad', 'broken').length);
          expect(sum(answers, 'left')).toBe(0);
        },
      ),
      { numRuns: 60, seed: SEED },
    );
  });
});

describe.each(['rejected', 'on-failure'])('a chain of runs through %s whose time is short', (source) => {
  it.each([
    ['at a rate of its own', {}, { rate: 1 }],
    ["at the manifest's", { rate: { messagesPerSecond: 1 } }, {}],
  ])('%s comes to an end, delivers once, and counts each once', async (_, published, more) => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        stocks(),
        fc.boolean(),
        fc.integer({ min: 26, max: 40 }),
        async (stock, turned, seconds) => {
          const own = world(published);
          const told = await fill(own, source, stock, turned);
          const answers = await follow(own, { source, ...more }, told.length + 1, seconds * 1_000);
          runs = Math.max(runs, answers.length);
          expect(new Set(sent(own))).toEqual(new Set(of(told, 'good', 'bad')));
          // What the inlet took is sent once; a reject may be tried again with the record it was stopped in.
          const again = sent(own).filter((id, at, all) => all[at - 1] === id);
          expect(of(told, 'bad')).toEqual(expect.arrayContaining(again));
          expect(idsOf(own.inlet.acknowledged)).toEqual(of(told, 'good'));
          expect(stored(own)).toEqual(of(told, 'bad', 'broken'));
          expect(own.others()).toEqual([]);
          expect(answers.at(-1)).toMatchObject({
            complete: true,
            chosen: told.length,
            rejectedAgain: of(told, 'bad', 'broken').length,
          });
        },
      ),
      { numRuns: 40, seed: SEED },
    );
    expect(runs).toBeGreaterThan(1);
  });
});
