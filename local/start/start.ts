// `npm start`: a pipeline provisioned and its records delivered on this machine, with a report and an honest exit code.
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Manifest } from '../../lib/manifest.ts';
import type { Pipeline, Report } from '../../lib/pipeline.ts';
import { isPulled } from '../../lib/provision/resources/source.ts';
import { streamNameOf } from '../../lib/published.ts';
import { parseSamplesText, type Samples, samplesFileOf } from '../../lib/samples.ts';
import { manifestInFile } from '../../lib/schemas/files.ts';
import { createOutput } from '../../terminal/create-output.ts';
import { MistakeError, toldOf, unreadable, withHelp } from '../../terminal/mistake.ts';
import type { Output } from '../../terminal/output.ts';
import { conflictsIn, showPlan, showRun } from '../../terminal/report.ts';
import { RunFailedError } from '../../terminal/run-failed.ts';
import { tableLines } from '../../terminal/table.ts';
import { type Access, createAccess, tokenFrom } from '../aep/access.ts';
import type { FaultRun } from '../aep/faults.ts';
import { builtIn, type Standard } from '../aep/xdm/standard.ts';
import { saidOfParts } from '../check/schema-parts.ts';
import { startPage } from '../page/server.ts';
import { account, refusedLines, unroutedLines, type Written, writeLists } from './account.ts';
import { addressOf, writeAddress } from './address.ts';
import { changeMeanwhile } from './change.ts';
import { editOf } from './edit.ts';
import { readFaults } from './faults-file.ts';
import { carry, type Forwarded, prepareSource, provision, watchForwarding } from './journey.ts';
import { JourneyError } from './journey-error.ts';
import { keptLines, prepareHook } from './kept.ts';
import { HELP, OPTIONS_HELP, parseOptions, type StartOptions, UsageError, xdmIn } from './options.ts';
import { carryPulled, isSamePlace } from './pulled.ts';
import {
  decoded,
  type Encoding,
  EncodingError,
  filesOf,
  type Line,
  LineTooLongError,
  linesOf,
  sampleLines,
} from './records.ts';
import { showAccount } from './report.ts';
import { type RouteAccount, showRoutes } from './routes-report.ts';
import { isOfCustomers, recordsFor } from './sample-files.ts';
import { type Stack, startStack } from './stack.ts';
import { watchedOf } from './watched.ts';

/** States that take time, from `begin` to `release`: the Tasks, a kept resource's too, and the warm-up. */
const STATES = 18;

/** What was typed to start this: `penstock dev` starts it, too. */
const TYPED = process.env.PENSTOCK_TYPED ?? 'npm start';

/** Exit codes: 0 all accounted for, 1 not so, 2 the command line, the manifest or the records file is wrong. */
async function main(args: string[]): Promise<number> {
  const { stdout, stderr, stdin, env } = process;
  // As if it were asked politely to end; before that is heard of there is nothing to end.
  const onClosed = () => void process.emit('SIGTERM', 'SIGTERM');
  const output = createOutput({ isJson: false, stdout, stderr, stdin, env, onClosed });
  try {
    const given = parseOptions(args);
    if (given === 'help') {
      showHelp(output);
      return 0;
    }
    const options = withSampleRecords(given);
    const wanted = await readWanted(options.manifests);
    const [{ manifest }] = wanted;
    const changed = options.change === undefined ? undefined : await readChange(options.change, wanted);
    const faults = await readFaults(options.faults);
    if (manifest.source.kind === 'inlet' && !options.isEmpty) {
      fitsSampleCustomers(options, manifest);
      needsRecords(options);
    }
    const total = await countLines(options, manifest);
    const xdm = options.xdm === undefined ? undefined : await xdmIn(options.xdm);
    for (const one of wanted) needsXdm(one.file, one.manifest, xdm ?? builtIn);
    if (changed !== undefined) needsXdm(options.change ?? '', changed.manifest, xdm ?? builtIn);
    const access = accessOf(options);
    return await run({ options, wanted, changed, faults, xdm, access, total, output });
  } catch (error) {
    return complain(error, output);
  }
}

