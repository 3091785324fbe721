// Checks files of manifests, with the samples and records beside them, and holds manifests of one stream against each other.
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textWithin } from '../../lib/bounded-file.ts';
import { MAX_FILE_BYTES } from '../../lib/bounds.ts';
import { isFailure } from '../../lib/failure.ts';
import { bundle } from '../../lib/hook/bundle.ts';
import { fixText } from '../../lib/lint/fix.ts';
import { lintsOf } from '../../lib/lint/lint.ts';
import type { Lint } from '../../lib/lint/written.ts';
import { MAX_MANIFEST_DEPTH, type Manifest } from '../../lib/manifest.ts';
import { isDeeper } from '../../lib/mistakes.ts';
import { sizeMistakes, startToCome } from '../../lib/request-rules.ts';
import { parseSamplesText, samplesFileOf } from '../../lib/samples.ts';
import { checkSchemaOf } from '../../lib/schemas/check.ts';
import { manifestInFile, writtenInFile } from '../../lib/schemas/files.ts';
import { unreadable } from '../../terminal/mistake.ts';
import { builtIn, type Standard } from '../aep/xdm/standard.ts';
import { UsageError, xdmIn } from '../start/options.ts';
import { type Line, LineTooLongError, linesOf } from '../start/records.ts';
import { checkPipeline } from './pipeline-check.ts';
import { parseRecordsText, recordMistakes, recordsFileOf } from './records-check.ts';
import { type Checked, checkRoutes } from './routes-check.ts';

/** What is checked where nothing is named: the pipelines that are deployed, none at first, and the samples of them. */
const OWN = ['pipelines', 'examples'].map(
  (name) => relative(process.cwd(), fileURLToPath(new URL(`../../${name}`, import.meta.url))) || '.',
);

const DEPLOYED = fileURLToPath(new URL('../../pipelines', import.meta.url));

const SAMPLES = /\.samples\.json$/;
const RECORDS = /\.records\.json$/;

export interface ToCheck {
  /** Manifests, or folders of them; none: the pipelines that are deployed, and the samples of them. */
  readonly files: readonly string[];
  /** A file of records of the stream, counted in place of the samples. */
  readonly records: string | undefined;
  /** A checkout of Adobe's XDM. */
  readonly xdm: string | undefined;
  /** Whether files are mended as their lints say, before they are checked. */
  readonly fix?: boolean;
}

/** What there is to check: manifests, and samples and records that belong to none. */
interface Found {
  /** Where it was looked: a manifest, or a folder. */
  readonly path: string;
  readonly manifests: readonly string[];
  readonly strays: readonly string[];
}

/** What became of one file, of the manifests of a stream, or of a folder. */
export interface Outcome {
  /** `none`: a folder without a manifest. */
  readonly about: 'file' | 'routes' | 'none';
  /** 0 right, 1 wrong, 2 it cannot be read. */
  readonly exitCode: 0 | 1 | 2;
  /** The file or the folder, or the stream of several manifests and who takes its messages. */
  readonly subject: string;
  /** What there was to check. */
  readonly summary: string;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** Of a file: what is wrong with it at which place, and which edit mends it. */
  readonly lints: readonly Lint[];
  /** What was mended in the file just now. */
  readonly mended: readonly Lint[];
  /** Of manifests of one stream: messages of which there is more to say. */
  readonly details: readonly string[];
  /** The manifest, where it is right by itself. */
  readonly checked?: Checked;
}

