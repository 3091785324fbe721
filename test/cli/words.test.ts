import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { COMMANDS } from '../../cli/commands.ts';
import { SCRIPTS } from '../../cli/completion-scripts.ts';
import { pageOf } from '../../cli/page.ts';
import { runCli } from '../support/cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const words = COMMANDS.flatMap(({ name, options = [] }) =>
  options.map((option) => `${name} --${option.name}`),
);

/** All that a file loads before any of it runs: files of the project, and packages. */
function loadedWith(file: string): { readonly reached: string[]; readonly packages: string[] } {
  const reached = new Set([file]);
  const packages = new Set<string>();
  for (const one of reached) {
    const text = readFileSync(`${ROOT}${one}`, 'utf8');
    for (const [, type, from = ''] of text.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gms)) {
      if (type !== undefined) continue;
      if (!from.startsWith('.')) packages.add(from);
      else reached.add(new URL(from, `file:///${one}`).pathname.slice(1));
    }
  }
  return { reached: [...reached], packages: [...packages] };
}

describe('15: help, completions and docs/cli.md come from one table of words', () => {
  it('every command of the folder is in the table', () => {
    const files = globSync('*.ts', { cwd: `${ROOT}cli/commands` }).map((file) => file.replace('.ts', ''));
    expect(files.toSorted()).toEqual(COMMANDS.map(({ name }) => name).toSorted());
  });

  it('logs know every function of serverless.yml, and no other', () => {
    const { functions } = parse(readFileSync(`${ROOT}serverless.yml`, 'utf8'), {
      merge: true,
      logLevel: 'silent',
    }) as { functions: Record<string, unknown> };
    const { options = [] } = COMMANDS.find(({ name }) => name === 'logs') ?? {};
    const known = options.find(({ name }) => name === 'function')?.offers;
    expect(known).toEqual(Object.keys(functions));
  });

  it('docs/cli.md is what the table makes', () => {
    expect(readFileSync(`${ROOT}docs/cli.md`, 'utf8')).toBe(pageOf(COMMANDS));
  });

  it('help names every command, and the help of a command every word', async () => {
    const { out, code } = await runCli(['--help']);
    expect(code).toBe(0);
    expect(COMMANDS.filter(({ name }) => !out.includes(`\n  ${name} `))).toEqual([]);
    for (const { name, options = [], arguments: others = [] } of COMMANDS) {
      const help = await runCli([name, '--help']);
      expect(help.code).toBe(0);
      const shown = [...options.map((one) => `--${one.name}`), ...others.map((one) => one.name)];
      expect(shown.filter((word) => !help.out.includes(word))).toEqual([]);
    }
  });

  it.each(['bash', 'zsh', 'fish'] as const)('completions for %s know every word', async (shell) => {
    const { out, code } = await runCli(['completions', shell]);
    expect(code).toBe(0);
    expect(out.trimEnd()).toBe(SCRIPTS[shell](COMMANDS).trimEnd());
    const isKnown = (word: string) => {
      const [name = '', option = ''] = word.split(' --');
      const lines = out.split('\n').filter((line) => line.includes(name));
      return lines.some((line) => line.includes(shell === 'fish' ? `-l ${option} ` : `--${option}`));
    };
    expect(words.filter((word) => !isKnown(word))).toEqual([]);
  });

  it.each([
    ['penstock pl', 'plan'],
    ['penstock plan --st', '--stage'],
    ['penstock completions f', 'fish'],
    ['penstock redrive --source un', 'unrouted'],
  ])('bash completes "%s" to %s', async (line, expected) => {
    const typed = line.split(' ');
    const script = `${SCRIPTS.bash(COMMANDS)}\nCOMP_WORDS=(${typed.join(' ')}); COMP_CWORD=${typed.length - 1}; _penstock; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    expect(stdout.trim()).toBe(expected);
  });

  it('check loads no client of AWS: it asks nobody', () => {
    const { packages } = loadedWith('local/check/check-files.ts');
    expect(packages).toContain('zod');
    expect(packages.filter((name) => name.startsWith('@aws-sdk/'))).toEqual([]);
  });

  it('help loads no command, no SDK and nothing of local: it starts at once', () => {
    const { reached, packages } = loadedWith('cli/start.ts');
    expect(reached.filter((file) => !file.startsWith('cli/')).toSorted()).toEqual([
      'lib/version.ts',
      'terminal/columns.ts',
      'terminal/create-output.ts',
      'terminal/mistake.ts',
      'terminal/printable.ts',
    ]);
    expect(packages.filter((name) => !name.startsWith('node:')).toSorted()).toEqual([
      'commander',
      'picocolors',
      'string-width',
    ]);
  });
});

describe('15: an error has a code, its cause and the next command', () => {
  it('check of a file that is not there shows no stack', async () => {
    const { code, err } = await runCli(['check', 'not-there.json']);
    expect(code).toBe(1);
    expect(err).toBe(
      'error FILE_UNREADABLE  not-there.json cannot be read (ENOENT)\nnext   Name a file that is there, or a folder of manifests.\n',
    );
  });

  it.each([
    ['help plann', 'unknown command \'plann\'; did you mean "plan"?', 'penstock --help'],
    ['where orders --id 1 --arrived yesterday', 'found "yesterday"', 'penstock where --help'],
    ['redrive orders --from yesterday', '--from: expected a time such as 2026', 'penstock redrive --help'],
    ['redrive orders --to 2026-11-28T25:00:00Z', 'found "2026-11-28T25', 'penstock redrive --help'],
    ['redrive orders --to 2026-11-28T10:00', 'found "2026-11-28T10:00"', 'penstock redrive --help'],
    ['apply examples/web-events.json --token rubbish', '--token: expected', 'penstock plan MANIFEST'],
  ])('"%s" is refused before anything is asked', async (line, cause, next) => {
    const { code, out, err } = await runCli(line.split(' '));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('error USAGE  ');
    expect(err).toContain(cause);
    expect(err).toContain(`next   ${next}\n`);
  });
});
