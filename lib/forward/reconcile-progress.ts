// How far the failed batches of a pipeline have been read: what is remembered between runs, and what is looked at again.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Batch } from '../aep/catalog.ts';

const DAY_MS = 86_400_000;

/**
 * Batches are looked for that were created up to so long before the last run that came to an end began. AEP names no
 * longest time from a record's arrival to the end of its batch; to the lake it is an hour. Contract §6.4.
 */
export const LOOK_BACK_MS = 7 * DAY_MS;
/** At first everything is new; and what cannot be read does not hold it up for longer: AEP keeps diagnostics for 30 days. Contract §3.4. */
const LONGEST_LOOK_BACK_MS = 30 * DAY_MS;
/** Remembered for longer than looked for: a clock that was set back brings no batch back as new. */
const MARGIN_MS = DAY_MS;
/** What fits into an item of DynamoDB twice. Beyond it the eldest are forgotten, read again, and found to be there already. */
const MOST_BATCHES = 1_500;
const MOST_FLOWS = 100;

const ReadBatch = z.object({
  /** Milliseconds since the epoch, by AEP's clock. */
  created: z.number(),
  updated: z.number(),
  done: z.boolean(),
  /** Lines read, by `nameOfFile`. */
  files: z.record(z.string(), z.number().int().min(0)),
});

export const ReadSoFar = z
  .object({
    /** When the last run began that came to an end, by Lambda's clock, ms since the epoch. */
    complete: z.number().optional(),
    /** Every flow that the pipeline was seen with. */
    flows: z.array(z.string()),
    batches: z.record(z.string(), ReadBatch),
  })
  // Never written, or damaged: what is read again is found to be there already.
  .catch({ flows: [], batches: {} });

export type ReadSoFar = z.infer<typeof ReadSoFar>;
type ReadBatch = z.infer<typeof ReadBatch>;

/** The time from which on batches are looked for, ms since the epoch. */
export function lookFrom({ complete }: ReadSoFar, now: number): number {
  const longest = now - LONGEST_LOOK_BACK_MS;
  return complete === undefined ? longest : Math.max(Math.min(complete, now) - LOOK_BACK_MS, longest);
}

/** Whether there may be something in a batch that has not been read: never read to its end, or changed since. */
export function isUnread({ batches }: ReadSoFar, { id, updated }: Batch): boolean {
  const known = batches[id];
  return known === undefined || !known.done || known.updated !== (updated ?? 0);
}

export function readOf({ batches }: ReadSoFar, { id, created, updated }: Batch, now: number): ReadBatch {
  const files = batches[id]?.files ?? {};
  return { created: created ?? now, updated: updated ?? 0, done: false, files };
}

export function withFlows(soFar: ReadSoFar, flows: readonly string[]): ReadSoFar {
  return { ...soFar, flows: [...new Set([...soFar.flows, ...flows])].slice(-MOST_FLOWS) };
}

export function withBatch(soFar: ReadSoFar, id: string, read: ReadBatch): ReadSoFar {
  return { ...soFar, batches: { ...soFar.batches, [id]: read } };
}

/** Without what no run looks for any more. */
export function pruned(soFar: ReadSoFar, from: number): ReadSoFar {
  const kept = Object.entries(soFar.batches)
    .filter(([, { created }]) => created > from - MARGIN_MS)
    .sort(([, a], [, b]) => a.created - b.created)
    .slice(-MOST_BATCHES);
  return { ...soFar, batches: Object.fromEntries(kept) };
}

/** A file's name in a few letters: part of keys, and remembered. */
export function nameOfFile(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
