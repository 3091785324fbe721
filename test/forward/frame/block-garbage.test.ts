import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PROCESS = fileURLToPath(new URL('block-garbage.ts', import.meta.url));
/** All of the blocks have room in the memory of what is new. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

it('leaves none of a block, and of its records, behind a small collection: a getter would keep all', () => {
  const said = execFileSync(process.execPath, [...FLAGS, PROCESS], { encoding: 'utf8' });
  const { made, left } = JSON.parse(said) as { made: number; left: number };
  expect(made).toBeGreaterThan(5_000_000);
  expect(left).toBeLessThan(made / 5);
});
