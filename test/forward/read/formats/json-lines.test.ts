// NDJSON in a record: each line is a message. Samples after github.com/ndjson/ndjson-spec.
import { describe, expect, it } from 'vitest';
import { decode, readyToDecode } from '../../../../lib/forward/read/decode.ts';
import type { KinesisRecord } from '../../../../lib/forward/read/event.ts';
import type { Expander } from '../../../../lib/forward/read/formats/expander.ts';
import { kinesisEvent, seq, world } from '../../../support/forwarding.ts';
import { acknowledgeBut, fakeInlet } from '../../../support/inlet.ts';
import { aggregate } from '../../../support/kpl.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  redriveWorld,
  streamRecord,
} from '../../../support/redriving.ts';
import { kept, type Outcome, transforming } from '../../../support/transforming.ts';

const LINES = { format: { kind: 'json-lines' as const } };
const through = transforming(undefined, LINES);
const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const placeOf = ({ framed, entry: stored }: Outcome) => (framed?.message ?? stored)?.subSequenceNumber;

describe('14 B: json-lines', () => {
  it('makes a message of each line, in its own bytes, with its running place', () => {
    const outcomes = through(
      '{"some":"thing"}\n{"foo":17,"bar":false}\n{"n":1.50E+3, "big":9007199254740993}\n',
    );
    expect(outcomes.map(found)).toEqual([
      '{"some":"thing"}',
      '{"foo":17,"bar":false}',
      '{"n":1.50E+3, "big":9007199254740993}',
    ]);
    expect(outcomes.map(placeOf)).toEqual([0, 1, 2]);
  });

  it.each([
    ['a last line without its end', '{"a":1}\n{"a":2}'],
    ['CRLF', '{"a":1}\r\n{"a":2}\r\n'],
    ['a byte order mark', '\ufeff{"a":1}\n{"a":2}\n'],
    ['blank lines', '\n{"a":1}\n\n \t\r\n{"a":2}\n\n'],
  ])('takes %s', (_, text) => {
    expect(through(text).map((one) => found(one)?.trim())).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('rejects a bad line alone, as itself, and sends its siblings', () => {
    const outcomes = through('{"a":1}\n{"a":\n{"a":3}\nnull\n"text"');
    expect(outcomes.map(found)).toEqual(['{"a":1}', 'not-json', '{"a":3}', 'not-an-object', 'not-an-object']);
    expect(outcomes[1]?.entry).toMatchObject({ piece: true, subSequenceNumber: 1 });
    expect(outcomes.map((one) => kept(one.entry))).toEqual(['', '{"a":', '', 'null', '"text"']);
  });

  it('rejects a record without a line as a whole, and is no line itself', () => {
    const [outcome] = through('\n \n');
    expect(outcome?.verdict).toBe('empty');
    expect(outcome?.entry).not.toHaveProperty('piece');
    expect(outcome?.entry).not.toHaveProperty('subSequenceNumber');
  });

  it('numbers the lines of all sub-records of an aggregate one after the other', () => {
    const data = aggregate([
      { key: 'a', data: Buffer.from('{"n":1}\n{"n":2}') },
      { key: 'b', data: Buffer.from(' ') },
      { key: 'c', data: Buffer.from('{"n":3}') },
    ]);
    const outcomes = through(data);
    expect(outcomes.map(found)).toEqual(['{"n":1}', '{"n":2}', 'empty', '{"n":3}']);
    expect(outcomes.map(placeOf)).toEqual([0, 1, 2, 3]);
    expect(outcomes.map(({ framed }) => framed?.message.partitionKey)).toEqual(['a', 'a', undefined, 'c']);
  });

  it('holds to the bound of messages: a record with more is one reject with the packed bytes', () => {
    const most = through('{}\n'.repeat(100_000));
    expect(most).toHaveLength(100_000);
    const [outcome, ...others] = through('{}\n'.repeat(100_001));
    expect(others).toEqual([]);
    expect(outcome?.verdict).toBe('too-many-messages');
    expect(kept(outcome?.entry)).toHaveLength(300_003);
    expect(outcome?.entry).not.toHaveProperty('piece');
  });
});

describe('14 B: the pieces of one record', () => {
  it('are not repeated for a sibling that has to be sent again', async () => {
    let isBusy = true;
    const inlet = fakeInlet(
      acknowledgeBut((message) =>
        isBusy && message.includes('slow') ? { statusCode: 503, message: 'later' } : undefined,
      ),
    );
    const w = world({ published: LINES, inlet });
    const records = ['{"n":1}\n{"n":"slow"}\n{"n":3}\n{"n":', '{"n":5}'];
    expect(await w.run(records)).toEqual({ batchItemFailures: [{ itemIdentifier: seq(0) }] });
    expect(w.reasons()).toEqual([]);
    isBusy = false;
    expect(await w.run(records)).toEqual({ batchItemFailures: [] });
    expect(inlet.acknowledged.toSorted()).toEqual(['{"n":"slow"}', '{"n":1}', '{"n":3}', '{"n":5}']);
    expect(w.reasons()).toEqual(['not-json']);
  });

  it('are redacted each by itself, and a bad one is stored without its bytes', async () => {
    const records = { redact: [{ field: '/email', action: 'mask' as const }] };
    const w = world({ published: { ...LINES, records } });
    await w.run(['{"email":"a@b"}\n{"email":\n{"n":1}']);
    expect(w.inlet.acknowledged).toEqual(['{"email":"***"}', '{"n":1}']);
    expect(w.store.documents.flatMap(({ entries }) => entries)).toMatchObject([
      { reason: 'not-json', data: '', withheld: true, piece: true, subSequenceNumber: 1 },
    ]);
  });
});

describe('14 B: a piece in the dead-letter store', () => {
  const refuse = (word: string) =>
    fakeInlet(
      acknowledgeBut((message) =>
        message.includes(word) ? { statusCode: 400, message: 'still no' } : undefined,
      ),
    );
  const derived = { ...LINES, records: { derive: ['_id' as const] } };
  const idsIn = (messages: readonly string[]) =>
    messages.map((message) => (JSON.parse(message) as { _id: string })._id);

  it('is sent again as it is: neither unpacked nor taken for an aggregate or for a record of the format', async () => {
    const own = redriveWorld({ published: { ...LINES, compression: 'auto' } });
    const two = '{"a":\n1}';
    await own.store(document([entry(1, two, { subSequenceNumber: 4, piece: true })]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 1 });
    expect(own.inlet.acknowledged).toEqual([two]);
    const data = Buffer.from('1f8b0800', 'hex').toString('base64');
    await own.store(document([entry(1, '', { subSequenceNumber: 4, piece: true, data })]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ rejectedAgain: 1 });
    expect([...own.documents().values()][0]?.entries).toMatchObject([{ reason: 'not-utf8', piece: true }]);
  });

  it('keeps its place and its mark when it is refused again', async () => {
    const own = redriveWorld({ published: derived, inlet: refuse('bad') });
    const stored = [
      entry(1, '{"v":"good"}', { subSequenceNumber: 4, piece: true }),
      entry(1, '{"v":"bad"}', { subSequenceNumber: 5, piece: true }),
    ];
    const key = await own.store(document(stored));
    await own.run({ source: 'rejected' });
    expect(idsIn(own.inlet.acknowledged)).toEqual([`customers:shardId-000000000002:${seq(1)}:4`]);
    expect(own.documents().get(key)?.entries).toEqual([{ ...stored[1], message: '400: still no' }]);
  });

  it('a whole record comes apart by the format that is in force now, with the places it would have had', async () => {
    const own = redriveWorld({ published: derived, inlet: refuse('bad') });
    const key = await own.store(
      document([entry(1, '{"v":"a"}\n{"v":"bad"}\n{"v":"c"}', { reason: 'not-json' })]),
    );
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 2, rejectedAgain: 1 });
    expect(idsIn(own.inlet.acknowledged)).toEqual(
      [0, 2].map((place) => `customers:shardId-000000000002:${seq(1)}:${place}`),
    );
    expect(own.documents().get(key)?.entries).toMatchObject([
      { subSequenceNumber: 1, piece: true, reason: 'refused', data: entry(1, '{"v":"bad"}').data },
    ]);
  });

  it('a stored sub-record that comes apart gives ids that no sibling has', async () => {
    const own = redriveWorld({ published: derived });
    await own.store(document([entry(1, '{"v":1}\n{"v":2}', { subSequenceNumber: 3 })]));
    await own.store(document([entry(2, '{"v":3}', { subSequenceNumber: 3 })]));
    await own.run({ source: 'rejected' });
    const id = (record: number, place: number) => `customers:shardId-000000000002:${seq(record)}:${place}`;
    expect(idsIn(own.inlet.acknowledged).sort()).toEqual(
      [id(1, 4_000_000), id(1, 4_000_001), id(2, 3)].sort(),
    );
  });

  it('what redaction left of a message is one, whatever the format is now', async () => {
    const records = { redact: [{ field: '/b', action: 'drop' as const }] };
    const own = redriveWorld({ published: { ...LINES, records } });
    const rules = { r: [{ field: '/b', action: 'drop' as const }] };
    const one = entry(1, '{"a":\n1}', { redacted: true, rules: 'r' });
    await own.store(document([one], { rules }));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 1 });
  });

  it("Lambda's discarded documents and a stretch of the stream are read by the pipeline's format", async () => {
    const own = redriveWorld({ published: derived, inlet: refuse('bad') });
    const text = onFailureDocument({ records: ['{"v":1}\n{"v":"bad"}\n{"v":3}'], payload: 'object' });
    own.s3.objects.set(ON_FAILURE_KEY, text);
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ delivered: 2, rejectedAgain: 1 });
    const stored = [...own.documents().values()].flatMap(({ entries }) => entries);
    expect(stored).toMatchObject([{ piece: true, subSequenceNumber: 1 }]);
    own.stream.records.push(streamRecord(7, '{"v":4}\n{"v":5}'));
    const sequence = { shardId: 'shardId-000000000002', from: seq(7), to: seq(7) };
    expect(await own.run({ source: 'stream', where: { sequence } })).toMatchObject({ delivered: 2 });
    expect(idsIn(own.inlet.acknowledged).at(-1)).toBe(`customers:shardId-000000000002:${seq(7)}:1`);
  });
});

describe('14 B: a format that has to fetch something first', () => {
  const [record] = kinesisEvent([
    aggregate([
      { key: 'a', data: Buffer.from('one') },
      { key: 'b', data: Buffer.from('two') },
    ]),
  ]).Records as unknown as KinesisRecord[];

  it('is asked about each sub-record before it is decoded', async () => {
    const asked: string[] = [];
    const expander: Expander = {
      ready: (bytes) => {
        asked.push(bytes.toString());
        return asked.length === 1 ? Promise.resolve() : undefined;
      },
      expand: (bytes) => [bytes],
    };
    const decoding = { compression: 'none' as const, expander };
    await readyToDecode(record as KinesisRecord, decoding);
    expect(asked).toEqual(['one', 'two']);
    expect([...decode(record as KinesisRecord, decoding)]).toHaveLength(2);
    expect(readyToDecode(record as KinesisRecord, { compression: 'none' })).toBeUndefined();
  });
});
