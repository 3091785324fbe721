// What the command init does beside its words: finds the records, and proves what comes out before it is written.
import { stat } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { parseManifestText } from '../../lib/manifest.ts';
import { parseSamplesText } from '../../lib/samples.ts';
import { PIPELINE_NAME } from '../../lib/shared-rules.ts';
import { checkPipeline } from '../../local/check/pipeline-check.ts';
import type { Context } from '../context.ts';
import { MistakeError } from '../mistake.ts';
import { filesOf } from './files.ts';
import { type Inferred, type InitOptions, initPipelines } from './init.ts';
import { linesOfFile } from './lines.ts';
import { pipelineName } from './names.ts';
import { brokenLine } from './report.ts';
import { codeOf, isThere } from './write.ts';

/** The words of the command line. */
export interface Asked {
  readonly records: string | undefined;
  readonly stream: string | undefined;
  readonly name: string | undefined;
  readonly sandbox: string | undefined;
  readonly out: string;
}

const SANDBOX = 'dev1';

/** @throws MistakeError where there is nothing to look at, or no record is sound */
export async function inferredFrom({ signal }: Context, asked: Asked): Promise<Inferred> {
  const { records, stream, out } = asked;
  if (records === undefined)
    throw new MistakeError('USAGE', 'no records are named', 'penstock init --records FILE');
  const lines = await fileLines(records);
  if (await isOverLines(records, lines))
    throw new MistakeError(
      'NO_RECORDS',
      `${records} has JSON over several lines, and not a record on each`,
      `jq -c 'if type == "array" then .[] else . end' ${records} > records.ndjson`,
    );
  const name = nameOf(asked);
  const inferred = await guarded(records, {
    name,
    sandbox: asked.sandbox ?? SANDBOX,
    stream: stream ?? name,
    schemaPath: await schemaPathFrom(out),
    lines,
    signal,
  });
  if (inferred.pipelines.length === 0) throw nothingSound(records, inferred);
  return inferred;
}

/** Whether it begins with a bracket that stands alone: some of its lines may be JSON by themselves, and are no records. */
async function isOverLines(file: string, lines: InitOptions['lines']): Promise<boolean> {
  try {
    for await (const [first] of lines())
      if (first !== undefined) return 'bytes' in first && /^\uFEFF?\s*[[{]\s*$/.test(first.bytes.toString());
    return false;
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** A file whose reading ends in an error is told like one that cannot be opened. */
async function guarded(what: string, options: InitOptions): Promise<Inferred> {
  try {
    return await initPipelines(options);
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw unreadable(what, error);
    throw error;
  }
}

async function fileLines(file: string): Promise<InitOptions['lines']> {
  const there = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (there.isDirectory())
    throw new MistakeError(
      'FILE_UNREADABLE',
      `${file} is a folder`,
      'Name a file with a record on each line.',
    );
  return () => linesOfFile(file);
}

function unreadable(file: string, error: unknown): MistakeError {
  return new MistakeError(
    'FILE_UNREADABLE',
    `${file} cannot be read (${codeOf(error)})`,
    'Name a file with a record on each line: --records FILE',
    error,
  );
}

function nameOf({ name, stream, records = '' }: Asked): string {
  if (name === undefined)
    return pipelineName(stream?.split('/').at(-1) ?? basename(records, extname(records)));
  if (PIPELINE_NAME.test(name)) return name;
  throw new MistakeError(
    'USAGE',
    `--name: expected 1 to 64 of letters, digits, ".", "_", "-", the first a letter or digit; found "${name}"`,
    'penstock init --help',
  );
}

/** The manifest's JSON Schema, where a clone has it beside the folder. */
async function schemaPathFrom(out: string): Promise<string | undefined> {
  const schema = join(out, '..', 'docs', 'manifest.schema.json');
  if (!(await isThere(schema))) return undefined;
  return relative(out, schema).replaceAll('\\', '/');
}

function nothingSound(what: string, { report }: Inferred): MistakeError {
  if (report.records === 0)
    return new MistakeError(
      'NO_RECORDS',
      `${what} has no record`,
      'Name a file with a JSON object on each line.',
    );
  return new MistakeError(
    'NO_RECORDS',
    `${what} has no sound record: ${report.broken.map(brokenLine).join('; ')}`,
    'Each line has to be one JSON object.',
  );
}

/** What the check says of what will be written, line by line; nothing where all is well. */
export async function provenOf({ pipelines }: Inferred): Promise<string[]> {
  const mistakes: string[] = [];
  for (const pipeline of pipelines) {
    const [manifest, samples] = filesOf(pipeline);
    if (manifest === undefined) continue;
    const checked = await checkPipeline(
      parseManifestText(manifest.text, manifest.name),
      samples && parseSamplesText(samples.text, samples.name),
    );
    mistakes.push(...checked.mistakes.map((line) => `${manifest.name}: ${line}`));
  }
  return mistakes;
}
