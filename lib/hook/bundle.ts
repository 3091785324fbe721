// The pipelines of the bundle: `pipelines/*.json`, each with its samples. The build replaces this module by
// their content.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure.ts';
import { parseSamplesText, samplesFileOf } from '../samples.ts';
import { manifestInFile } from '../schemas/files.ts';

/** A manifest as written, with its samples. */
export interface Bundled {
  readonly manifest: unknown;
  readonly samples?: unknown;
}

/** By the pipelines' names, in their order. */
export type Bundle = Readonly<Record<string, Bundled>>;

const PIPELINES = fileURLToPath(new URL('../../pipelines', import.meta.url));

/**
 * The pipelines in a folder; none if there is no folder. Files other than `.json`, such as a README, are
 * ignored.
 * @throws Failure `MANIFEST_INVALID` naming the file, also if two have one name
 */
export function bundle(folder = PIPELINES): Bundle {
  const all: Record<string, Bundled> = {};
  for (const file of globSync('*.json', { cwd: folder }).toSorted()) {
    if (/\.(samples|records)\.json$/.test(file)) continue;
    const text = readText(join(folder, file));
    const { manifest, written } = manifestInFile(text, join(folder, file), `pipelines/${file}`);
    const { name } = manifest;
    if (Object.hasOwn(all, name))
      throw new Failure('MANIFEST_INVALID', `pipelines/${file}: the name ${name} is taken`, {
        next: 'Give each pipeline in pipelines/ a name of its own.',
      });
    all[name] = { manifest: written, ...samplesIn(folder, samplesFileOf(file)) };
  }
  return all;
}

function samplesIn(folder: string, file: string): { samples?: unknown } {
  if (!existsSync(join(folder, file))) return {};
  const text = readText(join(folder, file));
  return { samples: parseSamplesText(text, `pipelines/${file}`) };
}

function readText(file: string): string {
  return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
}
