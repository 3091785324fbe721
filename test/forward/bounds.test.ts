import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { excerpt } from '../../lib/aep/exchange.ts';
import { inletAddress, postBatch } from '../../lib/aep/inlet.ts';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import type { Framed } from '../../lib/forward/frame/framed.ts';
import { createRoom, mostHeld, prepare } from '../../lib/forward/frame/prepare.ts';
import { createDecoding } from '../../lib/forward/read/decoding.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { processorSeconds } from '../support/effort.ts';
import { ALL_SETTLED, INLET_ID, kinesisEvent, PUBLISHED, world } from '../support/forwarding.ts';
import { fakeInlet } from '../support/inlet.ts';
import { aggregate } from '../support/kpl.ts';
import { json, scripted } from '../support/scripted.ts';

// One legal record must not be able to hold up its shard, nor one hostile answer the function.

const always = () => true;
const STAGES = {
  decoding: { compression: 'none' },
  transform: undefined,
  frame: createFramer(PUBLISHED).frame,
  isKnown: () => false,
} as const;

describe('what unpacks to a thousandfold', () => {
  it('F20: a record of a hundred gzip members is settled, in bounded memory and with bounded work', async () => {
    const member = gzipSync(Buffer.alloc(10 * 1024 * 1024));
    const w = world({ published: { compression: 'gzip' } });
    const before = process.memoryUsage().rss;
    const record = aggregate(Array.from({ length: 100 }, () => ({ key: 'k', data: member })));
    const cost = await processorSeconds(async () =>
      expect(JSON.stringify(await w.run([record]))).toBe(ALL_SETTLED),
    );
    expect(cost).toBeLessThan(15);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    expect(new Set(w.reasons())).toEqual(new Set(['gzip-too-large']));
  });

  it('members that are small enough each are not, all together', async () => {
    const text = JSON.stringify({ filler: 'x'.repeat(900_000) });
    const member = gzipSync(text);
    const data = aggregate(Array.from({ length: 120 }, () => ({ key: 'k', data: member }))).toString(
      'base64',
    );
    const [record] = kinesisEvent([{ base64: data }]).Records as unknown as KinesisRecord[];
    const stages = { ...STAGES, decoding: { compression: 'gzip' as const } };
    const { framed, settled, decoded } = await prepare([record as KinesisRecord], stages, createRoom(always));
    expect(decoded).toBe(120);
    expect(framed.length).toBeLessThan(80);
    expect(framed.length + settled.length).toBe(120);
  });

  it('14 B: stays in the stream where a format makes many messages of each record, but for the first', async () => {
    const line = `${JSON.stringify({ filler: 'x'.repeat(20_000) })}\n`;
    const bytes = gzipSync(line.repeat(900));
    const records = kinesisEvent([bytes, bytes, bytes]).Records as unknown as KinesisRecord[];
    const decoding = createDecoding({ compression: 'gzip', format: { kind: 'json-lines' } });
    const some = await prepare(records, { ...STAGES, decoding }, createRoom(always, mostHeld(decoding)));
    expect([some.framed.length, some.left.length]).toEqual([900, 2]);
    expect(mostHeld(decoding)).toBeLessThan(mostHeld({ compression: 'gzip' }));
  });

  it('is refused by its size before it is parsed', async () => {
    const w = world({ published: { compression: 'gzip' } });
    const deep = gzipSync(`{"a":${'[1,'.repeat(600_000)}1${']'.repeat(600_000)}}`);
    expect(await processorSeconds(() => w.run([deep]))).toBeLessThan(2);
    expect(w.reasons()).toEqual(['gzip-too-large']);
  });
});