/** @throws UsageError where the token that somebody has chosen is none */
function accessOf({ needsToken }: StartOptions): Access {
  try {
    return createAccess(needsToken, tokenFrom(process.env));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A pipeline that is asked for. */
interface Wanted {
  readonly file: string;
  readonly manifest: Manifest;
  readonly samples: Samples | undefined;
}

interface Job {
  readonly options: StartOptions;
  /** One pipeline, or several of one stream. */
  readonly wanted: readonly [Wanted, ...Wanted[]];
  /** What one of them becomes while records come. */
  readonly changed: Wanted | undefined;
  readonly faults: FaultRun;
  /** What of Adobe's XDM the platform knows, where it is not what is built in. */
  readonly xdm: Standard | undefined;
  /** Who may look inside. */
  readonly access: Access;
  /** Records there will be. */
  readonly total: number;
  readonly output: Output;
}

async function run(job: Job): Promise<number> {
  const { options, wanted, changed, output } = job;
  const [{ manifest, file }] = wanted;
  const watch = watchForwarding();
  output.note('Starting the simulated Experience Platform and local AWS. Nothing leaves this machine.');
  const stack = await startStack({
    warmUpSeconds: options.warmUpSeconds,
    seed: options.seed,
    sandboxes: wanted.map((one) => one.manifest.sandbox),
    folder: resolve('.penstock', 'dead-letters', randomUUID()),
    shardLimits: manifest.source.kind === 'kinesis',
    onInvocation: watch.report,
    // As if the samples were deployed: a hook can start them.
    ...(isOfCustomers(file) && { pipelines: dirname(resolve(file)) }),
    ...(job.xdm && { xdm: job.xdm }),
    access: job.access,
    quirks: options.quirks,
    ...(options.verbose && {
      onLog: (name: string, line: string) => process.stderr.write(`[${name}] ${line}\n`),
    }),
  });
  const named = [...wanted, ...(changed === undefined ? [] : [changed])];
  const edit = options.edit && { edit: await editOf(named, job.xdm) };
  const page = await startPage({ ...watchedOf(stack), ...edit }, { access: stack.platform.access });
  output.line('Look at it while it runs:');
  output.whole(`  ${page.address}`);
  const signal = untilSignal();
  const keep = async () => {
    signal.ending.expected = true;
    await prepareHook(stack);
    const forget = await writeAddress(process.cwd(), addressOf(stack, options.warmUpSeconds));
    // What stands further in is for copying.
    for (const line of keptLines(stack, manifest.name, page.address))
      (line.startsWith(' ') ? output.whole : output.line)(line);
    await signal.came;
    await forget();
    return 0;
  };
  const work = async () => {
    if (options.isEmpty) return keep();
    await prepareSource(stack, manifest, options.shards);
    const pipelines = await provisionAll(stack, job);
    stack.platform.platform.faults.play(job.faults);
    const complete =
      manifest.source.kind === 'inlet'
        ? await forwardWith(stack, pipelines, watch, job)
        : await pullWith(stack, pipelines[0], job);
    if (options.retire) await retireWith(stack, job);
    if (options.keep) await keep();
    return complete ? 0 : 1;
  };
  try {
    return await Promise.race([work(), signal.unexpected]);
  } finally {
    output.stop();
    await page.close();
    await stack.close();
  }
}

const NOTHING_SENT =
  'AEP reads this source by itself. Nothing was put into it: add --records FILE to see what becomes of your records.';

/** Ctrl-C, or a polite kill. */
function untilSignal() {
  const came = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
  });
  // Set where a signal is the way to end it.
  const ending = { expected: false };
  const unexpected = came.then(() =>
    ending.expected ? new Promise<never>(() => undefined) : Promise.reject(interrupted()),
  );
  return { came, unexpected, ending };
}

/** Somebody wants it to end before it is done. */
function interrupted(): MistakeError {
  return new MistakeError(
    'INTERRUPTED',
    'everything that ran here is ended; nothing of it is kept but the dead-letter store',
    `${TYPED} starts anew.`,
  );
}

/** One after the other, as they would be deployed. */
async function provisionAll(stack: Stack, job: Job): Promise<[Pipeline, ...Pipeline[]]> {
  const [first, ...others] = job.wanted;
  const done: [Pipeline, ...Pipeline[]] = [await provisionWith(stack, first, job)];
  for (const one of others) done.push(await provisionWith(stack, one, job));
  return done;
}

