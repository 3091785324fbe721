// `npm run bench:init`: how long `penstock init` takes for 100,000 records of half a kilobyte, and how much memory.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { initPipelines } from '../cli/init/init.ts';
import { linesOfFile } from '../cli/init/lines.ts';

const RECORDS = 100_000;
const KINDS = ['purchase', 'refund', 'exchange'] as const;

function record(n: number): string {
  return JSON.stringify({
    eventId: `e-${n}`,
    type: KINDS[n % KINDS.length],
    at: new Date(1_770_970_530_000 + n * 1_000).toISOString(),
    customer: {
      id: `c-${n % 5_000}`,
      email: `c${n % 5_000}@example.com`,
      name: { first: 'Ana', last: 'Reis' },
    },
    order: {
      number: `o-${n}`,
      total: n / 7,
      currency: 'EUR',
      items: [1, 2, 3].map((i) => ({ sku: `s-${i}-${n % 100}`, quantity: i, price: 4.5 * i })),
    },
    channel: n % 2 ? 'web' : 'app',
    device: { os: 'ios', version: `17.${n % 9}`, ip: '203.0.113.7' },
    tags: ['a', 'b', 'c'],
    note: n % 50 === 0 ? null : `note ${n}`,
  });
}

const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
try {
  const file = join(folder, 'records.ndjson');
  const out = createWriteStream(file);
  for (let n = 0; n < RECORDS; n++) if (!out.write(`${record(n)}\n`)) await once(out, 'drain');
  out.end();
  await finished(out);
  const { size } = await stat(file);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const { report } = await initPipelines({
    name: 'bench',
    sandbox: 'dev1',
    stream: 'bench',
    lines: () => linesOfFile(file),
  });
  const [elapsed, used] = [performance.now() - began, process.cpuUsage(cpu)];
  clearInterval(watch);
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  console.log(
    `${report.messages} records, ${(size / 1e6).toFixed(0)} MB, ${report.pipelines.length} pipeline`,
  );
  console.log(`${seconds(elapsed)}, ${seconds((used.user + used.system) / 1_000)} of processor time`);
  console.log(`${(peak / 1e6).toFixed(0)} MB at most`);
} finally {
  await rm(folder, { recursive: true });
}
