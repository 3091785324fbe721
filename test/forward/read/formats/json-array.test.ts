// A list of messages in a record, by itself or within an object. RFC 8259.
import { describe, expect, it } from 'vitest';
import type { PublishedFormat } from '../../../../lib/formats.ts';
import { parseManifest } from '../../../../lib/manifest.ts';
import { provisioningManifest } from '../../../support/formats.ts';
import { aggregate } from '../../../support/kpl.ts';
import { kept, type Outcome, transforming } from '../../../support/transforming.ts';

const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const through = (options: Omit<PublishedFormat & { kind: 'json-array' }, 'kind'> = {}) =>
  transforming(undefined, { format: { kind: 'json-array', ...options } });

describe('14 B: json-array', () => {
  it('makes a message of each item, in its own bytes', () => {
    const outcomes = through()('[ {"n":1.50E+3} ,{"n":9007199254740993, "t":"],["}\n]');
    expect(outcomes.map(found)).toEqual(['{"n":1.50E+3}', '{"n":9007199254740993, "t":"],["}']);
    expect(outcomes.map(({ framed }) => framed?.message.subSequenceNumber)).toEqual([0, 1]);
  });

  it('gives nothing for an empty list, and takes a lone object for a message', () => {
    expect(through()('[]')).toEqual([]);
    expect(through()('\ufeff{"a":1}').map(found)).toEqual(['{"a":1}']);
  });

  it('rejects items that are no objects, each alone, and opens no list within the list', () => {
    const outcomes = through()('[null,{"a":1},[{"b":2}],"x",7]');
    expect(outcomes.map(found)).toEqual([
      'not-an-object',
      '{"a":1}',
      'not-an-object',
      'not-an-object',
      'not-an-object',
    ]);
    expect(outcomes[2]?.entry).toMatchObject({ piece: true, subSequenceNumber: 2 });
    expect(kept(outcomes[2]?.entry)).toBe('[{"b":2}]');
  });

  it.each([
    ['[{"a":1},{"b":]', 'not-json'],
    ['[{"a":1}]x', 'not-json'],
    [`[${'['.repeat(600)}${']'.repeat(600)}]`, 'too-deep'],
    [' ', 'empty'],
    [Buffer.from('5b22ff225d', 'hex'), 'not-utf8'],
  ])('rejects %s as a whole, as it came', (record, reason) => {
    const [outcome, ...others] = through()(record);
    expect(others).toEqual([]);
    expect(outcome?.verdict).toBe(reason);
    expect(Buffer.from(outcome?.entry?.data ?? '', 'base64')).toEqual(Buffer.from(record));
    expect(outcome?.entry).not.toHaveProperty('piece');
  });
});

describe('14 B: envelope', () => {
  const events = { items: '/events', envelope: ['/batchId', '/user/id', '/gone'] };
  const batch =
    '{"batchId":12345678901234567890,"user":{"id":"u\\u0031"},"events":[{"n":1},{"id":"own","n":2},{},null,{ "batchId" : 0 }]}';

  it('copies fields around the list into each message, but for those that it has', () => {
    expect(through(events)(batch).map(found)).toEqual([
      '{"batchId":12345678901234567890,"id":"u\\u0031","n":1}',
      '{"batchId":12345678901234567890,"id":"own","n":2}',
      '{"batchId":12345678901234567890,"id":"u\\u0031"}',
      'not-an-object',
      '{"id":"u\\u0031", "batchId" : 0 }',
    ]);
  });

  it('leaves the bytes of an item as they are where nothing is added', () => {
    const one = '{ "batchId":0,\t"id" : 1 }';
    expect(through(events)(`{"batchId":1,"user":{"id":2},"events":[ ${one} ]}`).map(found)).toEqual([one]);
    expect(through({ items: '/a/0' })(`{"a":[[${one}]]}`).map(found)).toEqual([one]);
  });

  it.each(['{"batchId":1}', '{"events":{"n":1}}', '[{"n":1}]', '{"events":null}'])(
    'rejects %s, which has no such list',
    (record) => {
      const outcomes = through(events)(record);
      expect(outcomes.map(found)).toEqual(['nothing-selected']);
      expect(kept(outcomes[0]?.entry)).toBe(record);
    },
  );

  it('holds to the bound of bytes: what would grow beyond it is one reject with the packed bytes', () => {
    const record = `{"batchId":"${'x'.repeat(700_000)}","events":[${'{},'.repeat(99)}{}]}`;
    const outcomes = through(events)(record);
    expect(outcomes.map(found)).toEqual(['aggregate-too-large']);
    expect(kept(outcomes[0]?.entry)).toBe(record);
    const parts = aggregate([
      { key: 'a', data: Buffer.from('{"events":[{"n":1}]}') },
      { key: 'b', data: Buffer.from(record) },
      { key: 'c', data: Buffer.from('{"events":[{"n":3}]}') },
    ]);
    expect(through(events)(parts).map(found)).toEqual(['{"n":1}', 'aggregate-too-large', '{"n":3}']);
  });

  it('is refused in a manifest without a list, and where two fields would have one name', () => {
    const parsed = (format: unknown) => () => parseManifest(provisioningManifest({ format }));
    expect(parsed({ kind: 'json-array', envelope: ['/a'] })).toThrow('source.format.items: required');
    expect(parsed({ kind: 'json-lines', items: '/a', envelope: ['/a/b', '/b'] })).toThrow(
      'source.format.envelope.1: expected each last name once; found "/b"',
    );
    expect(parsed({ kind: 'json-array', items: '/a/b', envelope: ['/a', '/c'] })).toThrow(
      'source.format.envelope.0: expected a field outside the list; found "/a"',
    );
    expect(parsed('json-lins')).toThrow('did you mean "json-lines"?');
    expect(parsed({ kind: 'x' })).toThrow('source.format.kind: expected "json", "json-lines"');
    expect(parsed('json')()).toMatchObject({ source: { format: { kind: 'json' } } });
  });
});
