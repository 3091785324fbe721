import { describe, expect, it } from 'vitest';
import { checkJson } from '../../../lib/forward/json/json-check.ts';
import { sameAsTheParser, sameInPlace } from '../../fuzz/json-check.ts';

const check = (text: string, depth = 512) => checkJson(Buffer.from(text), depth);

describe('checkJson', () => {
  it('agrees with JSON.parse on 30,000 texts that are nearly JSON', () => {
    sameAsTheParser(30_000, 20_260_401);
  });

  it('says the same of 10,000 rows of texts that lie one behind the other', () => {
    sameInPlace(10_000, 20_261_129);
  });

  it.each([
    ['{}', 'object'],
    [' \t\r\n{ "a" : [ 1 , { } ] } \n', 'object'],
    ['[{}]', 'not-an-object'],
    ['"{}"', 'not-an-object'],
    ['-0.5e+10', 'not-an-object'],
    ['', 'not-json'],
    ['{},{}', 'not-json'],
    ['{"a":1}{"b":2}', 'not-json'],
    ['{"a":1,}', 'not-json'],
    ['{"a" 1}', 'not-json'],
    ['{a:1}', 'not-json'],
    ['{"a":01}', 'not-json'],
    ['{"a":1.}', 'not-json'],
    ['{"a":+1}', 'not-json'],
    ['{"a":1e}', 'not-json'],
    ['{"a":tru}', 'not-json'],
    ['{"a":"\u0001"}', 'not-json'],
    ['{"a":"\\u00g0"}', 'not-json'],
    ['{"a":"x', 'not-json'],
    ['{"a":"\\', 'not-json'],
    ['\ufeff{}', 'not-json'],
    ['{"a":[}', 'not-json'],
    ['{"a":1]', 'not-json'],
    ['{"a":"\\ud800\u2028","n":12345678901234567890123}', 'object'],
    ['{"header":{},"body":{}}', 'envelope'],
    ['{"body":1,"x":{},"header":2}', 'envelope'],
    ['{"h\\u0065ader":{},"b":1}', 'envelope'],
    ['{"header":{"body":1}}', 'object'],
    ['{"header":1,"bodyx":2,"xbody":3}', 'object'],
  ])('%j is %s', (text, expected) => {
    expect(check(text)).toBe(expected);
  });

  it('finds the end of a string at any place within 16 bytes, and what must not be in it', () => {
    for (let length = 0; length < 70; length++) {
      const filler = 'é'.repeat(length % 7) + 'x'.repeat(length);
      expect(check(`{"a":"${filler}"}`)).toBe('object');
      expect(check(`{"a":"${filler}\\n"}`)).toBe('object');
      expect(check(`{"a":"${filler}\n"}`)).toBe('not-json');
      expect(check(`{"a":"${filler}`)).toBe('not-json');
      expect(check(`{"a":"${filler}\\"}`)).toBe('not-json');
    }
  });

  it('finds the end of a number at any length, and what must not be behind it', () => {
    for (let length = 1; length < 40; length++) {
      const digits = '1234567890'.repeat(4).slice(0, length);
      for (const number of [
        digits,
        `-${digits}`,
        `0.${digits}`,
        `${digits}.5`,
        `1e${digits}`,
        `1E-${digits}`,
      ]) {
        expect(check(`{"a":${number}}`)).toBe('object');
        expect(check(`{"a":[${number} ,1]}`)).toBe('object');
        for (const behind of [':', '/', ';', '?', 'a', '.', '-', '\u007f', 'ú', '\ud83d\ude00'])
          expect(check(`{"a":${number}${behind}}`)).toBe('not-json');
      }
      expect(check(`{"a":0${digits}}`)).toBe('not-json');
      expect(check(`{"a":${digits}`)).toBe('not-json');
    }
  });

  it('counts levels, and none of them costs more than the one before', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(check(nested(512))).toBe('object');
    expect(check(nested(513))).toBe('too-deep');
    expect(check('['.repeat(200_000))).toBe('too-deep');
    expect(check(`{"a":${'{"b":'.repeat(1_000_000)}`)).toBe('too-deep');
    expect(check(nested(60_000), 1_000_000)).toBe('object');
    expect(check(nested(60_001), 1_000_000)).toBe('too-deep');
  });

  it('takes what is larger than any message, and what is smaller after it', () => {
    const large = `{"a":"${'x'.repeat(40_000_000)}"}`;
    expect(check(large)).toBe('object');
    expect(check(large.slice(0, -1))).toBe('not-json');
    expect(check('{"a":1}')).toBe('object');
    for (const length of [2_162_000, 2_162_660, 2_162_672, 2_162_680, 2_163_000])
      expect(check(`{"a":"${'x'.repeat(length)}"}`)).toBe('object');
  });

  it('is not misled by what an earlier text has left behind it', () => {
    expect(check(`{"a":"${'y'.repeat(100)}"}`)).toBe('object');
    for (const cut of [1, 2, 5, 16, 17, 40]) {
      const whole = `{"a":"${'y'.repeat(100)}"}`;
      expect(check(whole)).toBe('object');
      expect(check(whole.slice(0, -cut))).toBe('not-json');
    }
  });
});
