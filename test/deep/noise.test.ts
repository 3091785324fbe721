// Texts are for people: with noise in the place of every one, the product does the same to the last code and count.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, prepare } from './noise/commands.ts';
import * as plain from './noise/journeys.ts';
import { noisySources, ROOT } from './noise/sources.ts';
import { noisyAnswer, withNoise } from './noise/texts.ts';

/** What an inlet says in its texts: words of every kind that somebody could look for. */
const SAID =
  'Unauthorized: the message is invalid JSON, too large, throttled; try again later. AEP_CHANGED: DCVS-1104-400';
const NOISE = 'zq qz';

let folder: string;
beforeAll(() => {
  // Noise is put into the sources.
  delete process.env.PENSTOCK_FUNCTIONS;
  folder = mkdtempSync(join(tmpdir(), 'penstock-noise-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Names of outcomes that differ: the whole of one is long. */
const differing = (found: Record<string, unknown>, wanted: Record<string, unknown>) =>
  Object.keys({ ...found, ...wanted }).filter((name) => !isDeepStrictEqual(found[name], wanted[name]));

describe('issue 13 B 3: prose is not protocol', () => {
  it('every outcome stays, with noise for all texts of the product and of the platforms', async () => {
    const noisy = (await import('./noise/journeys.ts?noise' as string)) as typeof plain;
    const wanted = await plain.journeys(SAID);
    const found = await noisy.journeys(NOISE);
    expect(Object.keys(wanted).length).toBeGreaterThan(150);
    expect(differing(found, wanted)).toEqual([]);
  });

  it('so does every exit status, verdict and account of the commands', async () => {
    const sources = join(folder, 'sources.json');
    writeFileSync(sources, JSON.stringify(noisySources()));
    const register = pathToFileURL(join(ROOT, 'test/deep/noise/register.ts'));
    register.searchParams.set('sources', sources);
    const inputs = join(folder, 'inputs');
    prepare(inputs);
    const wanted = await commands(inputs);
    const found = await commands(inputs, '--import', register.href);
    expect(new Set(Object.values(wanted).map(({ code }) => code))).toEqual(new Set([0, 1, 2]));
    expect(Object.values(wanted).flatMap(({ verdicts }) => verdicts).length).toBeGreaterThan(15);
    expect(found).toEqual(wanted);
  });

  it('the noise would show it if somebody looked for a word', () => {
    const evaluated = (code: string) =>
      new Function(`${code.replace('export default', 'return')}`)() as unknown;
    const looking = (what: string) => `
      class Failure extends Error { constructor(code, what) { super(code + what); this.what = what; } }
      const reason = (id) => \`the flow \${id} is not there\`;
      export default ${what};`;
    for (const what of [
      "new Failure('AEP_NOT_FOUND', 'gone').what.includes('gone')",
      "/not there/.test(reason('1'))",
      "reason('1') === 'the flow 1 is not there'",
      "reason('1').startsWith('the flow')",
    ]) {
      expect(evaluated(looking(what)), what).toBe(true);
      expect(evaluated(withNoise(looking(what), 'x.ts').code), what).toBe(false);
    }
    const refusal = JSON.stringify({
      title: 'No such flow',
      type: 'FLOW-1404-412',
      report: { message: 'x' },
    });
    const noise = noisyAnswer(refusal, 404) ?? '';
    expect(noise).toContain('FLOW-1404-412');
    expect(noise).not.toMatch(/No such|"x"/);
    expect(noisyAnswer(refusal, 200)).toBe(refusal);
  });
});
