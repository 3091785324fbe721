import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatchResponse } from '../../local/aws/batch-response.ts';
import {
  ALL_SETTLED,
  from,
  kinesisEvent,
  memoryStore,
  PUBLISHED,
  type RecordInput,
  seq,
  type World,
  world,
} from '../support/forwarding.ts';
import { type Answer, acknowledgeAll, fakeInlet, inTurn, json, multi } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';

const GOOD = '{"id":"good"}';

/** What the invocation said of its batch. */
const lastLine = (w: World) => w.lines.findLast(({ fields }) => 'returned' in fields)?.fields;

describe('forward', () => {
  it('forwards the event in events/forward.json', async () => {
    const w = world();
    const event = JSON.parse(readFileSync(new URL('../../events/forward.json', import.meta.url), 'utf8'));
    const answer = await w.forward(event, { remainingMs: () => 60_000, invocationId: 'i' });
    expect(JSON.stringify(answer)).toBe(ALL_SETTLED);
    expect(w.inlet.acknowledged.map((text) => JSON.parse(text).id)).toEqual([
      'cust-000417',
      'cust-000418',
      'cust-000419',
    ]);
  });

  it('keeps what is rejected with its place, its reason and its bytes', async () => {
    const w = world();
    await w.run([GOOD, { data: 'no', key: 'ana' }]);
    expect(w.store.documents).toEqual([
      {
        version: 1,
        pipeline: 'customers',
        streamArn: PUBLISHED.streamArn,
        shardId: 'shardId-000000000002',
        invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
        storedAt: '2026-01-31T12:00:00.000Z',
        entries: [
          {
            reason: 'not-json',
            message: 'not JSON',
            sequenceNumber: seq(1),
            partitionKey: 'ana',
            arrivedAt: 1_770_000_001.5,
            data: Buffer.from('no').toString('base64'),
          },
        ],
      },
    ]);
  });

  it.each([0, 2])('notices a store that says it holds %i entries where it was given one', async (entries) => {
    const w = world({ deadLetters: { put: async () => ({ key: 'k', entries }) } });
    await expect(w.run([GOOD, 'no'])).rejects.toMatchObject({ code: 'CONSERVATION' });
    expect(w.counted).toMatchObject({ ConservationDifference: 1 });
    expect(w.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('gives the rejects back where the store does not answer in time', async () => {
    const w = world({ deadLetters: { put: () => new Promise(() => {}) } });
    const invocation = { remainingMs: () => (w.inlet.requests.length > 0 ? 300 : 60_000), invocationId: 'i' };
    expect(JSON.stringify(await w.forward(kinesisEvent([GOOD, 'no']), invocation))).toBe(from(1));
  });

  it('fails where no pipeline is published, and asks again next time', async () => {
    const w = world();
    const secret = w.secrets.get('penstock/dev/streams/customers') as string;
    w.secrets.delete('penstock/dev/streams/customers');
    await expect(w.run([GOOD])).rejects.toMatchObject({ code: 'NOT_PUBLISHED' });
    expect(w.counted).toMatchObject({ RecordsReceived: 1, RecordsReturned: 1 });
    expect(lastLine(w)).toMatchObject({ code: 'NOT_PUBLISHED', returned: 1, stopped: 'pipeline' });
    w.secrets.set('penstock/dev/streams/customers', secret);
    expect(JSON.stringify(await w.run([GOOD]))).toBe(ALL_SETTLED);
  });

  it.each([
    ['there is too little time', acknowledgeAll, 1_000, 'time'],
    ['the set-up needs a hand', () => json(404, {}), 60_000, 'set-up'],
  ] as const)('counts and says what comes again where %s', async (_, answer, remaining, stopped) => {
    const w = world({ inlet: fakeInlet(answer) });
    const invocation = { remainingMs: () => remaining, invocationId: 'i' };
    await w.forward(kinesisEvent([GOOD, GOOD]), invocation).catch(() => {});
    expect(w.counted).toMatchObject({ RecordsReceived: 2, RecordsReturned: 2 });
    const numbers = { firstSequenceNumber: seq(0), lastSequenceNumber: seq(1) };
    expect(lastLine(w)).toMatchObject({ ...numbers, checkpoint: seq(0), returned: 2, stopped });
  });

  it('B 16: of two records of one number, the one that was not taken is not passed over', async () => {
    const inlet = fakeInlet(inTurn(() => multi([{ xactionId: 'a-0' }, { status: 503 }]), acknowledgeAll));
    const w = world({ inlet });
    const records = ['{"a":1}', '{"a":2}'].map((data) => ({ data, seq: seq(0) }));
    const invocation = {
      remainingMs: () => (inlet.requests.length === 1 ? 2_300 : 60_000),
      invocationId: 'i',
    };
    expect(JSON.stringify(await w.forward(kinesisEvent(records), invocation))).toBe(from(0));
    expect(JSON.stringify(await w.run(records))).toBe(ALL_SETTLED);
    expect(inlet.requests.at(-1)?.messages).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('reads the published pipeline once a minute, and anew after a fault of the set-up', async () => {
    const inlet = fakeInlet(inTurn(acknowledgeAll, acknowledgeAll, () => json(404, {}), acknowledgeAll));
    const w = world({ inlet });
    await w.run([GOOD]);
    await w.run([GOOD]);
    expect(w.secretReads).toHaveLength(1);
    await w.clock.sleep(60_000);
    await w.run([GOOD]).catch(() => {});
    expect(w.secretReads).toHaveLength(2);
    w.secrets.set('penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, flowId: 'new' }));
    await w.run([GOOD]);
    expect(inlet.requests.at(-1)?.headers['x-adobe-flow-id']).toBe('new');
  });

  it('sends nothing to an inlet that is not allowed', async () => {
    const w = world({ published: { inletUrl: `https://evil.example/collection/${'a'.repeat(32)}` } });
    await expect(w.run([GOOD])).rejects.toMatchObject({ code: 'INLET_NOT_ALLOWED' });
    expect(w.inlet.requests).toEqual([]);
  });

  it.each([
    ['IMS refuses', () => json(400, { error: 'invalid_client' }), 'IMS_REFUSED'],
    ['IMS answers without a token', () => json(200, {}), undefined],
    ['IMS is in trouble', () => json(503, {}), undefined],
  ])('delivers nothing and loses nothing where %s', async (_, ims, thrown) => {
    const inlet = fakeInlet(acknowledgeAll, ims);
    const w = world({ inlet, published: { authenticationRequired: true } });
    const outcome = await w.run([GOOD, 'no']).then(JSON.stringify, (error) => error.code);
    expect(outcome).toBe(thrown ?? from(0));
    expect([inlet.requests, w.reasons()]).toEqual([[], []]);
  });

  it('keeps two invocations that overlap apart', async () => {
    const w = world();
    const both = await Promise.all([w.run([GOOD, 'no']), w.run(['{"other":1}', 'none'])]);
    expect(both.map((answer) => JSON.stringify(answer))).toEqual([ALL_SETTLED, ALL_SETTLED]);
    expect(w.store.documents.map(({ entries }) => entries.length)).toEqual([1, 1]);
    expect(w.inlet.acknowledged.toSorted()).toEqual([GOOD, '{"other":1}']);
  });
});

/** What a record of the model is, and what has to become of it. */
type Kind = 'good' | 'large' | 'garbage' | 'refused' | 'aggregate';

interface Modelled {
  readonly input: RecordInput;
  /** Texts that have to arrive. */
  readonly texts: readonly string[];
  /** Entries that have to be stored. */
  readonly stored: number;
}

const KEYS = ['ana', 'bea', 'caio', 'duda', 'eva', 'fábio'];

function modelled(kind: Kind, key: string, n: number): Modelled {
  const text = (more: string, at = 0) => `{"id":"${n}.${at}","key":"${key}","big":9007199254740993${more}}`;
  switch (kind) {
    case 'good':
      return { input: { data: text(''), key }, texts: [text('')], stored: 0 };
    case 'large': {
      const large = text(`,"pad":"${'x'.repeat(330_000)}"`);
      return { input: { data: large, key }, texts: [large], stored: 0 };
    }
    case 'garbage':
      return { input: { data: `no ${n}`, key }, texts: [], stored: 1 };
    case 'refused':
      return { input: { data: text(',"refuse":true'), key }, texts: [], stored: 1 };
    case 'aggregate': {
      const texts = [text('', 0), text('', 1), text('', 2)];
      const parts = [...texts, 'no'].map((data) => ({ key, data: Buffer.from(data) }));
      return { input: { data: aggregate(parts), key }, texts, stored: 1 };
    }
  }
}

const FAULTS = [
  'fine',
  'fine',
  'fine',
  'down',
  'reset',
  'lost',
  'some',
  'fewer',
  'none',
  '413',
  '429',
  '401',
  '404',
] as const;
type Fault = (typeof FAULTS)[number];

/** An inlet with a fault for each request, then none; `received` is what it took, acknowledged or not. */
function faulty(faults: readonly Fault[], received: string[]): Answer {
  let turn = 0;
  return ({ messages }) => {
    const fault = faults[turn++] ?? 'fine';
    const isRefused = (text: string) => text.includes('"refuse":true');
    const take = (texts: readonly string[]) => received.push(...texts.filter((text) => !isRefused(text)));
    const entry = (text: string, at: number) =>
      isRefused(text) ? { xactionId: `a-${at}`, status: 400, message: 'refused' } : { xactionId: `a-${at}` };
    switch (fault) {
      case 'down':
        return json(503, {});
      case '413':
      case '429':
      case '401':
      case '404':
        // A lone message that is 413 would be rejected for good, which the model does not foresee.
        return json(fault === '413' && messages.length === 1 ? 503 : Number(fault), { title: 'x' });
      case 'reset':
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
      case 'lost':
        take(messages);
        throw new TypeError('terminated', { cause: Object.assign(new Error(), { code: 'UND_ERR_SOCKET' }) });
      case 'none':
        take(messages);
        return multi([...messages.map(entry), { xactionId: 'a-0' }]);
      case 'some':
        take(messages.filter((_, at) => at % 3 !== 1));
        return multi(messages.map((text, at) => (at % 3 === 1 ? { status: '503' } : entry(text, at))));
      case 'fewer':
        take(messages);
        return multi(messages.map(entry).filter((_, at) => at % 2 === 0));
      case 'fine':
        take(messages);
        return multi(messages.map(entry));
    }
  };
}

describe('a shard, read as Lambda reads it, under faults', () => {
  const kinds = fc.constantFrom<Kind>('good', 'good', 'good', 'large', 'garbage', 'refused', 'aggregate');
  const model = fc.record({
    records: fc.array(fc.tuple(kinds, fc.constantFrom(...KEYS)), { minLength: 1, maxLength: 24 }),
    faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 12 }),
    storeFaults: fc.array(fc.boolean(), { maxLength: 3 }),
    authenticationRequired: fc.boolean(),
    strict: fc.boolean(),
  });

  it('loses nothing, invents nothing, stores each reject once, and keeps the order of every key', async () => {
    await fc.assert(
      fc.asyncProperty(model, async ({ records, faults, storeFaults, authenticationRequired, strict }) => {
        const all = records.map(([kind, key], n) => modelled(kind, key, n));
        const received: string[] = [];
        const inlet = fakeInlet(faulty(faults, received));
        const kept = memoryStore();
        let puts = 0;
        const deadLetters = {
          put: (document: Parameters<typeof kept.put>[0]) =>
            storeFaults[puts++] ? Promise.reject(new Error('AccessDenied')) : kept.put(document),
        };
        const w = world({
          inlet,
          deadLetters,
          published: { authenticationRequired, ...(strict && { order: 'strict' }) },
        });

        let at = 0;
        for (let round = 0; at < all.length; round++) {
          // A second apart; two tokens in a row that are not taken are waited for half a minute, and that twice.
          expect(round, 'rounds until the shard is drained').toBeLessThan(120);
          // Lambda waits before it tries again.
          await w.clock.sleep(1_000);
          const batch = all.slice(at).map(({ input }, n) => ({ ...(input as object), seq: seq(at + n) }));
          const result = await w.run(batch as RecordInput[]).then(
            (ok) => ({ ok }),
            (error: Error) => ({ error: { errorType: error.name, errorMessage: error.message } }),
          );
          if ('error' in result) expect(result.error.errorMessage).toMatch(/^AEP_(NOT_FOUND|UNAUTHORIZED)/);
          const numbers = batch.map((record) => record.seq);
          const verdict = readBatchResponse(result as never, numbers, true);
          const next = verdict.kind === 'delivered' ? all.length : at + verdict.from;
          // Whatever is passed over is in its place already.
          const arrived = new Set(received);
          const entries = kept.documents.flatMap((document) => document.entries);
          for (let n = at; n < next; n++) {
            expect(all[n]?.texts.every((text) => arrived.has(text))).toBe(true);
            expect(entries.filter(({ sequenceNumber }) => sequenceNumber === seq(n))).toHaveLength(
              all[n]?.stored ?? 0,
            );
          }
          expect(w.counted.RecordsReceived).toBe(
            (w.counted.RecordsAcknowledged ?? 0) +
              (w.counted.RecordsAcknowledgedBefore ?? 0) +
              (w.counted.RecordsRejected ?? 0) +
              (w.counted.RecordsReturned ?? 0),
          );
          at = next;
        }

        const texts = all.flatMap((one) => one.texts);
        expect(new Set(received)).toEqual(new Set(texts));
        const stored = kept.documents.flatMap((document) => document.entries);
        expect(stored).toHaveLength(all.reduce((sum, one) => sum + one.stored, 0));
        expect(w.counted.ConservationDifference ?? 0).toBe(0);
        const sent = inlet.requests.flatMap(({ messages }) => messages);
        for (const key of KEYS) {
          const of = (list: readonly string[]) =>
            list.filter((text) => text.includes(`"key":"${key}"`) && !text.includes('refuse'));
          expect([...new Set(of(sent))]).toEqual(of(texts));
          if (strict) expect([...new Set(of(received))]).toEqual(of(texts));
        }
        for (const { bytes } of inlet.requests) expect(bytes).toBeLessThanOrEqual(1_000_000);
        const calm = faults.every((fault) => fault === 'fine') && !storeFaults.includes(true);
        if (calm) expect(received).toHaveLength(texts.length);
      }),
      { numRuns: 200 },
    );
  });

  it('never throws for what is in a record', async () => {
    const data = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json({ maxDepth: 3 }),
      fc.json({ maxDepth: 2 }).map((text) => text.slice(0, -1)),
      fc.constantFrom('', ' ', '{}', '\u0000'),
    );
    const record = fc.oneof(
      data.map((one) => ({ data: one })),
      fc.string({ maxLength: 12 }).map((base64) => ({ base64 })),
      fc.array(data, { maxLength: 4 }).map((parts) => ({
        data: aggregate(parts.map((part) => ({ key: 'k', data: Buffer.from(part) }))),
      })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('raw' as const, 'xdm' as const),
        fc.constantFrom('none' as const, 'gzip' as const),
        async (records, mode, compression) => {
          const w = world({ published: { data: mode, compression } });
          expect(JSON.stringify(await w.run(records))).toBe(ALL_SETTLED);
          expect(w.counted.ConservationDifference).toBe(0);
        },
      ),
      { numRuns: 400 },
    );
  });
});
