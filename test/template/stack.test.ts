import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { resolveStack } from '../../scripts/stack.ts';

// A stack as Lambda logs it names places in a bundle of one line; with its map they are places in the sources.

it('is told in terms of the sources, and what there is no map of stays as it is', async () => {
  const root = mkdtempSync(join(tmpdir(), 'penstock-'));
  try {
    mkdirSync(join(root, 'lib'));
    writeFileSync(
      join(root, 'lib/deep.ts'),
      'export function deep(n: number): number {\n  if (n > 0) return n;\n  throw new Error("deep");\n}\n',
    );
    writeFileSync(
      join(root, 'entry.ts'),
      "import { deep } from './lib/deep.ts';\n\nexport const handler = () => deep(-1);\n",
    );
    await build({
      entryPoints: [join(root, 'entry.ts')],
      outfile: join(root, 'dist/functions/entry.cjs'),
      bundle: true,
      format: 'cjs',
      platform: 'node',
      minifyWhitespace: true,
      sourcemap: 'linked',
      sourcesContent: false,
    });
    // In a process of its own: vitest reads maps by itself.
    const call = `require(${JSON.stringify(join(root, 'dist/functions/entry.cjs'))}).handler()`;
    const { stderr } = spawnSync(process.execPath, ['--eval', call], { encoding: 'utf8' });
    const logged = stderr.replaceAll(root, '/var/task');
    expect(logged).toMatch(/\/var\/task\/dist\/functions\/entry\.cjs:\d+:\d{3}/);
    const told = resolveStack(logged, root);
    expect(told).toMatch(/at deep \(lib\/deep\.ts:3:\d+\)/);
    expect(told).toMatch(/at \S*handler \(entry\.ts:3:\d+\)/);
    const other = 'at x (/var/task/dist/functions/other.cjs:1:2)\nat y (node:internal/x:1:2)';
    expect(resolveStack(other, root)).toBe(other);
  } finally {
    rmSync(root, { recursive: true });
  }
});
