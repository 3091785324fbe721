// Walks a stretch of the stream itself and sends it again, shard by shard and page by page.

import { isFailure } from '../failure.ts';
import { deadLetterDocument } from '../forward/dead-letters.ts';
import { settle } from '../forward/settle.ts';
import { RETRY, type Rejected, type Settled } from '../forward/verdict.ts';
import type { StreamPage, StreamPosition } from '../runtime.ts';
import { type Item, recordFor } from './parcel.ts';
import type { Cursor } from './request.ts';
import { countOf } from './rest.ts';
import {
  addToTally,
  countLost,
  type Ended,
  giveBack,
  isLate,
  type PartEnd,
  partEnd,
  type RedriveRun,
  type Walked,
  WHOLE,
} from './run.ts';
import type { Carried, SentPart } from './send.ts';

type ShardCursor = Extract<Cursor, { shardId: string }>;

/** Kinesis' times are not in perfect order: reading ends this much behind the end that was asked for, in ms. */
const DISORDER_MS = 60_000;

export async function walkStream(run: RedriveRun): Promise<Walked> {
  const { request, runtime, pipeline } = run;
  const { sequence } = request.where;
  const given = request.cursor !== undefined && 'shardId' in request.cursor ? request.cursor : undefined;
  const there = await runtime.stream.shards(pipeline.streamArn);
  if (sequence !== undefined && !there.includes(sequence.shardId)) {
    countLost(run, sequence);
    return WHOLE;
  }
  const shards = sequence === undefined ? there : [sequence.shardId];
  const since = given === undefined ? await runtime.stream.keptSince(pipeline.streamArn) : 0;
  for (const shardId of shards) {
    if (given !== undefined && shardId < given.shardId) continue;
    const cursor = given?.shardId === shardId ? given : undefined;
    const walked = await walkShard(run, shardId, cursor, since);
    if (walked.kind === 'ended') return walked;
  }
  return WHOLE;
}

async function walkShard(
  run: RedriveRun,
  shardId: string,
  given: ShardCursor | undefined,
  since: number,
): Promise<Walked> {
  let cursor: ShardCursor = given ?? { shardId };
  if (isLate(run)) return { kind: 'ended', cursor, ended: { why: 'time', fault: false } };
  const { stream } = run.runtime;
  let first = given === undefined;
  for await (const page of stream.pages(run.pipeline.streamArn, shardId, shardPosition(run, cursor))) {
    if (first && (page.records.length > 0 || page.last)) {
      noteGap(run, shardId, since, page);
      first = false;
    }
    const walked = await walkPage(run, cursor, page);
    if (walked.kind === 'ended') return walked;
    cursor = walked.cursor;
    if (page.last || isBeyond(run, page)) break;
    if (isLate(run)) return { kind: 'ended', cursor, ended: { why: 'time', fault: false } };
  }
  return WHOLE;
}

function shardPosition({ request }: RedriveRun, { at, after }: ShardCursor): StreamPosition {
  if (at !== undefined) return { kind: 'at', sequenceNumber: at };
  if (after !== undefined) return { kind: 'after', sequenceNumber: after };
  const { sequence, arrived } = request.where;
  return sequence !== undefined
    ? { kind: 'at', sequenceNumber: sequence.from }
    : { kind: 'time', time: Date.parse(arrived?.from ?? '') };
}

/** Notes a loss if the requested stretch begins before what the stream still has. */
function noteGap(run: RedriveRun, shardId: string, since: number, { records }: StreamPage): void {
  const { sequence, arrived } = run.request.where;
  if (sequence !== undefined) {
    const before = records.find(
      (record) => BigInt(record.sequenceNumber) >= BigInt(sequence.from),
    )?.sequenceNumber;
    if (before === sequence.from) return;
    const inside = before !== undefined && BigInt(before) <= BigInt(sequence.to);
    countLost(run, { shardId, from: sequence.from, ...(inside ? { before } : { to: sequence.to }) });
  } else if (arrived?.from !== undefined && Date.parse(arrived.from) < since) {
    const before = records[0]?.sequenceNumber;
    countLost(run, { shardId, from: arrived.from, ...(before !== undefined && { before }) });
  }
}

