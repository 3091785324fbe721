// Starts the action in a job of GitHub: reads the environment, and runs each command in a process of its own.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ProxySettings } from '../../lib/aws/http-proxied.ts';
import { MistakeError, toldOf } from '../../terminal/mistake.ts';
import { folderOf } from './changes.ts';
import { createGitHub } from './github.ts';
import { type Ended, runAction } from './run-action.ts';
import { withoutCommands } from './without-commands.ts';

const BIN = fileURLToPath(new URL('../../bin/penstock.js', import.meta.url));

/** @throws MistakeError */
function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new MistakeError(
      'USAGE',
      `${name} is not set`,
      'Run this as an action of GitHub (docs/pull-requests.md).',
    );
  return value;
}

function given(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name];
}

function penstock(args: readonly string[], workspace: string): Promise<Ended> {
  // The commands ask AWS and never GitHub.
  const { GITHUB_TOKEN: _, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: workspace,
    env: { ...env, CI: 'true', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kept = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    kept.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    kept.err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, ...kept }));
  });
}

/** As curl reads it, and the runner itself: the names in small letters come first. */
function proxyOf(): ProxySettings | undefined {
  const url = given('https_proxy') ?? given('HTTPS_PROXY');
  return url === undefined ? undefined : { url, except: given('no_proxy') ?? given('NO_PROXY') ?? '' };
}

function log(text: string): void {
  process.stdout.write(`${withoutCommands(text)}\n`);
}

try {
  const workspace = needed('GITHUB_WORKSPACE');
  process.exitCode = await runAction({
    eventName: needed('GITHUB_EVENT_NAME'),
    event: JSON.parse(readFileSync(needed('GITHUB_EVENT_PATH'), 'utf8')) as unknown,
    stage: given('PENSTOCK_STAGE'),
    region: given('PENSTOCK_REGION'),
    sandbox: given('PENSTOCK_SANDBOX'),
    folder: folderOf(given('PENSTOCK_FOLDER') ?? 'pipelines'),
    author: given('PENSTOCK_AUTHOR') ?? 'github-actions[bot]',
    workspace,
    github: createGitHub({
      url: given('GITHUB_API_URL') ?? 'https://api.github.com',
      repository: needed('GITHUB_REPOSITORY'),
      token: needed('GITHUB_TOKEN'),
      proxy: proxyOf(),
    }),
    penstock: (args) => penstock(args, workspace),
    log,
  });
} catch (error) {
  const told = toldOf(error);
  log(told === undefined ? String(error) : `error ${told.code}  ${told.what}\nnext  ${told.next ?? ''}`);
  process.exitCode = 1;
}
