// How far the failed batches of a pipeline have been read: what is stored between runs, and what is read again.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Batch } from '../aep/catalog.ts';
import { parse } from '../aep/exchange.ts';
import { MAX_PROGRESS_BYTES } from '../bounds.ts';
import { checkVersion } from '../kept.ts';

const DAY_MS = 86_400_000;

/**
 * Runs look for batches that were created up to so long before the last complete run began. AEP names no longest time
 * from a record's arrival to the end of its batch; to the lake it is an hour. Contract §6.4.
 */
export const LOOK_BACK_MS = 7 * DAY_MS;
/**
 * The longest look back: of the first run, and where batches could not be read. AEP keeps diagnostics for 30 days.
 * Contract §3.4.
 */
const MAX_LOOK_BACK_MS = 30 * DAY_MS;
const MAX_FLOWS = 100;
/** Flow Service's ids have 36 characters. */
const MAX_FLOW = 100;
/** The most unfinished batches: one for which time ran out, and those that failed. */
const MAX_BEGUN = 50;

const time = z.number().finite();

/** How far one batch has been read: all files whose names come before `file`, and so many lines of that. */
const BatchPlace = z.object({
  kind: z.enum(['failed', 'meta']),
  /** Made by `nameOfFile`; files are read in the order of these names. */
  file: z.string().max(12),
  lines: z.number().int().min(0),
  /** Whether something before it could not be read. */
  unreadable: z.boolean().optional(),
});
export type BatchPlace = z.infer<typeof BatchPlace>;

/** One pass over all batches, by one run or by several. */
const Sweep = z.object({
  /** When it began, by Lambda's clock, ms since the epoch. */
  started: time,
  /** Batches that were created after this are looked for. */
  from: time,
  status: z.enum(['failed', 'failure']),
  /** All batches of this status that were created before this moment are done. */
  reached: time,
  /** Whether no batch was left for another sweep. */
  whole: z.boolean(),
});
export type Sweep = z.infer<typeof Sweep>;

const PROGRESS_VERSION = 2;

const KeptProgress = z.object({
  version: z.literal(PROGRESS_VERSION),
  /** When the last complete sweep began, by Lambda's clock, ms since the epoch. */
  complete: time.optional(),
  /** Every flow of the pipeline so far, the latest last. */
  flows: z.array(z.string()),
  sweep: Sweep.optional(),
  /** By the batch's mark, the latest last. */
  begun: z.array(z.tuple([z.string().max(22), BatchPlace])),
});
export type ReadSoFar = z.infer<typeof KeptProgress>;

/** As version 0.1.0 kept it, batches included. */
const OldProgress = z.object({
  complete: time.optional(),
  flows: z.array(z.string()),
  batches: z.record(z.string(), z.object({ created: time, updated: time, done: z.boolean() })),
});

/**
 * The stored progress. If there is none, or it is damaged, everything is read again and found to be stored already.
 * @throws Failure `NEWER_VERSION` for what a newer version has kept
 */
export function readSoFar(kept: unknown): ReadSoFar {
  checkVersion('what is kept of how far was read', kept, PROGRESS_VERSION);
  return KeptProgress.safeParse(kept).data ?? { version: PROGRESS_VERSION, flows: [], begun: [] };
}

/** What 0.1.0 kept, with the marks of its finished batches by day; `undefined` if it is damaged. */
export function readOld(
  text: string,
): (Pick<ReadSoFar, 'complete' | 'flows'> & { readonly marks: ReadonlyMap<string, string[]> }) | undefined {
  const old = OldProgress.safeParse(parse(text)).data;
  if (old === undefined) return undefined;
  const { batches, ...rest } = old;
  const done = Object.entries(batches)
    .filter(([, batch]) => batch.done)
    .map(([id, { created, updated }]) => ({ day: dayOf({ created }), mark: batchMark({ id, updated }) }));
  const byDay = Map.groupBy(done, ({ day }) => day);
  return { ...rest, marks: new Map([...byDay].map(([day, all]) => [day, all.map(({ mark }) => mark)])) };
}

/** The time from which on batches are looked for, ms since the epoch. */
export function lookFrom({ complete }: Pick<ReadSoFar, 'complete'>, now: number): number {
  const longest = now - MAX_LOOK_BACK_MS;
  return complete === undefined ? longest : Math.max(Math.min(complete, now) - LOOK_BACK_MS, longest);
}

/** The sweep to go on with, or a new one. Batches that have become too old meanwhile are left out. */
export function sweepOf(soFar: ReadSoFar, now: number): Sweep {
  const { sweep } = soFar;
  const from = lookFrom(soFar, now);
  if (sweep === undefined || sweep.started > now)
    return { started: now, from, status: 'failed', reached: from, whole: true };
  const oldest = now - MAX_LOOK_BACK_MS;
  return { ...sweep, from: Math.max(sweep.from, oldest), reached: Math.max(sweep.reached, oldest) };
}

/** The day on which AEP made a batch (ISO 8601): it is the same whenever it is read. */
export function dayOf({ created }: Pick<Batch, 'created'>): string {
  const date = new Date(created ?? 0);
  return Number.isNaN(date.getTime()) ? dayOf({ created: 0 }) : date.toISOString().slice(0, 10);
}

/**
 * Marks a batch as read to its end in its present state: if it changes, its mark differs. All marks have the same
 * length.
 */
export function batchMark({ id, updated }: Pick<Batch, 'id' | 'updated'>): string {
  return createHash('sha256')
    .update(`${updated ?? 0} ${id}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

export function withFlows(soFar: ReadSoFar, flows: readonly string[]): ReadSoFar {
  const short = flows.filter((flow) => flow.length <= MAX_FLOW);
  // Batches that come again are among the latest.
  const all = new Set([...soFar.flows.filter((flow) => !short.includes(flow)), ...short]);
  return { ...soFar, flows: [...all].slice(-MAX_FLOWS) };
}

export function placeIn({ begun }: ReadSoFar, mark: string): BatchPlace | undefined {
  return begun.find(([of]) => of === mark)?.[1];
}

/** With the place in an unfinished batch, or without one if it is done. */
export function withPlace(soFar: ReadSoFar, mark: string, place: BatchPlace | undefined): ReadSoFar {
  const others = soFar.begun.filter(([of]) => of !== mark);
  const begun = place === undefined ? others : [...others, [mark, place] as [string, BatchPlace]];
  return { ...soFar, begun: begun.slice(-MAX_BEGUN) };
}

/**
 * Shortens the progress until it fits into its item. The oldest places go first: their batches are read again from
 * the beginning, and their rows are in the store already. Then the flows that were seen longest ago: their batches
 * count as another's.
 */
export function fittingProgress(soFar: ReadSoFar): ReadSoFar {
  let fit = soFar;
  while (Buffer.byteLength(JSON.stringify(fit)) > MAX_PROGRESS_BYTES) {
    if (fit.begun.length > 0) fit = { ...fit, begun: fit.begun.slice(1) };
    else if (fit.flows.length > 0) fit = { ...fit, flows: fit.flows.slice(1) };
    else return fit;
  }
  return fit;
}

/** A file's name in a few letters: part of keys and of the progress. */
export function nameOfFile(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
