// The soak: records of every kind over real sockets into two pipelines whose inlets go wrong in every way, while the forwarder is
// killed again and again; and what has become of each of them.

import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { functionName } from '../../local/start/functions.ts';
import { generator } from '../../local/start/samples.ts';
import type { Stack } from '../../local/start/stack.ts';
import { type InletPaths, type Struck, setFaults } from './faults.ts';
import type { SoakOptions } from './options.ts';
import type { Findings } from './oracle.ts';
import { AGGREGATED, aggregatedPuts, type Put, rawPuts } from './records.ts';
import { changeBatchSize, createWorld, type World } from './world.ts';

export interface SoakResult {
  readonly options: SoakOptions;
  readonly findings: Findings;
  readonly struck: readonly Struck[];
  /** Every process of the forwarder ended with SIGKILL; and how many invocations were under way in them. */
  readonly kills: { readonly processes: number; readonly invocations: number };
  readonly invocations: number;
  /** Messages that Lambda handed over again. */
  readonly redelivered: number;
  /** The most duplicates that the faults and kills which happened allow. */
  readonly bound: number;
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Of the largest process of the forwarder. */
  readonly peakMemoryBytes: number;
  /** What is wrong, if anything. */
  readonly wrong: readonly string[];
}

/** The producer waits while so many records are on their way. */
export const MOST_UNDER_WAY = 40_000;
const MOST_IN_A_PUT = 500;
const MOST_BYTES_IN_A_PUT = 4 * 1024 * 1024;
/** Of all records, this part is raw; the rest is pre-transformed and aggregated. */
const RAW_SHARE = 0.7;

const STREAMS = ['soak-raw', 'soak-xdm'] as const;

/** What can be broken off. */
type Job = SoakOptions & { readonly signal: AbortSignal };

