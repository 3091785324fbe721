import { describe, expect, it } from 'vitest';
import { linearPattern } from '../lib/linear-pattern.ts';
import { PATTERNS } from './fuzz/pattern.ts';
import { runs } from './support/depth.ts';

const KB_100 = 100 * 1024;

function matcher(expression: string): (text: string) => boolean {
  const pattern = linearPattern(expression);
  if (typeof pattern === 'string') throw new Error(`${expression}: ${pattern}`);
  return (text) => pattern.test(text);
}

describe('14 B: `matches` takes time in proportion to the text', () => {
  // Each of these takes a backtracking engine longer than anybody waits, on texts of a hundred characters or of 100 KB.
  it.each([
    ['(a+)+$', 'a', '!'],
    ['^(a+)+$', 'a', '!'],
    ['([a-zA-Z]+)*$', 'a', '!'],
    ['^(a|aa)+$', 'a', '!'],
    ['^(a|a?)+$', 'a', '!'],
    ['(.*a){20}$', 'a', '!'],
    ['(x+x+)+y', 'x', ''],
    ['a*b', 'a', ''],
    ['^(.+)+@(.+)+\\.com$', '@a', '!'],
    ['\\s+$', ' ', '!'],
    ['(a|b)*a(a|b){100}c', 'ab', ''],
    ['(?:(?:(?:a*)*)*)*$', 'a', '!'],
    ['(a?){100}a{100}!!', 'a', '!'],
  ])('%s on 100 KB of %s', (expression, piece, tail) => {
    const text = piece.repeat(KB_100 / piece.length) + tail;
    const pattern = linearPattern(expression);
    expect(typeof pattern).toBe('object');
    if (typeof pattern === 'string') return;
    // The states are few and each is entered once for a character, so this ends at once or never.
    expect(pattern.test(text)).toBe(pattern.test(text.slice(-2_000)));
  });

  it.each([
    ['^order\\.', 'order.placed', true],
    ['^order\\.', 'reorder.placed', false],
    ['^\\d{4}-\\d\\d$', '2026-11', true],
    ['^\\d{4}-\\d\\d$', '2026-1', false],
    ['a|b|', '', true],
    ['^$', '', true],
    ['^$', 'x', false],
    ['^.$', '\u{1f600}', true],
    ['^[^a-c]+$', 'xyz', true],
    ['^\\u{1f600}$', '\u{1f600}', true],
    ['^[\\w.+-]+@example\\.com$', 'ana.reis+x@example.com', true],
    ['x{0}$', 'abc', true],
    ['(ab){2,}', 'xababab', true],
    ['^a{2,3}?$', 'aaaa', false],
  ])('%s finds in %j: %j', (expression, text, found) => {
    expect(matcher(expression)(text)).toBe(found);
    expect(new RegExp(expression, 'u').test(text)).toBe(found);
  });

  it.each([
    ['(', 'expected a regular expression'],
    ['(?=a)', 'expected no lookahead, no lookbehind and no named group: only ( ) and (?: )'],
    ['(?<!a)b', 'expected no lookahead, no lookbehind and no named group: only ( ) and (?: )'],
    ['(?<n>a)', 'expected no lookahead, no lookbehind and no named group: only ( ) and (?: )'],
    ['(a)\\1', 'expected no back reference'],
    ['\\bword', 'expected no \\b, which is not supported'],
    ['[\\b]', 'expected no \\b in a class, which is not supported'],
    ['\\p{L}', 'expected no \\p, which is not supported'],
    ['\\ud83d\\ude00', 'expected \\u{…} for a character beyond \\uffff'],
    ['((a{99}){99}){99}', 'expected a smaller expression: it has more than 500 states'],
    ['(){1000000000}', 'expected a smaller expression: it has more than 500 states'],
    ['a{501}', 'expected a smaller expression: it has more than 500 states'],
  ])('refuses %s and says why', (expression, why) => {
    expect(linearPattern(expression)).toBe(why);
  });

  it('finds the same with more sets of states than are remembered, and in a second text', () => {
    // Behind each text of eleven letters the automaton is in another set of states: 2,048 of them.
    const expression = 'a[ab]{10}b$';
    const matches = matcher(expression);
    const texts = Array.from({ length: 4_096 }, (_, at) => at.toString(2).padStart(12, '0'));
    const letters = texts.join('').replaceAll('0', 'a').replaceAll('1', 'b');
    for (const end of ['', 'b', 'abbbbbbbbbbb', 'bbbbbbbbbbbb'])
      expect(matches(letters + end)).toBe(new RegExp(expression, 'u').test(letters + end));
    expect(matches('aaaaaaaaaaab')).toBe(true);
    expect(matches('baaaaaaaaaab')).toBe(false);
  });

  it.each(Object.entries(PATTERNS))('%s', async (_, property) => {
    await property(runs(3_000), 14);
  });
});
