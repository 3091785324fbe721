// `npm run fuzz`: every fuzzed property with its large number of cases, each in a process of its own, and a table of how it went.
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createColors } from 'picocolors';
import { tableLines } from '../../terminal/table.ts';
import { TRIGGER } from './decoding.ts';
import { FORMATS } from './formats.ts';
import { tellStories } from './forward-model.ts';
import { sameAsTheParser, sameInPlace } from './json-check.ts';
import { PATTERNS } from './pattern.ts';
import { PRESETS } from './presets.ts';
import type { Property } from './property.ts';
import { REPLY } from './reply.ts';
import { SCHEMAS } from './schemas.ts';

const CASES = 100_000;
const STORIES = 10_000;
/** A text takes microseconds and leaves nothing behind: the turns in between are for the memory of fast-check alone. */
const TEXTS_AT_A_TIME = 10_000;

const inTurns =
  (check: (runs: number, seed: number) => void): Property =>
  async (runs, seed = 0) => {
    for (let done = 0; done < runs; done += TEXTS_AT_A_TIME)
      check(Math.min(TEXTS_AT_A_TIME, runs - done), seed + done);
  };

const stories: Property = async (runs, seed = 0) => {
  await tellStories(runs, seed);
};

const storiesOfLines: Property = async (runs, seed = 0) => {
  await tellStories(runs, seed, 'lines');
};

const storiesOfParked: Property = async (runs, seed = 0) => {
  await tellStories(runs, seed, 'parked');
};

interface Entry {
  readonly property: Property;
  readonly runs: number;
}

const entries = (all: Readonly<Record<string, Property>>, runs = CASES): [string, Entry][] =>
  Object.entries(all).map(([name, property]) => [name, { property, runs }]);

/** The longest first, so that nothing is waited for at the end. */
const PROPERTIES = new Map<string, Entry>([
  ...entries({ 'F1 to F19 of the forwarder, in stories of faults': stories }, STORIES),
  ...entries({ 'F1 to F19 where the records hold lines of json-lines': storiesOfLines }, STORIES),
  ...entries({ 'F1 to F19 where the pipeline parks': storiesOfParked }, STORIES),
  ...entries(TRIGGER),
  ...entries(FORMATS),
  ...entries(REPLY),
  ...entries(PATTERNS),
  ...entries(PRESETS),
  ...entries(SCHEMAS),
  ...entries({
    'the JSON check says what the parser says': inTurns(sameAsTheParser),
    'the JSON check says the same of texts in a row': inTurns(sameInPlace),
  }),
]);

/** A property that hangs cannot say so itself: nobody takes longer than this, in ms. */
const LONGEST_MS = 45 * 60_000;
/** What a process may hold: with more than this, whatever is fuzzed would not fit in a Lambda either. In MB. */
const HEAP_MB = 512;

const USAGE = `Fuzzes everything that reads what strangers write.

  npm run fuzz -- [options]

  --runs N     cases of each property (${CASES}; stories: ${STORIES})
  --seed N     the same cases again (by default new ones)
  --only TEXT  the properties with this in their name
  --help       this text
`;

interface Result {
  readonly name: string;
  readonly runs: number;
  readonly seconds: number;
  readonly failure: string | undefined;
}

/** Exit codes: 0 all hold, 1 one does not, 2 the command line is wrong. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string', default: '' },
      property: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return say(USAGE, 0);
  const seed = whole('--seed', values.seed) ?? Date.now() % 1_000_000_000;
  const runs = whole('--runs', values.runs);
  if (values.property !== undefined) return runHere(values.property, runs ?? CASES, seed);
  const names = [...PROPERTIES.keys()].filter((name) => name.includes(values.only));
  if (names.length === 0) return say(`--only: no property has "${values.only}" in its name`, 2);
  const results = await runAll(names, runs, seed);
  const rows = results.map(({ name, runs: cases, seconds, failure }) => [
    name,
    cases.toLocaleString('en-US'),
    `${seconds.toFixed(1)} s`,
    failure === undefined ? 'holds' : 'FAILS',
  ]);
  say(
    [
      '',
      ...tableLines(
        ['property', 'cases', 'took', `seed ${seed}`],
        rows,
        Number.POSITIVE_INFINITY,
        createColors(false),
      ),
    ].join('\n'),
    0,
  );
  return results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

function say(text: string, code: number): number {
  console.log(text);
  return code;
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new TypeError(`${name}: expected a whole number from 1 to 999999999; found "${text}"`);
}

/** In the child: the property alone. What is thrown ends the process with the smallest case that fails. */
async function runHere(name: string, runs: number, seed: number): Promise<number> {
  const entry = PROPERTIES.get(name);
  if (entry === undefined) throw new TypeError(`there is no property "${name}"`);
  await entry.property(runs, seed);
  return 0;
}

/** As many at a time as there are processors: fuzzing does nothing but compute. */
async function runAll(names: readonly string[], runs: number | undefined, seed: number): Promise<Result[]> {
  const waiting = [...names];
  const results: Result[] = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const result = await runApart(name, runs ?? PROPERTIES.get(name)?.runs ?? CASES, seed);
      results.push(result);
      const took = `${result.runs.toLocaleString('en-US')} cases, ${result.seconds.toFixed(1)} s`;
      console.log(`${result.failure === undefined ? 'holds' : 'FAILS'}  ${name} (${took})`);
      if (result.failure !== undefined)
        console.log(
          `${result.failure}\n  again: npm run fuzz -- --seed ${seed} --runs ${result.runs} --only '${name}'`,
        );
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  return names.flatMap((name) => results.filter((result) => result.name === name));
}

/**
 * Each in a process of its own: one that hangs in a loop can only be ended from outside, the heap of one does not hide what
 * another leaves behind, and one that crashes the process is a finding like any other.
 */
async function runApart(name: string, runs: number, seed: number): Promise<Result> {
  const started = performance.now();
  const child = fork(
    fileURLToPath(import.meta.url),
    ['--property', name, '--runs', String(runs), '--seed', String(seed)],
    { execArgv: [`--max-old-space-size=${HEAP_MB}`], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const failure = await failureOf(child);
  clearTimeout(timer);
  return { name, runs, seconds: (performance.now() - started) / 1_000, failure };
}

async function failureOf(child: ChildProcess): Promise<string | undefined> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 20_000);
    });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : said || `ended by ${signal ?? code}`),
    );
  });
}

/** What fast-check says, and behind it what was thrown. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${wordsOf(error.cause)}`;
}

main().then(
  (code) => {
    process.exitCode = code;
    if (process.connected) process.disconnect();
  },
  (error: unknown) => {
    console.error(wordsOf(error));
    process.exitCode = process.connected ? 1 : 2;
    if (process.connected) process.disconnect();
  },
);
