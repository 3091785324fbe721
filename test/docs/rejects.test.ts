// docs/rejects.md: every reason that the code has, in its order, with what it means and what to do.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../../lib/forward/verdict.ts';
import type { Skip } from '../../lib/redrive/parcel.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import type { Discarded } from '../../local/aws/retry-rules.ts';

const PAGE = readFileSync(new URL('../../docs/rejects.md', import.meta.url), 'utf8');

const rows = Array.from(
  PAGE.matchAll(/^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm),
  ([, reason = '', place = '', means = '', todo = '']) => ({ reason, place, means, todo }),
);
const at = (where: string) => rows.filter(({ place }) => place === where).map(({ reason }) => reason);

/** Held to the types by the compiler: what is missing here, or too much, does not compile. */
const DISCARDED = {
  RetryAttemptsExhausted: true,
  RecordAgeExceeded: true,
} satisfies Record<Discarded['condition'], true>;
const PASSED_OVER = {
  'too-large': true,
  empty: true,
  'not-json': true,
  'wrong-version': true,
  damaged: true,
  'another-stream': true,
  'another-pipeline': true,
  claimed: true,
  changed: true,
} satisfies Record<Skip, true>;
const NOT_SENT = ['withheld', 'lost'] satisfies (keyof RedriveAnswer)[];

describe('13 A 3: docs/rejects.md', () => {
  it('has every reason of a reject once, in the order of the code', () => {
    expect(at('rejected')).toEqual([
      ...REASONS.filter((reason) => !at('parked').includes(reason)),
      'refused-later',
    ]);
    expect(at('parked')).toEqual(['parked']);
  });

  it('has every condition under which Lambda discards a batch', () => {
    expect(at('discarded')).toEqual(Object.keys(DISCARDED));
  });

  it('has every reason for which redrive passes an object over or does not send a record', () => {
    expect(at('passed over')).toEqual(Object.keys(PASSED_OVER));
    expect(at('not sent')).toEqual(NOT_SENT);
  });

  it('says of each what it means and what to do, in whole sentences', () => {
    for (const { reason, means, todo } of rows)
      for (const text of [means, todo]) expect(text, reason).toMatch(/^[A-Z`].*\w.*\.$/);
  });

  it('explains each place, and no row stands in another', () => {
    const places = Array.from(
      PAGE.matchAll(/^\| (rejected|parked|discarded|passed over|not sent) \| [^|]+ \|$/gm),
    );
    expect(new Set(rows.map(({ place }) => place))).toEqual(new Set(places.map(([, place]) => place)));
    const table = PAGE.slice(PAGE.indexOf('| Reason | Place |')).trim().split('\n');
    expect(rows).toHaveLength(table.length - 2);
  });
});
