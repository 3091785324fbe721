// A running stack for the tests of the page: one pipeline of sample customers, and records on their way.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifestText } from '../../lib/manifest.ts';
import { type Page, startPage } from '../../local/page/server.ts';
import { carry, prepareSource, provision, watchForwarding } from '../../local/start/journey.ts';
import type { Line } from '../../local/start/records.ts';
import { sampleLines } from '../../local/start/records.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { watchedOf } from '../../local/start/watched.ts';

export const FILE = new URL('../../examples/customer-profiles.json', import.meta.url);

export interface Running {
  readonly stack: Stack;
  readonly page: Page;
  /** Puts the lines into the stream, and waits until all of them are settled. */
  carry(lines: Iterable<Line> | AsyncIterable<Line>): Promise<void>;
  close(): Promise<void>;
}

export const samples = (count: number, seed = 1) => sampleLines({ count, seed, data: 'raw', bytes: 200 });

/** The pipeline is made, and nothing is sent yet. */
export async function startRunning(): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const manifest = parseManifestText(await readFile(FILE, 'utf8'), 'customer-profiles.json');
  const watch = watchForwarding();
  const stack = await startStack({
    warmUpSeconds: 1,
    seed: 1,
    sandboxes: ['dev1'],
    folder,
    onInvocation: watch.report,
  });
  const page = await startPage(watchedOf(stack), { access: stack.platform.access });
  await prepareSource(stack, manifest, 1);
  const pipeline = await provision(stack, manifest, { warmUpSeconds: 1 });
  return {
    stack,
    page,
    async carry(lines) {
      await carry(stack, pipeline, lines, watch, () => undefined);
    },
    async close() {
      await page.close();
      await stack.close();
      await rm(folder, { recursive: true });
    },
  };
}
