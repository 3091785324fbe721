// The commands that README and the pages of docs/ print, and who runs each of them: test/docs/commands.json.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export interface Command {
  readonly page: string;
  /** Without what joins lines and without comments. */
  readonly text: string;
}

/** A line of the registry: for the commands that its pattern matches (`*` is anything), or for all of a page. */
export interface Registered {
  readonly command?: string;
  readonly page?: string;
  /** Who runs it: `.ci/run`, or a file of tests. */
  readonly by?: string;
  /** What that file must name, where it does not run the registry itself. */
  readonly runs?: string;
  /** Why nobody does. */
  readonly notRun?: string;
  /** What of its answer is looked at: a function's, an execution's output, or that of AWS. */
  readonly answer?: object;
  /** The error that it has to end with. */
  readonly fails?: string;
  /** What it has to print. */
  readonly says?: string;
}

export const REGISTRY = JSON.parse(read('test/docs/commands.json')) as readonly Registered[];

/** What stands in fences of a shell, a command each: a backslash joins lines, and `&&` stands between two. */
export function commandsIn(page: string, text: string): Command[] {
  return [...text.matchAll(/^ *```(?:sh|bash|console|shell|zsh)\b.*\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = '']) => block.replace(/\\\n\s*/g, '').split('\n'))
    .flatMap((line) => line.replace(/\s+#.*$/, '').split(' && '))
    .map((line) => line.trim().replace(/^\$ /, ''))
    .filter((line) => line !== '')
    .map((line) => ({ page, text: line }));
}

const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT }).sort()];

export const COMMANDS = PAGES.flatMap((page) => commandsIn(page, read(page)));

export function matches({ command, page }: Registered, one: Command): boolean {
  if (command === undefined) return page === one.page;
  const literal = command.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`).test(one.text);
}

/** The lines of the registry that are about the command. Those about its whole page come before all others. */
export function registered(one: Command, registry = REGISTRY): readonly Registered[] {
  const whole = registry.filter((line) => line.command === undefined && matches(line, one));
  return whole.length > 0 ? whole : registry.filter((line) => matches(line, one));
}

/** All that `.ci/run` runs, the scripts of package.json within each other as well. */
export function runByCi(): ReadonlySet<string> {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const found = new Set(
    [...read('.ci/run').matchAll(/^run '(.*)'$/gm)].flatMap(([, line = '']) => line.split(' && ')),
  );
  for (const command of found) {
    const [, name = ''] = /^npm run (?:-s |--silent )?([\w:]+)$/.exec(command) ?? [];
    for (const inner of scripts[name]?.split(' && ') ?? []) found.add(inner);
  }
  return found;
}
