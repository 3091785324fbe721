// Writes the documents that the code knows best; with `--check` it only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { FAILURES, PERMANENT, TRANSIENT } from '../lib/failure.ts';
import { manifestJsonSchema } from '../lib/manifest.ts';

const DOCUMENTS: Record<string, string> = {
  'docs/manifest.schema.json': `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`,
  'docs/errors.md': errors(),
};

function errors(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { retryable, next }]) => `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${next} |`,
  );
  return `# Errors

Every failure that is understood has one of these codes. Its message reads \`CODE: what happened (AEP request id) | Next: what to
do\`; where a place knows better than the table, it gives its own advice. Those worth another try are named \`${TRANSIENT}\`, the
others \`${PERMANENT}\`: the names Step Functions retries and undoes by.

| Code | Worth another try | What to do |
| --- | --- | --- |
${rows.join('\n')}

## How an execution ends

| \`error\` of a failed execution | What it means |
| --- | --- |
| \`Penstock.Resumable\` | The trouble passes, or the pipeline carries records already. What was made is kept; start it again. |
| \`Penstock.Busy\` | Another execution works on the pipeline; the cause names it. Nothing was touched. |
| \`Penstock.Conflict\` | Something speaks against the plan; the cause and the report name all of it. Nothing was touched. |
| \`Penstock.RolledBack\` | What this execution made was undone; the cause names what was, what is left, and what to do. |
| \`Penstock.RollbackFailed\` | Undoing did not come to its end: what was made bears the execution's mark and is still there. |
| \`${PERMANENT}\`, \`${TRANSIENT}\` | The plan could not be made. Nothing was touched; the cause says why. |
`;
}

for (const [name, wanted] of Object.entries(DOCUMENTS)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, wanted);
  else if (readFileSync(file, 'utf8') !== wanted) {
    console.error(`${name} is out of date: run \`npm run generate\``);
    process.exitCode = 1;
  }
}