/** Runs it. What goes wrong with records is in the result; only a broken set-up throws. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const folder = join(tmpdir(), `penstock-soak-${process.pid}-${options.seed}`);
  const world = await createWorld(options, folder);
  try {
    const struck = setFaults(world.stack.platform.platform.faults, pathsOf(world.inlets), options);
    const started = performance.now();
    const late = await carry(world, options);
    const seconds = (performance.now() - started) / 1_000;
    const measured = measure(world);
    await world.stack.close();
    await world.oracle.store(folder);
    return judge({
      options,
      ...measured,
      seconds,
      struck: struck(),
      findings: world.oracle.findings(),
      late,
    });
  } finally {
    await world.stack.close().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

function pathsOf({ raw, xdm }: World['inlets']): InletPaths {
  return { raw: [raw], xdm: [xdm] };
}

/** Writes everything and waits until it is settled. @returns why not, where it was not in time */
async function carry(world: World, options: SoakOptions): Promise<string | undefined> {
  const { kills, stack } = world;
  const written = { records: 0 };
  // What is given up must not go on in the background.
  const end = new AbortController();
  const job = { ...options, signal: end.signal };
  const progress = setInterval(() => options.say(progressOf(world, written.records)), 5_000);
  const { counts } = stack.platform.platform.state;
  let landed = 0;
  const killing = setInterval(() => {
    // On a machine that is busy it may take longer than that to begin anew, and would never get anywhere.
    if (counts.landed === landed) return;
    landed = counts.landed;
    void kills.strike();
  }, options.killEveryMs);
  const over = Promise.withResolvers<string>();
  const deadline = setTimeout(
    () => over.resolve(`not everything was settled within ${options.deadlineMs / 1_000} s`),
    options.deadlineMs,
  );
  kills.armed = true;
  const work = async (): Promise<undefined> => {
    await Promise.all([writeAll(world, job, written), changeMidway(world, job)]);
    await Promise.all(STREAMS.map((stream) => stack.aws.mappings.drained(stream)));
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

/** A mapping that is changed lets its invocations end, and begins again behind the checkpoints. */
async function changeMidway({ stack }: World, { records, batchSizeLater, signal }: Job): Promise<void> {
  const { counts } = stack.platform.platform.state;
  while (counts.landed < records / 2) await pause(50, undefined, { signal });
  await Promise.all([
    changeBatchSize(stack, 'raw', batchSizeLater.raw),
    changeBatchSize(stack, 'xdm', batchSizeLater.xdm),
  ]);
}

function progressOf({ stack, traffic, kills }: World, written: number): string {
  const { counts } = stack.platform.platform.state;
  return `${written} written, ${counts.landed} landed, ${traffic.requests} requests, ${kills.processes} processes killed`;
}

async function writeAll(
  { stack, oracle }: World,
  { records, seed, signal }: Job,
  written: { records: number },
): Promise<void> {
  const aggregates = Math.floor((records * (1 - RAW_SHARE)) / AGGREGATED);
  const border = records - aggregates * AGGREGATED;
  const [random, other] = [generator(seed), generator(seed + 1)];
  const write = async (stream: string, puts: Iterable<Put>, weight: number) => {
    let own = 0;
    for (const batch of batched(puts)) {
      while ((own - handedOver(stack, stream)) * weight > MOST_UNDER_WAY)
        await pause(20, undefined, { signal });
      await put(stack.kinesis, stream, batch);
      own += batch.length;
      written.records += batch.length * weight;
    }
  };
  await Promise.all([
    write('soak-raw', rawPuts(oracle, 0, border, random), 1),
    write('soak-xdm', aggregatedPuts(oracle, border, records, other), AGGREGATED),
  ]);
}

export function handedOver(stack: Stack, stream: string): number {
  const { records, redelivered } = stack.aws.mappings.progress(stream);
  return records - redelivered;
}

export function* batched(puts: Iterable<Put>): Generator<Put[]> {
  let batch: Put[] = [];
  let bytes = 0;
  for (const one of puts) {
    if (batch.length === MOST_IN_A_PUT || bytes + one.Data.length > MOST_BYTES_IN_A_PUT) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += one.Data.length;
  }
  if (batch.length > 0) yield batch;
}

export async function put(kinesis: KinesisClient, stream: string, batch: readonly Put[]): Promise<void> {
  const answer = await kinesis.send(new PutRecordsCommand({ StreamName: stream, Records: [...batch] }));
  if (answer.FailedRecordCount !== 0)
    throw new Error(`Kinesis did not take ${answer.FailedRecordCount} records`);
}

/** What is known when all is over, and gone when the stack is closed. */
function measure({ stack, kills, traffic, invocations, miscounts }: World) {
  const { counts } = stack.platform.platform.state;
  const [raw, xdm] = STREAMS.map((stream) => stack.aws.mappings.progress(stream));
  const endedBy = (how: string) => invocations.filter(({ reason }) => reason?.includes(how)).length;
  return {
    kills: { processes: kills.processes, invocations: endedBy('SIGKILL') },
    timedOut: endedBy('timed out'),
    invocations: invocations.length,
    redelivered: (raw?.redelivered ?? 0) + (xdm?.redelivered ?? 0) * AGGREGATED,
    discarded: (raw?.discarded ?? 0) + (xdm?.discarded ?? 0),
    counts: { ...counts },
    miscounts: miscounts.length,
    requests: traffic.requests,
    bytes: traffic.bytes,
    peakMemoryBytes: stack.aws.functions.memory(functionName('forward')),
  };
}

type Measured = ReturnType<typeof measure> &
  Pick<SoakResult, 'options' | 'seconds' | 'struck' | 'findings'> & { readonly late: string | undefined };

function judge({ late, discarded, timedOut, counts, miscounts, ...rest }: Measured): SoakResult {
  const { findings, struck, kills, redelivered } = rest;
  // A copy is made where a request is sent again although it was taken, because no answer said so; and where Lambda hands
  // a record over again. Nothing else makes one.
  const bound = findings.unacknowledged + redelivered;
  const never = struck.filter(({ times }) => times === 0).map(({ name }) => name);
  const rows = findings.landed + findings.duplicates;
  const checks: [boolean, string][] = [
    [late === undefined, late ?? ''],
    [findings.written === rest.options.records, `${findings.written} records were written`],
    [findings.lost === 0, `${findings.lost} records are lost`],
    [findings.phantoms === 0, `${findings.phantoms} phantoms`],
    [findings.altered === 0, `${findings.altered} times the bytes were altered`],
    [findings.misplaced === 0, `${findings.misplaced} records are where they must not be`],
    [
      findings.duplicates <= bound,
      `${findings.duplicates} duplicates, and ${bound} at most can be explained`,
    ],
    [findings.duplicates > 0, 'nothing was ever sent twice: the faults did not do their work'],
    [discarded === 0, `Lambda gave ${discarded} records up`],
    [timedOut === 0, `${timedOut} invocations ran out of time`],
    [miscounts === 0, `the forwarder has miscounted in ${miscounts} invocations`],
    [counts.landed === rows, `the platform counts ${counts.landed} rows, and ${rows} were seen`],
    [
      counts.lost + counts.refused === 0,
      `${counts.lost} messages were lost in AEP, ${counts.refused} refused later`,
    ],
    [never.length === 0, `never happened: ${never.join(', ')}`],
    [kills.invocations > 0, 'no kill met an invocation'],
  ];
  return { ...rest, bound, wrong: checks.filter(([holds]) => !holds).map(([, what]) => what) };
}
