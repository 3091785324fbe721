import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchReply, inletAddress, postBatch } from '../../lib/aep/inlet.ts';
import { readOutcomes, replyClassOf, takesAllInOrder } from '../../lib/aep/inlet-reply.ts';
import { Session } from '../../lib/aep/token.ts';
import { Failure } from '../../lib/failure.ts';
import { turn } from '../support/eventually.ts';
import { acknowledgeAll, fakeInlet, json, multi } from '../support/inlet.ts';

const ORIGINS = ['https://dcs.adobedc.net', 'http://127.0.0.1:8080', 'http://[::1]:8080'];
const ID = 'c1f0c1f0c1f0c1f0c1f0c1f0c1f0c1f0';

describe('inletAddress', () => {
  it.each([
    [`https://dcs.adobedc.net/collection/${ID}`, 'https://dcs.adobedc.net'],
    [`https://dcs.adobedc.net/collection/batch/${ID}`, 'https://dcs.adobedc.net'],
    [`http://127.0.0.1:8080/collection/${ID}`, 'http://127.0.0.1:8080'],
    [`http://[::1]:8080/collection/${ID}`, 'http://[::1]:8080'],
  ])('takes %s', (url, origin) => {
    expect(inletAddress(url, ORIGINS)).toEqual({
      single: `${origin}/collection/${ID}`,
      batch: `${origin}/collection/batch/${ID}`,
      inletId: ID,
    });
  });

  it('refuses a local port that is not the allowed one', () => {
    expect(() => inletAddress(`http://127.0.0.1:8081/collection/${ID}`, ORIGINS)).toThrow(
      /INLET_NOT_ALLOWED/,
    );
  });
});

/** a: acknowledged, u: unknown, otherwise the class of the refusal. */
function words(text: string, messages: number): string {
  return readOutcomes(text, messages)
    .outcomes.map((outcome) =>
      outcome.kind === 'refused' ? outcome.class : outcome.kind === 'unknown' ? 'u' : 'a',
    )
    .join(' ');
}

const body = (...responses: unknown[]) => JSON.stringify({ responses });
const ok = (index: number, by = '-') => ({ xactionId: `6f0b7c1e-8f43-4a0c-9d41${by}${index}` });

