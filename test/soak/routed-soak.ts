// The soak of several routes: records of every kind over real sockets into one stream's pipelines, whose inlets go wrong in
// every way, one of which refuses for a while and one of which parks, while the forwarder is killed again and again; and what has become of
// each record on each route.

import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { functionName } from '../../local/start/functions.ts';
import { generator } from '../../local/start/samples.ts';
import type { CopiesFound } from './copies.ts';
import { type Struck, setFaults } from './faults.ts';
import type { Findings } from './oracle.ts';
import { type Put, rawRecord } from './records.ts';
import type { RoutedSoakOptions } from './routed-options.ts';
import {
  changeRoutedBatchSize,
  createRoutedWorld,
  PARKS,
  type RoutedWorld,
  STREAM,
  type Watched,
} from './routed-world.ts';
import { fieldsBy, type RoutingFields } from './routes.ts';
import { batched, handedOver, MOST_UNDER_WAY, put } from './soak.ts';

export interface RouteResult {
  readonly name: string;
  readonly sandbox: string;
  readonly findings: Findings;
  readonly copies: CopiesFound;
  readonly requests: number;
  readonly bytes: number;
}

export interface RoutedSoakResult {
  readonly options: RoutedSoakOptions;
  readonly routes: readonly RouteResult[];
  readonly struck: readonly Struck[];
  /** Requests that the route which was out refused, and how often it was out. */
  readonly outages: { readonly times: number; readonly refused: number };
  /** Of the route that parks: the most documents there were, what was sent of them, and how many are left. */
  readonly parking: {
    readonly documents: number;
    readonly sent: number;
    readonly left: number;
    readonly ended: number;
    readonly refused: number;
  };
  readonly kills: { readonly processes: number; readonly invocations: number };
  readonly invocations: number;
  readonly redelivered: number;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** What is wrong, if anything. */
  readonly wrong: readonly string[];
}

const KEYS = 500;

type Job = RoutedSoakOptions & { readonly signal: AbortSignal };

