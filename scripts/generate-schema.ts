// Writes `docs/manifest.schema.json` from the zod schema; with `--check` it only says whether the file is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { manifestJsonSchema } from '../lib/manifest.ts';

const file = new URL('../docs/manifest.schema.json', import.meta.url);
const wanted = `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted);
  console.log('docs/manifest.schema.json written');
} else if (readFileSync(file, 'utf8') !== wanted) {
  console.error('docs/manifest.schema.json is out of date: run `npm run generate`');
  process.exitCode = 1;
}
