// The packed package as npm installs it for somebody whose own Node is 18 or 20: it goes on with the Node 24 that it brings.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STARTERS = fileURLToPath(new URL('node_modules', import.meta.url));
const MACHINE = `${process.platform}-${process.arch}`;
const run = promisify(execFile);

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-starters-'));
  // As `npm pack` does it by itself, without preparing once more what the installation of the clone has prepared.
  await run(process.execPath, ['scripts/package-cli.ts'], { cwd: ROOT });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT });
  const [archive = ''] = await readdir(folder);
  await run('npm', ['install', '--prefer-offline', `./${archive}`], { cwd: folder });
  await writeFile(join(folder, 'people.ndjson'), '{"id":1,"name":"Ana"}\n{"id":2,"name":"Rui"}\n');
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command that npm has linked, where no other Node is on the path than that of the version. */
function penstock(version: string, ...args: string[]): Promise<Ended> {
  const bin = join(folder, 'node_modules/.bin/penstock');
  const env = { PATH: join(STARTERS, `starter-${version}-${MACHINE}`, 'bin'), HOME: folder };
  return new Promise((resolve) => {
    execFile(bin, args, { cwd: folder, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}

describe.each(['18', '20'])('the installed command under Node %s', (version) => {
  it('is started by that Node', async () => {
    const node = join(STARTERS, `starter-${version}-${MACHINE}`, 'bin/node');
    expect((await run(node, ['--version'])).stdout).toMatch(new RegExp(`^v${version}\\.`));
  });

  it('tells its version and its help', async () => {
    expect(await penstock(version, '--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
    expect(await penstock(version, '--help')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Usage: penstock /),
      err: '',
    });
  });

  it('makes a manifest of records, and checks it', async () => {
    const made = await penstock(version, 'init', '--records', 'people.ndjson', '--overwrite');
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining('pipelines/people.json') });
    expect(await penstock(version, 'check')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ok +pipelines\/people\.json/),
    });
  });

  it('ends as the Node ends with which it goes on, and passes its error on', async () => {
    const { code, err } = await penstock(version, 'plan', 'nowhere.json');
    expect(code).toBe(1);
    expect(err).toMatch(/^error FILE_UNREADABLE {2}nowhere\.json/);
  });

  it('says what to install where the Node that it brings is not there, or cannot be started', async () => {
    const brought = join(folder, `node_modules/lambda-node-${MACHINE}`);
    const next = 'next   Install Node 24: https://nodejs.org/en/download\n';
    await rename(brought, `${brought}.away`);
    try {
      const { code, out, err } = await penstock(version, '--version');
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(
        new RegExp(`^error NODE_MISSING  penstock needs Node 24, and this is ${version}\\.`),
      );
      expect(err).toContain(next);
    } finally {
      await rename(`${brought}.away`, brought);
    }
    await chmod(join(brought, 'bin/node'), 0o644);
    try {
      expect(await penstock(version, '--version')).toEqual({
        code: 1,
        out: '',
        err: `error NODE_MISSING  the Node 24 that the package brings cannot be started (EACCES)\n${next}`,
      });
    } finally {
      await chmod(join(brought, 'bin/node'), 0o755);
    }
  });
});

// With its processes beside it, which are of Node 24 whatever started them: one of the two is enough.
it('the manifest is planned on this machine under Node 18', async () => {
  const planned = await penstock('18', 'plan', 'pipelines/people.json', '--local', '--json');
  expect(planned.code, planned.err).toBe(2);
  expect(JSON.parse(planned.out)).toMatchObject({ token: expect.stringMatching(/^p4\./) });
});
