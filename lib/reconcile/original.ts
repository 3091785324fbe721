// Finds the records behind refused rows in the stream, while it still has them: the producer's bytes, unchanged.
import { createHash } from 'node:crypto';
import { MAX_OPENED_BYTES } from '../bounds.ts';
import { isFailure } from '../failure.ts';
import { parseJson } from '../forward/json/check.ts';
import { type Decoded, decode, readyToDecode } from '../forward/read/decode.ts';
import { createDecoding, type Decoding } from '../forward/read/decoding.ts';
import type { Schemas } from '../forward/read/formats/by-schema.ts';
import type { KeptMappingRow } from '../kept-manifest.ts';
import type { Log } from '../log.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import { recordFor } from '../redrive/parcel.ts';
import type { StreamPage, StreamRange, StreamRecord } from '../runtime.ts';
import { createMatcher, isLike, isSame, type Likeness, type Matcher } from './match.ts';
import { type RefusedRow, UNKNOWN_SHARD } from './row.ts';

/**
 * The most reads of the stream for one part of a batch, by the places that its rows name. A read takes up to 10 MB of
 * the shard's capacity, which the forwarder then lacks. If every record was refused, one read finds all of them.
 */
const MAX_READS = 5;
/** Two reads a second of the five that a shard answers. */
const SHARD_READ_PAUSE_MS = 500;
/** The most shards that cannot be read, for one part: each costs a call. */
const MAX_UNREADABLE_SHARDS = 20;

/** The most reads of the stream for a whole batch, by the content of its rows: of one shard, and of all. */
const MAX_SHARD_READS = 5;
const MAX_SEARCH_READS = 20;
/** Kinesis answers with empty pages where a stretch has no records: that costs time, but no capacity. */
const MAX_EMPTY = 30;
/** A record comes to the stream before AEP makes its batch. This limit is ours: no source says how long before. */
const BEFORE_MS = 3_600_000;
/** Kinesis' times are not in perfect order. */
const DISORDER_MS = 60_000;

/** What reading the stream needs. */
export interface Originals {
  readonly stream: Pick<StreamRange, 'pages' | 'shards'>;
  readonly clock: { sleep(ms: number): Promise<void> };
  readonly log: Pick<Log, 'warn'>;
  readonly pipeline: PublishedPipeline;
  /** The manifest's. */
  readonly mapping: readonly KeptMappingRow[];
  readonly timeLeftMs: () => number;
  /** When AEP made the batch, and when it finished it, ms since the epoch. */
  readonly batch: { readonly created: number; readonly ended: number };
  readonly searches: Searches;
  /** What the container knows of schemas. */
  readonly schemas: Schemas;
  /** Whether the row itself cannot be sent again. */
  readonly isWanted: (row: RefusedRow) => boolean;
}

/** What is known of the stream, kept for the next part and the next batch. */
export interface Searches {
  /** Reads made for the batch. */
  reads: number;
  /** Stretches of time without records in a shard, ms since the epoch: mostly those that it has lost. */
  readonly empty: Map<string, { readonly from: number; readonly to: number }>;
}

/**
 * The rows, with the producer's own bytes where they are found. A row's own place is tried first: its record must
 * match. Otherwise the stretch of the stream that went into the batch is searched: exactly one record must match.
 * @throws Failure `AWS_UNAVAILABLE`
 */
export async function withOriginals(
  rows: readonly RefusedRow[],
  originals: Originals,
): Promise<readonly RefusedRow[]> {
  const wanted = rows.filter(originals.isWanted);
  if (wanted.length === 0) return rows;
  const join = createJoin(originals);
  const unseen = await joinByPlace(wanted, join, originals);
  await joinByContent(unseen, join, originals);
  return rows.map((row) => join.found.get(row) ?? row);
}

interface Join {
  readonly decoding: Decoding;
  readonly found: Map<RefusedRow, RefusedRow>;
  readonly matcherOf: (row: RefusedRow) => Matcher;
  readonly likenessOf: (row: RefusedRow) => Likeness | undefined;
  put(row: RefusedRow, original: Decoded): void;
}

function createJoin({ pipeline, mapping, schemas }: Originals): Join {
  const matchers = new Map<boolean, Matcher>();
  const found = new Map<RefusedRow, RefusedRow>();
  let bytes = 0;
  const matcherOf = ({ mapped }: RefusedRow) => {
    const matcher = matchers.get(mapped) ?? createMatcher(pipeline, mapping, mapped);
    matchers.set(mapped, matcher);
    return matcher;
  };
  return {
    decoding: createDecoding(pipeline, schemas),
    found,
    matcherOf,
    likenessOf(row) {
      const parsed = parseJson(Buffer.from(row.entry.data, 'base64'));
      return 'kind' in parsed ? undefined : matcherOf(row).ofRow(parsed.value);
    },
    put(row, { message }) {
      bytes += message.bytes.length;
      if (bytes > MAX_OPENED_BYTES) return;
      const { processed: _, asReceived: __, ...entry } = row.entry;
      const { partitionKey, arrivedAt } = message;
      const data = Buffer.from(message.bytes).toString('base64');
      const own = {
        ...entry,
        ...(partitionKey !== undefined && { partitionKey }),
        ...(arrivedAt !== undefined && { arrivedAt }),
        data,
        ...(message.piece === true && { piece: message.piece }),
      };
      found.set(row, { ...row, entry: own, joined: true });
    },
  };
}

