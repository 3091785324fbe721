// Adobe's Python client, aepp, in an environment of its own: its table of steps, and what came of each.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makePythonEnvironment } from '../../scripts/python-environment.ts';
import type { Row } from './document.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const RUN = fileURLToPath(new URL('aepp/run.py', import.meta.url));
const PIPELINES = fileURLToPath(new URL('aepp/pipelines.py', import.meta.url));
const VENV = join(ROOT, '.penstock/strangers');

export interface Outcome extends Row {
  readonly fine: boolean;
  /** The answer as Python shows it, cut. */
  readonly got: string;
}

/**
 * Without dependencies: aepp names packages for pictures, graphs and databases that are not loaded here, some of which
 * want a compiler. What it loads is in the list.
 */
const install = () => makePythonEnvironment(VENV, REQUIREMENTS, '--no-deps');

/** The steps as they are written down; needs Python alone. */
export function aeppRows(): Row[] {
  const lines = execFileSync('python3', [RUN, '--table'], { encoding: 'utf8', env: plain() });
  return lines.split('\n').filter(Boolean).map(row);
}

/** Each step once, in their order, each building on those before. */
export async function aeppOutcomes(origin: string): Promise<Outcome[]> {
  install();
  const folder = mkdtempSync(join(tmpdir(), 'penstock-strangers-'));
  try {
    const child = spawn(join(VENV, 'bin/python'), [RUN, origin], {
      cwd: folder,
      env: { ...plain(), HOME: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const outcomes: Outcome[] = [];
    for await (const line of createInterface({ input: child.stdout })) outcomes.push(outcome(line));
    const [code] = await ended;
    if (code !== 0) throw new Error(`aepp's steps ended with ${code} after ${outcomes.length} of them`);
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Three pipelines that aepp makes: the ids of their flows. */
export async function aeppPipelines(origin: string): Promise<string[]> {
  install();
  const folder = mkdtempSync(join(tmpdir(), 'penstock-strangers-'));
  try {
    const child = spawn(join(VENV, 'bin/python'), [PIPELINES, origin], {
      cwd: folder,
      env: { ...plain(), HOME: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let said = '';
    for await (const text of child.stdout) said += text;
    const [code] = await ended;
    if (code !== 0) throw new Error(`aepp's pipelines ended with ${code}`);
    return JSON.parse(said) as string[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing of this process's environment: a proxy or a profile of Python's would change what is asked. */
function plain(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' };
}

interface Line {
  readonly module: string;
  readonly call: string;
  readonly expected: string;
  readonly reason: string;
  readonly waits: string;
  readonly fine: boolean;
  readonly got: string;
}

function row(line: string): Row {
  const { module, call, expected, reason, waits } = JSON.parse(line) as Line;
  return { group: module, call, expected, reason, waits };
}

function outcome(line: string): Outcome {
  const { fine, got } = JSON.parse(line) as Line;
  return { ...row(line), fine, got };
}