describe('time', () => {
  it('ends the preparing too: what was not looked at comes again, and one record at least is taken', async () => {
    const records = kinesisEvent(['{"a":1}', '{"a":2}', '{"a":3}']).Records as unknown as KinesisRecord[];
    let looks = 0;
    const some = await prepare(
      records,
      STAGES,
      createRoom(() => ++looks < 2),
    );
    expect([some.framed.length, some.left.length]).toEqual([2, 1]);
    const none = await prepare(
      records,
      STAGES,
      createRoom(() => false),
    );
    expect([none.framed.length, none.left.length]).toEqual([1, 2]);
  });

  it.each([
    ['ends where a route takes the long way with records that were decoded together', undefined, [2, 1]],
    ['does not end within records that all go the short way', (one: Framed) => one, [3, 0]],
  ] as const)('%s', async (_, short, expected) => {
    const records = kinesisEvent(['{"a":1}', '{"a":2}', '{"a":3}']).Records as unknown as KinesisRecord[];
    const { direct } = createFramer(PUBLISHED);
    let looks = 0;
    const some = await prepare(
      records,
      { ...STAGES, direct, short },
      createRoom(() => ++looks < 2),
    );
    expect([some.framed.length, some.left.length]).toEqual(expected);
  });
});

describe('a partition key', () => {
  it('of an aggregate is no longer than Kinesis takes', async () => {
    const w = world();
    const record = aggregate([{ key: 'k'.repeat(1_025), data: Buffer.from('{"a":1}') }]);
    expect(JSON.stringify(await w.run([record]))).toBe(ALL_SETTLED);
    expect(w.reasons()).toEqual(['bad-aggregate']);
  });
});

describe('what a stranger says', () => {
  it('is cut before a pattern goes through it', async () => {
    // The pattern alone would take a dozen seconds for it.
    expect(await processorSeconds(() => excerpt('eyJ'.repeat(60_000), 100))).toBeLessThan(1);
    expect(excerpt('x Bearer abc eyJa.b.c p8e-fake y', 100)).toBe('x *** *** *** y');
  });

  const address = inletAddress(`https://dcs.adobedc.net/collection/${INLET_ID}`, ['https://dcs.adobedc.net']);
  const request = { address, body: Buffer.from('{}'), messages: 1, sandbox: 'dev1', timeoutMs: 999.5 };

  it("never holds a part of the inlet's id", async () => {
    for (const length of [380, 470, 490]) {
      const message = `${'x'.repeat(length)} inletId: [${INLET_ID}]`;
      const { transport } = scripted([json(207, { responses: [{ status: 400, message }] })]);
      expect(JSON.stringify(await postBatch(transport, request))).not.toContain(INLET_ID.slice(0, 8));
      const whole = scripted([json(400, { report: { message } })]);
      expect(JSON.stringify(await postBatch(whole.transport, request))).not.toContain(INLET_ID.slice(0, 8));
    }
  });

  it('is asked for without following redirects', async () => {
    const { transport, sent } = scripted([json(307, undefined, { location: 'https://evil.example/' })]);
    expect(await postBatch(transport, request)).toMatchObject({ kind: 'failed', class: 'set-up' });
    expect(sent.map(({ init }) => init.redirect)).toEqual(['manual']);
  });

  it('does not bring a header into a message', async () => {
    const broken = new TypeError('Headers.append: "Bearer fake-token" is an invalid header value.');
    const { transport } = scripted([broken]);
    expect(JSON.stringify(await postBatch(transport, request))).not.toContain('fake-token');
  });
});

describe('many small records that are all refused but for a few', () => {
  it('are each kept, however long the answer', async () => {
    const refusal = { status: 400, message: 'm'.repeat(820) };
    const inlet = fakeInlet(({ messages }) =>
      json(207, {
        responses: messages.map((_, index) => ({ xactionId: `x-${index}`, ...(index > 0 && refusal) })),
      }),
    );
    const w = world({ inlet });
    const answer = await w.run(Array.from({ length: 10_000 }, (_, n) => `{"n":${n}}`));
    expect(JSON.stringify(answer)).toBe(ALL_SETTLED);
    expect(w.reasons()).toHaveLength(10_000 - inlet.requests.length);
  });
});

describe('the dead-letter store', () => {
  it.each([
    's3://bucket/%',
    's3://bucket/a?b',
    's3://bucket/a#b',
    'file://host/x',
    'file:///a%2Fb',
    'https://x',
    'nothing',
  ])('is not at %s', (url) => {
    expect(() => createDeadLetters(url)).toThrow(expect.objectContaining({ code: 'SETTINGS_INVALID' }));
  });
});
