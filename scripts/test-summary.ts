// The last test run in one line, from what vitest wrote.
import { readFileSync } from 'node:fs';

const results = JSON.parse(
  readFileSync(new URL('../.penstock/test-results.json', import.meta.url), 'utf8'),
) as {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
};
console.log(
  `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${results.numPendingTests} skipped`,
);