function isBeyond({ request }: RedriveRun, { records }: StreamPage): boolean {
  const { sequence, arrived } = request.where;
  const last = records.at(-1);
  if (last === undefined) return false;
  if (sequence !== undefined) return BigInt(last.sequenceNumber) >= BigInt(sequence.to);
  const end = Date.parse(arrived?.to ?? '') + DISORDER_MS;
  return records.every(({ arrivedAt }) => arrivedAt !== undefined && arrivedAt * 1_000 > end);
}

async function walkPage(run: RedriveRun, from: ShardCursor, page: StreamPage): Promise<PartEnd<ShardCursor>> {
  const { shardId } = from;
  const where = { shardId, streamArn: run.pipeline.streamArn };
  const items = page.records.map(
    (record): Item => ({
      shardId,
      reason: undefined,
      record: recordFor(where, { ...record, data: Buffer.from(record.data).toString('base64') }),
    }),
  );
  const wanted = await run.carrier.wanted(items);
  const chosen = wanted.slice(0, run.room);
  run.room -= chosen.length;
  const carried = await run.carrier.carry(chosen);
  giveBack(run, chosen, carried);
  const { open, failed } = run.request.dryRun ? NOTHING_DONE : await settleOf(run, shardId, chosen, carried);
  // Everything from the first open record on comes again, and none of it is stored yet.
  const counted = chosen.map((item) => {
    const parts = carried.parts.get(item);
    const stays = open !== undefined && BigInt(item.record.kinesis.sequenceNumber) >= BigInt(open);
    return stays ? parts?.map(asOpen) : parts;
  });
  addToTally(run.tally, countOf(counted));
  const rest = open ?? wanted[chosen.length]?.record.kinesis.sequenceNumber;
  const ended: Ended | undefined =
    failed ?? carried.stop ?? (rest === undefined ? undefined : { why: 'limit', fault: false });
  return partEnd(cursorBehind(from, rest, page), ended);
}

/** At `rest`, the first record that is to be done yet; where there is none, behind the page. */
function cursorBehind(from: ShardCursor, rest: string | undefined, { records }: StreamPage): ShardCursor {
  const { shardId } = from;
  if (rest !== undefined) return { shardId, at: rest };
  const last = records.at(-1)?.sequenceNumber;
  return last === undefined ? from : { shardId, after: last };
}

const NOTHING_DONE = { open: undefined, failed: undefined };

/** A reject of a record that comes again is judged again with it. */
function asOpen(part: SentPart): SentPart {
  return part.verdict.kind === 'rejected' ? { ...part, verdict: RETRY } : part;
}

/** Stores the rejects before the first open record. Returns that record. */
async function settleOf(
  run: RedriveRun,
  shardId: string,
  chosen: readonly Item[],
  { parts }: Carried,
): Promise<{ open: string | undefined; failed: Ended | undefined }> {
  let failed: Ended | undefined;
  const settled = chosen.flatMap((item) => parts.get(item) ?? []).filter((part) => part.chosen);
  const untouched = chosen
    .filter((item) => !parts.has(item))
    .map(({ record }) => record.kinesis.sequenceNumber);
  const { checkpoint } = await settle(settled, untouched, async (rejects) => {
    try {
      return await storeRejects(run, shardId, rejects);
    } catch (error) {
      if (!isFailure(error)) throw error;
      failed = { why: 'store', failure: error, fault: false };
      return undefined;
    }
  });
  return { open: checkpoint, failed };
}

async function storeRejects(
  run: RedriveRun,
  shardId: string,
  rejects: readonly Settled<Rejected>[],
): Promise<number> {
  const { runtime, pipeline, owner } = run;
  const document = deadLetterDocument(rejects, {
    pipeline: pipeline.pipeline,
    streamArn: pipeline.streamArn,
    shardId,
    invocationId: owner,
    storedAt: new Date(runtime.clock.now()).toISOString(),
  });
  return (await runtime.deadLetters.put(document)).entries;
}
