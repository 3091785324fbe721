// `npm run mutate`: changes the subjects' code piece by piece, and asks whether a test notices. With names, only those subjects.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXPLAINED } from './explained.ts';
import { judge, type Mutant, mutantsOf, type Report } from './judge.ts';
import { SUBJECTS, type Subject } from './subjects.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function mutate({ file, tests }: Subject): Mutant[] {
  const { status } = spawnSync(
    'mutation/node_modules/.bin/stryker',
    ['run', 'mutation/stryker.config.json', '--mutate', file],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, MUTATION_TESTS: tests.join(',') } },
  );
  if (status !== 0) throw new Error(`Stryker ended with ${status}`);
  return mutantsOf(JSON.parse(readFileSync(`${ROOT}.penstock/mutation.json`, 'utf8')) as Report);
}

/** So many of a subject's mutants have to be noticed, unless every other one is explained. */
const LEAST = 0.85;

/** Whether enough is noticed or all the rest is explained, and every reason needed. */
function tell(name: string, mutants: readonly Mutant[]): boolean {
  const { noticed, explained, open, stale } = judge(mutants, EXPLAINED[name] ?? []);
  const timedOut = mutants.filter(({ status }) => status === 'Timeout').length;
  const share = ((100 * noticed) / mutants.length).toFixed(1);
  console.log(
    `${name}: ${mutants.length} mutants, ${noticed} killed (${share} %; ${timedOut} by the clock), ${explained} explained, ${open.length} survived`,
  );
  for (const { at, from, to } of open) console.log(`  survived at ${at}\n    - ${from}\n    + ${to}`);
  for (const { from, to } of stale)
    console.log(`  explained, and does not survive: take it off the list\n    - ${from}\n    + ${to}`);
  return stale.length === 0 && (open.length === 0 || noticed >= LEAST * mutants.length);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => SUBJECTS[name] === undefined);
if (unknown.length > 0) throw new Error(`no such subject: ${unknown.join(', ')}`);
const chosen = Object.entries(SUBJECTS).filter(([name]) => asked.length === 0 || asked.includes(name));
const begun = Date.now();
const all: Mutant[] = [];
let good = true;
for (const [name, subject] of chosen) {
  const mutants = mutate(subject);
  all.push(...mutants);
  good = tell(name, mutants) && good;
}
const survived = all.filter(({ status }) => status === 'Survived' || status === 'NoCoverage').length;
console.log(
  `${all.length} mutants, ${survived} survived, in ${Math.round((Date.now() - begun) / 1_000)} s; ${good ? 'enough of each subject is killed' : 'too many of a subject survive, see above'}`,
);
process.exitCode = good ? 0 : 1;
