// `npm run bench:init`: how long `penstock init` takes for 100,000 records of several kinds, and how much memory.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { runCommand, type Taken, takenText } from './command.ts';
import { KINDS } from './init-records.ts';

const RECORDS = 100_000;

async function writeRecords(file: string, line: (n: number) => string): Promise<void> {
  const out = createWriteStream(file);
  for (let n = 0; n < RECORDS; n++) {
    if (!out.write(`${line(n)}\n`)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
});
const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
try {
  for (const [kind, line] of Object.entries(KINDS)) {
    if (positionals.length > 0 && !positionals.includes(kind)) continue;
    const file = join(folder, `${kind}.ndjson`);
    await writeRecords(file, line);
    const megabytes = ((await stat(file)).size / 1e6).toFixed(0);
    const words = ['init', '--records', file, ...(kind === 'packed' ? ['--encoding', 'base64'] : [])];
    const all: Taken[] = [];
    for (let round = 0; round < Number(values.rounds); round++)
      all.push(await runCommand([...words, '--out', join(folder, `${kind}-${round}`)], folder));
    console.log(`${kind}, ${megabytes} MB: ${takenText(all)}; load ${loadavg()[0]?.toFixed(1)}`);
    await rm(file);
  }
} finally {
  await rm(folder, { recursive: true });
}
