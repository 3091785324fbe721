import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';

describe('15: errors have a code, a cause and the next command', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-cli-'));
    await writeFile(join(folder, 'broken.json'), '{"version": 1,');
    await writeFile(join(folder, 'wrong.json'), '{"version": 1, "name": "x"}');
    // A gigabyte of nothing, which takes no room on the disk.
    await writeFile(join(folder, 'large.json'), '');
    await truncate(join(folder, 'large.json'), 2 ** 30);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['an unknown command', ['plam'], 'USAGE', 'penstock --help'],
    [
      'an option before its command',
      ['--json', 'plan', 'a.json'],
      'USAGE',
      'penstock plan … --json (options stand behind',
    ],
    [
      'records that are a folder',
      ['check', 'examples/web-events.json', '--records', '{folder}'],
      'USAGE',
      'penstock check --help',
    ],
    [
      'records whose line has a gigabyte',
      ['check', 'examples/web-events.json', '--records', '{folder}/large.json'],
      'USAGE',
      'penstock check --help',
    ],
    [
      'a folder that the file system refuses',
      ['init', '--records', '{folder}/wrong.json', '--out', '/proc/none'],
      'FILE_UNWRITABLE',
      '--out DIR',
    ],
    [
      'a sandbox that is no name',
      ['init', '--records', '{folder}/wrong.json', '--sandbox', 'Dev 1'],
      'USAGE',
      'penstock init --help',
    ],
    [
      'a stream that is no name',
      ['init', '--records', '{folder}/wrong.json', '--stream', 'a/b'],
      'USAGE',
      'penstock init --help',
    ],
    ['an unknown option', ['plan', 'a.json', '--stag', 'x'], 'USAGE', 'penstock plan --help'],
    ['a missing argument', ['plan'], 'USAGE', 'penstock plan --help'],
    ['one argument too many', ['doctor', 'a', 'b'], 'USAGE', 'penstock doctor --help'],
    ['both targets', ['status', '--local', '--stage', 'x'], 'USAGE', 'Name one of them.'],
    ['a stage that is none', ['status', '--stage', '../x'], 'USAGE', '--stage prod'],
    ['a file that is not there', ['plan', 'none.json'], 'FILE_UNREADABLE', 'Name the file'],
    ['a file that is a folder', ['plan', '{folder}'], 'FILE_UNREADABLE', 'Name the file'],
    ['a file of a gigabyte', ['plan', '{folder}/large.json'], 'TOO_LARGE', 'penstock init --records'],
    ['a file that is no JSON', ['plan', '{folder}/broken.json'], 'MANIFEST_INVALID', 'docs/manifest'],
    ['a manifest that is none', ['apply', '{folder}/wrong.json'], 'MANIFEST_INVALID', 'docs/manifest'],
    ['nothing to check', ['check'], 'USAGE', 'penstock check FILE'],
    ['a shell that is none', ['completions', 'csh'], 'USAGE', 'penstock completions --help'],
    ['nothing that runs here', ['status'], 'NO_STACK', 'penstock dev'],
    ['a record without a place', ['where', 'orders', '--shard', 'x'], 'USAGE', 'penstock where --help'],
    ['a source that is none', ['redrive', 's', '--source', 'all'], 'USAGE', 'penstock redrive --help'],
  ])('%s', async (_, args, code, next) => {
    const given = args.map((one) => one.replace('{folder}', folder));
    const run = await runCli(given, { folder });
    expect(run.code).toBe(1);
    expect(run.err).toContain(`error ${code}  `);
    expect(run.err).toMatch(/\nnext {3}\S/);
    expect(run.err).toContain(next);
    expect(run.err).not.toMatch(/\n {4}at /);
    const json = await runCli([...given, '--json'], { folder });
    // One document on standard output, and the lines on standard error as ever.
    if (json.err.includes("unknown option '--json'")) return;
    expect(JSON.parse(json.out)).toMatchObject({ error: { code, what: expect.any(String) } });
    expect(json.err).toBe(run.err);
  });
});

describe('15: colours are for terminals', () => {
  const check = ['check', 'examples/web-events.json'];

  it('NO_COLOR turns them off, and a pipe has none', async () => {
    const [terminal, without, pipe] = await Promise.all([
      runCli(check, { columns: 80 }),
      runCli(check, { columns: 80, env: { NO_COLOR: '1' } }),
      runCli(check),
    ]);
    expect(terminal.out).not.toBe(pipe.out);
    expect(stripVTControlCharacters(terminal.out)).toBe(pipe.out);
    expect(without.out).toBe(pipe.out);
  });

  it('--json is one document, and nothing else on standard output', async () => {
    const { out, code } = await runCli([...check, '--json'], { columns: 80 });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      checked: [{ subject: 'examples/web-events.json', ok: true }],
    });
  });
});

describe('15: a pipe that nobody reads', () => {
  it.each([
    ['bin/penstock.js', 'check', 'examples'],
    ['local/check/check-pipelines.ts', 'examples'],
    ['local/start/start.ts', '--help'],
  ])('ends %s without a stack', async (...words) => {
    const script = `{ ${process.execPath} ${words.join(' ')}; } | true`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script]);
    expect([stdout, stderr]).toEqual(['', '']);
  });
});