describe('readOutcomes', () => {
  it.each<[string, string, number, string]>([
    ['shape A', body({ xactionId: '1:2:3:0' }, { statusCode: 400, message: 'm' }), 2, 'a data'],
    ['shape B', body({ ...ok(0), status: 400, message: 'm' }, ok(1)), 2, 'data a'],
    ['ids that do not say the position', body(ok(3), ok(0)), 2, 'a a'],
    // By place the first is refused, by number the second: who is right, nobody knows.
    ['two readings that disagree', body({ ...ok(1), status: 400 }, ok(2), ok(0)), 3, 'u u a'],
    ['A 9 (b): a swap of two', body(ok(1), { ...ok(0), status: 503 }), 2, 'u u'],
    ['a number of another, beside a failure without one', body(ok(1), { statusCode: 400 }), 2, 'u u'],
    ['numbers that agree with the places', body({ ...ok(0), status: 503 }, ok(1)), 2, 'transient a'],
    [
      "the request's id in every entry",
      body({ ...ok(1), status: 400 }, ok(1), ok(1), ok(1)),
      4,
      'data a a a',
    ],
    ["the request's id in every entry, all well", body(ok(1), ok(1), ok(1), ok(1)), 4, 'a a a a'],
    ["A 9 (b): a success in another's place as well", body(ok(1), ok(1)), 2, 'u a'],
    ['A 9 (b): the same among others', body(ok(1), ok(2), ok(1)), 3, 'u a a'],
    ['a status in text', body({ ...ok(0), statusCode: '400' }), 1, 'data'],
    ['two statuses that disagree', body({ ...ok(0), status: 200, statusCode: 400 }), 1, 'data'],
    ['a refusal and trouble', body({ ...ok(0), status: 400, statusCode: 503 }), 1, 'transient'],
    ['the same the other way round', body({ ...ok(0), status: 503, statusCode: 400 }), 1, 'transient'],
    [
      'the ends of the statuses',
      body({ status: 599 }, { status: 600 }, { status: 399 }, { status: 99 }),
      4,
      'transient u u u',
    ],
    [
      'statuses that are no number or three digits',
      body({ status: '4000' }, { status: ' 400' }, { status: 400.5 }, { status: [400] }),
      4,
      'u u u u',
    ],
    ['A 9 (a): a status that is no failure', body({ ...ok(0), status: 200 }), 1, 'a'],
    ['A 9 (a): the same in text', body({ ...ok(0), statusCode: '202' }), 1, 'a'],
    ['A 9 (a): a status of null', body({ ...ok(0), status: null }), 1, 'a'],
    ['a success without an id', body({ status: 200 }), 1, 'u'],
    ['a status that is none', body({ ...ok(0), status: 'bad' }, { ...ok(1), status: 4e9 }), 2, 'u u'],
    ['no id', body({}, null, [], 'a-2', 7), 5, 'u u u u u'],
    ['an id that is no text', body({ xactionId: 7 }, { xactionId: null }), 2, 'u u'],
    [
      'throttling',
      body({ status: 429 }, { status: 408 }, { status: 425 }),
      3,
      'throttled transient transient',
    ],
    ['trouble', body({ status: 500 }, { status: 501 }, { status: 503 }), 3, 'transient transient transient'],
    ['tokens', body({ status: 401 }, { status: 403 }), 2, 'auth auth'],
    ['any other refusal', body({ status: 404 }, { status: 413 }, { status: 422 }), 3, 'data data data'],
    // The numbers could be those of another request: a record was stored as refused that was delivered.
    ['A 9 (b): fewer, with numbers', body(ok(2), { ...ok(0), status: 400 }), 3, 'u u u'],
    ['fewer, with the other kind of id', body(ok(1, ':')), 2, 'u u'],
    ['fewer, an id twice', body(ok(1), ok(1)), 3, 'u u u'],
    ['fewer, out of range', body(ok(3)), 3, 'u u u'],
    ['fewer, one without an id', body(ok(1), { status: 400 }), 3, 'u u u'],
    ['fewer, a number that is no index', body({ xactionId: 'a-1x' }), 2, 'u u'],
    ['more', body(ok(0), ok(1), ok(2)), 2, 'u u'],
    ['none', body(), 2, 'u u'],
    ['the shape of a single message', JSON.stringify({ inletId: ID, xactionId: '1:2:0' }), 1, 'u'],
    ['no list', JSON.stringify({ responses: { 0: ok(0), length: 1 } }), 1, 'u'],
    ['a list at the top', JSON.stringify([ok(0)]), 1, 'u'],
    ['an empty body', '', 1, 'u'],
    ['a truncated body', body(ok(0), ok(1)).slice(0, -2), 2, 'u u'],
    ['a page', '<html>502</html>', 1, 'u'],
    ['a prototype', '{"__proto__":{"responses":[{"xactionId":"a-0"}]}}', 1, 'u'],
    ['an inherited id', '{"responses":[{"__proto__":{"xactionId":"a-0"}}]}', 1, 'u'],
  ])('reads %s', (_, text, messages, expected) => {
    expect(words(text, messages)).toBe(expected);
  });

  it('keeps what was said, on one line, short, without tokens', () => {
    const said = `no\nway ${'x'.repeat(9_999)} Bearer abc eyJhbGciOi.eyJx`;
    const [long] = readOutcomes(body({ status: 400, message: said }), 1).outcomes;
    const [token] = readOutcomes(body({ status: 400, message: 'a Bearer abc.def b' }), 1).outcomes;
    expect(long).toMatchObject({ said: expect.stringMatching(/^no way x{1,492}…$/) });
    expect(token).toMatchObject({ said: 'a *** b' });
  });

  it.each([['   '], [''], [7], [undefined]])('says so where nothing was said: %j', (message) => {
    expect(readOutcomes(body({ status: 400, message }), 1).outcomes).toMatchObject([
      { said: '(no message)' },
    ]);
  });

  it('acknowledges nothing that is not plainly acknowledged, whatever comes', () => {
    const entry = fc.oneof(
      fc.constant({ xactionId: 'a-0' }),
      fc.record(
        {
          xactionId: fc.oneof(
            fc.string(),
            fc.integer(),
            fc.constant(null),
            fc.nat(5).map((n) => `a-${n}`),
          ),
          status: fc.oneof(fc.integer({ min: 100, max: 700 }), fc.string(), fc.constant(null)),
          statusCode: fc.oneof(fc.integer({ min: 100, max: 700 }), fc.constant('400')),
          message: fc.anything(),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 7 }), fc.integer({ min: 1, max: 6 }), (entries, messages) => {
        const text = JSON.stringify({ responses: entries });
        const { outcomes, acknowledged } = readOutcomes(text, messages);
        expect(outcomes).toHaveLength(messages);
        const plain = (JSON.parse(text).responses as unknown[]).filter((one) => {
          const said = JSON.stringify(one);
          const statuses = [...said.matchAll(/"status(?:Code)?":("[^"]*"|[^,}]*)/g)].map(
            ([, value]) => value ?? '',
          );
          return (
            /"xactionId":"/.test(said) && statuses.every((value) => /^("?[123]\d\d"?|null)$/.test(value))
          );
        });
        const positive = outcomes.filter(({ kind }) => kind === 'acknowledged').length;
        expect(positive).toBe(acknowledged);
        expect(positive).toBeLessThanOrEqual(plain.length);
        if (entries.length > messages) expect(positive).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it.each([1, 2, 10, 11, 100, 1_000])(
    'of %i messages acknowledges none for a text whose end is broken',
    (messages) => {
      const usual = body(...Array.from({ length: messages }, (_, index) => ok(index)));
      // No longer than a text before it: what is compared is in the same memory.
      const broken = [
        [1, '\ufffd'],
        [1, 'é'],
        [1, '\ud800'],
        [2, '€x'],
        [3, '😀x'],
      ] as const;
      for (const [cut, end] of broken) {
        expect(takesAllInOrder(usual, messages)).toBe(true);
        expect(takesAllInOrder(usual.slice(0, -cut) + end, messages), end).toBe(false);
        expect(readOutcomes(usual.slice(0, -cut) + end, messages).acknowledged, end).toBe(0);
      }
    },
  );

  it('never throws and acknowledges nothing for a body cut anywhere', () => {
    const whole = body(ok(0), { ...ok(1), status: 400, message: 'ü' });
    for (let length = 0; length < whole.length; length++) {
      expect(readOutcomes(whole.slice(0, length), 2).acknowledged, `cut at ${length}`).toBe(0);
    }
  });
});

describe('classOf', () => {
  it.each<[number, boolean, string]>([
    [400, true, 'data'],
    [401, true, 'auth'],
    [401, false, 'auth'],
    [403, true, 'auth'],
    [403, false, 'set-up'],
    [299, true, 'transient'],
    [300, true, 'set-up'],
    [301, true, 'set-up'],
    [499, true, 'set-up'],
    [307, true, 'set-up'],
    [404, true, 'set-up'],
    [410, true, 'set-up'],
    [415, true, 'set-up'],
    [422, true, 'set-up'],
    [408, true, 'transient'],
    [425, true, 'transient'],
    [413, true, 'too-large'],
    [429, true, 'throttled'],
    [500, true, 'transient'],
    [501, true, 'set-up'],
    [502, false, 'transient'],
    [503, true, 'transient'],
    [504, true, 'transient'],
    [599, true, 'transient'],
  ])('%i (body: %s) is %s', (status, hasBody, expected) => {
    expect(replyClassOf(status, hasBody)).toBe(expected);
  });
});

describe('postBatch', () => {
  /** In ms: a limit that nothing here comes near. */
  const FAR = 3_600_000;
  const address = inletAddress(`https://dcs.adobedc.net/collection/${ID}`, ORIGINS);
  const clock = { now: () => Date.parse('2026-01-31T12:00:00Z'), sleep: async () => {} };

  async function post(fetch: typeof acknowledgeAll | (() => Promise<Response> | Response), more = {}) {
    const inlet = fakeInlet(fetch);
    const reply = await postBatch(
      { fetch: inlet.fetch, clock, random: () => 0.5 },
      {
        address,
        body: Buffer.from('{"messages":[{"a":1},{"b":2}]}'),
        messages: 2,
        sandbox: 'dev1',
        timeoutMs: FAR,
        ...more,
      },
    );
    return { reply, inlet };
  }

  it('posts to the batch address with both sandbox headers', async () => {
    const { inlet, reply } = await post(acknowledgeAll);
    expect(reply).toMatchObject({ kind: 'answered', acknowledged: 2 });
    expect(inlet.requests).toMatchObject([{ url: address.batch, messages: ['{"a":1}', '{"b":2}'] }]);
    expect(inlet.requests[0]?.headers).toEqual({
      'content-type': 'application/json',
      'x-sandbox-name': 'dev1',
      'sandbox-name': 'dev1',
    });
  });

  it('adds the flow and the token where they are given', async () => {
    const { inlet } = await post(acknowledgeAll, { flowId: 'f', session: new Session('t', 'c', 'o') });
    expect(inlet.requests[0]?.headers).toMatchObject({ 'x-adobe-flow-id': 'f', authorization: 'Bearer t' });
  });

  const failed = (reply: BatchReply) => {
    if (reply.kind !== 'failed') throw new Error(`answered ${reply.status}`);
    return reply;
  };

  it("keeps the inlet's words and its id out of what is logged, and the id out of what is kept", async () => {
    const said = `inletId: [${ID}] imsOrgId: [x] ana.reis@example.com is invalid`;
    const { reply } = await post(() =>
      json(400, { status: 400, title: 'Invalid', report: { message: said } }),
    );
    const { failure, said: kept, class: found } = failed(reply);
    expect(found).toBe('data');
    expect(kept).toContain('inletId: [***]');
    expect(failure).toMatchObject({ code: 'AEP_REFUSED', status: 400 });
    expect(failure.message).not.toMatch(/ana\.reis|c1f0/);
    const { reply: items } = await post(() => multi([{ status: 400, message: said }, { xactionId: 'a' }]));
    expect(JSON.stringify(items)).not.toContain(ID);
  });

  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a date', { 'retry-after': 'Sat, 31 Jan 2026 12:00:05 GMT' }, 5_000],
    ['a date that is past', { 'retry-after': 'Sat, 31 Jan 2026 11:00:00 GMT' }, 0],
    ['nonsense', { 'retry-after': 'abc' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['nothing', {}, undefined],
  ])('reads Retry-After: %s', async (_, headers, expected) => {
    const { reply } = await post(() => json(503, {}, headers));
    expect(reply).toMatchObject({ class: 'transient', retryAfterMs: expected });
  });

  it('does not follow a redirect', async () => {
    const { reply, inlet } = await post(
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example/' } }),
    );
    expect(reply).toMatchObject({ class: 'set-up', failure: { code: 'AEP_REDIRECTED' } });
    expect(inlet.requests).toHaveLength(1);
  });

  it('says what to do about a 403 without a word and about a 404', async () => {
    const silent = failed((await post(() => new Response(null, { status: 403 }))).reply);
    expect(silent).toMatchObject({
      class: 'set-up',
      failure: { next: expect.stringContaining('allow-list') },
    });
    const gone = failed((await post(() => json(404, {}))).reply);
    expect(gone).toMatchObject({ class: 'set-up', failure: { next: expect.stringContaining('Provision') } });
  });

  it.each([
    [
      'a refused connection',
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
    ],
    [
      'a body that breaks off',
      () =>
        new Response(new ReadableStream({ pull: (c) => c.error(new TypeError('terminated')) }), {
          status: 207,
        }),
    ],
  ])('takes %s for trouble that may pass', async (_, answer) => {
    const inlet = { fetch: async () => answer() };
    const reply = await postBatch(
      { ...inlet, clock, random: () => 0.5 },
      { address, body: Buffer.from('{"messages":[]}'), messages: 1, sandbox: 's', timeoutMs: FAR },
    );
    expect(failed(reply)).toMatchObject({ class: 'transient', failure: { code: 'AEP_UNREACHABLE' } });
  });

  it('gives up a body that drips without end', async () => {
    const drip = new ReadableStream({
      async pull(controller) {
        await turn();
        controller.enqueue(new TextEncoder().encode(' '));
      },
    });
    const reply = await postBatch(
      {
        fetch: async (_url, init) => {
          init.signal.addEventListener('abort', () => drip.cancel().catch(() => {}));
          const stream = drip.pipeThrough(new TransformStream(), { signal: init.signal });
          return new Response(stream, { status: 207 });
        },
        clock,
        random: () => 0.5,
      },
      { address, body: Buffer.from('{"messages":[]}'), messages: 1, sandbox: 's', timeoutMs: 50 },
    );
    expect(failed(reply).failure.what).toContain('too long');
  });

  it('reads no more than 8 MB, and trusts none of it', async () => {
    const whole = JSON.stringify({ responses: [{ xactionId: 'a-0' }, { xactionId: 'a-1' }] });
    const page = new Response(
      ReadableStream.from([whole, ...Array(9).fill(' '.repeat(1_000_000))].map((part) => Buffer.from(part))),
      {
        status: 207,
      },
    );
    const reply = await postBatch(
      { fetch: async () => page, clock, random: () => 0.5 },
      { address, body: Buffer.from('{"messages":[]}'), messages: 2, sandbox: 's', timeoutMs: FAR },
    );
    expect(reply).toMatchObject({ kind: 'answered', acknowledged: 0 });
  });

  it('lets a defect through', async () => {
    const broken = Promise.resolve({ status: 207, headers: undefined, body: null } as unknown as Response);
    await expect(
      postBatch(
        { fetch: () => broken, clock, random: () => 0.5 },
        { address, body: Buffer.from(''), messages: 1, sandbox: 's', timeoutMs: FAR },
      ),
    ).rejects.not.toBeInstanceOf(Failure);
  });
});
