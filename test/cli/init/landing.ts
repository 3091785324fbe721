// Proves that what init wrote lands every sound record: by the forwarder's own stages, Data Prep and the schema's validator.

import { filesOf } from '../../../cli/init/files.ts';
import { type Inferred, initPipelines } from '../../../cli/init/init.ts';
import { linesOf } from '../../../cli/init/lines.ts';
import { parseExactly } from '../../../cli/init/reader.ts';
import { parseManifestText } from '../../../lib/manifest.ts';
import { parseSamplesText, type Samples } from '../../../lib/samples.ts';
import { checkPipeline } from '../../../local/check/pipeline-check.ts';
import { createOutcomes, standInFor } from '../../../local/check/records-check.ts';

export const OPTIONS = { name: 'probe', sandbox: 'dev1', stream: 'probe' };

export const linesIn = (lines: readonly string[], most?: number) => () => linesOf(chunksOf(lines), most);

async function* chunksOf(lines: readonly string[]): AsyncGenerator<Buffer> {
  yield Buffer.from(lines.join('\n'));
}

export function inferred(lines: readonly string[]): Promise<Inferred> {
  return initPipelines({ ...OPTIONS, lines: linesIn(lines) });
}

export interface Landed {
  /** What check says, and what does not become what it must. */
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** By line, how many pipelines take a message of it. */
  readonly takers: readonly (readonly number[])[];
}

/** Sends every line through every pipeline that was written, and every message that is sent through its mapping. */
export async function landed({ pipelines }: Inferred, lines: readonly string[]): Promise<Landed> {
  const mistakes: string[] = [];
  const warnings: string[] = [];
  const takers: number[][] = lines.map(() => []);
  for (const pipeline of pipelines) {
    const [manifestFile, samplesFile] = filesOf(pipeline);
    const manifest = parseManifestText(manifestFile?.text ?? '', 'manifest');
    const samples = samplesFile === undefined ? [] : parseSamplesText(samplesFile.text, 'samples');
    const published = standInFor(manifest);
    if (published === undefined) throw new Error('no inlet');
    const outcomesOf = createOutcomes(published);
    const all: { name: string; record: unknown; xdm: unknown }[] = [];
    for (const [index, line] of lines.entries()) {
      if (line.replace(/\r$/, '') === '') continue;
      const outcomes = await outcomesOf(Buffer.from(line.replace(/\r$/, '')));
      for (const [at, one] of outcomes.entries()) {
        const counts = takers[index] as number[];
        counts[at] ??= 0;
        if (typeof one !== 'object' || !('sent' in one)) continue;
        counts[at] += 1;
        const record = parseExactly(JSON.stringify(one.sent));
        const [text, xdm] = [JSON.stringify(record), JSON.stringify(pipeline.entityOf(record))];
        all.push({ name: `line ${index + 1}`, record: text, xdm });
      }
    }
    const checked = await checkPipeline(manifest, [...samples, ...(all as Samples)]);
    mistakes.push(...checked.mistakes.map((one) => `${pipeline.name}: ${one}`));
    warnings.push(...checked.warnings);
  }
  return { mistakes, warnings, takers };
}
