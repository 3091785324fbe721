import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coordinatesIn, recordId } from '../../lib/forward/read/record-id.ts';
import { linesOf } from '../../lib/reconcile/lines.ts';
import { type About, readRow } from '../../lib/reconcile/row.ts';
import { PUBLISHED } from '../support/forwarding.ts';

// Rows as AEP writes them, in every shape that is known of them (contract §3.4).

const ABOUT: About = { pipeline: { ...PUBLISHED, data: 'xdm' }, findings: [], place: 'batch file 1' };
const read = (line: unknown, about: Partial<About> = {}) => {
  const bytes = Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
  const { shardId, entry } = readRow({ bytes, length: bytes.length }, { ...ABOUT, ...about });
  const { data, ...rest } = entry;
  return { ...rest, shardId, record: Buffer.from(data, 'base64').toString() };
};
const text = (value: unknown) => JSON.stringify(value);

const ENTITY = { _id: 'a', person: { name: 'Zoë' } };
const BODY = { xdmMeta: { schemaRef: { id: 's' } }, xdmEntity: ENTITY };
const VIOLATION = { keyword: 'type', message: 'expected String', pointerToViolation: '#/person' };
const ERRORS = { code: 'DCVS-1104-400', _streamingValidation: [VIOLATION] };

describe('the record in a row', () => {
  it.each([
    ['everything as strings', { header: '{}', body: text(BODY), _errors: text(ERRORS) }],
    ['everything as it is', { header: {}, body: BODY, _errors: ERRORS }],
    ['strings of strings', { body: text(text(BODY)), _errors: text(ERRORS) }],
    ['a body that is the record', { body: ENTITY, _errors: ERRORS }],
    ['the record itself, with errors beside it', { ...ENTITY, _errors: ERRORS, _batchId: 'b', _failedAt: 1 }],
    [
      'the record itself, with validation errors',
      { ...ENTITY, _validationErrors: [{ ...VIOLATION, code: 'DCVS-1104-400' }] },
    ],
    [
      'a row that could not be read',
      { _corrupt_record: text(ENTITY), _errors: [{ ...VIOLATION, code: 'DCVS-1104-400' }] },
    ],
  ])('is found in %s', (_, line) => {
    expect(read(line)).toMatchObject({
      reason: 'refused-later',
      message: 'DCVS-1104-400: #/person: expected String',
      record: text(ENTITY),
    });
  });

  it('keeps its digits, its order and its spaces', () => {
    const entity = '{ "_id":"a" , "n": 12345678901234567890.10, "b":1,"a":2}';
    expect(read(`{"body":{"xdmEntity" : ${entity} }}`).record).toBe(entity);
    expect(read(text({ body: `{"xdmEntity":${entity}}` })).record).toBe(entity);
  });

  it.each([
    ['no JSON at all', 'oops {', 'oops {'],
    ['text in the body', text({ body: 'plain' }), 'plain'],
    ['a list', '[1]', '[1]'],
  ])('is kept as it is where it is %s', (_, line, record) => {
    expect(read(line)).toMatchObject({ record, message: 'AEP does not say why' });
  });

  it('is not kept where its row is too long, but its row is', () => {
    const about = { ...ABOUT, findings: [{ code: 'X-1', text: 'no' }] };
    const { entry } = readRow({ bytes: undefined, length: 9_999_999 }, about);
    expect(entry).toMatchObject({
      data: '',
      message: 'the row was not kept, because it has 9999999 bytes; X-1: no',
    });
    const other = readRow({ bytes: undefined, length: 9_999_999 }, { ...about, place: 'batch file 2' });
    expect(other.entry.sequenceNumber).not.toBe(entry.sequenceNumber);
  });

  it('is marked where the mapping or the pipeline made something else of it', () => {
    const raw = { pipeline: { ...PUBLISHED, data: 'raw' as const } };
    expect(read({ body: BODY }, raw)).toMatchObject({ processed: true });
    expect(read({ body: ENTITY }, raw)).not.toHaveProperty('processed');
    expect(read({ ...ENTITY, _errors: [] }, raw)).not.toHaveProperty('processed');
    expect(read({ body: BODY })).not.toHaveProperty('processed');
    const select = { pipeline: { ...PUBLISHED, data: 'xdm' as const, records: { select: '/a' } } };
    expect(read({ body: BODY }, select)).toMatchObject({ processed: true });
    expect(read({ body: BODY })).toMatchObject({ asReceived: true });
  });

  // AEP's words quote the record, which may have been sent before anything was to be hidden. It was stored as `redacted` before.
  it('A 4: of a pipeline that redacts is no word of AEP but its codes, and not said to be redacted', () => {
    const redact = { records: { redact: [{ field: '/a', action: 'drop' as const }] } };
    const about = { pipeline: { ...PUBLISHED, data: 'xdm' as const, ...redact } };
    const errors = [
      { ...VIOLATION, code: 'DCVS-1104-400' },
      { code: 'ana@example.com', message: 'Ana' },
    ];
    const row = read({ body: BODY, _errors: errors }, about);
    expect(row).toMatchObject({ message: 'DCVS-1104-400', asReceived: true });
    expect(row).not.toHaveProperty('redacted');
    expect(read({ body: BODY, _errors: [{ message: 'Ana' }] }, about).message).toBe('AEP does not say why');
  });

  it('A 4: is no place in the stream where the _id is to be hidden', () => {
    const redact = { records: { redact: [{ field: '/_id', action: 'mask' as const }] } };
    const _id = recordId({ stream: 'customers', shardId: 'shardId-7', sequenceNumber: '12' });
    expect(read({ body: { xdmEntity: { _id } } }).shardId).toBe('shardId-7');
    const about = { pipeline: { ...PUBLISHED, data: 'xdm' as const, ...redact } };
    expect(read({ body: { xdmEntity: { _id } } }, about).shardId).toBe('unknown');
  });
});

