// What the inlets answered to a message, try by try, and the link from a row to the message that it came from.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../local/aep/http.ts';
import { createTries, messageKey, originOf } from '../../../local/aep/inlet/tries.ts';
import { runs } from '../../support/depth.ts';
import { type Caller, caller, type Made, makePipeline, ROW, sendBatch, WARM_UP } from './support.ts';

async function warm(): Promise<{ with_: Caller; made: Made }> {
  const with_ = await caller();
  const made = await makePipeline(with_);
  await with_.clock.advance(WARM_UP);
  return { with_, made };
}

const keyOf = (message: unknown) => messageKey(Buffer.from(JSON.stringify(message)));
const row = (id: string) => ({ ...ROW, id });

describe('the tries of a message', () => {
  it('are the entries that each request got for it, with status and time', async () => {
    const { with_, made } = await warm();
    const { faults, journal } = with_.platform;
    faults.add({ kind: 'refuse', path: '/collection/**', status: 429, times: 1 });
    faults.add({
      kind: 'partial',
      path: '/collection/batch/*',
      messages: [1],
      status: 400,
      after: 1,
      times: 1,
    });
    const messages = [row('a'), row('b')];
    for (let one = 0; one < 3; one++) await sendBatch(with_, made, messages);
    expect(journal.tries(keyOf(row('b')))).toMatchObject([
      { status: 429, index: 1, faults: ['refuse'], reply: { status: 429 } },
      { status: 207, index: 1, faults: ['partial'], reply: { status: 400 } },
      { status: 207, index: 1, faults: [], reply: { xactionId: expect.stringMatching(/-1$/) } },
    ]);
    const numbers = journal.entries({ path: '/collection' }).map(({ number, at }) => ({ number, at }));
    expect(journal.tries(keyOf(row('a')))).toMatchObject(numbers);
    expect(journal.tries(keyOf(row('c')))).toEqual([]);
  });

  it.each([
    ['dropBefore', { status: 0, reply: undefined }],
    ['dropAfter', { status: 0, reply: undefined }],
    ['reorder', { status: 207, reply: { xactionId: expect.stringMatching(/-1$/) } }],
    ['short', { status: 207, reply: undefined }],
    ['notJson', { status: 207, reply: expect.stringContaining('Bad Gateway') }],
    ['truncate', { status: 207, reply: expect.stringMatching(/^\{"inletId"/) }],
    ['single', { status: 200, reply: { xactionId: expect.any(String) } }],
  ] as const)('say what the sender got where %s struck', async (kind, expected) => {
    const { with_, made } = await warm();
    with_.platform.faults.add({ kind, path: '/collection/**' });
    await sendBatch(with_, made, [row('a'), row('b')]).catch(() => undefined);
    expect(with_.platform.journal.tries(keyOf(row('b')))).toMatchObject([expected]);
  });

  it('are also those of a request with one message alone, and gone with the journal', async () => {
    const { with_, made } = await warm();
    await with_.bare('POST', `/collection/${made.inletId}`, row('a'), { 'x-adobe-flow-id': made.flowId });
    const { journal } = with_.platform;
    const before = journal.copy();
    expect(journal.tries(keyOf(row('a')))).toMatchObject([{ status: 200, reply: { inletId: made.inletId } }]);
    journal.clear();
    expect(journal.tries(keyOf(row('a')))).toEqual([]);
    expect(before.tries(keyOf(row('a')))).toHaveLength(1);
  });

  it('are found by the bytes of the message, whatever is in it and around it', () => {
    const text = fc
      .tuple(fc.json(), fc.constantFrom('', ' ', '\n\t'))
      .map(([json, blank]) => blank + json + blank);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (texts) => {
        const tries = createTries();
        tries.record(callOf(`{"messages": [${texts.join(',')}]}`), ANSWER, REQUEST);
        texts.forEach((one, index) => {
          if (!one.trim().startsWith('{')) return;
          const places = tries.of(messageKey(Buffer.from(one.trim()))).map((each) => each.index);
          expect(places).toContain(index);
        });
      }),
      { numRuns: runs(300) },
    );
  });

  it('are bounded: the oldest requests go, also those without a message', () => {
    const tries = createTries();
    const batch = (text: string) => callOf(`{"messages":[${Array(1_000).fill(text)}]}`);
    tries.record(batch('{"n":1}'), ANSWER, REQUEST);
    for (let one = 0; one < 149; one++) tries.record(batch('{"n":2}'), ANSWER, REQUEST);
    expect(tries.of(messageKey(Buffer.from('{"n":1}')))).toHaveLength(1_000);
    for (let one = 0; one < 100; one++) tries.record(callOf('no JSON'), ANSWER, REQUEST);
    tries.record(batch('{"n":3}'), ANSWER, REQUEST);
    expect(tries.of(messageKey(Buffer.from('{"n":1}')))).toEqual([]);
    expect(tries.of(messageKey(Buffer.from('{"n":3}')))).toHaveLength(1_000);
    const large = `{"messages":[{"n":4},"${'x'.repeat(2_000_000)}"]}`;
    tries.record(callOf(large), ANSWER, REQUEST);
    expect(tries.of(messageKey(Buffer.from('{"n":4}')))).toEqual([]);
  });
});

const ANSWER = { status: 207, headers: {}, body: {} };
const REQUEST = {
  number: 1,
  at: 0,
  path: '',
  status: 207,
  durationMs: 1,
  faults: [],
  request: {},
};

function callOf(body: string): Call {
  return {
    method: 'POST',
    path: '/collection/batch/x',
    query: new URLSearchParams(),
    headers: {},
    body: Buffer.from(body),
    requestId: 'r',
  };
}

describe('a row', () => {
  it('is linked to the message of the request that it came with, and so is a refused one', async () => {
    const { with_, made } = await warm();
    const wrong = { ...row('b'), dob: '1990-02-11', contact: { email: 5 }, firstName: { no: 'text' } };
    await sendBatch(with_, made, [row('a'), wrong, row('c')]);
    await sendBatch(with_, made, [row('a')]);
    const { journal, state } = with_.platform;
    const batches = [...(state.sandboxes.get('dev1')?.batches.values() ?? [])];
    const origins = batches.flatMap(({ rows }) => rows).map(originOf);
    const [first, again] = journal.tries(keyOf(row('a')));
    const [third] = journal.tries(keyOf(row('c')));
    const placeOf = (one: typeof first) => ({ request: one?.request, index: one?.index });
    expect(origins).toEqual([first, third, again].map(placeOf));
    // The same objects, and not only alike.
    expect(origins.map((origin) => origin?.request === first?.request)).toEqual([true, true, false]);
    const refused = batches.flatMap((batch) => batch.refused);
    expect(refused.map(originOf)).toEqual(journal.tries(keyOf(wrong)).map(placeOf).slice(0, refused.length));
    expect(refused).toHaveLength(1);
  });
});