async function provisionWith(
  stack: Stack,
  { manifest, samples }: Wanted,
  { options, wanted, output }: Job,
): Promise<Pipeline> {
  const { warmUpSeconds } = options;
  const work = await output.work(wanted.length > 1 ? `Provision ${manifest.name}` : 'Provision', STATES);
  let done = 0;
  try {
    const pipeline = await provision(stack, manifest, {
      warmUpSeconds,
      samples,
      onState({ type, state, stateType, attempt, error }) {
        if (type === 'retried') work.to(`${state}: ${error}, try ${(attempt ?? 0) + 1}`, done);
        if (type === 'entered' && stateType === 'Task') work.to(state, done);
        if (type === 'entered' && state === 'warm-up') work.to(`warm-up, ${warmUpSeconds} s at most`, done);
        if (type === 'exited' && (stateType === 'Task' || state === 'warm-up')) done++;
      },
    });
    work.done();
    return pipeline;
  } catch (error) {
    work.failed();
    throw error;
  }
}

async function forwardWith(
  stack: Stack,
  pipelines: readonly [Pipeline, ...Pipeline[]],
  watch: ReturnType<typeof watchForwarding>,
  { options, changed, total, output }: Job,
): Promise<boolean> {
  const [pipeline, ...others] = pipelines;
  const change = await changeFor(stack, { options, changed, total, output });
  const work = await output.work('Forward', total);
  try {
    const lines = linesFor(options, pipeline.manifest);
    const { written, routes, forwarded } = await carry(
      stack,
      pipeline,
      change?.during(lines) ?? lines,
      watch,
      (count) => work.to('', Math.min(count, total)),
    );
    work.done();
    // A change that fails does not take the records' account with it.
    let failed: unknown;
    const last = await change?.done().catch((error: unknown) => {
      failed = error;
      return undefined;
    });
    const isComplete =
      others.length === 0
        ? await tell(stack, last ?? pipeline, written, { forwarded }, output)
        : await tellRoutes(stack, replaced(pipelines, last), routes, forwarded, output);
    if (failed !== undefined) throw failed;
    return isComplete && (changed === undefined || change !== undefined);
  } catch (error) {
    work.failed();
    throw error;
  }
}

/** Puts the records into the source that AEP reads by itself, and waits until it has read them. */
async function pullWith(
  stack: Stack,
  pipeline: Pipeline,
  { options, changed, total, output }: Job,
): Promise<boolean> {
  if (total === 0) {
    await showRun(output, pipeline.report as Report);
    output.line();
    output.line(NOTHING_SENT);
    return true;
  }
  const change = await changeFor(stack, { options, changed, total, output });
  const work = await output.work('Read', total);
  try {
    const lines = linesFor(options, pipeline.manifest);
    const { written, reading } = await carryPulled(
      stack,
      pipeline,
      change?.during(lines) ?? lines,
      (count) => work.to('', Math.min(count, total)),
      change?.done,
    );
    work.done();
    const isComplete = await tell(stack, (await change?.done()) ?? pipeline, written, { reading }, output);
    return isComplete && (changed === undefined || change !== undefined);
  } catch (error) {
    work.failed();
    throw error;
  }
}

/** Says what became of the records. @returns whether each is accounted for */
async function tell(
  stack: Stack,
  pipeline: Pipeline,
  written: Written,
  by: Parameters<typeof showAccount>[1]['by'],
  output: Output,
): Promise<boolean> {
  const counted = await account(stack, written);
  const datasetId = pipeline.resources.dataset?.id ?? '';
  const rows = await stack.readBack(datasetId, 3);
  const later = refusedLines(await stack.refusals(datasetId, counted.refusedLater), written);
  const list = await writeLists(stack.deadLettersFolder, counted, later);
  const losses = stack.losses();
  await showAccount(output, { pipeline, account: counted, by, rows, later, list, losses });
  return counted.complete;
}

/** The same pipelines, one of them as it was changed. */
function replaced(pipelines: readonly Pipeline[], changed: Pipeline | undefined): readonly Pipeline[] {
  return pipelines.map((one) => (one.manifest.name === changed?.manifest.name ? changed : one));
}

/** Says what became of the records on each route. @returns whether each is accounted for */
async function tellRoutes(
  stack: Stack,
  pipelines: readonly Pipeline[],
  routes: ReadonlyMap<string, Written>,
  forwarded: Forwarded,
  output: Output,
): Promise<boolean> {
  const accounts: RouteAccount[] = [];
  for (const pipeline of pipelines) {
    const written = routes.get(pipeline.manifest.name);
    if (written === undefined) continue;
    const counted = await account(stack, written);
    const datasetId = pipeline.resources.dataset?.id ?? '';
    const rows = await stack.readBack(datasetId, 1);
    const later = refusedLines(await stack.refusals(datasetId, counted.refusedLater), written);
    accounts.push({ pipeline, account: counted, rows, later });
  }
  const rejects = accounts.flatMap((one) => [...one.account.rejected, ...one.later]);
  const list = await writeLists(stack.deadLettersFolder, { ...NOTHING_LEFT, rejected: rejects }, []);
  const unrouted = unroutedLines([...routes.values()]);
  await showRoutes(output, { accounts, unrouted, forwarded, list });
  return accounts.length === pipelines.length && accounts.every((one) => one.account.complete);
}

