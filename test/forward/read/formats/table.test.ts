// Rows of RFC 4180, and Snowplow's enriched events. Samples are those of the specifications.
import { describe, expect, it } from 'vitest';
import type { PublishedFormat } from '../../../../lib/formats.ts';
import { SNOWPLOW_COLUMNS } from '../../../../lib/forward/read/formats/snowplow.ts';
import { parseManifest } from '../../../../lib/manifest.ts';
import { provisioningManifest } from '../../../support/formats.ts';
import { document, entry, redriveWorld } from '../../../support/redriving.ts';
import { kept, type Outcome, transforming } from '../../../support/transforming.ts';

type Options = Omit<PublishedFormat & { kind: 'csv' }, 'kind'>;
const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const csv = (options: Options) => transforming(undefined, { format: { kind: 'csv', ...options } });
const tsv = (options: Options) => transforming(undefined, { format: { kind: 'tsv', ...options } });
const ABC = { columns: ['a', 'b', 'c'] };
const row = (...[a, b, c]: string[]) => JSON.stringify({ a, b, c });

describe('14 B: csv', () => {
  it.each([
    [
      'lines that end in CRLF',
      'aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n',
      [row('aaa', 'bbb', 'ccc'), row('zzz', 'yyy', 'xxx')],
    ],
    [
      'a last line without an end',
      'aaa,bbb,ccc\r\nzzz,yyy,xxx',
      [row('aaa', 'bbb', 'ccc'), row('zzz', 'yyy', 'xxx')],
    ],
    [
      'quotation marks',
      '"aaa","bbb","ccc"\r\nzzz,yyy,xxx',
      [row('aaa', 'bbb', 'ccc'), row('zzz', 'yyy', 'xxx')],
    ],
    [
      'an end of line in a value',
      '"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx',
      [row('aaa', 'b\r\nbb', 'ccc'), row('zzz', 'yyy', 'xxx')],
    ],
    ['a quotation mark in a value', '"aaa","b""bb","ccc"', [row('aaa', 'b"bb', 'ccc')]],
    ['spaces, which are part of a value', ' a , b,c ', [row(' a ', ' b', 'c ')]],
    ['a comma in a value, and other characters', '"a,a",é😀,\\', [row('a,a', 'é😀', '\\')]],
    [
      'line feeds, blank lines and a byte order mark',
      '\ufeff\na,b,c\n\r\n\nd,e,f\n',
      [row('a', 'b', 'c'), row('d', 'e', 'f')],
    ],
  ])('takes %s', (_, text, rows) => {
    expect(csv(ABC)(text).map(found)).toEqual(rows);
  });

  it('leaves out values of no characters, but for quoted ones', () => {
    expect(csv(ABC)('x,,""\n,,').map(found)).toEqual(['{"a":"x","c":""}', '{}']);
  });

  it('a row of another length says how many values it has, and for how many columns', () => {
    const texts = csv(ABC)('a,b,c,d\na').map(({ entry: one }) => one?.message);
    expect(texts).toEqual(['it has 4 values for 3 columns', 'it has 1 values for 3 columns']);
  });

  it('takes the names of the columns from a header, and holds it against those of the manifest', () => {
    const text = 'field_name,"field ""two"""\r\naaa,bbb\r\n';
    const sent = [JSON.stringify({ field_name: 'aaa', 'field "two"': 'bbb' })];
    expect(csv({ header: true })(text).map(found)).toEqual(sent);
    const columns = ['field_name', 'field "two"'];
    expect(csv({ header: true, columns })(text).map(found)).toEqual(sent);
    for (const other of [['field "two"', 'field_name'], ['field_name'], [...columns, 'c']]) {
      const outcomes = csv({ header: true, columns: other })(text);
      expect(outcomes.map(found)).toEqual(['bad-row']);
      expect(kept(outcomes[0]?.entry)).toBe(text);
      expect(outcomes[0]?.entry).not.toHaveProperty('subSequenceNumber');
    }
    expect(csv({ header: true })('a,b\n')).toEqual([]);
    expect(csv({ header: true })('a,b,a\n1,2,3').map(found)).toEqual(['bad-row']);
    expect(csv({ header: true })('a,,b\n1,2,3').map(found)).toEqual(['bad-row']);
  });

  it('rejects a bad row alone, as a record by itself, with its place', () => {
    const bad = ['x,y', '1,2,3,4', 'a"b,c,d', '"a"b,"c\n'];
    const outcomes = csv({ ...ABC, header: true })(
      `a,b,c\n1,2,3\n${bad[0]}\n${bad[1]}\n${bad[2]}\n${bad[3]}4,5,6\n"7,8,9`,
    );
    expect(outcomes.map(found)).toEqual([
      row('1', '2', '3'),
      'bad-row',
      'bad-row',
      'bad-row',
      'bad-row',
      row('4', '5', '6'),
      'bad-row',
    ]);
    expect(outcomes.map((one) => one.entry && kept(one.entry))).toEqual([
      undefined,
      'a,b,c\nx,y',
      'a,b,c\n1,2,3,4',
      'a,b,c\na"b,c,d',
      'a,b,c\n"a"b,"c',
      undefined,
      'a,b,c\n"7,8,9',
    ]);
    expect(outcomes[1]?.entry?.subSequenceNumber).toBe(1);
    expect(outcomes[1]?.entry).not.toHaveProperty('piece');
  });

  it('a redrive reads a stored row by the columns that are in force then, under its own place', async () => {
    const own = redriveWorld({
      published: { format: { kind: 'csv', columns: ['a', 'b'], header: true }, records: { derive: ['_id'] } },
    });
    await own.store(document([entry(1, 'a,b\nx,y', { reason: 'bad-row', subSequenceNumber: 3 })]));
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 1 });
    expect(JSON.parse(own.inlet.acknowledged[0] ?? '')).toMatchObject({ a: 'x', b: 'y' });
    expect(own.inlet.acknowledged[0]).toMatch(/"_id":"customers:shardId-000000000002:\d+:3"/);
  });

  it('gives values the types that the manifest says, and numbers keep their digits', () => {
    const columns = [
      { name: 'n', type: 'number' as const },
      { name: 'b', type: 'boolean' as const },
      { name: 'j', type: 'json' as const },
      't',
    ];
    const typed = csv({ columns });
    expect(typed('1.50E+3,true,"{""x"":[9007199254740993]}",7\n,,,\n"-0",false,null,"1"').map(found)).toEqual(
      [
        '{"n":1.50E+3,"b":true,"j":{"x":[9007199254740993]},"t":"7"}',
        '{}',
        '{"n":-0,"b":false,"j":null,"t":"1"}',
      ],
    );
    for (const bad of [
      '01,true,1,t',
      '+1,true,1,t',
      'NaN,true,1,t',
      '1,TRUE,1,t',
      '1,true,{,t',
      '1,true,1 2,t',
    ])
      expect(typed(bad).map(found)).toEqual(['bad-row']);
  });

  it('rejects a row that is not UTF-8 or is larger than a message may be, alone', () => {
    const record = Buffer.concat([
      Buffer.from('1,2,3\n'),
      Buffer.from([0xff, 0x2c, 0x2c, 0x0a]),
      Buffer.from(`${'x'.repeat(2_097_152)},,\n`),
      Buffer.from('4,5,6'),
    ]);
    expect(csv(ABC)(record).map(found)).toEqual([
      row('1', '2', '3'),
      'not-utf8',
      'too-large',
      row('4', '5', '6'),
    ]);
  });

  it('rejects a record without a row as a whole', () => {
    expect(csv(ABC)('\r\n\n').map(found)).toEqual(['empty']);
    expect(csv({ header: true })('\n').map(found)).toEqual(['empty']);
  });

  it('holds to its bounds: columns and bytes', () => {
    const wide = Array.from({ length: 1_001 }, (_, n) => `c${n}`).join(',');
    expect(csv({ header: true })(`${wide}\n1`).map(found)).toEqual(['bad-row']);
    expect(csv(ABC)(`${','.repeat(2_000_000)}\n1,2,3`).map(found)).toEqual(['bad-row', row('1', '2', '3')]);
    // A name of 200 characters stands in each message: together they have a hundred times what the record has.
    const columns = Array.from({ length: 5 }, (_, n) => `${n}${'x'.repeat(199)}`);
    const outcomes = csv({ columns })('1,1,1,1,1\n'.repeat(90_000));
    expect(outcomes.map(found)).toEqual(['aggregate-too-large']);
  });

  it('is refused in a manifest without names for its columns', () => {
    const parsed = (format: unknown) => () => parseManifest(provisioningManifest({ format }));
    expect(parsed({ kind: 'csv' })).toThrow('source.format.columns: required, unless a header names');
    expect(parsed({ kind: 'tsv', columns: ['a', { name: 'a', type: 'json' }] })).toThrow(
      'source.format.columns.1: expected each column once',
    );
    expect(parsed({ kind: 'tsv', columns: 'snowplow' })).toThrow('expected "snowplow-enriched", or a list');
    expect(parsed('csv')).toThrow('source.format: expected');
    expect(parsed({ kind: 'csv', header: true })()).toBeDefined();
    const columns = Array.from({ length: 400 }, (_, n) => `${n}${'x'.repeat(190)}`);
    expect(parsed({ kind: 'csv', columns })).toThrow('with records; at most 60000 are published');
  });
});

