// `npm start` in a pseudo-terminal: nothing is wider than it, nothing is said twice, and progress reaches its end.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ofTheDay } from '../support/depth.ts';
import { START } from '../support/start.ts';
import { inTerminal, linesShown, widerThan } from '../support/terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ESCAPE = String.fromCharCode(27);

let folder = '';
const records = () => join(folder, 'records.ndjson');
const unsound = () => join(folder, 'unsound.json');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-terminal-'));
  const sound = { id: 'r-1', firstName: '美咲', lastName: 'B', gender: 'Male', dob: '1990-01-01' };
  await writeFile(records(), `${JSON.stringify(sound)}\n{"broken\n[]\n`);
  const manifest = JSON.parse(await readFile(join(ROOT, 'examples/customer-profiles.json'), 'utf8')) as {
    mapping: object[];
  };
  manifest.mapping.push({ expression: 'nope(', destination: 'person.name.suffix' });
  await writeFile(unsound(), JSON.stringify(manifest));
});
afterAll(() => rm(folder, { recursive: true }));

const start = (columns: number, words: string, more: Partial<Parameters<typeof inTerminal>[1]> = {}) =>
  inTerminal(`${process.execPath} ${START} --warm-up 1 ${words}`, { columns, folder, ...more });

/** Meant to be copied: a terminal goes on in the next line by itself. */
const isCopied = (line: string) => /^All of these lines: |^next {3}.*[^.]$/.test(line);

describe('15: npm start in a terminal', () => {
  it.each(ofTheDay([60, 120], 2))('of %i columns shows nothing wider', async (columns) => {
    const { code, out } = await start(columns, `--records ${records()} --retire`);
    expect(widerThan(out, columns).filter((line) => !isCopied(line))).toEqual([]);
    const lines = linesShown(out);
    expect(lines).toContainEqual(expect.stringMatching(/^✓ Provision █+ 18\/18$/));
    expect(lines).toContainEqual(expect.stringMatching(/^✓ Forward █+ 3\/3$/));
    expect(lines).toContainEqual(expect.stringMatching(/^✓ Retire customer-profiles$/));
    expect(lines.join(' ')).toMatch(/Every record is accounted for: 3 produced/);
    expect(out).toContain(`${ESCAPE}[32m`);
    expect(code).toBe(0);
  });

  it('tells of a failed execution its code, its cause once and the next command', async () => {
    const { code, out } = await start(80, `--manifest ${unsound()} --generate 1`);
    const text = linesShown(out).join('\n');
    expect(text).toMatch(/✗ Provision █+░+ \d+\/18/);
    expect(text).toMatch(/^error MAPPING_INVALID {2}\S/m);
    expect(text.split("unknown function 'nope'")).toHaveLength(2);
    expect(text.split('Correct the mapping')).toHaveLength(2);
    expect(text).toMatch(/^next {3}\S/m);
    expect(text).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
  });

  it('gives the terminal back after Ctrl-C, and says how to start anew', async () => {
    const answers = [[/Provision.*mapping/, '\u0003']] as const;
    const { code, out } = await start(80, '--generate 10', { answers });
    expect(widerThan(out, 80).filter((line) => !isCopied(line))).toEqual([]);
    const text = linesShown(out).join('\n');
    expect(text).toMatch(/✗ Provision █+░+ \d+\/18/);
    expect(text).toMatch(/^error INTERRUPTED {2}/m);
    expect(text).toMatch(/^next {3}npm start/m);
    expect(out.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(out.lastIndexOf(`${ESCAPE}[?25l`));
    expect(code).toBe(130);
  });

  it('that can do little gets plain lines', async () => {
    const { code, out } = await start(80, '--generate 10', { env: { TERM: 'dumb' } });
    expect(out).not.toContain(ESCAPE);
    expect(out).toMatch(/Provision: 17\/18 release\r?\nProvision: done/);
    expect(code).toBe(0);
  });
});
