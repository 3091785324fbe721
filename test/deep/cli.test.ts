// The command line as people use it: through pipes, through a pseudo-terminal, and from the packed package in an empty folder.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAKE_CREDENTIAL } from '../../local/aep/options.ts';
import { readAddress } from '../../local/start/address.ts';
import { until } from '../support/eventually.ts';
import { inTerminal, linesShown, quietEnv, widerThan } from '../support/terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin/penstock.js');
const NAME = 'customer-profiles';
const FILE = `pipelines/${NAME}.json`;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function penstock(
  folder: string,
  args: readonly string[],
  { bin = BIN, env = {} }: { readonly bin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: folder, env: { ...quietEnv(), ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}

/** In a terminal of 80 columns; each answer is typed when its question is there. */
async function typed(
  folder: string,
  args: readonly string[],
  answers: readonly [RegExp, string][],
  more: { readonly columns?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  // Without a shell around it, whose own end by Ctrl-C would be the one that is told.
  const command = ['exec', process.execPath, BIN, ...args].join(' ');
  return { ...(await inTerminal(command, { columns: 80, folder, answers, ...more })), err: '' };
}

const ESCAPE = String.fromCharCode(27);

async function folderWithManifest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'));
  await mkdir(join(folder, 'pipelines'));
  for (const end of ['json', 'samples.json'])
    await cp(join(ROOT, `examples/${NAME}.${end}`), join(folder, `pipelines/${NAME}.${end}`));
  return folder;
}

describe('15: a journey beside a running penstock dev', () => {
  let folder = '';
  let dev: ChildProcess;
  const all: string[] = [];
  const run = async (...args: string[]) => {
    const ended = await penstock(folder, args);
    all.push(ended.out, ended.err);
    return ended;
  };

  beforeAll(async () => {
    folder = await folderWithManifest();
    dev = spawn(process.execPath, [BIN, 'dev', '--empty', '--warm-up', '2'], {
      cwd: folder,
      stdio: 'ignore',
    });
    await until(async () => (await readAddress(folder)) !== undefined);
  });
  afterAll(async () => {
    const gone = new Promise((resolve) => dev.once('exit', resolve));
    dev.kill('SIGTERM');
    await gone;
    await rm(folder, { recursive: true });
  });

  it('plans, applies what was planned, and then has nothing to do', async () => {
    const planned = await run('plan', FILE, '--json');
    expect(planned.code).toBe(2);
    const { token } = JSON.parse(planned.out) as { token: string };
    const applied = await run('apply', FILE, '--token', token);
    expect(applied.code).toBe(0);
    expect(applied.err).toMatch(/step \d+: warm-up, 2 s at most/);
    expect(applied.out).toContain(`Run report of ${NAME}: succeeded`);
    const again = await run('plan', FILE);
    expect(again.out).toContain('Nothing to do');
    expect(again.code).toBe(0);
    // Another execution in between: what was looked at is no more.
    const stale = await run('apply', FILE, '--token', token);
    expect(stale.code).toBe(1);
    expect(stale.err).toContain('error PLAN_MOVED  ');
    expect(stale.err).toMatch(/\nnext {3}\S/);
  });

  it('status, doctor, drift, where, redrive, reconcile and logs answer, with lines and with --json', async () => {
    const asked: [string[], number[]][] = [
      [['status'], [0]],
      [['status', NAME], [0]],
      [
        ['doctor', NAME],
        [0, 2],
      ],
      [['drift'], [0]],
      [['where', NAME, '--id', 'nobody'], [0]],
      [['redrive', 'customers', '--dry-run'], [0]],
      [['reconcile', NAME, '--yes'], [0]],
    ];
    for (const [args, codes] of asked) {
      const [lines, json] = [await run(...args), await run(...args, '--json')];
      expect(codes, `${args.join(' ')}: ${lines.err}`).toContain(lines.code);
      expect(lines.out.length).toBeGreaterThan(10);
      expect(() => JSON.parse(json.out), args.join(' ')).not.toThrow();
    }
    const logs = await run('logs', NAME, '--function', 'plan', '--function', 'report');
    expect(logs.out).toContain('run report');
    const unknown = await run('status', 'customer-profile');
    expect(unknown.code).toBe(1);
    expect(unknown.err).toContain('error EVENT_INVALID  ');
    const drift = await run('drift', 'customer-profile');
    expect(drift.err).toContain('error EVENT_INVALID  ');
    // A function's own code and advice come through, and not its text alone.
    const nobodys = await run('redrive', 'nobodys', '--dry-run');
    expect(nobodys.err).toMatch(/error NOT_PUBLISHED {2}no pipeline.*\nnext {3}Provision a pipeline/);
  });

  it('a stage is asked through the same APIs, with region and credentials as the SDK finds them', async () => {
    const address = await readAddress(folder);
    const env = {
      HOME: folder,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: address?.awsUrl ?? '',
      AWS_ACCESS_KEY_ID: address?.accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: address?.secretAccessKey ?? '',
    };
    const there = ['--region', address?.region ?? ''];
    const planned = await penstock(folder, ['plan', FILE, '--stage', 'dev', ...there], { env });
    expect(planned).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do') });
    const cases: [string, string[], Record<string, string>][] = [
      ['NO_REGION', ['--stage', 'dev'], env],
      ['NO_STACK', ['--stage', 'other', ...there], env],
      ['NO_CREDENTIALS', ['--stage', 'dev', ...there], { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' }],
    ];
    for (const [code, args, around] of cases) {
      const ended = await penstock(folder, ['plan', FILE, ...args], { env: around });
      expect(ended.err).toContain(`error ${code}  `);
      expect(ended.err).toMatch(/\nnext {3}\S/);
      expect(ended.code).toBe(1);
    }
  });

  it('a terminal is asked, and no line is wider than it', async () => {
    const text = await readFile(join(folder, FILE), 'utf8');
    const changed = {
      ...(JSON.parse(text) as { description: string; name: string }),
      name: 'second-profiles',
    };
    const stream = JSON.stringify(changed).replace('"stream":"customers"', '"stream":"others"');
    await writeFile(join(folder, 'pipelines/second.json'), stream);
    const declined = await typed(folder, ['apply', 'pipelines/second.json'], [[/Apply this to[^?]*\?/, 'n']]);
    all.push(declined.out);
    expect(declined.out).toContain('DECLINED');
    expect(declined.code).toBe(1);
    const left = await typed(
      folder,
      ['apply', 'pipelines/second.json'],
      [[/Apply this to[^?]*\?/, '\u0003']],
    );
    expect(left.out).toContain('INTERRUPTED');
    expect(left.code).toBe(130);
    const agreed = await typed(folder, ['apply', 'pipelines/second.json'], [[/Apply this to[^?]*\?/, 'y']]);
    all.push(agreed.out);
    expect(agreed.code).toBe(0);
    expect(agreed.out).toContain('succeeded');
    expect(linesShown(agreed.out)).toContain('✓ Applying second-profiles');
    // A token is copied.
    expect(widerThan(agreed.out, 80).filter((line) => !line.startsWith('Token: '))).toEqual([]);
  });

  it('Ctrl-C leaves the execution running, and says how to look again', async () => {
    const text = await readFile(join(folder, 'pipelines/second.json'), 'utf8');
    await writeFile(
      join(folder, 'pipelines/second.json'),
      text.replace('concat(firstName, \\" \\", lastName)', 'concat(lastName, \\" \\", firstName)'),
    );
    const interrupted = await typed(
      folder,
      ['apply', 'pipelines/second.json', '--warm-up', '5'],
      [
        [/Apply this to[^?]*\?/, 'y'],
        [/step \d+: warm-up/, '\u0003'],
      ],
    );
    all.push(interrupted.out);
    const said = stripVTControlCharacters(interrupted.out);
    expect(said).toMatch(/the execution goes on:\s+arn:/);
    expect(said).toContain('penstock status second-profiles');
    expect(interrupted.code).toBe(130);
    await until(async () => {
      const { out } = await run('status', 'second-profiles', '--json');
      const status = JSON.parse(out) as { running?: unknown; report?: { outcome: string } };
      return status.running === undefined && status.report?.outcome === 'succeeded';
    });
  });

  it('Ctrl-C ends what looks on: tap, and logs -f', async () => {
    const tapped = await typed(folder, ['tap', NAME], [[/Nothing is sent\./, '\u0003']]);
    expect(tapped.code).toBe(130);
    const followed = await typed(folder, ['logs', '-f', '--function', 'report'], [[/run report/, '\u0003']]);
    expect(followed.code).toBe(0);
    for (const { out } of [tapped, followed]) {
      all.push(out);
      expect(out).not.toContain('error');
    }
  });

  it.each([
    ['status', [NAME], {}, 0],
    ['where', [NAME, '--id', 'nobody'], {}, 0],
    ['doctor', [NAME], { NO_COLOR: '1' }, undefined],
    ['plan', [FILE], { TERM: 'dumb' }, 0],
    ['redrive', ['customers', '--dry-run'], { TERM: 'dumb' }, 0],
  ])('a terminal of 40 columns holds every line of %s', async (name, words, env, code) => {
    const ended = await typed(folder, [name, ...words], [], { columns: 40, env });
    all.push(ended.out);
    if (code !== undefined) expect(ended.code).toBe(code);
    expect(linesShown(ended.out).join('\n').length).toBeGreaterThan(100);
    // What is copied stays one line: a token, a command, and an address that has a line to itself.
    const isWhole = (line: string) => /^(?:Token: |next )|^\s*\S+$/.test(line);
    expect(widerThan(ended.out, 40).filter((line) => !isWhole(line))).toEqual([]);
    if ('NO_COLOR' in env)
      expect(ended.out.split(ESCAPE).filter((one) => /^\[[\d;]*m/.test(one))).toEqual([]);
    if ('TERM' in env) expect(ended.out).not.toContain(ESCAPE);
  });

  it('retire asks a terminal alone, and takes the pipeline down', async () => {
    const refused = await run('retire', FILE);
    expect(refused.err).toContain('error NOT_A_TERMINAL  ');
    const other = await run('retire', FILE, '--yes', '--sandbox', 'prod');
    expect(other.err).toContain('error WRONG_SANDBOX  ');
    const retired = await run('retire', FILE, '--yes', '--sandbox', 'dev1');
    expect(retired.code).toBe(0);
    expect(retired.out).toContain('retired');
    // Nobody is asked for the name of a sandbox in which there is nothing left to remove.
    const again = await run('retire', FILE, '--yes');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to retire: ') });
    const data = await run('retire', FILE, '--yes', '--delete-data');
    expect(data.err).toContain('error PRODUCTION  ');
  });

  it('a production sandbox needs its name, typed or in --sandbox', async () => {
    const text = await readFile(join(folder, FILE), 'utf8');
    const file = 'pipelines/production.json';
    await writeFile(
      join(folder, file),
      text.replace('"dev1"', '"prod"').replace(`"${NAME}"`, '"for-production"'),
    );
    const refused = await run('apply', file, '--yes');
    expect(refused.err).toContain('error PRODUCTION  ');
    expect(refused.err).toContain('--sandbox prod');
    expect(refused.code).toBe(1);
    const mistyped = await typed(folder, ['apply', file], [[/Type its name:/, 'dev1\r']]);
    expect(mistyped.out).toContain('DECLINED');
    // A terminal without a cursor is asked by a line.
    const dumb = { env: { TERM: 'dumb' } };
    const cases: [string, string, number][] = [
      ['pro\r', 'DECLINED', 1],
      ['\u0003', 'INTERRUPTED', 130],
    ];
    for (const [keys, said, code] of cases) {
      const asked = await typed(folder, ['apply', file], [[/Type its name:/, keys]], dumb);
      expect(asked.code).toBe(code);
      expect(asked.out).toContain(`error ${said}  nobody agreed: nothing was changed`);
      expect(asked.out).not.toContain(ESCAPE);
    }
    const status = await run('status', '--json');
    expect(status.out).not.toContain('for-production');
  });

  it('and nothing that was printed is a secret', () => {
    const text = all.join('\n');
    expect(text.length).toBeGreaterThan(5_000);
    for (const secret of [...FAKE_CREDENTIAL.clientSecrets, 'Bearer ', 'accessToken'])
      expect(text).not.toContain(secret);
  });
});

/** The files of the project as a clone has them: nothing was built yet. */
async function freshClone(folder: string): Promise<string> {
  const clone = join(folder, 'clone');
  await mkdir(clone);
  const list = 'git ls-files -z --cached --others --exclude-standard';
  const copy = `${list} | tar --null --files-from=- -cf - | tar -xf - -C '${clone}'`;
  await promisify(execFile)('bash', ['-o', 'pipefail', '-c', copy], { cwd: ROOT });
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  return clone;
}

const withoutComments = (text: string) => text.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');

/** Compiled files with code that neither the command line nor a function reaches, by imports and by what is started beside it. */
async function unreached(compiled: string): Promise<string[]> {
  const all = await readdir(compiled, { recursive: true });
  const files = all.filter((file) => file.endsWith('.js') && !file.startsWith('dist/'));
  const todo = files.filter((file) => file === 'cli/start.js' || file.startsWith('functions/'));
  const reached = new Set(todo);
  for (const file of reached) {
    const text = await readFile(join(compiled, file), 'utf8');
    const beside = /(?:from|import|new URL\()\s*\(?\s*'(\.[^']+\.js)'/g;
    for (const [, to = ''] of text.matchAll(beside)) reached.add(join(file, '..', to));
    for (const [, to = ''] of text.matchAll(/scriptAt\('([^']+)\.ts'\)/g)) reached.add(`${to}.js`);
  }
  const left = files.filter((file) => !reached.has(file));
  const texts = await Promise.all(left.map((file) => readFile(join(compiled, file), 'utf8')));
  // Of a file with types alone nothing but that is left.
  return left.filter((_, at) => !/^\s*export \{\};\s*$/.test(withoutComments(texts[at] ?? '')));
}

describe('15: the packed package, in an empty folder', () => {
  it('checks, plans on this machine, and completes; packed in a fresh clone, it has nothing that is not needed', async () => {
    const folder = await folderWithManifest();
    try {
      const clone = await freshClone(folder);
      expect(await readdir(clone)).not.toContain('dist');
      await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: clone });
      const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
      const installed = join(folder, 'node_modules/penstock');
      await mkdir(installed, { recursive: true });
      await promisify(execFile)('tar', [
        '-xzf',
        join(folder, archive),
        '-C',
        installed,
        '--strip-components=1',
      ]);
      const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
        dependencies: Record<string, string>;
      };
      for (const name of Object.keys(dependencies)) {
        await mkdir(join(folder, 'node_modules', name, '..'), { recursive: true });
        await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
      }
      const bin = join(installed, 'bin/penstock.js');
      expect(await readdir(installed)).not.toContain('cli');
      expect(await readdir(join(installed, 'dist'))).toEqual(['aep', 'package']);
      // Types alone are taken from it.
      expect(await unreached(join(installed, 'dist/package'))).toEqual(['lib/aep/index.js']);
      // Its own functions, as they are packed.
      const packed = { bin, env: { PENSTOCK_FUNCTIONS: '' } };
      const checked = await penstock(folder, ['check'], packed);
      expect(checked).toMatchObject({ code: 0, err: '' });
      const planned = await penstock(folder, ['plan', FILE, '--local'], packed);
      expect(planned.code).toBe(2);
      expect(planned.out).toContain('Token: p4.');
      expect((await penstock(folder, ['completions', 'bash'], packed)).out).toContain(
        'complete -F _penstock',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
