// What the command init does beside its words: finds the records, and proves what comes out before it is written.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { parseManifestText } from '../../lib/manifest.ts';
import { sizeMistakes } from '../../lib/request-rules.ts';
import { parseSamplesText } from '../../lib/samples.ts';
import {
  PIPELINE_NAME,
  PIPELINE_NAME_EXPECTED,
  SANDBOX_EXPECTED,
  SANDBOX_NAME,
  STREAM_EXPECTED,
  STREAM_NAME,
} from '../../lib/shared-rules.ts';
import { checkPipeline } from '../../local/check/pipeline-check.ts';
import { type Encoding, EncodingError } from '../../local/start/records.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Context } from '../context.ts';
import { filesOf } from './files.ts';
import { type Inferred, type InitOptions, initPipelines, MAX_RECORDS } from './init.ts';
import { type Line, linesOfFile } from './lines.ts';
import { pipelineName } from './names.ts';
import { brokenLine } from './report.ts';
import { spooled } from './spooled.ts';
import { codeOf, isThere } from './write.ts';

/** The words of the command line. */
export interface Asked {
  readonly records: string | undefined;
  /** How a record stands in its line. */
  readonly encoding: string | undefined;
  readonly stream: string | undefined;
  readonly name: string | undefined;
  readonly sandbox: string | undefined;
  /** How many records are taken from the stream, as it was written. */
  readonly take: string | undefined;
  readonly out: string;
}

const SANDBOX = 'dev1';

const TAKE = 1_000;

/** What is kept of a pipe: a disk has that much room, and an ordinary record is no larger than 10 KB. */
const MOST_OF_PIPE = { records: MAX_RECORDS, bytes: 1024 ** 3 };

/** Standard input, as other programs name it, and as a file. */
const STANDARD_INPUT: ReadonlySet<string> = new Set(['-', '/dev/stdin']);

/** @throws MistakeError where there is nothing to look at, or no record is sound */
export async function inferredFrom(context: Context, asked: Asked): Promise<Inferred> {
  const { records, stream, sandbox = SANDBOX, out } = asked;
  const name = nameOf(asked);
  checkOption('sandbox', sandbox, SANDBOX_NAME, SANDBOX_EXPECTED);
  checkOption('stream', stream ?? name, STREAM_NAME, STREAM_EXPECTED);
  const { what, lines, isCut, close } = await source(context, asked);
  try {
    const inferred = await guarded(what, {
      name,
      sandbox,
      stream: stream ?? name,
      schemaPath: await schemaPathFrom(out),
      lines,
      isCut,
      signal: context.signal,
    });
    if (inferred.pipelines.length > 0) return inferred;
    throw nothingSound(what, inferred, records !== undefined);
  } finally {
    await close?.();
  }
}

interface Source {
  /** For people. */
  readonly what: string;
  readonly lines: InitOptions['lines'];
  /** Whether there is more than `lines` has. */
  readonly isCut?: boolean;
  close?(): Promise<void>;
}

async function source({ target, signal }: Context, asked: Asked): Promise<Source> {
  const { records, stream, take } = asked;
  const encoding = encodingIn(asked);
  if (records !== undefined && take !== undefined)
    throw new MistakeError(
      'USAGE',
      '--take is for a stream, and --records names a file',
      'Name one of them.',
    );
  if (records !== undefined) {
    const found = await fileLines(records, encoding, signal);
    const what = shownFile(records);
    const other = await otherThanRecords(records, encoding, found.lines);
    if (other === undefined) return { what, ...found };
    await found.close?.();
    throw other;
  }
  if (stream === undefined)
    throw new MistakeError('USAGE', 'no records are named', 'penstock init --records FILE');
  const taken = await target.records(stream, countIn(take), signal);
  const lines = taken.map((data, index): Line => ({ number: index + 1, bytes: Buffer.from(data) }));
  return {
    what: `the stream ${stream}`,
    async *lines() {
      yield lines;
    },
  };
}

/** @throws MistakeError */
function encodingIn({ encoding = 'text', records }: Asked): Encoding {
  if (encoding !== 'text' && encoding !== 'base64')
    throw new MistakeError(
      'USAGE',
      `--encoding: expected text or base64; found "${encoding}"`,
      'penstock init --help',
    );
  if (encoding === 'base64' && records === undefined)
    throw new MistakeError(
      'USAGE',
      '--encoding is for --records, and a stream has the bytes themselves',
      'Leave out one of them.',
    );
  return encoding;
}

/** @throws MistakeError */
function countIn(take: string | undefined): number {
  if (take === undefined) return TAKE;
  const count = /^[1-9]\d{0,5}$/.test(take) ? Number(take) : Number.NaN;
  if (count <= MAX_RECORDS) return count;
  throw new MistakeError(
    'USAGE',
    `--take: expected 1 to ${MAX_RECORDS}; found "${take}"`,
    'penstock init --help',
  );
}

const UTF_16 = /^(?:\xff\xfe|\xfe\xff)/;

