// The measurements: which candidates, on what, how often. Each sample is checked against what the inlet has counted.
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { eventText } from './event.ts';
import type { Load, Sample } from './load.ts';
import { limit } from './quota.ts';
import { linesOf } from './records.ts';
import { SyslogNg } from './syslog-ng.ts';
import {
  bodiesFolder,
  type Candidate,
  coldStart,
  eventFile,
  type Inlet,
  Loader,
  PACKAGED,
  type Scheme,
} from './world.ts';

export interface Case {
  readonly scheme: Scheme;
  readonly latencyMs: number;
  readonly records: number;
  readonly bytes: number;
  /** Events of one sample. */
  readonly events: number;
  readonly rounds: number;
  readonly concurrent?: number;
  /** Connections are used once. */
  readonly closes?: boolean;
}

export type Samples = Partial<Record<Candidate, Sample[]>>;

/** Candidates that post each record by itself. */
const PER_RECORD: readonly Candidate[] = ['tutorial', 'powertools', 'axios'];
/** The tutorial's way takes a minute for an event of 6 MB. */
const TUTORIAL_RECORDS = 200;

/**
 * Samples of the candidates, one of each in turn. Before the first, the forwarder's messages are parsed and held against
 * the records, and its bodies are kept for the bound.
 * @param share of a processor that each has; all of one where left out
 */
export async function compare(
  inlet: Inlet,
  candidates: readonly Candidate[],
  one: Case,
  share?: number,
): Promise<{ samples: Samples; how?: string }> {
  await frame(inlet, one);
  const loaders = await startAll(inlet, candidates, one.scheme);
  const samples: Samples = {};
  try {
    for (const loader of loaders) await warmUp(loader, inlet, one);
    const quotas = share === undefined ? [] : loaders.map(({ pid }) => limit(pid, share));
    for (let round = 0; round < one.rounds; round++) {
      for (const loader of loaders) {
        samples[loader.candidate] ??= [];
        samples[loader.candidate]?.push(await sample(loader, inlet, one));
      }
    }
    for (const quota of quotas) quota.release();
    return { samples, ...(quotas[0] && { how: quotas[0].how }) };
  } finally {
    await Promise.all(loaders.map((loader) => loader.close()));
  }
}

/** Samples of the forwarder for several cases, one of each in turn. */
export async function vary(inlet: Inlet, cases: readonly Case[], rounds: number): Promise<Sample[][]> {
  const loader = await Loader.start('penstock', inlet, 'http');
  const taken: Sample[][] = cases.map(() => []);
  try {
    for (const one of cases) await warmUp(loader, inlet, one);
    for (let round = 0; round < rounds; round++) {
      for (const [index, one] of cases.entries()) taken[index]?.push(await sample(loader, inlet, one));
    }
    return taken;
  } finally {
    await loader.close();
  }
}

/** A process that takes loads. */
type Loads = Loader | SyslogNg;

async function startAll(inlet: Inlet, candidates: readonly Candidate[], scheme: Scheme): Promise<Loads[]> {
  return Promise.all(
    candidates.map(
      (candidate): Promise<Loads> =>
        candidate === 'syslog-ng' ? SyslogNg.start(inlet, scheme) : Loader.start(candidate, inlet, scheme),
    ),
  );
}

function loadFor(candidate: Candidate, { records, bytes, events, concurrent = 1 }: Case): Load {
  if (candidate === 'tutorial') return { records: TUTORIAL_RECORDS, bytes, events: 1, concurrent: 1 };
  if (PER_RECORD.includes(candidate)) return { records, bytes, events: 1, concurrent: 1 };
  return { records, bytes, events, concurrent, ...(candidate === 'routes' && { routed: true }) };
}

async function warmUp(loader: Loads, inlet: Inlet, one: Case): Promise<void> {
  await inlet.set({}, one.scheme);
  const load = loadFor(loader.candidate, one);
  if (PER_RECORD.includes(loader.candidate)) await loader.run(load);
  // Processor time per record falls until so many have gone through: until then the compiler works beside them.
  else await loader.run({ ...load, events: Math.max(40, Math.ceil(130_000 / load.records)) });
}

async function sample(loader: Loads, inlet: Inlet, one: Case): Promise<Sample> {
  const load = loadFor(loader.candidate, one);
  await inlet.set({ latencyMs: one.latencyMs, closes: one.closes ?? false }, one.scheme);
  const taken = await loader.run(load);
  const { messages } = await inlet.counts();
  if (messages !== load.records * load.events)
    throw new Error(`${loader.candidate}: ${messages} messages came in of ${load.records * load.events}`);
  return taken;
}

/** Every message truly parsed: each record once, as it was, and nothing besides; then the bodies are kept. */
async function frame(inlet: Inlet, one: Case): Promise<void> {
  await framed(inlet, one, 'routes');
  await framed(inlet, one, 'penstock');
}

async function framed(inlet: Inlet, { records, bytes, scheme }: Case, candidate: Candidate): Promise<void> {
  const loader = await Loader.start(candidate, inlet, scheme);
  try {
    const one = { records, bytes, events: 1, concurrent: 1, routed: candidate === 'routes' };
    await inlet.set({ verify: { records, bytes } }, scheme);
    const spoil = '{"id":"cust-smuggled-1"},{"id":"cust-smuggled-2"}';
    await loader.run({ ...one, spoil });
    const { messages, wrong } = await inlet.counts();
    if (messages !== records || wrong > 0)
      throw new Error(`of ${records} records ${messages} messages were made, ${wrong} of them wrong`);
    await inlet.set({ captureIn: bodiesFolder(records, bytes) }, scheme);
    await loader.run(one);
  } finally {
    await loader.close();
  }
}

/** Peak memory of the first large event of a process that has seen a small one, in MB. */
export async function memory(
  inlet: Inlet,
  candidates: readonly Candidate[],
  one: Case,
): Promise<Partial<Record<Candidate, number[]>>> {
  await frame(inlet, { ...one, records: 10 });
  await frame(inlet, one);
  const peaks: Partial<Record<Candidate, number[]>> = {};
  for (let round = 0; round < one.rounds; round++) {
    for (const candidate of candidates) {
      const loader = await Loader.start(candidate, inlet, one.scheme);
      try {
        await inlet.set({ latencyMs: one.latencyMs }, one.scheme);
        const load = loadFor(candidate, one);
        await loader.run({ ...load, records: 10, events: 1, concurrent: 1 });
        const { peakBytes } = await loader.run({ ...load, fromRest: true });
        peaks[candidate] ??= [];
        peaks[candidate]?.push(peakBytes / 1e6);
      } finally {
        await loader.close();
      }
    }
  }
  return peaks;
}

/** Process start to first request received, in ms. */
export async function cold(
  inlet: Inlet,
  scheme: Scheme,
  rounds: number,
): Promise<Record<'penstock' | 'plain', number[]>> {
  const file = eventFile(eventText(linesOf(100, 1_000)));
  const taken = { penstock: [] as number[], plain: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    taken.penstock.push(await coldStart('penstock', inlet, scheme, file));
    taken.plain.push(await coldStart('plain', inlet, scheme, file));
  }
  return taken;
}

/** The forwarder's files as they are uploaded, in bytes: each deflated, and some 150 bytes around it. */
export function zipBytes(): number {
  const sizes = PACKAGED.map((file) => deflateRawSync(readFileSync(file), { level: 9 }).length + 150);
  return sizes.reduce((sum, size) => sum + size, 0);
}
