// A file that is no JSON is told by what it is, or by the line and column of its first fault, and never by its content.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFault } from '../lib/json-fault.ts';
import { jsonIn } from '../lib/json-text.ts';
import { runs } from './support/depth.ts';

const manifest = '{\n  "version": 1,\n  "name": "orders"\n}\n';

describe('a text that is no JSON', () => {
  it.each([
    ['nothing', '', 'it is empty'],
    ['blanks and lines', ' \r\n\t\n', 'it is empty'],
    [
      'a comma at the end',
      manifest.replace('"orders"', '"orders",'),
      'line 4, column 1: expected a name in double quotes after ","; found "}"',
    ],
    [
      'a comment',
      manifest.replace('1,', '1, // one'),
      'line 2, column 17: expected a name in double quotes; found "/". JSON has no comments',
    ],
    [
      'a name without quotes',
      '{\n  version: 1\n}',
      'line 2, column 3: expected a name in double quotes or "}"; found "v"',
    ],
    [
      'a text over two lines',
      '{"a": "b\nc"}',
      'line 1, column 9: a text in double quotes has the end of the line in it',
    ],
    [
      'an end that is missing',
      manifest.replace('}\n', ''),
      'line 4, column 1: it ends here; expected "," or "}"',
    ],
    ['more than one', `${manifest}${manifest}`, 'line 5, column 1: expected nothing more; found "{"'],
    ['a byte 0 behind it', `${manifest}\0`, 'line 5, column 1: expected nothing more; found U+0000'],
    [
      'YAML',
      'version: 1\nname: orders\n',
      'line 1, column 1: expected a value; found "v". It looks like YAML',
    ],
  ])('with %s is told so', (_, text, fault) => {
    expect(jsonFault(text)).toBe(fault);
    expect(() => jsonIn(text, 'orders.json')).toThrow(`orders.json is not JSON: ${fault}`);
  });

  it.each([
    ['gzip', Buffer.from('1f8b0800', 'hex'), 'it is compressed by gzip'],
    ['UTF-16', Buffer.from(`\uFEFF${manifest}`, 'utf16le'), 'it is UTF-16. Save it as UTF-8'],
    ['UTF-16 without a mark', Buffer.from(manifest, 'utf16le'), 'it is UTF-16. Save it as UTF-8'],
  ])('but %s is told so', (_, bytes, fault) => {
    expect(jsonFault(bytes.toString('utf8'))).toBe(fault);
  });

  it('is not quoted', () => {
    for (const text of ['{"card": 4111111111111111', '4111111111111111x', '{"a": "4111111111111111'])
      expect(jsonFault(text)).not.toContain('4111');
  });

  it('as deep as it may be exhausts no stack', () => {
    expect(jsonFault('['.repeat(300_000))).toBe(
      'line 1, column 300001: it ends here; expected a value or "]"',
    );
  });
});

describe('the first fault of a text', () => {
  const edit = fc.record({
    at: fc.nat(),
    letter: fc.constantFrom(...'{}[]",:\\ \n01-.eEtrufalsn/u\u0001é'),
    adds: fc.boolean(),
  });

  it('is found where a parser refuses it, and nowhere else', () => {
    const texts = fc.tuple(fc.json(), fc.array(edit, { minLength: 1, maxLength: 2 }));
    fc.assert(
      fc.property(texts, ([json, edits]) => {
        const text = edits.reduce((before, { at, letter, adds }) => {
          const place = at % (before.length + 1);
          return before.slice(0, place) + (adds ? letter : '') + before.slice(place + (adds ? 0 : 1));
        }, json);
        expect(isFaulty(text)).toBe(!parses(text));
      }),
      { numRuns: runs(20_000) },
    );
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isFaulty(text: string): boolean {
  return !jsonFault(text).includes('a parser refuses it');
}
