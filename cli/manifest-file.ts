// A manifest's file as the state machine takes it: with the schemas and the samples that lie beside it.
import { basename } from 'node:path';
import { textWithin } from '../lib/bounded-file.ts';
import { MAX_FILE_BYTES } from '../lib/bounds.ts';
import { parseSamplesText, samplesFileOf } from '../lib/samples.ts';
import { manifestInFile } from '../lib/schemas/files.ts';
import { MistakeError, unreadable } from '../terminal/mistake.ts';

/** What an execution is started with. */
export interface Asked {
  readonly manifest: unknown;
  readonly samples?: unknown;
}

export interface PipelineFile {
  readonly name: string;
  readonly sandbox: string;
  readonly asked: Asked;
}

/** @throws MistakeError, Failure `MANIFEST_INVALID` */
export async function readPipelineFile(file: string): Promise<PipelineFile> {
  const text = await readText(file);
  if (text === undefined)
    throw new MistakeError('FILE_UNREADABLE', `${file} is not there`, 'Name the file of a manifest.');
  const { manifest, written } = manifestInFile(text, file);
  const samplesFile = samplesFileOf(file);
  const samples = await readText(samplesFile);
  const asked = {
    manifest: written,
    ...(samples !== undefined && { samples: parseSamplesText(samples, basename(samplesFile)) }),
  };
  return { name: manifest.name, sandbox: manifest.sandbox, asked };
}

/** @returns `undefined` where there is no such file */
async function readText(file: string): Promise<string | undefined> {
  let text: string | undefined;
  try {
    text = await textWithin(file, MAX_FILE_BYTES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(file, error, 'Name the file of a manifest.');
  }
  if (text !== undefined) return text;
  throw new MistakeError(
    'TOO_LARGE',
    `${file} has more than ${MAX_FILE_BYTES} bytes: a manifest and its samples have less`,
    'Name the file of a manifest. Records are for: penstock init --records FILE',
  );
}