const NOTHING_LEFT = { unsent: [], dropped: [] };

/** The change, its plan shown; `undefined` where there is none, or it is refused: the records are sent all the same. */
async function changeFor(
  stack: Stack,
  { options, changed, total, output }: Pick<Job, 'options' | 'changed' | 'total' | 'output'>,
) {
  if (changed === undefined) return undefined;
  const { warmUpSeconds } = options;
  const change = changeMeanwhile(stack, { ...changed, warmUpSeconds, total });
  const work = await output.work('Plan the change');
  // Nobody can name its token here.
  const { token: _, ...report } = await change.plan();
  work.done();
  output.line();
  await showPlan(output, report);
  if (conflictsIn(report).length === 0) return change;
  output.line();
  output.line('The change is refused, so the pipeline stays as it is. Its records are sent.');
  return undefined;
}

async function retireWith(stack: Stack, { wanted, changed, options, output }: Job): Promise<void> {
  const { warmUpSeconds } = options;
  for (const { manifest } of wanted) {
    const last = changed?.manifest.name === manifest.name ? changed.manifest : manifest;
    const work = await output.work(`Retire ${manifest.name}`);
    const { report } = await provision(stack, last, { warmUpSeconds, drainSeconds: 2, mode: 'retire' });
    work.done();
    output.line();
    await showRun(output, report as Report);
  }
}

/** @throws UsageError where several are no routes of one stream */
async function readWanted(files: readonly [string, ...string[]]): Promise<[Wanted, ...Wanted[]]> {
  const [file, ...others] = files;
  const all: [Wanted, ...Wanted[]] = [await readOne(file)];
  for (const other of others) {
    const one = await readOne(other);
    const same = all.find(({ manifest }) => manifest.name === one.manifest.name);
    if (same !== undefined)
      throw new UsageError(`--manifest: ${same.file} and ${other} are of one pipeline, ${one.manifest.name}`);
    const [stream, found] = [streamOf(all[0].manifest), streamOf(one.manifest)];
    if (stream === undefined || stream !== found)
      throw new UsageError(
        `--manifest: several manifests must be inlets of one stream; ${file} has ${stream ?? 'none'}, ${other} has ${found ?? 'none'}`,
      );
    all.push(one);
  }
  return all;
}

async function readOne(file: string): Promise<Wanted> {
  return { file, manifest: await readManifest(file), samples: await readSamples(file) };
}

/** The stream's name, where the source is an inlet. */
function streamOf({ source }: Manifest): string | undefined {
  return source.kind === 'inlet' ? streamNameOf(source.stream) : undefined;
}

async function readManifest(file: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(`--manifest: ${file}`, error);
  });
  return manifestInFile(text, file).manifest;
}

/** @throws UsageError where it is another pipeline's */
async function readChange(file: string, wanted: readonly Wanted[]) {
  const manifest = await readManifest(file);
  const before = wanted.find((one) => one.manifest.name === manifest.name)?.manifest;
  if (before === undefined) {
    const names = wanted.map((one) => one.manifest.name).join(' or ');
    throw new UsageError(
      `--change: ${file} must be a manifest of the pipeline ${names}, not of ${manifest.name}`,
    );
  }
  const { source } = before;
  // A change to or from an inlet is for the plan to refuse.
  if (isPulled(source) && isPulled(manifest.source) && !isSamePlace(source, manifest.source))
    throw new UsageError(`--change: ${file} must read from the same source: its records are put there`);
  return { file, manifest, samples: await readSamples(file) };
}

/** The file beside the manifest, where there is one. */
async function readSamples(manifestFile: string): Promise<Samples | undefined> {
  const file = samplesFileOf(manifestFile);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(file, error);
  });
  return text === undefined ? undefined : parseSamplesText(text, file);
}

