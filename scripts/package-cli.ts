// Compiles the command line, and what it runs on this machine, to JavaScript in `dist/package`, for `npm pack`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = `${ROOT}dist/package`;

/** What compiled code reads beside itself, at the same place as in a clone. */
const FILES = [
  'package.json',
  'serverless.yml',
  'functions/provision/states.asl.json',
  'local/aep/xdm/facts.txt',
  'local/aep/xdm/names.txt',
  'examples',
  'events/samples',
  'dist/page',
];

rmSync(OUT, { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.package.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
for (const file of FILES) cpSync(`${ROOT}${file}`, `${OUT}/${file}`, { recursive: true });
// Nobody's pipelines: the folder of whoever uses the package has them.
mkdirSync(`${OUT}/pipelines`);