/** Runs it. What goes wrong with records is in the result; only a broken set-up throws. */
export async function soakRouted(options: RoutedSoakOptions): Promise<RoutedSoakResult> {
  const folder = join(tmpdir(), `penstock-soak-routed-${process.pid}-${options.seed}`);
  const world = await createRoutedWorld(options, folder);
  try {
    const struck = setFaults(world.stack.platform.platform.faults, world.inlets, options);
    const started = performance.now();
    const parked = parkedIn(folder, world);
    const late = await carry(world, options, parked);
    const seconds = (performance.now() - started) / 1_000;
    const measured = await measure(world, parked);
    await world.stack.close();
    for (const { name, oracle } of world.routes) {
      const own = join(folder, 'rejected', name);
      await mkdir(own, { recursive: true });
      await oracle.store(own);
    }
    return judge({
      options,
      ...measured,
      routes: world.routes.map(resultOf),
      seconds,
      struck: struck(),
      late,
    });
  } finally {
    await world.stack.close().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes everything and waits until it is settled. @returns why not, where it was not in time */
async function carry(
  world: RoutedWorld,
  options: RoutedSoakOptions,
  parked: Parked,
): Promise<string | undefined> {
  const { kills, stack } = world;
  const written = { records: 0 };
  // What is given up must not go on in the background.
  const end = new AbortController();
  const job = { ...options, signal: end.signal };
  const progress = setInterval(() => options.say(progressOf(world, written.records)), 5_000);
  let landed = 0;
  const killing = setInterval(() => {
    const now = landedIn(world);
    // On a machine that is busy it may take longer than that to begin anew, and would never get anywhere.
    if (now === landed) return;
    landed = now;
    void kills.strike();
  }, options.killEveryMs);
  const over = Promise.withResolvers<string>();
  const deadline = setTimeout(
    () => over.resolve(`not everything was settled within ${options.deadlineMs / 1_000} s`),
    options.deadlineMs,
  );
  kills.armed = true;
  const work = async (): Promise<undefined> => {
    await Promise.all([
      writeAll(world, job, written),
      changeMidway(world, job),
      troubles(world, job, parked),
    ]);
    await stack.aws.mappings.drained(STREAM);
    await sendParked(world, job, parked);
    await stack.platform.platform.idle();
  };
  try {
    return await Promise.race([work(), over.promise]);
  } finally {
    end.abort();
    kills.armed = false;
    clearInterval(progress);
    clearInterval(killing);
    clearTimeout(deadline);
  }
}

/** Rows where all go, the copies among them. */
function landedIn({ routes }: RoutedWorld): number {
  return routes[0]?.landed ?? 0;
}

async function landedUpTo(world: RoutedWorld, share: number, { records, signal }: Job): Promise<void> {
  while (landedIn(world) < records * share) await pause(20, undefined, { signal });
}

/** A trigger that is changed lets its invocations end, and begins again behind the checkpoints. */
async function changeMidway(world: RoutedWorld, job: Job): Promise<void> {
  await landedUpTo(world, 0.5, job);
  await changeRoutedBatchSize(world.stack, job.batchSizeLater);
}

/** One after the other: nothing is parked while another route holds the shard. */
async function troubles(world: RoutedWorld, job: Job, parked: Parked): Promise<void> {
  const all = [
    ...job.outagesAt.map((share) => ({ share, begin: () => goOut(world, job) })),
    { share: job.parksAt, begin: () => goAway(world, job, parked) },
  ];
  for (const { share, begin } of all.toSorted((a, b) => a.share - b.share)) {
    await landedUpTo(world, share, job);
    await begin();
  }
}

/** One route refuses until it has refused so many requests. */
async function goOut({ outage }: RoutedWorld, job: Job): Promise<void> {
  outage.number++;
  outage.left = job.refusals;
  while (outage.left > 0) await pause(20, undefined, { signal: job.signal });
}

/** What is parked in the store: how many documents now, and the most there were. */
interface Parked {
  most: number;
  now(): Promise<number>;
}

/** Each document is told to the route's witness too, when it is seen for the first time. */
function parkedIn(folder: string, { routes, killsUntil }: RoutedWorld): Parked {
  const route = routes[PARKS];
  const own = join(folder, 'parked', route?.name ?? '');
  const seen = new Set<string>();
  const parked: Parked = {
    most: 0,
    async now() {
      const files = await readdir(own, { recursive: true }).catch(() => []);
      const documents = files.filter((file) => file.endsWith('.json'));
      parked.most = Math.max(parked.most, documents.length);
      const added = documents.filter((file) => !seen.has(file));
      for (const file of added) seen.add(file);
      const read = await Promise.all(added.map((file) => parkedRecords(join(own, file), route)));
      for (const { records, stored } of read.toSorted((a, b) => a.stored - b.stored))
        route?.copies.parked(records, killsUntil(stored));
      return documents.length;
    },
  };
  return parked;
}

/** The records of a document and when it was stored. Redrive may have sent and removed it: nothing is known of it then. */
async function parkedRecords(file: string, route: Watched | undefined) {
  try {
    const [{ mtimeMs: stored }, text] = await Promise.all([stat(file), readFile(file, 'utf8')]);
    const { entries = [] } = JSON.parse(text) as { entries?: readonly { data: string }[] };
    const records = entries.map(({ data }) => route?.oracle.recordIn(Buffer.from(data, 'base64')));
    return { stored, records: records.filter((one) => one !== undefined) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { stored: 0, records: [] };
  }
}

/** The inlet of the route that parks is away until so many documents are parked; the schedule has them sent then. */
async function goAway(world: RoutedWorld, job: Job, parked: Parked): Promise<void> {
  world.parking.isOut = true;
  while ((await parked.now()) < job.parked) {
    await pause(50, undefined, { signal: job.signal });
    // While it is away, the schedule tries it too.
    if (world.parking.refused % 5 === 0) await reconcile(world);
  }
  world.parking.isOut = false;
  await sendParked(world, job, parked);
}

/** As the schedule does, only more often. A redrive that it starts finds another one at work, or nothing. */
async function sendParked(world: RoutedWorld, { signal }: Job, parked: Parked): Promise<void> {
  while ((await parked.now()) > 0) {
    await reconcile(world);
    // A document that is parked and sent between two looks is not seen.
    for (let looks = 0; looks < 10; looks++) {
      await pause(50, undefined, { signal });
      await parked.now();
    }
  }
}

async function reconcile({ stack, routes }: RoutedWorld): Promise<void> {
  const event = { pipeline: routes[PARKS]?.name };
  // The faults meet it too, as it asks AEP: it has started redrive by then, and comes again.
  await stack.aws.functions.invoke(functionName('reconcile'), event);
}

function progressOf({ routes, kills, outage }: RoutedWorld, written: number): string {
  const landed = routes.map(({ name, landed: rows }) => `${name} ${rows}`).join(', ');
  const out = outage.left > 0 ? `, ${outage.left} requests still to be refused` : '';
  return `${written} written, landed: ${landed}, ${kills.processes} processes killed${out}`;
}

async function writeAll(
  { stack, routes }: RoutedWorld,
  { records, seed, signal }: Job,
  written: { records: number },
): Promise<void> {
  for (const batch of batched(puts(routes, records, seed))) {
    while (written.records - handedOver(stack, STREAM) > MOST_UNDER_WAY)
      await pause(20, undefined, { signal });
    await put(stack.kinesis, STREAM, batch);
    written.records += batch.length;
  }
}

/** Raw records of every kind with the fields that routes choose by; each is noted by every route's witness. */
function* puts(routes: readonly Watched[], records: number, seed: number): Generator<Put> {
  const random = generator(seed);
  for (let index = 0; index < records; index++) {
    const { json, ...made } = rawRecord(index, index, random);
    const fields = fieldsBy(random);
    const bytes = withFields(made.bytes, fields);
    const canBeRead = made.fate !== 'unfit' || made.isReadable === true;
    for (const { takes, where, oracle } of routes) {
      // What cannot be read is kept once, by the route that takes everything.
      const isTaken = canBeRead ? takes(fields) : where === undefined;
      oracle.write(index, isTaken ? made.fate : 'elsewhere', bytes, json && withFields(json, fields));
    }
    yield { PartitionKey: `key-${index % KEYS}`, Data: bytes };
  }
}

/** Puts the fields before the first name, which stands in each of them. As bytes, since some are not UTF-8. */
function withFields(record: Buffer, fields: RoutingFields): Buffer {
  const at = record.indexOf('"firstName"');
  if (at === -1) return record;
  const more = Object.entries(fields).map(([name, value]) => `"${name}":"${value}",`);
  return Buffer.concat([record.subarray(0, at), Buffer.from(more.join('')), record.subarray(at)]);
}

function resultOf({ name, sandbox, oracle, copies, traffic }: Watched): RouteResult {
  return { name, sandbox, findings: oracle.findings(), copies: copies.found(), ...traffic };
}

/** What is known when all is over, and gone when the stack is closed. */
async function measure(
  { stack, kills, invocations, miscounts, outage, parking, routes }: RoutedWorld,
  parked: Parked,
) {
  const { redelivered, discarded } = stack.aws.mappings.progress(STREAM);
  const endedBy = (how: string) => invocations.filter(({ reason }) => reason?.includes(how)).length;
  return {
    outages: { times: outage.number, refused: outage.refused },
    parking: {
      left: await parked.now(),
      documents: parked.most,
      sent: parking.sent,
      ended: parking.ended,
      refused: parking.refused,
    },
    kills: { processes: kills.processes, invocations: endedBy('SIGKILL') },
    timedOut: endedBy('timed out'),
    invocations: invocations.length,
    redelivered,
    discarded,
    counts: { ...stack.platform.platform.state.counts },
    rows: routes.map(({ landed }) => landed),
    miscounts: miscounts.length,
    peakMemoryBytes: stack.aws.functions.memory(functionName('forward')),
  };
}

type Measured = Awaited<ReturnType<typeof measure>> &
  Pick<RoutedSoakResult, 'options' | 'seconds' | 'struck' | 'routes'> & { readonly late: string | undefined };

type Check = readonly [holds: boolean, otherwise: string];

function judge({ late, discarded, timedOut, counts, rows, miscounts, ...rest }: Measured): RoutedSoakResult {
  const { routes, struck, kills, options, outages, parking } = rest;
  const never = struck.filter(({ times }) => times === 0).map(({ name }) => name);
  const all = rows.reduce((sum, one) => sum + one, 0);
  const checks: Check[] = [
    [late === undefined, late ?? ''],
    [routes[0]?.findings.written === options.records, 'not all records were written'],
    ...routes.flatMap((route, index) => checksOf(route, rows[index] ?? 0, rest)),
    [outages.times === options.outagesAt.length, `the route was out ${outages.times} times`],
    [parking.documents >= options.parked, `${parking.documents} documents were parked`],
    [parking.left === 0, `${parking.left} documents are still parked`],
    [parking.sent > 0 && parking.ended > 0, 'nothing that was parked was sent, or its outage did not end'],
    [discarded === 0, `Lambda gave ${discarded} records up`],
    [timedOut === 0, `${timedOut} invocations ran out of time`],
    [miscounts === 0, `the forwarder has miscounted in ${miscounts} invocations`],
    [counts.landed === all, `the platform counts ${counts.landed} rows, and ${all} were seen`],
    [
      counts.lost + counts.refused === 0,
      `${counts.lost} messages were lost in AEP, ${counts.refused} refused later`,
    ],
    [never.length === 0, `never happened: ${never.join(', ')}`],
    [kills.invocations > 0, 'no kill met an invocation'],
  ];
  return { ...rest, wrong: checks.filter(([holds]) => !holds).map(([, what]) => what) };
}

function checksOf(
  { name, findings, copies }: RouteResult,
  rows: number,
  { redelivered }: Pick<Measured, 'redelivered'>,
): Check[] {
  const explained = findings.unacknowledged + copies.afterKills + copies.parkedTwice;
  const of = (text: string) => `${name}: ${text}`;
  return [
    [findings.written > 0, of('nothing was for it')],
    [findings.lost === 0, of(`${findings.lost} records are lost`)],
    [findings.phantoms === 0, of(`${findings.phantoms} phantoms`)],
    [findings.altered === 0, of(`${findings.altered} times the bytes were altered`)],
    [findings.misplaced === 0, of(`${findings.misplaced} records are where they must not be`)],
    [findings.landed + findings.duplicates === rows, of(`it has ${rows} rows, and others were seen`)],
    [
      findings.duplicates <= explained + copies.unexplained,
      of(`${findings.duplicates} duplicates, and ${explained} at most can be explained`),
    ],
    [
      copies.unexplained <= mostUnexplained(findings),
      of(`${copies.unexplained} were taken again, and nothing had died`),
    ],
    [copies.moreInOutage === 0, of(`${copies.moreInOutage} were taken more than twice during an outage`)],
    [copies.afterKills <= redelivered, of(`${copies.afterKills} taken again, ${redelivered} handed over`)],
  ];
}

/**
 * A message is sent once more to show that the inlet takes anything, and a mark may not be written in time on a busy machine.
 * Without marks it is several times as many.
 */
function mostUnexplained({ written }: Findings): number {
  return Math.max(5, written / 200);
}
