// Before the tests: the functions that their local AWS starts become a few files. A process that loads hundreds needs twice the time of the processor.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a bundle is made of, and by. */
const SOURCES = ['functions/**/*.ts', 'lib/**/*.ts', 'package-lock.json', 'test/support/bundle-functions.ts'];

/** Packages in CommonJS ask for parts of Node by it. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** A run of other sources may still use an older folder. */
const A_DAY_MS = 86_400_000;

/** Other processes find the folder in the environment, as `PENSTOCK_FUNCTIONS`. */
export default async function bundleFunctions(): Promise<void> {
  // As deep as lib/hook, which looks for pipelines/ from where it lies.
  const folder = join(ROOT, '.penstock', `functions-${keyOf(SOURCES)}`);
  if (!existsSync(folder)) await bundleInto(folder);
  process.env.PENSTOCK_FUNCTIONS = folder;
}

async function bundleInto(folder: string): Promise<void> {
  for (const other of globSync('.penstock/functions-*', { cwd: ROOT }).map((name) => join(ROOT, name)))
    if (statSync(other).mtimeMs < Date.now() - A_DAY_MS) rmSync(other, { recursive: true });
  const made = `${folder}.${process.pid}`;
  await build({
    absWorkingDir: ROOT,
    entryPoints: globSync('functions/**/*.ts', { cwd: ROOT }).map((file) => ({
      in: file,
      out: basename(file, '.ts'),
    })),
    outdir: made,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What several of them need is compiled once.
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
  try {
    renameSync(made, folder);
  } catch {
    // Another run was first, with the same.
    rmSync(made, { recursive: true });
  }
}

function keyOf(patterns: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of globSync([...patterns], { cwd: ROOT }).sort())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}
