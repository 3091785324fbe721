// Completions as the shells themselves make them: each line is typed in bash, zsh and fish, with a Tab behind it.
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../cli/commands.ts';
import { SCRIPTS } from '../../cli/completion-scripts.ts';
import { until } from '../support/eventually.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** What is typed, and the one word that the shell makes of its last. */
const LINES: readonly [string, string][] = [
  ['penstock pl', 'plan'],
  ['penstock hel', 'help'],
  ['penstock --ver', '--version'],
  ['penstock help pl', 'plan'],
  ['penstock plan --st', '--stage'],
  ['penstock apply x --y', '--yes'],
  ['penstock completions f', 'fish'],
  ['penstock redrive x --source un', 'unrouted'],
  ['penstock dev --encoding b', 'base64'],
  ['penstock check ord', 'orders.json'],
  ['penstock init --out fol', 'folder/'],
  // There is no such word, and no file is meant here.
  ['penstock status ord', 'ord'],
  ['penstock logs ord', 'ord'],
];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-shells-'));
  await writeFile(join(folder, 'orders.json'), '{}');
  await mkdir(join(folder, 'folder'));
  for (const shell of ['bash', 'zsh', 'fish'] as const)
    await writeFile(join(folder, `.completions.${shell}`), SCRIPTS[shell](COMMANDS));
});
afterAll(() => rm(folder, { recursive: true }));

const env = () => ({ PATH: process.env.PATH ?? '', HOME: folder, TERM: 'dumb' });

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env: env() });
  return stdout;
}

/** The words that the shell offers, or the last one typed where it offers none. */
const OFFERS: Readonly<Record<Shell, (line: string) => Promise<string[]>>> = {
  async bash(line) {
    const words = line.split(' ');
    const typed = words.map((word) => `'${word}'`).join(' ');
    const script = `source .completions.bash; COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _penstock; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const offered = (await run('bash', ['-c', script])).split('\n').filter((word) => word !== '');
    // What follows a folder is left to readline.
    return offered.map((word) => (word === 'folder' ? 'folder/' : word));
  },
  async fish(line) {
    const offered = await run('fish', ['-N', '-c', `source .completions.fish; complete -C '${line}'`]);
    return offered
      .split('\n')
      .filter((one) => one !== '')
      .map((one) => one.split('\t')[0] ?? '');
  },
  async zsh(line) {
    const [start, shown] = [join(folder, '.zshrc'), join(folder, '.shown')];
    await rm(shown, { force: true });
    await writeFile(
      start,
      `autoload -Uz compinit && compinit -u -D; source ${folder}/.completions.zsh
show() { print -r -- "$BUFFER" > ${shown}.new; mv ${shown}.new ${shown} }
zle -N show; bindkey '^I' complete-word; bindkey '^Xs' show; print READY\n`,
    );
    const child = spawn('script', ['-qefc', 'zsh -d -i', '/dev/null'], {
      cwd: folder,
      env: { ...env(), ZDOTDIR: folder },
    });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    try {
      await until(async () => said.includes('READY'));
      child.stdin.write(`${line}\t\u0018s`);
      const buffer = () => readFile(shown, 'utf8').catch(() => '');
      await until(async () => (await buffer()) !== '');
      return [(await buffer()).trim().split(' ').at(-1) ?? ''];
    } finally {
      child.kill('SIGKILL');
      await gone;
    }
  },
};

const SHELLS: readonly [Shell, boolean][] = await Promise.all(
  (['bash', 'zsh', 'fish'] as const).map(
    async (shell): Promise<[Shell, boolean]> => [
      shell,
      await promisify(execFile)(shell, ['--version']).then(
        () => true,
        () => false,
      ),
    ],
  ),
);

describe.each(SHELLS)('%s (on this machine: %s) completes', (shell, isHere) => {
  it.each(LINES)('"%s" to %s', async (line, expected) => {
    if (isHere) {
      const offered = await OFFERS[shell](line);
      const last = line.split(' ').at(-1) ?? '';
      expect(offered.length === 0 ? [last] : offered).toEqual([expected]);
      return;
    }
    // Without the shell, its script is still held to the word.
    if (!/[/.]|^ord$/.test(expected)) expect(SCRIPTS[shell](COMMANDS)).toContain(expected.replace(/^--/, ''));
  });
});
