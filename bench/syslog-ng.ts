// syslog-ng's http() as a candidate, from Debian's package where that is installed: lines in by a socket, the same bodies out.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load, Sample } from './load.ts';
import { linesOf } from './records.ts';
import type { Inlet, Scheme } from './world.ts';

const PROGRAM = '/usr/sbin/syslog-ng';
/** Linux counts processor time in so many parts of a second. */
const TICKS = 100;
/** How long its start may take, and how often it is looked at, in ms. */
const START_MS = 30_000;
const LOOK_MS = 2;

export const hasSyslogNg = existsSync(PROGRAM);

/**
 * Requests as large as the forwarder's, by as many connections. Nothing of a line is parsed. Flow control is off: with it
 * a few lines at a time come in, and it is ten times as slow. All lines of a load fit into its queue.
 */
function configuration(socket: string, url: string): string {
  return `@version: 3.35
options { stats-freq(0); keep-hostname(yes); log-fifo-size(400000); };
source lines { unix-stream("${socket}" flags(no-parse) log-iw-size(100000) log-fetch-limit(1000) log-msg-size(1000000)); };
destination inlet {
  http(url("${url}") method("POST") workers(8) batch-lines(2000) batch-bytes(600Kb) batch-timeout(10)
    headers("content-type: application/json", "x-adobe-flow-id: flow", "sandbox-name: dev1")
    body-prefix("{\\"messages\\":[") delimiter(",") body-suffix("]}") body("\${MESSAGE}"));
};
log { source(lines); destination(inlet); };
`;
}

/** The same as a `Loader`: a process that is kept. */
export class SyslogNg {
  readonly candidate = 'syslog-ng';
  readonly #inlet: Inlet;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #folder: string;
  readonly #texts = new Map<string, string>();

  private constructor(inlet: Inlet, child: ChildProcess, socket: Socket, folder: string) {
    this.#inlet = inlet;
    this.#child = child;
    this.#socket = socket;
    this.#folder = folder;
  }

  static async start(inlet: Inlet, scheme: Scheme): Promise<SyslogNg> {
    const folder = mkdtempSync(join(tmpdir(), 'syslog-ng-'));
    const at = (name: string) => join(folder, name);
    const url = inlet.url(scheme).replace('/collection/', '/collection/batch/');
    writeFileSync(at('conf'), configuration(at('socket'), url));
    const files = ['-f', at('conf'), '-R', at('persist'), '-c', at('control'), '-p', at('pid')];
    const child = spawn(PROGRAM, ['-F', '--no-caps', ...files], { stdio: ['ignore', 'ignore', 'inherit'] });
    return new SyslogNg(inlet, child, await connected(at('socket'), child), folder);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All events at once, without their base64: until the inlet has counted each record. */
  async run({ records, bytes, events }: Load): Promise<Sample> {
    const text = this.#textFor(records, bytes);
    const before = (await this.#inlet.counts()).messages;
    const cpu = this.#cpuMs();
    const started = performance.now();
    for (let event = 0; event < events; event++) {
      if (!this.#socket.write(text)) await once(this.#socket, 'drain');
    }
    while ((await this.#inlet.counts()).messages - before < records * events) await sleep(LOOK_MS);
    return { ms: performance.now() - started, cpuMs: this.#cpuMs() - cpu, peakBytes: 0 };
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#socket.destroy();
    this.#child.kill();
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  #textFor(records: number, bytes: number): string {
    const key = `${records} × ${bytes}`;
    const text = this.#texts.get(key) ?? linesOf(records, bytes).join('\n').concat('\n');
    this.#texts.set(key, text);
    return text;
  }

  /** User and system, all threads. */
  #cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
  }
}

async function connected(path: string, child: ChildProcess): Promise<Socket> {
  for (const until = Date.now() + START_MS; Date.now() < until && child.exitCode === null; await sleep(20)) {
    if (!existsSync(path)) continue;
    const socket = connect(path);
    await once(socket, 'connect');
    return socket;
  }
  throw new Error('syslog-ng has not begun to listen');
}
