// The published commands as processes, and what they say in codes and counts.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ofTheDay } from '../../support/depth.ts';
import { ROOT } from './sources.ts';

/** What each command is given. */
type Commands = Readonly<Record<string, (folder: string) => readonly string[]>>;

const CHECKS: Commands = {
  'check:pipelines, its samples': () => ['local/check/check-pipelines.ts'],
  'check:pipelines, with mistakes': (folder) => ['local/check/check-pipelines.ts', folder],
  'check:pipelines, a file that is not there': (folder) => [
    'local/check/check-pipelines.ts',
    join(folder, 'nope'),
  ],
};

/** A process and a stack for each. */
const STARTS: Commands = {
  'npm start': (folder) => [
    'local/start/start.ts',
    ...['--warm-up', '1', '--retire', '--manifest', 'examples/customer-profiles.json'],
    ...['--records', join(folder, 'records.ndjson')],
  ],
  'npm start, a change': (folder) => [
    'local/start/start.ts',
    ...['--warm-up', '1', '--generate', '200', '--manifest', 'examples/customer-profiles.json'],
    ...['--change', join(folder, 'sound.json')],
  ],
  'npm start, a manifest with a mistake': (folder) => [
    'local/start/start.ts',
    ...['--manifest', join(folder, 'unknown.json'), '--generate', '1'],
  ],
  'npm start, a mapping that does not compile': (folder) => [
    'local/start/start.ts',
    ...['--manifest', join(folder, 'expression.json'), '--generate', '1', '--warm-up', '1'],
  ],
};

/** Writes what the commands read. */
export function prepare(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const sample = JSON.parse(readFileSync(join(ROOT, 'examples/customer-profiles.json'), 'utf8'));
  const samples = readFileSync(join(ROOT, 'examples/customer-profiles.samples.json'), 'utf8');
  const first = { ...sample.mapping[0], source: 'other' };
  const manifests = {
    sound: { ...sample, description: 'another text' },
    unknown: { ...sample, nope: 1 },
    destination: { ...sample, mapping: [...sample.mapping, { source: 'a', destination: 'no.such.field' }] },
    expression: {
      ...sample,
      mapping: [...sample.mapping, { expression: 'nope(', destination: 'person.name.suffix' }],
    },
    unlike: { ...sample, mapping: [first, ...sample.mapping.slice(1)] },
  };
  for (const [name, manifest] of Object.entries(manifests))
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(manifest));
  writeFileSync(join(folder, 'unlike.samples.json'), samples);
  const lines = ['{"id":"1"}', 'no JSON', '{"id":"2"}', '7', '{"broken', ''];
  writeFileSync(join(folder, 'records.ndjson'), lines.join('\n'));
}

/** Lines that hold a verdict: of a file, of a record, of the whole. */
const VERDICT =
  /^(ok|not ok) +\S+?(?=:|$)|^ {2}line \d+: [\w-]+(?=:)|^.*very record is accounted for:.*|^Run report of \S+: \S+/;

export interface Said {
  readonly code: number;
  readonly verdicts: readonly string[];
}

/** @param node what Node.js itself is given */
export async function commands(folder: string, ...node: string[]): Promise<Record<string, Said>> {
  const said: Record<string, Said> = {};
  const today = [...Object.entries(CHECKS), ...ofTheDay(Object.entries(STARTS), 2)];
  for (const [name, args] of today) said[name] = await run([...node, ...args(folder)]);
  return said;
}

function run(args: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const lines = `${stdout}\n${stderr}`.split('\n');
      const verdicts = lines.flatMap((line) => VERDICT.exec(line)?.[0] ?? []);
      resolve({ code: error === null ? 0 : Number(error.code), verdicts });
    });
  });
}
