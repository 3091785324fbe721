// zlib in records: RFC 1950. gzip and zstd are among the bad inputs of test/forward.
import { createDeflate, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_UNPACKED_BYTES, unpack } from '../../../lib/forward/read/unpack.ts';
import { rejected } from '../../../lib/forward/verdict.ts';
import type { PublishedPipeline } from '../../../lib/published.ts';
import { kept, type Outcome, transforming } from '../../support/transforming.ts';

const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const JSON_TEXT = '{"a":1}';
const packed = deflateSync(JSON_TEXT);

/** As a producer that flushes in between writes it. */
async function flushed(): Promise<Buffer> {
  const stream = createDeflate();
  stream.write('{"a":');
  stream.flush(() => stream.end('1}'));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('14 B: zlib', () => {
  it.each(['zlib', 'auto'] as const)(
    'is unpacked where the pipeline says %s, at every level',
    async (looked) => {
      const levels = [-1, 0, 1, 3, 6, 9].map((level) => deflateSync(JSON_TEXT, { level }));
      // The smallest window that zlib takes: RFC 1950 §2.2, CINFO 1.
      const windows = [9, 12, 15].map((windowBits) => deflateSync(JSON_TEXT, { windowBits }));
      for (const record of [...levels, ...windows, await flushed()])
        expect(transforming(undefined, { compression: looked })(record).map(found)).toEqual([JSON_TEXT]);
    },
  );

  it('is rejected where the pipeline looks for something else', () => {
    for (const looked of ['none', 'gzip', 'zstd'] as const)
      expect(transforming(undefined, { compression: looked })(packed).map(found)).toEqual(['not-utf8']);
  });

  it('is told apart from gzip and zstd by auto', () => {
    for (const record of [packed, gzipSync(JSON_TEXT), zstdCompressSync(JSON_TEXT), JSON_TEXT])
      expect(transforming(undefined, { compression: 'auto' })(record).map(found)).toEqual([JSON_TEXT]);
  });

  it.each<[string, Buffer, string]>([
    ['truncated', packed.subarray(0, -3), 'not-zlib'],
    ['only its first bytes', packed.subarray(0, 2), 'not-zlib'],
    ['with a wrong checksum', Buffer.concat([packed.subarray(0, -4), Buffer.alloc(4)]), 'not-zlib'],
    ['with something behind it', Buffer.concat([packed, Buffer.from('x')]), 'not-zlib'],
    ['of two whole messages', Buffer.concat([packed, packed]), 'not-zlib'],
    ['of nothing', deflateSync(''), 'empty'],
    ['of zlib', deflateSync(packed), 'not-utf8'],
    ['a bomb', deflateSync(Buffer.alloc(50 * 1024 * 1024)), 'zlib-too-large'],
    // RFC 1950 §2.2: FDICT. Nobody knows the dictionary.
    ['with a dictionary', deflateSync(JSON_TEXT, { dictionary: Buffer.from('{"a":') }), 'not-utf8'],
  ])('%s is rejected and kept as it came', (_, record, reason) => {
    const outcomes = transforming(undefined, { compression: 'auto' })(record);
    expect(outcomes.map(found)).toEqual([reason]);
    expect(Buffer.from(outcomes[0]?.entry?.data ?? '', 'base64')).toEqual(record);
  });

  it('takes no text for packed data, though text may begin like it', () => {
    for (const text of ['x^2 plus 1', 'h\u0005 and more', '8O', 'XG\t1', 'x\u0001']) {
      const bytes = Buffer.from(text);
      expect((((bytes[0] as number) << 8) | (bytes[1] as number)) % 31).toBe(0);
      expect(unpack(bytes, 'auto')).toBe(bytes);
    }
    expect(kept(transforming(undefined, { compression: 'zlib' })('x^2')[0]?.entry)).toBe('x^2');
  });

  it('takes nothing that JSON begins with for packed data', () => {
    for (const first of ['{', '[', '"', ' ', '\t', '\n', '\r', 't', 'f', 'n', '-', ...'0123456789', '\ufeff'])
      for (let second = 0; second < 256; second++) {
        const bytes = Buffer.concat([Buffer.from(first), Buffer.from([second])]);
        // "8" may, as a number by itself; what follows it is text then, and stays as it is.
        if (first !== '8' || second < 0x80) expect(unpack(bytes, 'zlib')).toBe(bytes);
      }
  });

  it('unpacks to the size that it is given', () => {
    const most = deflateSync(Buffer.alloc(MAX_UNPACKED_BYTES));
    expect(unpack(most, 'zlib')).toHaveLength(MAX_UNPACKED_BYTES);
    expect(unpack(most, 'zlib', 1_000)).toEqual(
      rejected('zlib-too-large', 'unpacked it has more than 1000 bytes'),
    );
  });
});

describe('14 B: a record that cannot be read at all is one reject with the packed bytes', () => {
  const text = `{"a":1}\n{"a":2}\n${'{"a":"ä\u001e"}\n'.repeat(200)}`;
  const packings = { gzip: gzipSync(text), zlib: deflateSync(text), zstd: zstdCompressSync(text) };
  const FORMATS: Partial<PublishedPipeline>['format'][] = [
    { kind: 'json-lines' },
    { kind: 'json-array' },
    { kind: 'json-sequence' },
    { kind: 'csv', header: true },
    { kind: 'tsv', columns: ['a'] },
    { kind: 'cloudevents' },
    { kind: 'dynamodb' },
  ];

  it('where the manifest does not say that records are packed, whatever the format of text', () => {
    for (const format of FORMATS)
      for (const bytes of Object.values(packings)) {
        const outcomes = transforming(undefined, { ...(format && { format }) })(bytes);
        expect(outcomes.map(found)).toEqual(['not-utf8']);
        expect(outcomes[0]?.entry?.piece).toBeUndefined();
        expect(Buffer.from(outcomes[0]?.entry?.data ?? '', 'base64')).toEqual(bytes);
      }
  });

  it('where it is packed twice', () => {
    const read = transforming(undefined, { compression: 'auto', format: { kind: 'json-lines' } });
    const bytes = gzipSync(packings.zstd);
    const outcomes = read(bytes);
    expect(outcomes.map(found)).toEqual(['not-utf8']);
    expect(Buffer.from(outcomes[0]?.entry?.data ?? '', 'base64')).toEqual(bytes);
  });

  it('and a text that begins like packed data is a text: one bad line harms no other', () => {
    const lines = Buffer.concat([Buffer.from('x^2,1\n'), Buffer.from([0xff]), Buffer.from(',2\nz,3')]);
    const read = transforming(undefined, { format: { kind: 'csv', columns: ['a', 'b'] } });
    expect(read(lines).map(found)).toEqual(['{"a":"x^2","b":"1"}', 'not-utf8', '{"a":"z","b":"3"}']);
  });
});
