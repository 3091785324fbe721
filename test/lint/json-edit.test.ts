// Edits of a JSON text: every byte stays that no edit is about.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Edit, editJson, jsonPointer } from '../../lib/lint/json-edit.ts';
import { runs } from '../support/depth.ts';

const TEXT = `{
    "version" : 1,   "big": 9007199254740993,
    "rows": [
      { "source": "a\\"}", "n": 1.50 },
      2
    ],
    "empty": {}, "none": []
}
`;

describe('an edit leaves every other byte as it is', () => {
  it.each<[string, Edit, string, string]>([
    ['a value', { op: 'set', at: '/version', value: 2 }, '"version" : 1,', '"version" : 2,'],
    [
      'a value in a list',
      { op: 'set', at: '/rows/1', value: { a: [1] } },
      '      2\n',
      '      { "a": [1] }\n',
    ],
    ['a new member', { op: 'set', at: '/name', value: 'x' }, '"none": []\n', '"none": [], "name": "x"\n'],
    [
      'a new member in its own line',
      { op: 'set', at: '/rows/-', value: 3 },
      '      2\n',
      '      2,\n      3\n',
    ],
    ['the first member', { op: 'set', at: '/empty/a', value: 1 }, '{},', '{ "a": 1 },'],
    ['the first item', { op: 'set', at: '/none/-', value: 1 }, '[]\n', '[1]\n'],
    [
      'a member below what is not there',
      { op: 'set', at: '/empty/a/b', value: 1 },
      '{},',
      '{ "a": { "b": 1 } },',
    ],
    [
      'a first item removed',
      { op: 'remove', at: '/rows/0' },
      '{ "source": "a\\"}", "n": 1.50 },\n      2',
      '2',
    ],
    ['a last member removed', { op: 'remove', at: '/rows/0/n' }, ', "n": 1.50 ', ' '],
    [
      'a member renamed',
      { op: 'rename', at: '/rows/0/source', to: 'expression' },
      '"source":',
      '"expression":',
    ],
  ])('%s', (_, edit, before, after) => {
    expect(TEXT).toContain(before);
    expect(editJson(TEXT, [edit])).toBe(TEXT.replace(before, after));
  });

  it.each<Edit>([
    { op: 'remove', at: '/none/0' },
    { op: 'rename', at: '/x', to: 'y' },
    { op: 'set', at: '/version/below', value: 1 },
  ])('nothing for a place that is not there: %j', (edit) => {
    expect(editJson(TEXT, [edit])).toBe(TEXT);
  });

  it('any member of any object can be set and removed, and the rest stays', () => {
    const key = fc.string({ maxLength: 4 }).filter((one) => one !== '__proto__' && one !== '-');
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })),
        key,
        fc.constantFrom(0, 1, 2),
        (object, name, space) => {
          const text = JSON.stringify(object, null, space);
          const set = editJson(text, [{ op: 'set', at: jsonPointer([name]), value: 'new' }]);
          expect(JSON.parse(set)).toEqual(JSON.parse(JSON.stringify({ ...object, [name]: 'new' })));
          const { [name]: _, ...rest } = object;
          const removed = editJson(set, [{ op: 'remove', at: jsonPointer([name]) }]);
          expect(JSON.parse(removed)).toEqual(JSON.parse(JSON.stringify(rest)));
        },
      ),
      { numRuns: runs(300) },
    );
  });
});
