// C 4: a manifest that says something twice is refused, with the path and the lines: a parser sees the last one alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedMembers } from '../lib/json-members.ts';
import { parseManifestText } from '../lib/manifest.ts';
import { parseSamplesText } from '../lib/samples.ts';

describe('C 4: members that are written twice', () => {
  it.each<[string, string, ReturnType<typeof repeatedMembers>]>([
    ['at the top', '{"a": 1,\n\n"a": 2}', [{ path: 'a', first: 1, again: 3 }]],
    ['deeper', '{"a": {"b": [1, {"c": 1,\n"c": {}}]}}', [{ path: 'a.b.1.c', first: 1, again: 2 }]],
    [
      'thrice',
      '{"a":1,"a":2,\n"a":3}',
      [
        { path: 'a', first: 1, again: 1 },
        { path: 'a', first: 1, again: 2 },
      ],
    ],
    ['written in two ways', '{"stream": 1, "str\\u0065am": 2}', [{ path: 'stream', first: 1, again: 1 }]],
    ['called __proto__', '{"__proto__": 1, "__proto__": 2}', [{ path: '__proto__', first: 1, again: 1 }]],
    ['with braces and quotes in them', '{"{\\"": "}", "{\\"": "]"}', [{ path: '{"', first: 1, again: 1 }]],
  ])('are found %s', (_, text, found) => {
    expect(repeatedMembers(text)).toEqual(found);
  });

  it.each([
    ['in two objects', '[{"a": 1}, {"a": 1}]'],
    ['as a name and as a value', '{"a": "a", "b": ["a", "a"]}'],
    ['in a text', '{"a": "\\"a\\": 1, \\"a\\": 2"}'],
    ['in upper and lower case', '{"a": 1, "A": 2}'],
  ])('are none: the same word %s', (_, text) => {
    expect(repeatedMembers(text)).toEqual([]);
  });

  it('are found in whatever parses, where one was put in, and nowhere else', () => {
    const members = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 4 }), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(repeatedMembers(text)).toEqual([]);
        const [name = ''] = Object.keys(value);
        const twice = `{${JSON.stringify(name)}: null,\n${text.slice(1)}`;
        expect(repeatedMembers(twice).map(({ path }) => path)).toEqual([name]);
      }),
    );
  });
});

const TWICE = `{
  "version": 1,
  "name": "orders",
  "sandbox": "dev1",
  "source": {
    "kind": "inlet",
    "stream": "orders",
    "stream": "payments",
    "data": "xdm"
  },
  "schema": { "class": "profile" }
}`;

describe('C 4: what says something twice is refused', () => {
  it('a manifest, with path and lines', () => {
    expect(() => parseManifestText(TWICE, 'my.json')).toThrow(
      /my\.json says twice.*\n {2}source\.stream: expected once; found in line 7 and in line 8/,
    );
    expect(parseManifestText(TWICE.replace('"stream": "payments",', ''), 'my.json').name).toBe('orders');
  });

  it('samples, too', () => {
    const samples = '[{"record": {"id": 1,\n"id": 2}, "xdm": {}}]';
    expect(() => parseSamplesText(samples, 'my.samples.json')).toThrow(
      '0.record.id: expected once; found in line 1 and in line 2',
    );
  });
});
