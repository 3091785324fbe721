// `npm run review`: cfn-lint and checkov look at the packaged template, and find nothing that is not accepted with a reason.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { acceptedIn, type Finding, judge, ofCfnLint, ofCheckov } from './findings.ts';
import { makePythonEnvironment } from './python-environment.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TEMPLATE = `${ROOT}.serverless/cloudformation-template-update-stack.json`;
const ACCEPTED = 'test/template/accepted-findings.json';
const REQUIREMENTS = `${ROOT}test/template/requirements.txt`;
const VENV = `${ROOT}.penstock/review`;

/** What a tool says, however it ends: by its exit code it says what it found, and what it cannot say is no JSON. */
function output(tool: string, options: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(`${VENV}/bin/${tool}`, options, { maxBuffer: 64_000_000 }, (error, stdout, stderr) =>
      /^\s*[[{]/.test(stdout)
        ? resolve(stdout)
        : reject(new Error(`${tool} failed: ${stderr || error?.message}`)),
    );
  });
}

async function review(): Promise<readonly Finding[]> {
  const [lint, checkov] = await Promise.all([
    output('cfn-lint', ['--format', 'json', '--template', TEMPLATE]),
    output('checkov', [
      ...['--file', TEMPLATE, '--framework', 'cloudformation'],
      ...['--output', 'json', '--compact', '--quiet', '--skip-download'],
    ]),
  ]);
  return [...ofCfnLint(lint), ...ofCheckov(checkov)];
}

makePythonEnvironment(VENV, REQUIREMENTS);
const findings = await review();
const accepted = acceptedIn(readFileSync(`${ROOT}${ACCEPTED}`, 'utf8'));
const wrong = judge(findings, accepted);
for (const line of wrong) console.error(line);
console.log(`${findings.length} findings, ${wrong.length} without a reason or out of date (${ACCEPTED})`);
process.exitCode = wrong.length === 0 ? 0 : 1;
