// What a real `npm start` answered, over its sockets, from the first token to the retirement.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { START } from '../support/start.ts';
import type { Answered } from './descriptions.ts';

const TAP = new URL('./tap.ts', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A pipeline made, its records sent, changed meanwhile, and taken down. */
const WORDS = [
  '--generate',
  '300',
  '--change',
  'events/samples/customer-profiles.changed.json',
  '--retire',
  '--warm-up',
  '1',
];

/** Two messages of the first batch are refused, and sent again. */
const FAULT = { kind: 'partial', path: '/collection/batch/*', times: 1, status: 503, count: 2 };

/** Every answer of one process, in the order in which they went out. */
export async function started(into: Answered[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  try {
    const file = join(folder, 'answers.ndjson');
    const faults = join(folder, 'faults.json');
    await writeFile(faults, JSON.stringify(FAULT));
    const child = spawn(process.execPath, ['--import', TAP, START, ...WORDS, '--faults', faults], {
      cwd: ROOT,
      env: { ...process.env, PENSTOCK_ANSWERS: file },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (part: Buffer) => {
      said += part.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    // Notes and progress stand there too; what failed is shown with its code.
    expect({ code, error: /^(error|next|\s+at) .*$/m.exec(said)?.[0] }).toEqual({
      code: 0,
      error: undefined,
    });
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    into.push(...lines.map((line) => JSON.parse(line) as Answered));
  } finally {
    await rm(folder, { recursive: true });
  }
}
