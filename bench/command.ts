// Runs a command of `penstock` as a process of its own, and says what it took from its start to its end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figureOf, shown } from './statistics.ts';

const BIN = fileURLToPath(new URL('../bin/penstock.js', import.meta.url));

/** Seconds of time and of processor time, user and system; megabytes that it held at most. */
export interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

/** What a process has used is known to itself alone: it writes it where it ends. */
const USAGE = `data:text/javascript,${encodeURIComponent(
  `import { writeFileSync } from 'node:fs';
   process.on('exit', () => writeFileSync(process.env.PENSTOCK_BENCH_USAGE, JSON.stringify(process.resourceUsage())));`,
)}`;

/**
 * @param folder for what the process has used
 * @throws Error where it does not end with 0
 */
export async function runCommand(args: readonly string[], folder: string): Promise<Taken> {
  const file = join(folder, 'usage.json');
  const began = performance.now();
  const child = spawn(process.execPath, ['--import', USAGE, BIN, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PENSTOCK_BENCH_USAGE: file },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - began) / 1_000;
  if (code !== 0) throw new Error(`penstock ${args.join(' ')} ended with ${code}`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
    readFileSync(file, 'utf8'),
  ) as NodeJS.ResourceUsage;
  return { seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMegabytes: maxRSS / 1_024 };
}

/** `3.30 (3.10–3.60) s, 3.20 (3.00–3.50) s of processor time, 303 MB at most` */
export function takenText(all: readonly Taken[]): string {
  const of = (name: keyof Taken) => figureOf(all.map((one) => one[name]));
  const peak = of('peakMegabytes').max.toFixed(0);
  return `${shown(of('seconds'))} s, ${shown(of('cpuSeconds'))} s of processor time, ${peak} MB at most`;
}
