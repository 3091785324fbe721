// The JSON check against `JSON.parse`, on texts that are nearly JSON: one says yes exactly where the other does.
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { checkJson, textMemory } from '../../lib/forward/json/json-check.ts';

const DEPTH = 40;

/** What `JSON.parse` makes of it, in the words of the check. */
function parsed(bytes: Buffer): 'object' | 'not-an-object' | 'not-json' {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'object' : 'not-an-object';
  } catch {
    return 'not-json';
  }
}

/** What is special to a reader of JSON, alone and at the borders of 16 bytes. */
const token = fc.constantFrom(
  ...'{}[]:,"\\/0123456789.-+eE \t\n\r',
  ...[
    'true',
    'false',
    'null',
    '\\u00e9',
    '\\ud800',
    '\\u12',
    '\\x',
    '\\"',
    '""',
    '{}',
    '[]',
    '1e5',
    '-0',
    '0.1',
    '01',
  ],
  ...[
    '"header":',
    '"body":',
    '"hea\\u0064er":',
    '\u0000',
    '\u001f',
    '\u2028',
    'é',
    '😀',
    '\ufeff',
    'x'.repeat(15),
  ],
  ...['x'.repeat(16), 'x'.repeat(17), 'x'.repeat(31)],
);

const junk = fc.array(token, { maxLength: 40 }).map((parts) => parts.join(''));
const value = fc.jsonValue({ maxDepth: 6 }).map((one) => JSON.stringify(one));
const spaced = fc.jsonValue({ maxDepth: 4 }).map((one) => JSON.stringify(one, null, 3));
const wrapped = fc
  .tuple(value, fc.nat(40))
  .map(([one, pad]) => `{"${'k'.repeat(pad)}":${one},"header":1,"z":${one}}`);
const text = fc.oneof(
  junk,
  value,
  spaced,
  wrapped,
  junk.map((one) => `{"a":[${one}]}`),
);

/** A change of one place: a byte turned into another, put in or left out, or the end cut off. */
const change = fc.record({
  how: fc.constantFrom('none', 'none', 'set', 'insert', 'remove', 'cut'),
  at: fc.nat(),
  with: token,
});

function changed(bytes: Buffer, { how, at, with: piece }: { how: string; at: number; with: string }): Buffer {
  if (how === 'none' || bytes.length === 0) return bytes;
  const place = at % bytes.length;
  const [before, behind] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (how === 'cut') return before;
  if (how === 'insert') return Buffer.concat([before, Buffer.from(piece), behind]);
  return Buffer.concat([before, Buffer.from(how === 'set' ? piece.slice(0, 1) : ''), behind.subarray(1)]);
}

/** @throws where the check and the parser disagree about one of so many texts */
export function sameAsTheParser(runs: number, seed: number): void {
  fc.assert(
    fc.property(text, change, (one, how) => {
      const bytes = changed(Buffer.from(one), how);
      fc.pre(isUtf8(bytes));
      const said = checkJson(bytes, DEPTH);
      const truth = parsed(bytes);
      if (said === 'too-deep') return /([[{][^\]}]*){41}/s.test(bytes.toString('utf8'));
      if (said === 'envelope') {
        // It may be one: an object it is in any case, and where it is none the keys are at least written.
        return truth === 'object' && /\\|header|body/.test(bytes.toString('utf8'));
      }
      if (truth === 'object') {
        const whole = JSON.parse(bytes.toString('utf8')) as object;
        if (Object.hasOwn(whole, 'header') && Object.hasOwn(whole, 'body')) return false;
      }
      return said === truth;
    }),
    { numRuns: runs, seed },
  );
}

/** @throws where a text that is checked among others, where it lies, gets another answer than by itself */
export function sameInPlace(runs: number, seed: number): void {
  const placed = fc.array(fc.tuple(text, change), { minLength: 1, maxLength: 8 });
  const frame = fc.constantFrom(['', ''], ['{"header":{},"body":', '}'], ['[', ']]']);
  fc.assert(
    fc.property(placed, frame, fc.nat(), (made, [before, after], split) => {
      const texts = made.map(([one, how]) => changed(Buffer.from(one), how));
      const between = before.length + 1 + after.length;
      const { bytes, start, ends, checkEach } = textMemory();
      let at = start + before.length;
      const write = (index: number, one: Buffer) => {
        ends[index] = at + one.copy(bytes, at);
        at += one.length + bytes.write(`${after},${before}`, at + one.length);
      };
      const found = texts.findIndex((one) => checkJson(one, DEPTH) !== 'object');
      const expected = found === -1 ? texts.length : found;
      let checked = 0;
      for (const upTo of new Set([1 + (split % texts.length), texts.length])) {
        for (let index = checked; index < upTo; index++) write(index, texts[index] as Buffer);
        const said = checkEach(start + before.length, checked, upTo, between, DEPTH);
        if (said < upTo) return said === expected;
        checked = upTo;
      }
      return expected === texts.length;
    }),
    { numRuns: runs, seed },
  );
}
