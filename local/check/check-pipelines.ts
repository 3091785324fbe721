// `npm run check:pipelines`: every manifest, its mapping and its samples tried out on this machine, without network.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFailure } from '../../lib/failure.ts';
import { bundle } from '../../lib/hook/bundle.ts';
import { parseSamplesText, samplesFileOf } from '../../lib/samples.ts';
import { checkSchemaOf } from '../../lib/schemas/check.ts';
import { manifestInFile } from '../../lib/schemas/files.ts';
import { CommandLineError, commandLine } from '../aep/command-line.ts';
import { builtIn, type Standard } from '../aep/xdm/standard.ts';
import { UsageError, xdmIn } from '../start/options.ts';
import { linesOf } from '../start/records.ts';
import { checkPipeline } from './pipeline-check.ts';
import { parseRecordsText, recordMistakes, recordsFileOf } from './records-check.ts';
import { type Checked, checkRoutes } from './routes-check.ts';

const HELP = `Checks pipelines on this machine, without network. Is the manifest valid? Does its mapping compile?
Do the samples beside it (orders.json: orders.samples.json) become what they must? Does that fit the schema?
Do records as they stand in the stream (orders.records.json) come to the messages that they must?

Manifests of one stream are held against each other, too: which of them takes each record, and which records none takes.

  npm run check:pipelines [-- [--xdm DIR] [--records FILE] FILE…]

  FILE            a manifest, or a folder of them (default: pipelines and examples)
  --records FILE  records of the stream, one a line: they are counted in place of the samples
  --xdm DIR       a checkout of github.com/adobe/xdm, for field groups of Adobe that are not built in
  --help          this text

Exit code: 0 all is well; 1 a pipeline is wrong; 2 the command line is wrong, or a file cannot be read.
`;

/** What is checked where nothing is named: the pipelines that are deployed, none at first, and the samples of them. */
const OWN = ['pipelines', 'examples'].map(
  (name) => relative(process.cwd(), fileURLToPath(new URL(`../../${name}`, import.meta.url))) || '.',
);

const DEPLOYED = fileURLToPath(new URL('../../pipelines', import.meta.url));

const SAMPLES = /\.samples\.json$/;
const RECORDS = /\.records\.json$/;

/** What there is to check: manifests, and samples and records that belong to none. */
interface Found {
  /** Where it was looked: a manifest, or a folder. */
  readonly path: string;
  readonly manifests: readonly string[];
  readonly strays: readonly string[];
}

/** What became of one file, and the lines to print. */
interface Outcome {
  readonly exitCode: 0 | 1 | 2;
  readonly lines: readonly string[];
  /** The manifest, where it is right by itself. */
  readonly checked?: Checked;
}

async function main(args: string[]): Promise<number> {
  const options = optionsOf(args);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const { files: asked } = options;
  const xdm = options.xdm === undefined ? builtIn : await xdmIn(options.xdm);
  const found = await Promise.all((asked.length > 0 ? asked : OWN).map(manifestsIn));
  const empty = found.filter(({ manifests }) => manifests.length === 0).map(({ path }) => path);
  // The folder of the deployed pipelines may be empty; what somebody has named may not, nor may there be nothing at all.
  if (empty.length > 0 && (asked.length > 0 || empty.length === found.length))
    throw new UsageError(`there is no manifest in ${empty.join(' or ')}`);
  let worst = 0;
  const tell = ({ exitCode, lines }: Outcome) => {
    worst = Math.max(worst, exitCode);
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  };
  const checked: Checked[] = [];
  for (const file of new Set(found.flatMap(({ manifests }) => manifests))) {
    const outcome = await check(file, xdm);
    tell(outcome);
    if (outcome.checked !== undefined) checked.push(outcome.checked);
  }
  const { records } = options;
  if (records !== undefined) await stat(records).catch(unreadable(records));
  const linesIn = records === undefined ? undefined : () => linesOf(records);
  for (const { mistakes, lines } of await checkRoutes(checked, linesIn))
    tell(mistakes.length > 0 ? wrong(lines[0] ?? '', mistakes) : { exitCode: 0, lines });
  for (const file of found.flatMap(({ strays }) => strays))
    tell(
      wrong(file, [
        `${RECORDS.test(file) ? 'records' : 'samples'} without a manifest: there is no ${basename(file).replace(SAMPLES, '.json').replace(RECORDS, '.json')}`,
      ]),
    );
  // Each by itself is right: whether they can be deployed together the build decides.
  if (worst === 0 && found.some(({ path }) => resolve(path) === DEPLOYED)) tell(together());
  for (const path of empty) tell({ exitCode: 0, lines: [`none    ${path}: there is no manifest in it`] });
  return worst;
}

