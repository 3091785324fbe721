// Every record of a decision says when it was taken and whether it holds, and what took its place is there and says so too.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = new URL('../docs/decisions/', import.meta.url);
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
const textOf = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');

const DATE = String.raw`\d{4}-\d\d-\d\d`;
const HEAD = new RegExp(
  String.raw`^# (\d+)\. .+\n\nDate: ${DATE} *\nStatus: (Accepted\.|Superseded by \[\d{4}\]\(([^)]+)\) on ${DATE}\.)`,
);
const SUPERSEDES = /^Supersedes: (.*)$/m;

describe('issue 13 B 6: the records of decisions', () => {
  it('have each a number of its own', () => {
    const numbers = names.map((name) => name.slice(0, 4));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it.each(names)('%s has its number, a date and a status', (name) => {
    const [, number] = HEAD.exec(textOf(name)) ?? [];
    expect(
      Number(number),
      'expected "# N. title", a blank line, "Date: YYYY-MM-DD", "Status: Accepted."',
    ).toBe(Number(name.slice(0, 4)));
  });

  it('refer to records that are there', () => {
    for (const name of names)
      for (const [, to = ''] of textOf(name).matchAll(/\]\((\d{4}-[^)#]+)/g))
        expect(names, name).toContain(to);
  });

  it('that took the place of another are named there, and the other way round', () => {
    const later = names.flatMap((name) => {
      const [, , , by] = HEAD.exec(textOf(name)) ?? [];
      return by === undefined ? [] : [`${name} by ${by}`];
    });
    const earlier = names.flatMap((name) =>
      Array.from(
        (SUPERSEDES.exec(textOf(name))?.[1] ?? '').matchAll(/\]\((\d{4}-[^)#]+)\)/g),
        ([, old = '']) => ({
          old,
          name,
        }),
      ),
    );
    expect(later.length).toBeGreaterThan(4);
    // One that says "in" takes the place of a part alone.
    const whole = earlier.filter(({ name }) => !/^Supersedes: in /m.test(textOf(name)));
    expect(new Set(whole.map(({ old, name }) => `${old} by ${name}`))).toEqual(new Set(later));
  });
});
