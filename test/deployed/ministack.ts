// MiniStack, a local AWS in Python, as a process of its own on loopback; everything it starts ends with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePythonEnvironment } from '../../scripts/python-environment.ts';
import { until } from '../support/eventually.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VENV = join(ROOT, '.penstock/ministack');

export const REGION = 'eu-west-1';

export interface MiniStack {
  readonly endpoint: string;
  /** What it has said so far. */
  log(): string;
  close(): Promise<void>;
}

/** @param folder where it and its functions keep what they keep */
export async function startMiniStack(folder: string): Promise<MiniStack> {
  makePythonEnvironment(VENV, join(HERE, 'requirements.txt'));
  const port = await freePort();
  const lines: string[] = [];
  const child = spawn(join(VENV, 'bin/python'), [join(HERE, 'launch.py')], {
    cwd: folder,
    env: {
      // Functions run on the `node` that is found first: the one that runs this.
      PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
      HOME: folder,
      TMPDIR: folder,
      NODE_OPTIONS: `--require=${join(HERE, 'cjs.cjs')}`,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      LAMBDA_EXECUTOR: 'local',
      // Doors of services that nobody here asks for; they would stand open to other machines.
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    },
    // A group of its own, so that the functions' processes end with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const endpoint = `http://127.0.0.1:${port}`;
  await healthy(endpoint, child, () => lines.join('')).catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  return { endpoint, log: () => lines.join(''), close: () => end(child) };
}

async function healthy(endpoint: string, child: ChildProcess, log: () => string): Promise<void> {
  await until(async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`MiniStack has ended: ${log().slice(-2_000)}`);
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    return answer?.ok === true;
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  const patience = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 60_000);
  await ended;
  clearTimeout(patience);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