/** @returns the rows whose record may be elsewhere in the stream */
async function joinByPlace(
  wanted: readonly RefusedRow[],
  join: Join,
  originals: Originals,
): Promise<RefusedRow[]> {
  const unseen = wanted.filter(({ shardId }) => shardId === UNKNOWN_SHARD);
  const byShard = Map.groupBy(
    wanted.filter(({ shardId }) => shardId !== UNKNOWN_SHARD),
    ({ shardId }) => shardId,
  );
  const budget = { reads: 0, faults: 0 };
  // An id that a producer wrote may name any shard. Shards that many rows name are read first.
  for (const [shardId, rows] of [...byShard].sort(([, a], [, b]) => b.length - a.length)) {
    const inOrder = rows.toSorted((a, b) => compareNumbers(numberOf(a), numberOf(b)));
    while (inOrder.length > 0 && hasBudget(budget, originals)) {
      const page = await pageAt(shardId, inOrder, budget, originals);
      if (page === undefined) break;
      await readyFor(page, shardId, originals, join.decoding);
      unseen.push(...joinPage(inOrder, page, join, originals));
    }
    unseen.push(...inOrder);
  }
  return unseen;
}

function hasBudget({ reads, faults }: { reads: number; faults: number }, { timeLeftMs }: Originals): boolean {
  return reads < MAX_READS && faults < MAX_UNREADABLE_SHARDS && timeLeftMs() > 0;
}

/** The first records from the first row's place on; `undefined` if the shard can never be read. */
async function pageAt(
  shardId: string,
  rows: readonly RefusedRow[],
  budget: { reads: number; faults: number },
  originals: Originals,
): Promise<StreamPage | undefined> {
  const { stream, pipeline, clock } = originals;
  if (budget.reads + budget.faults > 0) await clock.sleep(SHARD_READ_PAUSE_MS);
  const from = { kind: 'at', sequenceNumber: (rows[0] as RefusedRow).entry.sequenceNumber } as const;
  try {
    for await (const page of stream.pages(pipeline.streamArn, shardId, from)) {
      if (page.records.length === 0) continue;
      budget.reads++;
      return page;
    }
    budget.reads++;
    return { records: [], last: true };
  } catch (error) {
    budget.faults++;
    return passOver(error, originals, { shardId, rows: rows.length });
  }
}

/**
 * A shard that does not exist does not stop the others. A temporary failure ends the run and is retried: AEP keeps
 * rows longer than most streams keep records.
 */
function passOver(
  error: unknown,
  { log, pipeline }: Originals,
  about: { readonly shardId?: string; readonly rows?: number },
): undefined {
  if (!isFailure(error) || error.retryable) throw error;
  log.warn('the records behind refused rows cannot be read from the stream', {
    pipeline: pipeline.pipeline,
    stream: streamNameOf(pipeline.streamArn),
    ...about,
    code: error.code,
    reason: error.what,
  });
}

/** Fills in the rows that the page has records for. Returns those whose place holds another record. */
function joinPage(
  inOrder: RefusedRow[],
  page: StreamPage,
  join: Join,
  { pipeline }: Originals,
): RefusedRow[] {
  const records = new Map(page.records.map((record) => [record.sequenceNumber, record]));
  const last = BigInt(page.records.at(-1)?.sequenceNumber ?? 0);
  const others: RefusedRow[] = [];
  // The first row is done in any case: found, or no longer in the stream.
  for (let first = true; inOrder.length > 0; first = false) {
    const row = inOrder[0] as RefusedRow;
    if (!first && numberOf(row) > last) break;
    inOrder.shift();
    const record = records.get(row.entry.sequenceNumber);
    if (record === undefined) continue;
    const original = [...recordParts(record, row.shardId, pipeline, join.decoding)].find(
      ({ message }) => message.subSequenceNumber === row.entry.subSequenceNumber,
    );
    const likeness = join.likenessOf(row);
    const forms = original === undefined ? [] : join.matcherOf(row).ofRecord(original);
    const isIt = likeness !== undefined && forms.some((form) => isLike(likeness, form));
    if (original !== undefined && isIt) join.put(row, original);
    else others.push(row);
  }
  return others;
}

/**
 * Looks for the schemas that the page's records need. Where that can never be done, the records stay unread.
 * @throws Failure that is temporary: the next run tries again
 */