describe('where a record stood', () => {
  const id = (more = {}) =>
    recordId({
      stream: 'customers',
      shardId: 'shardId-000000000002',
      sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
      ...more,
    });

  it('is told by a derived _id, sub-record and all', () => {
    expect(read({ body: { xdmEntity: { _id: id() } } })).toMatchObject({
      shardId: 'shardId-000000000002',
      sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
    });
    expect(read({ body: { xdmEntity: { _id: id({ subSequenceNumber: 0 }) } } }).subSequenceNumber).toBe(0);
  });

  it.each([
    ["another stream's", id({ stream: 'orders' })],
    ['almost one', `${id()}:`],
    ['a number', 7],
    ['none', undefined],
  ])('is not told by %s: then its content tells it from others', (_, _id) => {
    const row = { body: { xdmEntity: { _id, a: 1 } } };
    const first = read(row);
    expect(first.shardId).toBe('unknown');
    expect(first.sequenceNumber).toMatch(/^[1-9]\d{20,38}$/);
    expect(read(row).sequenceNumber).toBe(first.sequenceNumber);
    expect(read({ body: { xdmEntity: { _id, a: 2 } } }).sequenceNumber).not.toBe(first.sequenceNumber);
    // What is derived of it leads back to it.
    const again = recordId({
      stream: 'customers',
      shardId: first.shardId,
      sequenceNumber: first.sequenceNumber,
    });
    expect(read({ body: { xdmEntity: { _id: again } } })).toMatchObject({
      shardId: 'unknown',
      sequenceNumber: first.sequenceNumber,
    });
  });

  it('as an id and back again is the same place', () => {
    const name = fc.stringMatching(/^[\w.-]{1,128}$/);
    const number = fc.bigInt(0n, 10n ** 128n).map(String);
    const place = fc.record(
      { stream: name, shardId: name, sequenceNumber: number, subSequenceNumber: fc.nat() },
      { requiredKeys: ['stream', 'shardId', 'sequenceNumber'] },
    );
    fc.assert(fc.property(place, (there) => void expect(coordinatesIn(recordId(there))).toEqual(there)));
    fc.assert(
      fc.property(fc.string(), (anything) => {
        const found = coordinatesIn(anything);
        if (found !== undefined) expect(recordId(found)).toBe(anything);
      }),
    );
  });
});

describe('what AEP says', () => {
  it.each([
    [
      'a list',
      [
        { code: 'A-1', message: 'm' },
        { code: 'B-2', description: 'd' },
      ],
      'A-1, B-2: m; d',
    ],
    [
      'causes rather than their number',
      { code: 'A-1', _x: [{ message: '2 violations found', causingExceptions: [VIOLATION] }] },
      'A-1: #/person: expected String',
    ],
    [
      'the first three of many',
      Array.from({ length: 9 }, (_, n) => ({ code: n, message: `m${n}` })),
      '0, 1, 2: m0; m1; m2',
    ],
    [
      'one thing once',
      [
        { code: 'A', message: 'm' },
        { code: 'A', message: 'm' },
      ],
      'A: m',
    ],
    ['no token', [{ message: 'Bearer abc.def said eyJabc.def' }], '*** said ***'],
    ['one line', [{ message: 'a\n\n  b' }], 'a b'],
  ])('is %s', (_, _errors, message) => {
    expect(read({ body: ENTITY, _errors }).message).toBe(message);
    expect(read({ body: ENTITY, _errors: text(_errors) }).message).toBe(message);
  });

  it('is what it says of the batch where the row says nothing, and is never long', () => {
    const findings = [{ code: 'INGEST-1212-400', text: 'x'.repeat(9_999) }];
    expect(read({ body: ENTITY, _errors: {} }, { findings }).message).toMatch(/^INGEST-1212-400: x{400,}…$/);
    expect(read({ body: ENTITY }, { findings }).message.length).toBe(500);
  });

  it('never makes reading a row fail', () => {
    const odd = fc.oneof(fc.json(), fc.string(), fc.constant('{"body":"{\\"xdmEntity\\":{}}"}'));
    const row = fc.record({ body: odd, _errors: odd, _validationErrors: odd }, { requiredKeys: [] });
    fc.assert(
      fc.property(row, (line) => void read(line)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (line) => void read(line)),
      { numRuns: 500 },
    );
  });
});

describe('lines', () => {
  async function* pieces(text: Buffer, sizes: readonly number[]) {
    let at = 0;
    for (let i = 0; at < text.length; i++) {
      const size = sizes[i % sizes.length] ?? 1;
      yield text.subarray(at, at + size);
      at += size;
    }
  }

  it('are those of the text, however it comes in, and none of them longer than agreed', async () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\r', '{'), maxLength: 12 }));
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lines, sizes, fc.boolean(), async (given, cut, closed) => {
        const whole = Buffer.from(given.join('\n') + (closed && given.length > 0 ? '\n' : ''));
        const found: (string | number)[] = [];
        for await (const { bytes, length } of linesOf(pieces(whole, cut), 10))
          found.push(bytes?.toString() ?? length);
        const wanted = whole.toString().split('\n');
        if (wanted.at(-1) === '') wanted.pop();
        expect(found).toEqual(
          wanted.map((line) => (Buffer.byteLength(line) <= 10 ? line : Buffer.byteLength(line))),
        );
      }),
    );
  });
});
