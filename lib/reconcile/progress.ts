// How far the failed batches of a pipeline have been read: what is remembered between runs, and what is looked at again.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Batch } from '../aep/catalog.ts';
import { parse } from '../aep/exchange.ts';
import { MAX_PROGRESS_BYTES } from '../bounds.ts';
import { checkVersion } from '../kept.ts';

const DAY_MS = 86_400_000;

/**
 * Batches are looked for that were created up to so long before the last run that came to an end began. AEP names no
 * longest time from a record's arrival to the end of its batch; to the lake it is an hour. Contract §6.4.
 */
export const LOOK_BACK_MS = 7 * DAY_MS;
/** At first everything is new; and what cannot be read does not hold it up for longer: AEP keeps diagnostics for 30 days. Contract §3.4. */
const MAX_LOOK_BACK_MS = 30 * DAY_MS;
const MAX_FLOWS = 100;
/** Flow Service's ids have 36 characters. */
const MAX_FLOW = 100;
/** Batches that were begun and not read to their end: one that time ran out for, and those that could not be read on. */
const MAX_BEGUN = 50;

const time = z.number().finite();

/** How far one batch has been read: every file whose name comes before `file`, and so many lines of that. */
const BatchPlace = z.object({
  kind: z.enum(['failed', 'meta']),
  /** By `nameOfFile`, in whose order files are read. */
  file: z.string().max(12),
  lines: z.number().int().min(0),
  /** Whether something before it was in no form that can be read. */
  unreadable: z.boolean().optional(),
});
export type BatchPlace = z.infer<typeof BatchPlace>;

/** One way through all batches there are, by one run or by several. */
const Sweep = z.object({
  /** When it began, by Lambda's clock, ms since the epoch. */
  started: time,
  /** What was created later is looked for. */
  from: time,
  status: z.enum(['failed', 'failure']),
  /** Of this status, everything created before this moment has been looked at. */
  reached: time,
  /** Whether nothing had to be left to another one. */
  whole: z.boolean(),
});
export type Sweep = z.infer<typeof Sweep>;

const PROGRESS_VERSION = 2;

const KeptProgress = z.object({
  version: z.literal(PROGRESS_VERSION),
  /** When the last sweep began that left nothing, by Lambda's clock, ms since the epoch. */
  complete: time.optional(),
  /** Every flow that the pipeline was seen with, the latest last. */
  flows: z.array(z.string()),
  sweep: Sweep.optional(),
  /** By the batch's mark, the latest last. */
  begun: z.array(z.tuple([z.string().max(22), BatchPlace])),
});
export type ReadSoFar = z.infer<typeof KeptProgress>;

/** As version 0.1.0 kept it, batches and all. */
const OldProgress = z.object({
  complete: time.optional(),
  flows: z.array(z.string()),
  batches: z.record(z.string(), z.object({ created: time, updated: time, done: z.boolean() })),
});

/**
 * What was kept. Where nothing was, or it is damaged, everything is read again, and found to be there already.
 * @throws Failure `NEWER_VERSION` for what a newer version has kept
 */
export function readSoFar(kept: unknown): ReadSoFar {
  checkVersion('what is kept of how far was read', kept, PROGRESS_VERSION);
  return KeptProgress.safeParse(kept).data ?? { version: PROGRESS_VERSION, flows: [], begun: [] };
}

/** What 0.1.0 kept, with the marks of the batches it had read by their days; `undefined` where it is damaged. */
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

/** The sweep that is to go on, or a new one. What has become too old in the meantime is not looked for any more. */
export function sweepOf(soFar: ReadSoFar, now: number): Sweep {
  const { sweep } = soFar;
  const from = lookFrom(soFar, now);
  if (sweep === undefined || sweep.started > now)
    return { started: now, from, status: 'failed', reached: from, whole: true };
  const oldest = now - MAX_LOOK_BACK_MS;
  return { ...sweep, from: Math.max(sweep.from, oldest), reached: Math.max(sweep.reached, oldest) };
}

/** The day on which AEP made a batch (ISO 8601): it does not depend on when it is read. */
export function dayOf({ created }: Pick<Batch, 'created'>): string {
  const date = new Date(created ?? 0);
  return Number.isNaN(date.getTime()) ? dayOf({ created: 0 }) : date.toISOString().slice(0, 10);
}

/**
 * That a batch has been read to its end, as it is now: one that has changed since has another mark. As long for every
 * batch, whatever AEP calls it.
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
  // Those that come again are the latest.
  const all = new Set([...soFar.flows.filter((flow) => !short.includes(flow)), ...short]);
  return { ...soFar, flows: [...all].slice(-MAX_FLOWS) };
}

export function placeIn({ begun }: ReadSoFar, mark: string): BatchPlace | undefined {
  return begun.find(([of]) => of === mark)?.[1];
}

/** With the place in a batch that is being read, or without one where it is done. */
export function withPlace(soFar: ReadSoFar, mark: string, place: BatchPlace | undefined): ReadSoFar {
  const others = soFar.begun.filter(([of]) => of !== mark);
  const begun = place === undefined ? others : [...others, [mark, place] as [string, BatchPlace]];
  return { ...soFar, begun: begun.slice(-MAX_BEGUN) };
}

/**
 * What fits into its item. Places go first, the oldest before the others: such a batch is read from its beginning, and its
 * rows are found to be there already. Then the flows that were seen longest ago: their batches count as another's.
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

/** A file's name in a few letters: part of keys, and remembered. */
export function nameOfFile(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
