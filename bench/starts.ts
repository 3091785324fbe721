// `npm run bench:starts`: from the start of a process to a function's first useful effect, beside a bundle made the ordinary way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { createColors } from 'picocolors';
import { startStack } from '../local/start/stack.ts';
import { tableLines } from '../terminal/table.ts';
import { type Doors, openDoors } from './doors.ts';
import { type Events, eventsOf, publishBehind } from './starts-events.ts';
import { STARTS, type Start } from './starts-of.ts';
import { figureOf, ratioOf, shown } from './statistics.ts';
import { buildAll } from './world.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORK = join(ROOT, '.penstock/starts');
const HOST = join(ROOT, '.penstock/bench/cold.cjs');
const GOAL = 0.75;

/** The tutorials' way: each library from its front door, all at the top. What zod and undici are to a function, it gets. */
function ordinaryEntry({ file, libraries }: Start): string {
  const imports = libraries.map((name, index) => `import * as library${index} from '${name}';`);
  return [
    ...imports,
    "import { z } from 'zod';",
    "import { Pool } from 'undici';",
    `export { handler } from './functions/${file}.ts';`,
    // Used, so that nothing is shaken off that an import would run.
    `export const used = [z.string(), Pool, ${libraries.map((_, index) => `library${index}`).join(', ')}];`,
  ].join('\n');
}

/** esbuild as its own guide has it for Node: bundled and minified, and nothing else. */
async function buildOrdinary(starts: readonly Start[]): Promise<void> {
  mkdirSync(WORK, { recursive: true });
  for (const start of starts) {
    await build({
      absWorkingDir: ROOT,
      stdin: { contents: ordinaryEntry(start), resolveDir: ROOT, loader: 'ts' },
      outfile: ordinary(start),
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      // The one file that asks where it is: it looks for the manifests beside it.
      define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(ROOT, 'lib/hook/bundle.ts')).href) },
      logLevel: 'warning',
    });
  }
}

const ordinary = ({ file }: Start): string => join(WORK, `${file.replaceAll('/', '-')}.cjs`);
const deployed = ({ file }: Start): string => join(ROOT, `dist/functions/${file}.cjs`);

/** ms from the start of a process to the request that the function is there for. */
async function startOnce(start: Start, bundle: string, event: string, doors: Doors): Promise<number> {
  doors.clear();
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, [HOST, bundle, event], {
    env: { PATH: process.env.PATH ?? '', ...doors.environment, ...start.environment },
    // What it answers, and whether it fails in the end, is for the tests to say.
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const seen = await Promise.race([doors.first(start.effect), once(child, 'exit').then(() => undefined)]);
  const at = seen ?? doors.seen(start.effect);
  child.kill('SIGKILL');
  if (child.exitCode === null) await once(child, 'exit').catch(() => undefined);
  if (at === undefined) throw new Error(`${start.name}: ended without ${start.effect.what}`);
  return Number(at - started) / 1e6;
}

interface Taken {
  readonly start: Start;
  readonly own: number[];
  readonly plain: number[];
}

async function measure(
  starts: readonly Start[],
  events: Events,
  doors: Doors,
  runs: number,
): Promise<Taken[]> {
  const files = new Map(starts.map((start) => [start, join(WORK, `${start.name}.json`)]));
  for (const [start, file] of files) writeFileSync(file, JSON.stringify(events(start)));
  const taken = starts.map((start): Taken => ({ start, own: [], plain: [] }));
  // The first round warms the disk, and does not count.
  for (let round = 0; round <= runs; round++) {
    for (const { start, own, plain } of taken) {
      const file = files.get(start) ?? '';
      const mine = await startOnce(start, deployed(start), file, doors);
      const others = await startOnce(start, ordinary(start), file, doors);
      if (round === 0) continue;
      own.push(mine);
      plain.push(others);
    }
  }
  return taken;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { functions: { type: 'string' }, runs: { type: 'string', default: '20' } },
  });
  const wanted = values.functions?.split(',');
  const starts = STARTS.filter(({ name }) => wanted === undefined || wanted.includes(name));
  // A hook is measured with pipelines to start, which a bundle does not have at first.
  await buildAll('--pipelines', 'examples');
  rmSync(WORK, { recursive: true, force: true });
  await buildOrdinary(starts);
  const folder = mkdtempSync(join(tmpdir(), 'penstock-starts-'));
  const stack = await startStack({ warmUpSeconds: 1, seed: 1, folder, sandboxes: ['dev1'] });
  try {
    const events = await eventsOf(stack);
    const doors = await openDoors(stack);
    await publishBehind(stack, doors.environment.PENSTOCK_INLET_ORIGINS ?? '');
    const taken = await measure(starts, events, doors, Number(values.runs));
    await doors.close();
    const rows = taken.map(({ start, own, plain }) => [
      start.name,
      start.effect.what,
      shown(figureOf(own), 0),
      shown(figureOf(plain), 0),
      shown(ratioOf(own, plain)),
    ]);
    const head = ['function', 'first useful effect', 'ms', 'plain, ms', 'ratio'];
    process.stdout.write(
      `${tableLines(head, rows, Number.POSITIVE_INFINITY, createColors(false)).join('\n')}\n`,
    );
    const slow = taken.filter(({ own, plain }) => ratioOf(own, plain).median > GOAL);
    for (const { start } of slow) process.stdout.write(`${start.name} misses ${GOAL}\n`);
    return slow.length === 0 ? 0 : 1;
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true });
    // Nobody is to deploy the samples by mistake.
    await buildAll();
  }
}

process.exitCode = await main();
