// How the command line ends where somebody ends it: Ctrl-C, a reader that has gone, a full disk. Each case is a process of its own.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cheapStarts } from '../support/start.ts';

const BIN = fileURLToPath(new URL('../../bin/penstock.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  const kept = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    kept.out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    kept.err += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...kept })));
}

describe('Ctrl-C', () => {
  /** An AWS that takes every request and answers none. */
  let silent: Server;
  let folder = '';
  let asked: () => void = () => undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'));
    silent = createServer(() => asked());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    await rm(folder, { recursive: true });
  });

  async function interrupted(words: readonly string[], times: number): Promise<Ended> {
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [BIN, ...words, '--stage', 'dev', '--region', 'eu-west-1'], {
      env: {
        PATH,
        HOME: folder,
        ...cheapStarts(),
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
        AWS_ACCESS_KEY_ID: 'fake',
        AWS_SECRET_ACCESS_KEY: 'fake',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = ended(child);
    await isAsked;
    child.kill('SIGINT');
    // Signals that come together count as one.
    const again = times > 1 ? setInterval(() => child.kill('SIGINT'), 50) : undefined;
    const result = await end;
    clearInterval(again);
    return result;
  }

  it.each([
    ['status', 1],
    ['doctor', 1],
    ['drift', 1],
    ['redrive', 2],
  ])('ends %s while a function does not answer', async (name, times) => {
    const { code, out, err } = await interrupted([name, 'orders'], times);
    expect(code).toBe(130);
    expect(err).toContain(
      'error INTERRUPTED  nobody waits for the end any more; what a function has begun goes on',
    );
    expect(out).toBe('');
  });

  it('leaves one document with --json', async () => {
    const { out } = await interrupted(['status', '--json'], 1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'INTERRUPTED' } });
  });
});

const shell = (script: string, cwd: string): Promise<Ended> =>
  new Promise((resolve) => {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, ...cheapStarts(), NODE: process.execPath, BIN };
    execFile('bash', ['-c', script], { cwd, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

describe('standard output', () => {
  it.each([
    ['help', '--help'],
    ['an answer', 'check --json'],
  ])('that nobody reads any more is no error: %s', async (_, words) => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const examples = words.startsWith('check') ? `${words} examples/web-events.json` : words;
    // The reader has ended before the first word is written.
    const { code, err } = await shell(`exec 3> >(exit 0); wait $!; "$NODE" "$BIN" ${examples} >&3`, root);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('on a full disk is an error', async () => {
    const { code, err } = await shell('"$NODE" "$BIN" --help > /dev/full', tmpdir());
    expect(err).toBe('error FILE_UNWRITABLE  standard output cannot be written (ENOSPC)\n');
    expect(code).toBe(1);
  });
});

describe('a command that is a program of its own', () => {
  it.each([
    ['simulate --port many', "--port: expected a whole number from 0 to 65535; found 'many'"],
    ['dev --warm-up many', '--warm-up: expected a whole number from 0 to 3600; found "many"'],
  ])('tells wrong words as the others do, and ends with 1: %s', async (words, what) => {
    const { code, out, err } = await shell(`"$NODE" "$BIN" ${words}`, tmpdir());
    const [name] = words.split(' ');
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: `error USAGE  ${what}\nnext   penstock ${name} --help\n`,
    });
  });
});

describe('init reads records from a pipe', () => {
  it('as many as it looks at, and then tells the writer that nobody reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'));
    try {
      const init = '"$NODE" "$BIN" init --records - --name orders';
      const { code, out } = await shell(
        `yes '{"a":1}' | ${init}; ends="\${PIPESTATUS[*]}"; echo "ends $ends"`,
        folder,
      );
      expect(code).toBe(0);
      expect(out).toContain(
        '100,000 records, 100,000 sound messages; there are more, which were not looked at',
      );
      // 128 and the number of SIGPIPE.
      expect(out).toContain('ends 141 0');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('as from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'));
    try {
      const lines = Array.from({ length: 9 }, (_, n) =>
        JSON.stringify({ id: n, name: `n${n}`, at: `2026-02-1${n}` }),
      );
      await writeFile(join(folder, 'orders.ndjson'), `${lines.join('\n')}\n`);
      const init = '"$NODE" "$BIN" init --name orders';
      const file = await shell(`${init} --records orders.ndjson --out one`, folder);
      const pipe = await shell(`cat orders.ndjson | ${init} --records /dev/stdin --out two`, folder);
      expect([file.code, pipe.code]).toEqual([0, 0]);
      for (const name of ['orders.json', 'orders.samples.json'])
        expect(await readFile(join(folder, 'two', name), 'utf8')).toBe(
          await readFile(join(folder, 'one', name), 'utf8'),
        );
      const words = await shell(`cat orders.ndjson | ${init} --records - --out two`, folder);
      expect({ code: words.code, out: words.out }).toEqual({
        code: 0,
        out: expect.stringContaining('two/orders.json (the same)'),
      });
      const packed = await shell(`gzip -k orders.ndjson; ${init} --records orders.ndjson.gz`, folder);
      expect(packed.err).toContain('next   gunzip -c orders.ndjson.gz | penstock init --records -');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
