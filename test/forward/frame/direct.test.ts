import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REQUEST_BYTES } from '../../../lib/forward/frame/body.ts';
import { createFramer, type Framer } from '../../../lib/forward/frame/frame.ts';
import type { Framed } from '../../../lib/forward/frame/framed.ts';
import { gather, type Place } from '../../../lib/forward/frame/slab.ts';
import { decode } from '../../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../../lib/forward/read/event.ts';
import type { PublishedPipeline } from '../../../lib/published.ts';
import { PUBLISHED } from '../../support/forwarding.ts';
import { aggregate } from '../../support/kpl.ts';
import { pipelineWith } from '../../support/transforming.ts';

const PIPELINES: Readonly<Record<string, PublishedPipeline>> = {
  raw: PUBLISHED,
  xdm: pipelineWith(undefined, { data: 'xdm' }),
  'raw with an operation': pipelineWith({ operations: { data: 'merge' } }),
};

function recordOf(data: string): KinesisRecord {
  const kinesis = { sequenceNumber: '17', partitionKey: 'k', data, approximateArrivalTimestamp: 1.5 };
  return { eventSourceARN: PUBLISHED.streamArn, kinesis };
}

/** What the long way makes of the record, which holds one message. */
function longWay(framer: Framer, record: KinesisRecord): Framed | string {
  const [part] = decode(record, { compression: 'none' });
  if (part === undefined || 'verdict' in part) return 'not sent';
  const framed = framer.frame(part);
  return 'verdict' in framed ? 'not sent' : framed;
}

const text = (framer: Framer, ...framed: Framed[]) => Buffer.from(framer.body(framed)).toString();

describe.each(Object.entries(PIPELINES))('the short way of %s data', (_, pipeline) => {
  const payload = fc.oneof(
    fc.json().map((json) => Buffer.from(`{"a":${json}}`)),
    fc.json().map((json) => Buffer.from(json)),
    fc
      .dictionary(fc.constantFrom('header', 'body', 'xdmEntity', 'é'), fc.json())
      .map((one) => Buffer.from(JSON.stringify(one))),
    fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')])),
    fc.constant(aggregate([{ data: Buffer.from('{}'), key: 'p' }])),
    fc.constant(Buffer.from('\ufeff{}')),
  );
  const spoilt = fc.option(fc.tuple(fc.nat(), fc.constantFrom('-', '_', '=', ' ', 'é', '\u0141', 'Z')), {
    freq: 1,
  });
  const data = fc.tuple(payload, spoilt).map(([bytes, how]) => {
    const base64 = bytes.toString('base64');
    if (how === null) return base64;
    const at = how[0] % (base64.length + 1);
    return base64.slice(0, at) + how[1] + base64.slice(at + 1);
  });

  it('sends what the long way sends, or nothing', () => {
    let taken = 0;
    fc.assert(
      fc.property(data, (one) => {
        const [framer, record] = [createFramer(pipeline), recordOf(one)];
        const [short] = framer.direct?.([record]) ?? [];
        if (short === undefined) return;
        taken++;
        const long = longWay(framer, record);
        if (typeof long === 'string') throw new Error(long);
        expect(text(framer, short)).toBe(text(framer, long));
        expect(short.size).toBe(long.size);
        const { sequenceNumber, partitionKey, arrivedAt, bytes } = short.message;
        expect({ sequenceNumber, partitionKey, arrivedAt, bytes: Buffer.from(bytes) }).toEqual(long.message);
      }),
      { numRuns: 3_000, seed: 20_261_127 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  it('is taken by every plain object, and makes the same request of many', () => {
    const objects = Array.from({ length: 5_000 }, (_, n) => `{"n":${n},"text":"${'é'.repeat(n % 50)}"}`);
    const framer = createFramer(pipeline);
    const records = objects.map((json) => recordOf(Buffer.from(json).toString('base64')));
    const short = (framer.direct?.(records) ?? []).filter((framed) => framed !== undefined);
    expect(short).toHaveLength(objects.length);
    const long = records.map((record) => longWay(framer, record) as Framed);
    expect(text(framer, ...short)).toBe(text(framer, ...long));
    const odd = (_: unknown, index: number) => index % 2 === 1 || index % 7 === 0;
    expect(text(framer, ...short.filter(odd))).toBe(text(framer, ...long.filter(odd)));
  });

  it('leaves to the long way what is no UTF-8 by itself, whatever its neighbours are', () => {
    const framer = createFramer(pipeline);
    const ends = ['é', '\xc3', '\xa9', '\xe2\x82', 'x'].map((text) =>
      Buffer.from(text, text === 'é' ? 'utf8' : 'latin1'),
    );
    const records = ends.flatMap((one) =>
      ends.map((other) =>
        recordOf(
          Buffer.concat([
            Buffer.from('{"a":"'),
            one,
            Buffer.from('","b":"'),
            other,
            Buffer.from('"}'),
          ]).toString('base64'),
        ),
      ),
    );
    const short = framer.direct?.(records) ?? [];
    expect(short).toHaveLength(records.length);
    for (const [index, record] of records.entries())
      expect(short[index] === undefined).toBe(longWay(framer, record) === 'not sent');
    expect(short.filter((one) => one !== undefined)).toHaveLength(4);
  });

  it('leaves to the long way what does not fit, to the byte', () => {
    const framer = createFramer(pipeline);
    const most =
      MAX_REQUEST_BYTES -
      text(framer, longWay(framer, recordOf(btoa('{}'))) as Framed).length +
      '{}'.length -
      1;
    const of = (length: number) =>
      recordOf(Buffer.from(`{"a":"${'x'.repeat(length - 8)}"}`).toString('base64'));
    for (const length of [most - 3, most]) expect(longWay(framer, of(length))).toHaveProperty('slab');
    expect(longWay(framer, of(most + 1))).toBe('not sent');
    expect(framer.direct?.([of(most + 1)])).toEqual([undefined]);
  });
});

it('there is none where more is done with each record', () => {
  const table = { operations: { field: '/op', values: { U: { data: 'merge' } } } };
  for (const records of [{ derive: ['timestamp'] }, table])
    expect(createFramer(pipelineWith(records), 'shardId-0').direct).toBeUndefined();
});

describe('gather', () => {
  it('puts commas between places, side by side or not', () => {
    const [one, two] = [Buffer.from('xaa,bb,ccx'), Buffer.from('dd,ee')];
    const place = (slab: Buffer, start: number, end: number): Place => ({ slab, start, end });
    const gathered = (...places: Place[]) => {
      const body = Buffer.alloc(100);
      return body.toString('latin1', 3, gather(places, body, 3));
    };
    const [aa, bb, cc] = [place(one, 1, 3), place(one, 4, 6), place(one, 7, 9)];
    const [dd, ee] = [place(two, 0, 2), place(two, 3, 5)];
    expect(gathered()).toBe('');
    expect(gathered(bb)).toBe('bb');
    expect(gathered(aa, bb, cc, dd, ee)).toBe('aa,bb,cc,dd,ee');
    expect(gathered(aa, cc, ee, dd)).toBe('aa,cc,ee,dd');
    expect(gathered(cc, bb, aa)).toBe('cc,bb,aa');
    expect(gathered(bb, bb)).toBe('bb,bb');
  });
});
