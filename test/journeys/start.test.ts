import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printedBlocks } from '../support/printed.ts';
import { START, start } from '../support/start.ts';

let folder: string;

beforeAll(async () => {
  // From the sources, as anybody starts it.
  delete process.env.PENSTOCK_FUNCTIONS;
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('npm start', () => {
  it('delivers every line but the broken ones, and names those by number', async () => {
    const good = (id: number) =>
      JSON.stringify({ id: `r-${id}`, firstName: 'A', lastName: 'B', gender: 'Male', dob: '1990-01-01' });
    const lines = [
      good(1),
      '{"broken',
      '',
      good(4),
      '[]',
      `${good(6)}\r`,
      Buffer.from([0xff, 0xfe]),
      good(8),
    ];
    const content = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
    const path = await file('records.ndjson', content);
    const { code, out, err } = await start('--records', path, '--warm-up', '1');
    // The address stands under its sentence, also where only one of the outputs is kept.
    expect(out, err).toMatch(/^Look at it while it runs:\n {2}http:\/\/127\.0\.0\.1:\d+\/#\S+$/m);
    expect(out).toMatch(/produced +7 /);
    expect(out).toMatch(/accepted +4 /);
    expect(out).toMatch(/rejected +3 /);
    expect(out).toContain('line 2: not-json');
    expect(out).toContain('line 5: not-an-object');
    expect(out).toContain('line 7: not-utf8');
    expect(out).toContain('Every record is accounted for');
    for (const state of ['schema', 'dataset', 'flow', 'verify', 'trigger'])
      expect(err).toMatch(new RegExp(`Provision: \\d+/18 ${state}`));
    // 13 A 3: every state counts, the warm-up too, and the next step is none that is done already.
    expect(err).toContain('Provision: 13/18 verify');
    expect(err).toMatch(/Provision: done\n[\s\S]*Forward: 7\/7\nForward: done\n/);
    expect(out).toContain('next  Ask the health check');
    expect(code).toBe(0);
    // 13 A 3: what README says that it prints.
    const [first = []] = printedBlocks(await readFile(new URL('../../README.md', import.meta.url), 'utf8'));
    expect(first.length).toBeGreaterThan(6);
    expect(first.filter((line) => !line.test(out))).toEqual([]);
    const list = /All of these lines: (.+)$/m.exec(out)?.[1] ?? '';
    const entries = (await readFile(list, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number });
    expect(entries.map(({ line }) => line)).toEqual([2, 5, 7]);
  });

  it('ends when it is asked to, and leaves nothing running', async () => {
    const child = spawn(process.execPath, [START, '--generate', '10'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    const seen = Promise.withResolvers<void>();
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      if (err.includes('/18 schema')) seen.resolve();
    });
    await seen.promise;
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    expect(children.length).toBeGreaterThan(0);
    child.kill('SIGTERM');
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(err).toMatch(/\nerror INTERRUPTED {2}\S.*\nnext {3}npm start/);
    expect(code).toBe(130);
    for (const pid of children) expect(() => process.kill(Number(pid), 0), `process ${pid}`).toThrow();
  });

  it.each([
    ['an option that does not exist', ['--colour'], /Unknown option '--colour'/],
    ['a number that is none', ['--generate', 'many'], /--generate: expected a whole number from 1/],
    ['two sources of records', ['--records', 'a', '--generate', '1'], /cannot be used together/],
  ])('says what is wrong with %s', async (_, args, said) => {
    const { code, err } = await start(...args);
    expect(err).toMatch(said);
    expect(err).toMatch(/^error USAGE {2}.*\nnext {3}npm start -- --help\n$/);
    expect(code).toBe(2);
  });

  it.each([['--manifest'], ['--records'], ['--faults']])(
    'names the file of %s that is not there',
    async (word) => {
      const { code, err } = await start(word, '/nowhere.json');
      expect(err).toBe(
        `error FILE_UNREADABLE  ${word}: /nowhere.json cannot be read (ENOENT)\nnext   Name a file that is there, and that you may read.\n`,
      );
      expect(code).toBe(2);
    },
  );

  it('names file, path, finding and what is allowed of a mistake in a manifest', async () => {
    const manifest = await file(
      'my.json',
      '{"version": 1, "name": "x", "sandbox": "DEV", "source": {"kind": "inlet", "stream": "s", "data": "csv"}, "schema": {"class": "profile"}}',
    );
    const { code, err } = await start('--manifest', manifest);
    expect(err).toContain('my.json has 2 mistakes');
    expect(err).toContain('sandbox: expected the name of a sandbox');
    expect(err).toContain('source.data: expected one of "raw"|"xdm"; found "csv"');
    expect(code).toBe(2);
  });
});
