// The files of a pipeline as init writes them: the same bytes for the same records.
import type { Pipeline } from './build.ts';

export interface WrittenFile {
  readonly name: string;
  readonly text: string;
}

/** A manifest, and samples beside it where there are any. */
export function filesOf({ name, manifest, samples }: Pipeline): WrittenFile[] {
  return [
    { name: `${name}.json`, text: `${JSON.stringify(manifest, null, 2)}\n` },
    ...(samples.length === 0
      ? []
      : [{ name: `${name}.samples.json`, text: `${JSON.stringify(samples, null, 2)}\n` }]),
  ];
}
