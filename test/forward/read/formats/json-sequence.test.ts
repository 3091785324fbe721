// JSON texts one after the other, and with the separators of RFC 7464.
import { describe, expect, it } from 'vitest';
import { type Outcome, transforming } from '../../../support/transforming.ts';

const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const through = transforming(undefined, { format: { kind: 'json-sequence' } });
const RS = '\x1e';

describe('14 B: json-sequence', () => {
  it.each([
    ['nothing between them', '{"a":1}{"a":2}'],
    ['space between them', ' {"a":1}\n\n{"a":2}\r\n'],
    ['separators and line feeds, as RFC 7464 writes them', `${RS}{"a":1}\n${RS}{"a":2}\n`],
    ['more than one separator', `${RS}${RS}{"a":1}\n${RS}\n${RS}{"a":2}`],
    ['a list among them', '\ufeff[{"a":1},{"a":2}]'],
  ])('takes texts with %s', (_, text) => {
    expect(through(text).map(found)).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('ends a text at its own bracket, whatever stands in its strings', () => {
    const texts = ['{"t":"}{\\"","n":[{"b":{}}]}', '{"t":"\\\\"}'];
    expect(through(texts.join('')).map(found)).toEqual(texts);
  });

  it('rejects a text with a mistake alone', () => {
    expect(through('{"a":1}{\'b\':2}{"a":NaN}{"a":3}').map(found)).toEqual([
      '{"a":1}',
      'not-json',
      'not-json',
      '{"a":3}',
    ]);
    expect(through('{"a":1},{"a":2} some words "{}" 7').map(found)).toEqual([
      '{"a":1}',
      'not-json',
      '{"a":2}',
      'not-json',
      'not-an-object',
      'not-an-object',
    ]);
  });

  it('loses no text behind a truncated one where separators are, and rejects the rest where none are', () => {
    expect(through(`${RS}{"a":1}\n${RS}{"a":\n${RS}{"a":3}\n`).map(found)).toEqual([
      '{"a":1}',
      'not-json',
      '{"a":3}',
    ]);
    expect(through('{"a":1}{"a":{"a":3}').map(found)).toEqual(['{"a":1}', 'not-json']);
  });

  it('reads a list in each text, with its own surroundings', () => {
    const format = { kind: 'json-sequence' as const, items: '/e', envelope: ['/id'] };
    const outcomes = transforming(undefined, { format })('{"id":1,"e":[{}]}{"id":2}{"id":3,"e":[{"n":1}]}');
    expect(outcomes.map(found)).toEqual(['{"id":1}', 'nothing-selected', '{"id":3,"n":1}']);
    expect(outcomes[1]?.entry).toMatchObject({ subSequenceNumber: 1 });
    // A redrive by a corrected manifest opens it again.
    expect(outcomes[1]?.entry).not.toHaveProperty('piece');
  });

  it('rejects a record with nothing in it as a whole', () => {
    expect(through(` ${RS}\n`).map(found)).toEqual(['empty']);
  });
});