/** What a file is that has no record on a line, by its first one. Some of its lines may look like records all the same. */
async function otherThanRecords(
  file: string,
  encoding: Encoding,
  lines: InitOptions['lines'],
): Promise<MistakeError | undefined> {
  // What is packed in base64 is a record, whatever its bytes.
  if (encoding === 'base64') return undefined;
  const refused = (what: string, next: string) =>
    new MistakeError('NO_RECORDS', `${shownFile(file)} ${what}`, next);
  const first = (await firstLine(file, lines))?.toString('latin1') ?? '';
  const piped = '| penstock init --records - --name NAME';
  // A bracket that stands alone.
  if (/^(?:\xef\xbb\xbf)?\s*[[{]\s*$/.test(first))
    return refused(
      'has JSON over several lines, and not a record on each',
      `jq -c 'if type == "array" then .[] else . end' ${file} > records.ndjson`,
    );
  if (first.startsWith('\x1f\x8b')) return refused('is compressed by gzip', `gunzip -c ${file} ${piped}`);
  if (isBase64(first))
    return refused('has records in base64', `penstock init --records ${file} --encoding base64`);
  if (UTF_16.test(first)) return refused('is UTF-16', `iconv -f UTF-16 -t UTF-8 ${file} ${piped}`);
  return undefined;
}

/** With what a record begins: an object, a list, or how gzip, zstd and the Kinesis Producer Library begin. */
const BEGINNINGS = ['{', '[', '\x1f\x8b', '(\xb5/\xfd', '\xf3\x89\x9a\xc2'];

/** No text that is JSON or a table has such letters alone. */
function isBase64(line: string): boolean {
  if (!/^[A-Za-z0-9+/]{8,}={0,2}\s*$/.test(line)) return false;
  const bytes = Buffer.from(line.slice(0, 8), 'base64').toString('latin1');
  return BEGINNINGS.some((one) => bytes.startsWith(one));
}

async function firstLine(file: string, lines: InitOptions['lines']): Promise<Buffer | undefined> {
  try {
    for await (const [first] of lines())
      if (first !== undefined) return 'bytes' in first ? first.bytes : undefined;
    return undefined;
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** A file whose reading ends in an error is told like one that cannot be opened. */
async function guarded(what: string, options: InitOptions): Promise<Inferred> {
  try {
    return await initPipelines(options);
  } catch (error) {
    if (error instanceof EncodingError)
      throw new MistakeError(
        'NO_RECORDS',
        `${what}: ${error.message}`,
        'Leave out --encoding base64.',
        error,
      );
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw unreadable(what, error);
    throw error;
  }
}

async function fileLines(
  file: string,
  encoding: Encoding,
  signal: AbortSignal,
): Promise<Omit<Source, 'what'>> {
  if (await isOrdinary(file)) return { lines: () => linesOfFile(file, encoding) };
  const pipe = STANDARD_INPUT.has(file) ? process.stdin : createReadStream(file);
  const kept = await spooled(pipe, MOST_OF_PIPE, signal).catch((error: unknown) => {
    throw signal.aborted ? error : unreadable(file, error);
  });
  return { lines: () => linesOfFile(kept.file, encoding), isCut: kept.isCut, close: kept.remove };
}

/** Whether it is a file that can be read again and again, and no pipe. @throws MistakeError where it is neither */
async function isOrdinary(file: string): Promise<boolean> {
  if (file === '-') return false;
  const there = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (there.isDirectory())
    throw new MistakeError(
      'FILE_UNREADABLE',
      `${file} is a folder`,
      'Name a file with a record on each line.',
    );
  return there.isFile();
}

function shownFile(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function unreadable(file: string, error: unknown): MistakeError {
  return new MistakeError(
    'FILE_UNREADABLE',
    `${shownFile(file)} cannot be read (${codeOf(error)})`,
    'Name a file with a record on each line: --records FILE',
    error,
  );
}

function nameOf({ name, stream, records = '' }: Asked): string {
  const file = records === '-' ? 'stdin' : records;
  if (name === undefined) return pipelineName(stream?.split('/').at(-1) ?? basename(file, extname(file)));
  checkOption('name', name, PIPELINE_NAME, PIPELINE_NAME_EXPECTED);
  return name;
}

/** What goes into the manifest as it was typed. @throws MistakeError that names the option */
function checkOption(option: string, value: string, form: RegExp, expected: string): void {
  if (!form.test(value))
    throw new MistakeError('USAGE', `--${option}: ${expected}; found "${value}"`, 'penstock init --help');
}

/** The manifest's JSON Schema, where a clone has it beside the folder. */
async function schemaPathFrom(out: string): Promise<string | undefined> {
  const schema = join(out, '..', 'docs', 'manifest.schema.json');
  if (!(await isThere(schema))) return undefined;
  return relative(out, schema).replaceAll('\\', '/');
}

function nothingSound(what: string, { report }: Inferred, isFile: boolean): MistakeError {
  const next = isFile ? 'Name a file with a JSON object on each line.' : undefined;
  if (report.records === 0) return new MistakeError('NO_RECORDS', `${what} has no record`, next);
  if (report.messages > 0)
    return new MistakeError('NO_RECORDS', `${what}: no field of its records can be mapped`, next);
  const broken = report.broken.map(brokenLine).join('; ');
  return new MistakeError('NO_RECORDS', `${what} has no sound record: ${broken}`, next);
}

/** What the check says of what will be written, line by line; nothing where all is well. */
export async function provenOf({ pipelines }: Inferred): Promise<string[]> {
  const mistakes: string[] = [];
  for (const pipeline of pipelines) {
    const [manifest, samples] = filesOf(pipeline);
    if (manifest === undefined) continue;
    const read = parseManifestText(manifest.text, manifest.name);
    const list = samples && parseSamplesText(samples.text, samples.name);
    const { mistakes: found } = await checkPipeline(read, list);
    mistakes.push(...[...found, ...sizeMistakes(read, list)].map((line) => `${manifest.name}: ${line}`));
  }
  return mistakes;
}