/** @throws MistakeError `USAGE` where there is nothing to check; `FILE_UNREADABLE` */
export async function* checkFiles({
  files: asked,
  records,
  xdm: folder,
  fix = false,
}: ToCheck): AsyncGenerator<Outcome> {
  const xdm = folder === undefined ? builtIn : await xdmIn(folder);
  const found = await Promise.all((asked.length > 0 ? asked : OWN).map(manifestsIn));
  const empty = found.filter(({ manifests }) => manifests.length === 0).map(({ path }) => path);
  // The folder of the deployed pipelines may be empty; what somebody has named may not, nor may there be nothing at all.
  if (empty.length > 0 && (asked.length > 0 || empty.length === found.length))
    throw new UsageError(`there is no manifest in ${empty.join(' or ')}`);
  const checked: Checked[] = [];
  let isRight = true;
  const seen = (outcome: Outcome) => {
    isRight &&= outcome.exitCode === 0;
    return outcome;
  };
  for (const file of new Set(found.flatMap(({ manifests }) => manifests))) {
    const lints = await lintsIn(file, fix);
    const outcome = { ...(await checkText(file, textOf(file), xdm)), ...lints };
    if (outcome.checked !== undefined) checked.push(outcome.checked);
    yield seen(outcome);
  }
  for (const { file, name, like } of namesakes(checked))
    yield seen(wrong(dirname(file), [`${file}: the name ${name} is taken by ${like}`]));
  if (records !== undefined && (await stat(records).catch(unreadableAt(records))).isDirectory())
    throw new UsageError(`${records} is a folder: name a file with a record on each line`);
  const linesIn = records === undefined ? undefined : () => readableLines(records);
  for (const { mistakes, lines } of await checkRoutes(checked, linesIn)) {
    const [subject = '', ...details] = lines;
    const exitCode = mistakes.length > 0 ? 1 : 0;
    yield seen({ ...NOTHING, about: 'routes', exitCode, subject, mistakes, details });
  }
  for (const file of found.flatMap(({ strays }) => strays))
    yield seen(
      wrong(file, [
        `${RECORDS.test(file) ? 'records' : 'samples'} without a manifest: there is no ${basename(file).replace(SAMPLES, '.json').replace(RECORDS, '.json')}`,
      ]),
    );
  // Each by itself is right: whether they can be deployed together the build decides.
  if (isRight && found.some(({ path }) => resolve(path) === DEPLOYED)) yield* together();
  for (const path of empty) yield { ...NOTHING, about: 'none', exitCode: 0, subject: path };
}

/** The build refuses them. In another folder there may be those of another stage. */
function namesakes(checked: readonly Checked[]): { file: string; name: string; like: string }[] {
  const keyOf = ({ file, manifest }: Checked) => `${dirname(resolve(file))}/${manifest.name}`;
  return [...Map.groupBy(checked, keyOf).values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : others.map(({ file, manifest }) => ({ file, name: manifest.name, like: first.file })),
  );
}

const NOTHING = { summary: '', mistakes: [], warnings: [], lints: [], mended: [], details: [] };