describe('14 B: tsv', () => {
  it('takes values as they are, quotation marks and all', () => {
    expect(tsv(ABC)('"a"\tb""\t"c\r\n\t\t\nd\te\tf').map(found)).toEqual([
      row('"a"', 'b""', '"c'),
      '{}',
      row('d', 'e', 'f'),
    ]);
  });

  it('reads a line of Snowplow that ends after event_id or later, and no shorter one', () => {
    const outcomes = tsv({ columns: 'snowplow-enriched' })('shop\tweb\t\t\t\tpage_view\te-1\nshop\tweb');
    expect(outcomes.map(found)).toEqual([
      '{"app_id":"shop","platform":"web","event":"page_view","event_id":"e-1"}',
      'bad-row',
    ]);
  });

  it("names the 131 columns of Snowplow's enriched events, and opens those that hold JSON", () => {
    const names = SNOWPLOW_COLUMNS.map(({ name }) => name);
    expect([names.length, names[0], names[52], names[130]]).toEqual([
      131,
      'app_id',
      'contexts',
      'true_tstamp',
    ]);
    const values = new Map([
      ['app_id', 'shop'],
      ['collector_tstamp', '2026-01-01 10:00:00.001'],
      ['event_id', '0b0f5a53-0c74-4d1c-9a6e-7d8f2f6f1b10'],
      ['page_title', 'A "quoted" title'],
      ['unstruct_event', '{"schema":"iglu:com.acme/order/jsonschema/1-0-0","data":{"total":10.50}}'],
    ]);
    const line = names.map((name) => values.get(name) ?? '').join('\t');
    const outcomes = tsv({ columns: 'snowplow-enriched' })(`${line}\n{"schema":"iglu:com.acme/x"}`);
    expect(outcomes.map(found)).toEqual([
      '{"app_id":"shop","collector_tstamp":"2026-01-01 10:00:00.001","event_id":"0b0f5a53-0c74-4d1c-9a6e-7d8f2f6f1b10","page_title":"A \\"quoted\\" title","unstruct_event":{"schema":"iglu:com.acme/order/jsonschema/1-0-0","data":{"total":10.50}}}',
      'bad-row',
    ]);
  });
});
