// `npm run bench:simulator`: what the simulated platform's inlet takes, and whether its memory stays flat.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { ROW } from '../test/local/aep/support.ts';
import type { Cost, Served } from './simulator-server.ts';
import { figureOf, shown } from './statistics.ts';

interface Case {
  readonly name: string;
  readonly unit: string;
  readonly goal: number;
  readonly mode: 'checked' | 'unchecked';
  readonly path: string;
  readonly body: string;
  /** How much of the unit one request is. */
  readonly each: number;
  readonly connections: number;
}

/** A row of about 1 KB as JSON; what pads it is in no schema and mapped nowhere. */
function row(index: number): object {
  return { ...ROW, id: `cust-${index}`, ignored: 'x'.repeat(840) };
}

function batchOf(messages: number): string {
  return JSON.stringify({ messages: Array.from({ length: messages }, (_, index) => row(index)) });
}

const LARGE = batchOf(990);
const CASES: readonly Case[] = [
  {
    name: 'one message of 1 KB a request',
    unit: 'requests/s',
    goal: 5_000,
    mode: 'checked',
    path: '/collection/',
    body: JSON.stringify(row(1)),
    each: 1,
    connections: 32,
  },
  {
    name: 'batches of 1 MB, validation off',
    unit: 'MB/s',
    goal: 150,
    mode: 'unchecked',
    path: '/collection/batch/',
    body: LARGE,
    each: LARGE.length / 1e6,
    connections: 4,
  },
  {
    name: 'batches of 500, mapped and validated',
    unit: 'records/s',
    goal: 20_000,
    mode: 'checked',
    path: '/collection/batch/',
    body: batchOf(500),
    each: 500,
    connections: 4,
  },
];

async function served(mode: string): Promise<{ child: ChildProcess; at: Served }> {
  const program = new URL('./simulator-server.ts', import.meta.url);
  const child = fork(program, [mode], { execArgv: ['--expose-gc'] });
  const [at] = (await once(child, 'message')) as [Served];
  return { child, at };
}

async function costOf(child: ChildProcess): Promise<Cost> {
  const answer = once(child, 'message');
  child.send('cost');
  return ((await answer) as [Cost])[0];
}

/** Sends `total` requests, as many at a time as there are connections. */
async function load(pool: Pool, { path, body, connections }: Case, at: Served, total: number): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-adobe-flow-id': at.flowId };
  let left = total;
  const send = async () => {
    while (left-- > 0) {
      const reply = await pool.request({ method: 'POST', path: `${path}${at.inletId}`, headers, body });
      await reply.body.dump();
      if (reply.statusCode !== 200 && reply.statusCode !== 207) throw new Error(`HTTP ${reply.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
}

/** The rate as seen from outside, and by the processor time of the platform alone: that is less disturbed by other work. */
async function speed(which: Case, seconds: number, rounds: number): Promise<boolean> {
  const { child, at } = await served(which.mode);
  const pool = new Pool(at.origin, { connections: which.connections });
  const outside: number[] = [];
  const inside: number[] = [];
  let requests = Math.ceil((which.goal / which.each) * 0.5);
  for (let round = -1; round < rounds; round++) {
    const before = await costOf(child);
    const began = performance.now();
    await load(pool, which, at, requests);
    const took = (performance.now() - began) / 1_000;
    const spent = ((await costOf(child)).processorMs - before.processorMs) / 1_000;
    // The first round warms up, and tells how much is a round.
    if (round >= 0) {
      outside.push((requests * which.each) / took);
      inside.push((requests * which.each) / spent);
    }
    requests = Math.ceil((requests / took) * (seconds / 2) + requests / 2);
  }
  await pool.destroy();
  child.disconnect();
  const met = figureOf(outside).median >= which.goal;
  const { name, unit, goal } = which;
  print(`| ${name}, ${unit} | ≥ ${goal} | ${shown(figureOf(outside), 0)} | ${shown(figureOf(inside), 0)} |`);
  return met;
}

/** Held memory may grow until what is kept is full; from then on, no more. */
const GROWTH = 1.1;

async function flat(records: number): Promise<boolean> {
  const [, , checked] = CASES as [Case, Case, Case];
  const which = { ...checked, mode: 'unchecked' as const };
  const { child, at } = await served(which.mode);
  const pool = new Pool(at.origin, { connections: which.connections });
  const heaps: number[] = [];
  const steps = 10;
  let last: Cost | undefined;
  for (let step = 0; step < steps; step++) {
    await load(pool, which, at, Math.ceil(records / steps / which.each));
    last = await costOf(child);
    heaps.push(last.heap / 1e6);
  }
  await pool.destroy();
  child.disconnect();
  const early = Math.max(...heaps.slice(2, 5));
  const late = Math.max(...heaps.slice(5));
  print(
    `\nMemory held, MB, after each tenth of ${records} records: ${heaps.map((each) => each.toFixed(0)).join(', ')}`,
  );
  print(`counted: ${JSON.stringify(last?.counts)}`);
  return late <= early * GROWTH;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '10000000' },
  },
});
const wanted = (part: string) => positionals.length === 0 || positionals.includes(part);
let met = true;
if (wanted('speed')) {
  print(
    '| inlet of the simulated platform | goal | measured | per second of its processor time |\n| --- | --- | --- | --- |',
  );
  for (const each of CASES) met = (await speed(each, Number(values.seconds), Number(values.rounds))) && met;
}
if (wanted('memory')) met = (await flat(Number(values.records))) && met;
process.exitCode = met ? 0 : 1;
