// `npm run bench:check`: how long `penstock check` takes for 100 manifests, each with its samples and records.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, type Taken, takenText } from './command.ts';

const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));
const MANIFESTS = 100;
const ROUNDS = 5;
/** So many manifests of one example name one stream. */
const OF_ONE_STREAM = 2;

interface Written {
  name: string;
  source: { stream?: string };
  schema: { fieldGroups?: unknown[] };
}

/** The examples again and again: each with a name, a stream and a field group of its own. */
async function writeManifests(folder: string): Promise<void> {
  const names = await readdir(EXAMPLES);
  const bases = names.flatMap((name) => (/^[^.]+\.json$/.test(name) ? [name.replace('.json', '')] : []));
  for (const name of names.filter((one) => !one.endsWith('.json')))
    await copyFile(join(EXAMPLES, name), join(folder, name));
  for (let n = 0; n < MANIFESTS; n++) {
    const base = bases[n % bases.length] ?? '';
    const copy = Math.floor(n / bases.length);
    const stream = (name: string) => `${name}-${Math.floor(copy / OF_ONE_STREAM)}`;
    const manifest = JSON.parse(await readFile(join(EXAMPLES, `${base}.json`), 'utf8')) as Written;
    manifest.name += `-${copy}`;
    if (manifest.source.stream !== undefined) manifest.source.stream = stream(manifest.source.stream);
    const fields = { [`field${n}`]: { type: 'string', title: `Field ${n}` } };
    manifest.schema.fieldGroups?.push({ name: `bench-${n}`, fields });
    const path = join(folder, `${base}-${copy}`);
    await writeFile(`${path}.json`, JSON.stringify(manifest, null, 2));
    if (names.includes(`${base}.samples.json`))
      await copyFile(join(EXAMPLES, `${base}.samples.json`), `${path}.samples.json`);
    if (!names.includes(`${base}.records.json`)) continue;
    const records = await readFile(join(EXAMPLES, `${base}.records.json`), 'utf8');
    // An id that is derived begins with the stream.
    const own = records.replaceAll(/"([\w-]+)(?=:shardId-)/g, (_, name: string) => `"${stream(name)}`);
    await writeFile(`${path}.records.json`, own);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
try {
  const manifests = join(folder, 'manifests');
  await mkdir(manifests);
  await writeManifests(manifests);
  const all: Taken[] = [];
  for (let round = 0; round < ROUNDS; round++) all.push(await runCommand(['check', manifests], folder));
  console.log(`${MANIFESTS} manifests: ${takenText(all)}; load ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await rm(folder, { recursive: true });
}