function linesFor(options: StartOptions, manifest: Manifest) {
  if (options.records !== undefined) return recordsOf(options.records, options.encoding);
  const { generate: count, seed, recordBytes: bytes } = options;
  return sampleLines({ count, seed, bytes, data: manifest.source.data });
}

/** An example that AEP reads by itself has records of its own; the sample customers go into it only where they are asked for. */
function withSampleRecords(options: StartOptions): StartOptions {
  if (options.records !== undefined || options.areSamples) return options;
  const [records, ...others] = new Set(options.manifests.map(recordsFor));
  return others.length > 0 ? options : { ...options, records };
}

/** The sample customers are no records of somebody else's manifest. @throws UsageError */
function needsRecords({ manifests, records, areSamples }: StartOptions): void {
  if (records !== undefined || areSamples || manifests.every(isOfCustomers)) return;
  throw new UsageError(
    `--manifest ${manifests.join(' --manifest ')} needs records of its own: add --records FILE, or --generate N for the sample customers`,
  );
}

/** The sample customers are JSON, which no other format reads. @throws UsageError */
function fitsSampleCustomers({ manifests, records }: StartOptions, { source }: Manifest): void {
  const kind = source.kind === 'inlet' ? source.format?.kind : undefined;
  if (records !== undefined || kind === undefined || !NOT_OF_CUSTOMERS.has(kind)) return;
  throw new UsageError(
    `--manifest ${manifests[0]} has records of the format ${kind}, and the sample customers are JSON. Add --records FILE, with --encoding base64 for any bytes`,
  );
}

const NOT_OF_CUSTOMERS: ReadonlySet<string> = new Set(['avro', 'protobuf', 'csv', 'tsv', 'cloudwatch-logs']);

/** What Adobe has and the simulated platform does not is no conflict of the pipeline's. @throws UsageError */
function needsXdm(file: string, { schema }: Manifest, xdm: Standard): void {
  const lines = 'id' in schema ? [] : saidOfParts(schema, xdm).elsewhere;
  if (lines.length > 0) throw new UsageError(`${file}:\n  ${lines.join('\n  ')}`);
}

/** How many records there will be; also says early what of them cannot be read. */
async function countLines(
  { records, encoding, generate, areSamples }: StartOptions,
  { source }: Manifest,
): Promise<number> {
  // The sample customers fit no source that AEP reads by itself, unless somebody asks for them.
  if (records === undefined) return source.kind === 'inlet' || areSamples ? generate : 0;
  let count = 0;
  try {
    for await (const _ of recordsOf(records, encoding)) count++;
  } catch (error) {
    if (error instanceof EncodingError || error instanceof LineTooLongError)
      throw new UsageError(`--records: ${records}: ${error.message}`);
    throw unreadable(`--records: ${records}`, error);
  }
  if (count === 0) throw new UsageError(`--records: ${records} has no record in it`);
  return count;
}

async function* recordsOf(path: string, encoding: Encoding): AsyncGenerator<Line> {
  if ((await stat(path)).isDirectory()) yield* filesOf(path);
  else yield* decoded(linesOf(path), encoding);
}

/** A line is no longer than this where no terminal is narrower. */
const HELP_COLUMNS = 120;

function showHelp(output: Output): void {
  output.line(HELP);
  const rows = OPTIONS_HELP.map(([option, purpose]) => [`  ${option}`, purpose]);
  for (const line of tableLines([], rows, Math.min(output.width, HELP_COLUMNS), output.colours))
    output.whole(line);
}

async function complain(error: unknown, output: Output): Promise<number> {
  if (error instanceof RunFailedError && error.report !== undefined)
    await showRun(output, error.report, { isError: true });
  const said = withHelp(
    unwritable(error) ?? error,
    TYPED === 'npm start' ? 'npm start -- --help' : `${TYPED} --help`,
  );
  output.error(said);
  const isOfRun = said instanceof RunFailedError || said instanceof JourneyError;
  const code = isOfRun ? undefined : toldOf(said)?.code;
  if (code === 'INTERRUPTED') return 130;
  return code === undefined || code === 'FILE_UNWRITABLE' ? 1 : 2;
}

function unwritable(error: unknown): MistakeError | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EROFS') return undefined;
  const next = 'The dead-letter store is kept in .penstock/ below this folder: make it writable.';
  return new MistakeError('FILE_UNWRITABLE', message, next, error);
}

const code = await main(process.argv.slice(2));
process.exitCode = code;
// What was interrupted may still be waiting for something.
if (code === 130) process.exit();
