// Prints the last runs of all tests in one line, from the results that vitest wrote.
import { readFileSync } from 'node:fs';

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

const all = ['test', 'deep', 'roles', 'deployed', 'strangers', 'browser'].map(
  (run) =>
    JSON.parse(readFileSync(new URL(`../.penstock/${run}-results.json`, import.meta.url), 'utf8')) as Results,
);
const sum = (of: keyof Results) => all.reduce((total, results) => total + results[of], 0);
console.log(
  `${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed, ${sum('numPendingTests')} skipped`,
);
