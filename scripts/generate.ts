// Writes the documents that are made from code; with `--check` it only tells whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main as compile } from 'assemblyscript/asc';
import { COMMANDS } from '../cli/commands.ts';
import { pageOf } from '../cli/page.ts';
import { FAILURES, PERMANENT, TRANSIENT } from '../lib/failure.ts';
import { manifestJsonSchema } from '../lib/manifest.ts';
import { fidelityPage } from '../local/aep/fidelity/page.ts';
import { MISTAKES } from './mistakes.ts';
import { statesText } from './states.ts';

const DOCUMENTS: Record<string, string> = {
  'docs/manifest.schema.json': `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`,
  'docs/cli.md': pageOf(COMMANDS),
  'docs/errors.md': errors(),
  'docs/fidelity.md': fidelityPage(),
  'functions/provision/states.asl.json': statesText(),
  'lib/version.ts': version(),
  'lib/forward/json/wasm/json-check.wasm.ts': await wasm('lib/forward/json/wasm/assembly/json-check.ts'),
};

/** Compiled into every function, which has no package.json beside it. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version: own } = JSON.parse(text) as { readonly version: string };
  return `// The version of this package, which the functions of a stack tell; written by \`npm run generate\` from package.json.\nexport const VERSION = '${own}';\n`;
}

/** A module with the WebAssembly of `source`: 34 pages hold the largest message twice. */
async function wasm(source: string): Promise<string> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const made: Uint8Array[] = [];
  const options =
    '-O3 --noAssert --runtime stub --enable simd --initialMemory 34 --use abort= --outFile out.wasm';
  const { error, stderr } = await compile([source, ...options.split(' ')], {
    readFile: (name, base) => readIfThere(join(base === '.' ? root : base, name)),
    writeFile: (_name, contents) => void made.push(contents as Uint8Array),
    listFiles: () => [],
  });
  if (error !== null || made[0] === undefined) throw new Error(`${source}: ${error?.message} ${stderr}`);
  const text = Buffer.from(made[0]).toString('base64');
  return `// What ${source} compiles to, base64; written by \`npm run generate\`.\nexport const WASM =\n  '${text}';\n`;
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function errors(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { retryable, next }]) => `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${next} |`,
  );
  const mistakes = Object.entries(MISTAKES)
    .map(([code, what]) => `| \`${code}\` | ${what} |`)
    .join('\n');
  return `# Errors

Every failure that is understood has one of these codes. Its message reads \`CODE: what happened (AEP request id) | Next: what to
do\`. The advice can be more precise than the table's. If a retry can help, the failure is named \`${TRANSIENT}\`, and Step Functions
retries it. The others are named \`${PERMANENT}\`, and Step Functions undoes what was made.

A 401 has two meanings with the same code: the token is not valid, or a permission is missing. Some services answer 401 "Access
Denied" where others answer 403. The health check tells the two apart: it asks for a token of its own, and says which calls accepted it.

| Code | Can a retry help? | What to do |
| --- | --- | --- |
${rows.join('\n')}

## How an execution ends

| \`error\` of a failed execution | What it means |
| --- | --- |
| \`Penstock.Resumable\` | The problem passes, or the pipeline carries records already. What was made is kept; start it again. |
| \`Penstock.Busy\` | Another execution works on the pipeline; the cause names it. Nothing was changed. |
| \`Penstock.Conflict\` | The plan has conflicts; the cause and the report name all of them. Nothing was changed. |
| \`Penstock.Moved\` | The [token](change.md#apply-what-was-planned) is of another state than this one; the cause and the report name what has moved. Nothing was changed. |
| \`Penstock.RolledBack\` | What this execution made was undone; the cause names what was, what is left, and what to do. |
| \`Penstock.RollbackFailed\` | Undoing failed: what was made has the execution's ownership tag and is still there. |
| \`Penstock.Stopped\` | Only of the health check, and in \`before\` of a report: an execution was stopped before it could report. Start it again; it goes on from there. |
| \`${PERMANENT}\`, \`${TRANSIENT}\` | The plan could not be made. Nothing was changed; the cause says why. |

## Of the command line itself

\`penstock\` prints the code, the cause and the next command. What a function or an execution fails with keeps the code of the table above. The others are:

| Code | What it means |
| --- | --- |
${mistakes}
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
