// Bundles every function into one file of its own below `dist/functions`, as it is deployed.
import { globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}dist/functions`;

rmSync(out, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: globSync('functions/**/*.ts', { cwd: root }),
  outbase: 'functions',
  outdir: out,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  // CommonJS loads what a bundle requires when it is needed; the SDK's ESM sources are a third smaller.
  format: 'cjs',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
});

for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  if (file.endsWith('.cjs')) console.log(`${String(Math.round(bytes / 1024)).padStart(6)} KB  ${file}`);
}
