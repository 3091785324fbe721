// What the parts of one redrive share: its owner name, its counts, and how much is still to be done.

import type { Stop } from '../forward/send/run.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import type { RedriveRuntime } from '../runtime.ts';
import type { Item, Skip } from './parcel.ts';
import type { Cursor, LostRange, RedriveRequest, Tally } from './request.ts';
import type { OtherRoute } from './routes.ts';
import type { Carried, Carrier, SentPart } from './send.ts';

export interface RedriveRun {
  readonly runtime: RedriveRuntime;
  readonly request: RedriveRequest;
  readonly pipeline: PublishedPipeline;
  /** The other routes of the stream. */
  readonly others: readonly OtherRoute[];
  readonly carrier: Carrier;
  /** A name of this run alone: it owns what it claims. */
  readonly owner: string;
  readonly remainingMs: () => number;
  readonly tally: Tally;
  /** Records that may still be chosen. */
  room: number;
  /** Messages that were left, although the inlet takes others: counted with each walk. */
  stuck: number;
}

/** Why a walk ended early. */
export type Ended =
  | Stop
  | { readonly why: 'limit' | 'store'; readonly failure?: Stop['failure']; readonly fault: false };

/** How a walk ended. */
export type Walked =
  /** All of it was looked at. */
  | { readonly kind: 'whole' }
  /** `cursor`: where to go on. */
  | { readonly kind: 'ended'; readonly cursor: Cursor; readonly ended: Ended };

export const WHOLE: Walked = { kind: 'whole' };

/** How a part of a walk ended, and where to go on behind it. */
export type PartEnd<C extends Cursor> =
  | { readonly kind: 'whole'; readonly cursor: C }
  | { readonly kind: 'ended'; readonly cursor: C; readonly ended: Ended };

export function partEnd<C extends Cursor>(cursor: C, ended: Ended | undefined): PartEnd<C> {
  return ended === undefined ? { kind: 'whole', cursor } : { kind: 'ended', cursor, ended };
}

/** With less than this left, in ms, nothing more is begun. */
const MIN_MS = 25_000;

/** The most of them in an answer and in a request; the log has each. */
const SHOWN = 50;

export function isLate({ remainingMs }: RedriveRun): boolean {
  return remainingMs() < MIN_MS;
}

/** What was not sent may be chosen again, so it does not count against the limit. */
export function giveBack(run: RedriveRun, chosen: readonly Item[], { parts }: Carried): void {
  if (run.request.dryRun) return;
  run.room += chosen.filter((item) => isItemOpen(parts.get(item))).length;
}

/** Whether something of an item is to be sent yet; `undefined`: it was not looked at. */
export function isItemOpen(parts: readonly SentPart[] | undefined): boolean {
  return parts?.some((part) => part.chosen && part.verdict.kind === 'retry') ?? true;
}

export function addToTally(tally: Tally, counts: Partial<Record<keyof Tally, unknown>>): void {
  for (const name of [
    'documents',
    'chosen',
    'delivered',
    'rejectedAgain',
    'filtered',
    'left',
    'withheld',
  ] as const) {
    const more = counts[name];
    if (typeof more === 'number') tally[name] += more;
  }
}

export function countSkipped({ tally, runtime }: RedriveRun, key: string, reason: Skip): void {
  tally.skipped[reason] = (tally.skipped[reason] ?? 0) + 1;
  if (tally.skippedObjects.length < SHOWN) tally.skippedObjects.push({ key, reason });
  runtime.log.warn('an object of the dead-letter store was skipped', { key, reason });
}

export function countLost({ tally, runtime, pipeline }: RedriveRun, lost: LostRange): void {
  tally.lost.records += lost.records ?? 0;
  if (tally.lost.ranges.length < SHOWN) tally.lost.ranges.push(lost);
  runtime.log.error('records are lost: the stream no longer has them', {
    event: 'records-lost',
    pipeline: pipeline.pipeline,
    stream: streamNameOf(pipeline.streamArn),
    shardId: lost.shardId,
    from: lost.from,
    to: lost.to,
    before: lost.before,
    records: lost.records,
  });
}
