// Every command that README and docs/ print is run by somebody, or the registry says why not.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  COMMANDS,
  commandsIn,
  matches,
  REGISTRY,
  type Registered,
  ROOT,
  registered,
  runByCi,
} from '../support/documented.ts';

const told = ({ command, page }: Registered) => command ?? `all of ${page}`;

describe('13 A 3: every command in README and docs/', () => {
  it('is in test/docs/commands.json, once', () => {
    const found = COMMANDS.map((one) => ({ ...one, lines: registered(one).map(told) }));
    expect(found.length).toBeGreaterThan(30);
    expect(found.filter(({ lines }) => lines.length !== 1)).toEqual([]);
  });

  it('is printed where the registry has it: no line is left over', () => {
    expect(REGISTRY.filter((line) => !COMMANDS.some((one) => matches(line, one))).map(told)).toEqual([]);
  });

  it.each(REGISTRY.filter(({ by }) => by === '.ci/run'))('is run by .ci/run: $command', (line) => {
    expect(runByCi()).toContain(line.command);
  });

  it.each(REGISTRY.filter(({ by }) => by !== undefined && by !== '.ci/run'))(
    'is run by the test that is named: $command $page by $by',
    ({ by = '', page, runs, answer, fails, says }) => {
      expect(existsSync(join(ROOT, by)), by).toBe(true);
      const named = runs ?? page?.replace(/^.*\//, '');
      // The deep test runs all lines that say what has to come of them.
      if (named === undefined) expect([answer, fails, says].filter(Boolean)).toHaveLength(1);
      else expect(readFileSync(join(ROOT, by), 'utf8')).toContain(named);
    },
  );

  it('is run, or there is a reason: it needs what nobody has here', () => {
    for (const line of REGISTRY) {
      expect([line.by, line.notRun].filter(Boolean), told(line)).toHaveLength(1);
      if (line.notRun !== undefined)
        expect(line.notRun, told(line)).toMatch(/^Needs (an AWS account|a deployment)\b.*\.$/s);
    }
    expect(REGISTRY.filter(({ notRun }) => notRun !== undefined).length).toBeLessThan(REGISTRY.length / 3);
  });

  it('is found in every kind of block', () => {
    const text = '```sh\na \\\n  --b # why\n```\n\n  ```console\n  $ c && d\n  ```\n```json\n{}\n```\n';
    expect(commandsIn('p', text).map((one) => one.text)).toEqual(['a --b', 'c', 'd']);
    const [one] = commandsIn('p', '```bash\naws x y z\n```\n');
    const line = { command: 'aws * z' };
    expect([matches(line, one as never), matches({ command: 'aws * y' }, one as never)]).toEqual([
      true,
      false,
    ]);
  });
});
