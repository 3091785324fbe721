// What `--faults FILE` takes: what was written by hand, and what the simulated platform has told of itself.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFaults } from '../../../local/start/faults-file.ts';
import { UsageError } from '../../../local/start/options.ts';
import { caller } from '../aep/support.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function read(content: string) {
  const file = join(folder, 'faults.json');
  await writeFile(file, content);
  return readFaults(file);
}

const FAULT = { kind: 'refuse', status: 429 };

test('one fault, a list, none', async () => {
  expect(await read(JSON.stringify(FAULT))).toEqual({ faults: [FAULT] });
  expect(await read(JSON.stringify([FAULT, FAULT]))).toEqual({ faults: [FAULT, FAULT] });
  expect(await readFaults(undefined)).toEqual({ faults: [] });
});

test('the answer of GET /_simulator/faults, saved as it is', async () => {
  const user = await caller({ seed: 42 });
  await user.bare('POST', '/_simulator/faults', FAULT);
  user.platform.faults.strike('GET', '/x');
  const { text } = await user.bare('GET', '/_simulator/faults');
  expect(await read(text)).toEqual({ seed: 42, faults: [FAULT] });
});

test.each([
  ['{', 'JSON'],
  ['{"kind": "none"}', 'must be one of latency'],
  ['{"seed": "x", "faults": []}', 'seed'],
])('%s is refused with the name of the file', async (content, reason) => {
  const refused = await read(content).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UsageError);
  expect((refused as Error).message).toContain(`--faults: ${join(folder, 'faults.json')}: `);
  expect((refused as Error).message).toContain(reason);
});