async function readyFor(
  { records }: StreamPage,
  shardId: string,
  originals: Originals,
  decoding: Decoding,
): Promise<void> {
  if (decoding.expander?.ready === undefined) return;
  const { streamArn } = originals.pipeline;
  for (const record of records) {
    const data = Buffer.from(record.data).toString('base64');
    try {
      await readyToDecode(recordFor({ shardId, streamArn }, { ...record, data }), decoding);
    } catch (error) {
      // It is the same for all of them: what may not be asked, or a schema that cannot be read.
      return passOver(error, originals, { shardId });
    }
  }
}

/** The messages of a record that can be parsed. */
function* recordParts(
  record: StreamRecord,
  shardId: string,
  { streamArn }: PublishedPipeline,
  decoding: Decoding,
): Generator<Decoded> {
  const data = Buffer.from(record.data).toString('base64');
  for (const part of decode(recordFor({ shardId, streamArn }, { ...record, data }), decoding)) {
    if ('payload' in part) yield part;
  }
}

/** Rows by their values: several may be of one record, and several may have the same content. */
interface Sought {
  readonly rows: readonly RefusedRow[];
  readonly likeness: Likeness;
  /** The records with the same values, by their content. If two differ, the right one is unknown. */
  readonly records: Map<string, Decoded>;
}

async function joinByContent(rows: readonly RefusedRow[], join: Join, originals: Originals): Promise<void> {
  const sought = new Map<string, Sought>();
  for (const row of rows) {
    const likeness = join.likenessOf(row);
    if (likeness === undefined) continue;
    const key = JSON.stringify([row.mapped, likeness]);
    sought.set(key, { likeness, records: new Map(), rows: [...(sought.get(key)?.rows ?? []), row] });
  }
  // If the search was not complete, there may be another match.
  if (sought.size === 0 || !(await searchStream(sought, join, originals))) return;
  for (const { rows: alike, records } of sought.values()) {
    const [only] = records.values();
    if (records.size === 1 && only !== undefined) for (const row of alike) join.put(row, only);
  }
}

/** @returns whether the whole stretch was searched */
async function searchStream(
  sought: ReadonlyMap<string, Sought>,
  join: Join,
  originals: Originals,
): Promise<boolean> {
  const { stream, pipeline } = originals;
  const rows = [...sought.values()].flatMap((one) => one.rows);
  try {
    for (const shardId of await stream.shards(pipeline.streamArn)) {
      if (!(await searchShard(shardId, sought, join, originals))) return false;
    }
    return true;
  } catch (error) {
    passOver(error, originals, { rows: rows.length });
    return false;
  }
}

async function searchShard(
  shardId: string,
  sought: ReadonlyMap<string, Sought>,
  join: Join,
  originals: Originals,
): Promise<boolean> {
  const { stream, pipeline, batch, searches, timeLeftMs } = originals;
  const [from, to] = [batch.created - BEFORE_MS, batch.ended + DISORDER_MS];
  const empty = searches.empty.get(shardId);
  if (empty !== undefined && empty.from <= from && to < empty.to) return true;
  const matchers = [
    ...new Set(Array.from(sought.values(), ({ rows }) => (rows[0] as RefusedRow).mapped)),
  ].map((mapped) => ({ mapped, matcher: join.matcherOf({ mapped } as RefusedRow) }));
  let [reads, nothing] = [0, 0];
  for await (const page of stream.pages(pipeline.streamArn, shardId, { kind: 'time', time: from })) {
    const first = page.records[0]?.arrivedAt;
    if (reads === 0 && first !== undefined) searches.empty.set(shardId, { from, to: first * 1_000 });
    if (page.records.length === 0) nothing++;
    else reads++;
    searches.reads += page.records.length === 0 ? 0 : 1;
    await readyFor(page, shardId, originals, join.decoding);
    for (const record of page.records) {
      if ((record.arrivedAt ?? 0) * 1_000 > to) return true;
      for (const part of recordParts(record, shardId, pipeline, join.decoding)) {
        for (const { mapped, matcher } of matchers) note(part, mapped, matcher, sought);
      }
    }
    if (page.last) return true;
    const isEnough = reads >= MAX_SHARD_READS || searches.reads >= MAX_SEARCH_READS;
    if (isEnough || nothing >= MAX_EMPTY || timeLeftMs() <= 0) return false;
  }
  return true;
}

function note(part: Decoded, mapped: boolean, matcher: Matcher, sought: ReadonlyMap<string, Sought>): void {
  for (const likeness of matcher.ofRecord(part)) {
    const like = sought.get(JSON.stringify([mapped, likeness]));
    if (like === undefined || !isSame(like.likeness, likeness)) continue;
    like.records.set(createHash('sha256').update(part.message.bytes).digest('base64'), part);
  }
}

function numberOf({ entry }: RefusedRow): bigint {
  return BigInt(entry.sequenceNumber);
}

function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
