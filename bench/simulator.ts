// `npm run bench:simulator`: what the simulated platform's inlet takes, and whether its memory stays flat.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { Pool, request } from 'undici';
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

/** @param single each record in a request of its own, instead of 500 in one */
async function flat(records: number, single: boolean): Promise<boolean> {
  const [one, , batches] = CASES as [Case, Case, Case];
  const which = { ...(single ? one : batches), mode: 'unchecked' as const };
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
    `\nMemory held, MB, after each tenth of ${records} records, ${single ? 'one' : which.each} a request: ${heaps.map((each) => each.toFixed(0)).join(', ')}`,
  );
  print(`counted: ${JSON.stringify(last?.counts)}`);
  return late <= early * GROWTH;
}

const CONNECTIONS = 10_000;
const HUNDRED_MB = 100;

/** Connections that stop in the middle and bodies of 100 MB, all at once: whether others are still answered, and the memory comes back. */
async function hostile(): Promise<boolean> {
  const { child, at } = await served('checked');
  const pool = new Pool(at.origin, { connections: 4 });
  const [one] = CASES as [Case];
  await load(pool, one, at, 1_000);
  const before = await costOf(child);
  const stuck = await halfOpen(at, CONNECTIONS);
  const bodies = Promise.all(Array.from({ length: 8 }, () => hugeBody(at)));
  const began = performance.now();
  await load(pool, one, at, 1_000);
  const took = (performance.now() - began) / 1_000;
  const statuses = await bodies;
  for (const socket of stuck) socket.destroy();
  await load(pool, one, at, 1_000);
  const after = await costOf(child);
  await pool.destroy();
  child.disconnect();
  const landed = (after.counts.landed ?? 0) - (before.counts.landed ?? 0);
  print(
    `\n${stuck.length} connections that stop in the middle of a request, 8 bodies of 100 MB (HTTP ${[...new Set(statuses)]})`,
  );
  print(`beside them 1,000 messages took ${took.toFixed(1)} s; ${landed} of 2,000 landed`);
  print(
    `memory held before and after: ${(before.heap / 1e6).toFixed(0)} and ${(after.heap / 1e6).toFixed(0)} MB`,
  );
  return stuck.length === CONNECTIONS && landed === 2_000 && statuses.every((status) => status === 413);
}

async function halfOpen({ origin, inletId }: Served, wanted: number): Promise<Socket[]> {
  const whole = `POST /collection/${inletId} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"id"`;
  const sockets: Socket[] = [];
  const port = Number(new URL(origin).port);
  // Some at a time: the queue of a listening socket is short.
  for (let number = 0; number < wanted; number += 100) {
    const some = Array.from({ length: 100 }, () => connect({ port, host: '127.0.0.1' }));
    for (const [index, socket] of some.entries()) {
      socket.on('error', () => undefined);
      socket.write(whole.slice(0, 1 + ((number + index) % whole.length)));
    }
    const open = await Promise.all(
      some.map((socket) =>
        once(socket, 'connect').then(
          () => socket,
          () => undefined,
        ),
      ),
    );
    sockets.push(...open.filter((socket) => socket !== undefined));
  }
  return sockets;
}

async function hugeBody({ origin, inletId }: Served): Promise<number> {
  const part = Buffer.alloc(1_000_000, 'x');
  async function* parts() {
    for (let number = 0; number < HUNDRED_MB; number++) yield part;
  }
  const headers = { 'content-type': 'application/json' };
  const reply = await request(`${origin}/collection/batch/${inletId}`, {
    method: 'POST',
    headers,
    body: Readable.from(parts()),
  });
  await reply.body.dump();
  return reply.statusCode;
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
    single: { type: 'boolean', default: false },
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
if (wanted('hostile')) met = (await hostile()) && met;
if (wanted('memory')) met = (await flat(Number(values.records), values.single)) && met;
process.exitCode = met ? 0 : 1;
