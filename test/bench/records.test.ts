import { describe, expect, it } from 'vitest';
import { MARK } from '../../bench/event.ts';
import { linesOf } from '../../bench/records.ts';

describe('the records of the measurements', () => {
  it.each([300, 1_000])('are objects of %i bytes each, by which the inlet can count', (bytes) => {
    for (const line of linesOf(200, bytes)) {
      expect(Buffer.byteLength(line)).toBe(bytes);
      expect(line.startsWith(MARK.toString())).toBe(true);
      expect(line.split(MARK.toString())).toHaveLength(2);
      expect(JSON.parse(line)).toHaveProperty('lastName');
    }
  });

  it('are dense: no letter fills them up, and they have escapes, exponents and letters of several scripts', () => {
    const lines = linesOf(200, 1_000);
    for (const line of lines) {
      expect(line).not.toMatch(/(.)\1{9}/u);
      expect(line.match(/[{}[\],:]/g)?.length).toBeGreaterThan(100);
    }
    const all = lines.join('');
    for (const kind of [
      /\\u[0-9a-f]{4}/,
      /\\"/,
      /\de-\d/,
      /\p{sc=Cyrillic}/u,
      /\p{sc=Han}/u,
      /\p{sc=Arabic}/u,
    ])
      expect(all).toMatch(kind);
  });

  it('are the same each time, and no two are equal', () => {
    expect(linesOf(50, 300)).toEqual(linesOf(50, 300));
    expect(new Set(linesOf(1_000, 300)).size).toBe(1_000);
  });
});
