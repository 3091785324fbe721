// docs/strangers.md has the steps as they are taken, and every difference is of a kind that the page explains.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { aeppRows } from './aepp.ts';
import { document } from './document.ts';
import { libraries } from './ims-steps.ts';

const rows = [...libraries(), ...aeppRows()];

test('12: docs/strangers.md is made from the steps (node test/strangers/write.ts)', () => {
  const page = readFileSync(new URL('../../docs/strangers.md', import.meta.url), 'utf8');
  expect(page).toBe(document(rows));
});

test('12: each difference is the client’s own, meant, or not simulated', () => {
  const reasons = rows.map(({ reason }) => reason).filter(Boolean);
  expect(reasons.filter((reason) => !/^(not simulated|differs|aepp|aio-lib-\S+): \S/.test(reason))).toEqual(
    [],
  );
});