/** @throws MistakeError `USAGE`, `FILE_UNREADABLE` */
async function manifestsIn(path: string): Promise<Found> {
  const there = await stat(path).catch(unreadableAt(path));
  if (!there.isDirectory()) {
    if (SAMPLES.test(path)) throw new UsageError(`${path} holds samples: name the manifest they belong to`);
    if (RECORDS.test(path)) throw new UsageError(`${path} holds records: name the manifest they belong to`);
    return { path, manifests: [path], strays: [] };
  }
  const entries = await readdir(path, { withFileTypes: true }).catch(unreadableAt(path));
  // Nobody may ever write into a pipe that lies there.
  const names = entries
    .filter((entry) => entry.name.endsWith('.json') && (entry.isFile() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .sort();
  const isBeside = (name: string) => SAMPLES.test(name) || RECORDS.test(name);
  const manifests = names.filter((name) => !isBeside(name));
  const expected = new Set(manifests.flatMap((name) => [samplesFileOf(name), recordsFileOf(name)]));
  const strays = names.filter((name) => isBeside(name) && !expected.has(name));
  return {
    path,
    manifests: manifests.map((name) => join(path, name)),
    strays: strays.map((name) => join(path, name)),
  };
}

/** A file that cannot be read, or is not JSON, has none: the check says what is wrong with it. */
async function lintsIn(file: string, fix: boolean): Promise<Pick<Outcome, 'lints' | 'mended'>> {
  try {
    const text = await textWithin(file, MAX_FILE_BYTES);
    // The check says so.
    if (text === undefined) return { lints: [], mended: [] };
    const read = (one: string) => writtenInFile(one, file, 'the manifest');
    // Here, too. An edit walks through all of it, and would exhaust the stack.
    if (isDeeper(read(text), MAX_MANIFEST_DEPTH)) return { lints: [], mended: [] };
    if (!fix) return { lints: lintsOf(read(text)), mended: [] };
    const fixed = fixText(text, read);
    if (fixed.text !== text) await writeFile(file, fixed.text);
    return { lints: fixed.left, mended: fixed.mended };
  } catch (error) {
    if (isFailure(error) || (error as NodeJS.ErrnoException).code !== undefined)
      return { lints: [], mended: [] };
    throw error;
  }
}

/** The check of one manifest by itself. @param text what its file has, or is to have; what belongs to it lies beside it */
export async function checkText(
  file: string,
  text: string | Promise<string>,
  xdm: Standard,
): Promise<Outcome> {
  try {
    const { manifest } = manifestInFile(await text, file, 'the manifest');
    await checkSchemaOf(manifest);
    const samples = await beside(samplesFileOf(file), parseSamplesText);
    const records = await beside(recordsFileOf(file), parseRecordsText);
    const checked = await checkPipeline(manifest, samples, xdm);
    const warnings = [...checked.warnings, ...startWarnings(manifest)];
    const mistakes = [
      ...checked.mistakes,
      ...sizeMistakes(manifest, samples),
      ...(records === undefined ? [] : await recordMistakes(manifest, records)),
    ];
    if (mistakes.length > 0) return wrong(file, mistakes, warnings);
    const summary = [
      counted(manifest.mapping?.length ?? 0, 'mapping'),
      counted(samples?.length ?? 0, 'sample'),
      ...(records === undefined ? [] : [counted(records.length, 'record')]),
    ].join(', ');
    return {
      ...NOTHING,
      about: 'file',
      exitCode: 0,
      subject: file,
      summary,
      warnings,
      checked: { file, manifest, samples, records },
    };
  } catch (error) {
    if (error instanceof UsageError) return { ...wrong(file, [error.message]), exitCode: 2 };
    if (isFailure(error)) return wrong(file, error.what.trimEnd().split('\n'));
    throw error;
  }
}

/** It may be applied once that time has passed. */
function startWarnings(manifest: Manifest): string[] {
  const toCome = startToCome(manifest, Date.now());
  return toCome === undefined ? [] : [`${toCome}: until then it cannot be applied`];
}

function* together(): Generator<Outcome> {
  try {
    bundle();
  } catch (error) {
    if (!isFailure(error)) throw error;
    yield wrong(OWN[0] ?? DEPLOYED, [error.what, ...(error.next ? [error.next] : [])]);
  }
}

function wrong(file: string, mistakes: readonly string[], warnings: readonly string[] = []): Outcome {
  return { ...NOTHING, about: 'file', exitCode: 1, subject: file, mistakes, warnings };
}

async function beside<T>(file: string, parse: (text: string, origin: string) => T): Promise<T | undefined> {
  const isThere = await stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  return isThere ? parse(await textOf(file), basename(file)) : undefined;
}

/** @throws UsageError */
async function textOf(file: string): Promise<string> {
  const text = await textWithin(file, MAX_FILE_BYTES).catch(unreadableAt(file));
  if (text !== undefined) return text;
  throw new UsageError(
    `${file} has more than ${MAX_FILE_BYTES} bytes: a manifest, its samples and its records have less`,
  );
}

/** @throws MistakeError `USAGE`, `FILE_UNREADABLE` */
async function* readableLines(file: string): AsyncGenerator<Line> {
  try {
    yield* linesOf(file);
  } catch (error) {
    if (error instanceof LineTooLongError) throw new UsageError(`${file}: ${error.message}`);
    throw isOfFiles(error) ? unreadableAt(file)(error) : error;
  }
}

const isOfFiles = (error: unknown): error is NodeJS.ErrnoException =>
  typeof (error as NodeJS.ErrnoException).syscall === 'string';

const unreadableAt =
  (path: string) =>
  (error: unknown): never => {
    throw unreadable(path, error, 'Name a file that is there, or a folder of manifests.');
  };

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
