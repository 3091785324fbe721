// How much a document may hold: Step Functions counts its bytes, and whoever writes in Chinese has as many fields as anybody.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pipeline } from '../../lib/pipeline.ts';
import { clip, clipMiddle, jsonBytes } from '../../lib/provision/clip.ts';
import { reportOf } from '../../lib/provision/steps/report.ts';
import { world } from '../support/provisioning.ts';
import { inletManifest, reportOf as keptReport } from './cases.ts';

const LARGEST_STATE = 262_144;
const LARGEST_REPORT = 65_535;

/** As large as a manifest can be with as many field groups as there can be, each of which can differ. */
function wide(letter: string, groups = 29) {
  const long = letter.repeat(130);
  const fields = (group: number) =>
    Object.fromEntries(
      [1, 2, 3, 4, 5].map((n) => [`g${group}f${n}`, { type: 'string', enum: [long, `${n}`] }]),
    );
  const own = Array.from({ length: groups }, (_, n) => ({ name: `group-${n}`, fields: fields(n) }));
  return inletManifest({
    schema: { class: 'profile', fieldGroups: ['profile-person-details', ...own] },
  });
}

describe('a manifest whose field groups all differ, in letters of three bytes', () => {
  it.each(['plan', 'apply'])('ends %s with a document and a report that fit', async (mode) => {
    const own = world();
    const first = await own.run({ manifest: wide('字') });
    expect(first.cause ?? first.status).toBe('SUCCEEDED');
    const { error, cause, document } = await own.run({ manifest: wide('文'), mode });
    if (mode === 'plan') expect(cause).toBeUndefined();
    else expect(error).toBe('Penstock.Conflict');
    const report = mode === 'plan' ? document.report : await keptReport(own);
    expect(jsonBytes(report)).toBeLessThanOrEqual(LARGEST_REPORT);
    if (mode === 'plan') expect(jsonBytes(document)).toBeLessThanOrEqual(LARGEST_STATE);
    const conflicts = report?.resources.filter(({ planned }) => planned === 'conflict') ?? [];
    expect(conflicts).toHaveLength(29);
    for (const { why, differences } of conflicts) {
      expect(why).toMatch(/undo the change in the manifest, or give the pipeline another name$/);
      // What there was no room for is counted.
      expect(differences?.at(-1)?.found).toMatch(/^\d more$/);
    }
    expect((await own.runtime.ledger.read('people'))?.owner).toBeUndefined();
  });
});

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc
    .tuple(fc.constantFrom('a', '字', '😀', '"', '\u0001', '\ud800'), fc.nat(4_000))
    .map(([letter, times]) => letter.repeat(times)),
);
const list = <T>(one: fc.Arbitrary<T>, maxLength: number) => fc.array(one, { maxLength });
const planned = fc.record({
  resource: fc.constantFrom('schema', 'flow', 'publish', 'trigger', 'field-group:one'),
  action: fc.constantFrom('keep', 'create', 'update', 'replace', 'remove', 'conflict', 'none'),
  name: text,
  reason: text,
  id: text,
  differences: list(fc.record({ field: text, found: text, wanted: text }), 30),
});
const trail = fc.record({
  step: text,
  ms: fc.nat(),
  calls: fc.nat(),
  changes: list(fc.record({ call: text, requestId: text }), 30),
});
const told = fc.record(
  {
    plan: fc.array(planned, { minLength: 20, maxLength: 60, size: 'max' }),
    warnings: list(text, 50),
    verified: list(text, 50),
    removed: list(text, 50),
    left: list(text, 50),
    trail: list(trail, 30),
    failure: fc.record({ Error: text, Cause: text }),
  },
  { requiredKeys: ['plan', 'warnings', 'verified', 'removed', 'left', 'trail'] },
);

it('a report has less than 64 KB, whatever there is to say', async () => {
  const { document } = await world().run({ manifest: inletManifest() });
  fc.assert(
    fc.property(told, (more) => {
      const report = reportOf({ ...document, ...more } as Pipeline, Date.parse('2026-01-02T00:00:00Z'));
      expect(jsonBytes(report)).toBeLessThanOrEqual(LARGEST_REPORT);
    }),
    { numRuns: 25 },
  );
});

it('a text is cut to bytes as JSON has them, and between two characters', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 10, max: 3_000 }), (whole, most) => {
      const short = clip(whole, most);
      expect(jsonBytes(short) - 2).toBeLessThanOrEqual(most);
      if (short !== whole) expect(whole.startsWith(short.slice(0, -1))).toBe(true);
      const ends = clipMiddle(whole, most);
      expect(jsonBytes(ends) - 2).toBeLessThanOrEqual(most);
      if (whole.isWellFormed()) expect([short.isWellFormed(), ends.isWellFormed()]).toEqual([true, true]);
    }),
    { numRuns: 300 },
  );
});