/** @throws UsageError */
function optionsOf(
  args: string[],
): { files: string[]; xdm: string | undefined; records: string | undefined } | 'help' {
  try {
    const { values, positionals } = commandLine({
      args,
      allowPositionals: true,
      options: { xdm: { type: 'string' }, records: { type: 'string' }, help: { type: 'boolean' } },
    });
    if (values.help) return 'help';
    return { files: positionals, xdm: values.xdm, records: values.records };
  } catch (error) {
    throw error instanceof CommandLineError ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError */
async function manifestsIn(path: string): Promise<Found> {
  const there = await stat(path).catch(unreadable(path));
  if (!there.isDirectory()) {
    if (SAMPLES.test(path)) throw new UsageError(`${path} holds samples: name the manifest they belong to`);
    if (RECORDS.test(path)) throw new UsageError(`${path} holds records: name the manifest they belong to`);
    return { path, manifests: [path], strays: [] };
  }
  const names = (await readdir(path).catch(unreadable(path))).filter((name) => name.endsWith('.json')).sort();
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

async function check(file: string, xdm: Standard): Promise<Outcome> {
  try {
    const text = await readFile(file, 'utf8').catch(unreadable(file));
    const { manifest } = manifestInFile(text, file, 'the manifest');
    await checkSchemaOf(manifest);
    const samples = await beside(samplesFileOf(file), parseSamplesText);
    const records = await beside(recordsFileOf(file), parseRecordsText);
    const checked = await checkPipeline(manifest, samples, xdm);
    const { warnings } = checked;
    const mistakes = [
      ...checked.mistakes,
      ...(records === undefined ? [] : await recordMistakes(manifest, records)),
    ];
    const notes = warnings.map((warning) => `  warning: ${warning}`);
    if (mistakes.length > 0) return wrong(file, mistakes, notes);
    const counts = [
      counted(manifest.mapping?.length ?? 0, 'mapping'),
      counted(samples?.length ?? 0, 'sample'),
      ...(records === undefined ? [] : [counted(records.length, 'record')]),
    ].join(', ');
    const lines = [`ok      ${file}: ${counts}`, ...notes];
    return { exitCode: 0, lines, checked: { file, manifest, samples, records } };
  } catch (error) {
    if (error instanceof UsageError) return { ...wrong(file, [error.message]), exitCode: 2 };
    if (isFailure(error)) return wrong(file, error.what.trimEnd().split('\n'));
    throw error;
  }
}

function together(): Outcome {
  try {
    bundle();
    return { exitCode: 0, lines: [] };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return wrong(OWN[0] ?? DEPLOYED, [error.what, ...(error.next ? [error.next] : [])]);
  }
}

function wrong(file: string, mistakes: readonly string[], notes: readonly string[] = []): Outcome {
  return { exitCode: 1, lines: [`not ok  ${file}`, ...mistakes.map((line) => `  ${line}`), ...notes] };
}

async function beside<T>(file: string, parse: (text: string, origin: string) => T): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : unreadable(file)(error),
  );
  return text === undefined ? undefined : parse(text, basename(file));
}

const unreadable =
  (path: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw new UsageError(`${path} cannot be read (${error.code})`);
  };

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
