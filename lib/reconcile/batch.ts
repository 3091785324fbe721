// Reads the files of one failed batch as they arrive, and stores their rows as dead letters, a few hundred at a time.
import type { Batch } from '../aep/catalog.ts';
import type { Aep } from '../aep/client.ts';
import type { BatchFile } from '../aep/data-access.ts';
import { isFailure } from '../failure.ts';
import { rulesBehind } from '../forward/dead-letters.ts';
import type { Schemas } from '../forward/read/formats/by-schema.ts';
import type { KeptMappingRow } from '../kept-manifest.ts';
import type { PublishedPipeline } from '../published.ts';
import type { DeadLetterDocument, ReconcileRuntime } from '../runtime.ts';
import { createHider, type Hider } from './hide.ts';
import { type Line, linesOf } from './lines.ts';
import { type Searches, withOriginals } from './original.ts';
import { type BatchPlace, nameOfFile } from './progress.ts';
import { type RefusedRow, readRow } from './row.ts';

/**
 * The longest row. A record in a request has at most 1 MB; a header, AEP's messages and string encoding make it
 * longer.
 */
const MAX_ROW = 4 * 1024 * 1024;
/** The most rows and bytes of one document. Its end must be the same whenever the rows are read again. */
const MAX_ROWS = 500;
const MAX_PART_BYTES = 4 * 1024 * 1024;

/** What reading a batch needs. */
export interface Reading {
  readonly aep: Aep;
  readonly runtime: ReconcileRuntime;
  readonly pipeline: PublishedPipeline;
  /** The manifest's. */
  readonly mapping: readonly KeptMappingRow[];
  readonly searches: Searches;
  readonly schemas: Schemas;
  /** For this pipeline, in ms; negative when it is time to stop. */
  readonly timeLeftMs: () => number;
  /** How far the batch was read before; `undefined` if it was not. */
  readonly place: BatchPlace | undefined;
  /**
   * Stores how far the batch has been read.
   * @throws Failure `LEASE_LOST`
   */
  readonly note: (place: BatchPlace) => Promise<void>;
}

export interface BatchRead {
  /** Rows stored now, and rows that were in the store already. */
  readonly stored: number;
  readonly alreadyThere: number;
  /** `later`: time ran out. `empty`: nothing to read yet. `unreadable`: parquet, and no file has its rows as JSON. */
  readonly end: 'done' | 'later' | 'empty' | 'unreadable';
}

/**
 * Reads the rest of a batch.
 * @throws Failure `AEP_*`, `STORE_UNAVAILABLE`, and what `note` throws; what was noted before stays
 */
export async function readBatch(batch: Batch, given: Reading): Promise<BatchRead> {
  const { searches } = given;
  const reading = { ...given, searches: { ...searches, reads: 0 } };
  const { place } = reading;
  if (place?.kind !== 'meta') {
    const failed = await reading.aep.dataAccess.failedFiles(batch.id);
    if (failed.length === 0) return { stored: 0, alreadyThere: 0, end: 'empty' };
    const read = await readFiles(batch, 'failed', failed, reading);
    // A place in the failed rows proves that rows were stored before.
    const some = read.stored + read.alreadyThere > 0 || place !== undefined;
    if (read.end !== 'unreadable' || some) return read;
  }
  // Error diagnostics have the rows as JSON, if the dataset keeps them.
  const errors = await rowErrorFiles(batch, reading);
  return errors.length === 0
    ? { stored: 0, alreadyThere: 0, end: 'unreadable' }
    : readFiles(batch, 'meta', errors, reading);
}

async function rowErrorFiles({ id }: Batch, { aep }: Reading): Promise<BatchFile[]> {
  try {
    return await aep.dataAccess.rowErrorFiles(id);
  } catch (error) {
    if (isFailure(error) && error.code === 'AEP_NOT_FOUND') return [];
    throw error;
  }
}

/** A file to be read, and what is known of those before it. */
interface FileReading extends Reading {
  readonly kind: BatchPlace['kind'];
  readonly file: string;
  /** Lines that were read before. */
  readonly skip: number;
  readonly unreadable: boolean;
}

/** Reads as many files as there is time for. A file that cannot be read does not stop the others. */
async function readFiles(
  batch: Batch,
  kind: BatchPlace['kind'],
  files: readonly BatchFile[],
  reading: Reading,
): Promise<BatchRead> {
  const place = reading.place?.kind === kind ? reading.place : undefined;
  let total: BatchRead = {
    stored: 0,
    alreadyThere: 0,
    end: place?.unreadable === true ? 'unreadable' : 'done',
  };
  const named = files.map(({ path }) => ({ path, file: nameOfFile(path) }));
  let begun = false;
  // Always in the same order, so that one place says which files are done.
  for (const { path, file } of named.sort((a, b) => (a.file < b.file ? -1 : 1))) {
    if (place !== undefined && file < place.file) continue;
    // At least one file is read: otherwise runs would repeat without progress.
    if (begun && reading.timeLeftMs() <= 0) return { ...total, end: 'later' };
    begun = true;
    const skip = file === place?.file ? place.lines : 0;
    const unreadable = total.end === 'unreadable';
    const read = await readFile(batch, path, { ...reading, kind, file, skip, unreadable });
    total = {
      stored: total.stored + read.stored,
      alreadyThere: total.alreadyThere + read.alreadyThere,
      end: read.end === 'done' ? total.end : read.end,
    };
    if (read.end === 'later') break;
  }
  return total;
}

async function readFile(batch: Batch, path: string, reading: FileReading): Promise<BatchRead> {
  const { aep, pipeline, timeLeftMs, note, kind, file, skip, unreadable } = reading;
  if (path.endsWith('.parquet')) return { stored: 0, alreadyThere: 0, end: 'unreadable' };
  const findings = findingsOf(batch);
  const total = { stored: 0, alreadyThere: 0 };
  let reached = skip;
  try {
    const pieces = await aep.dataAccess.readFile(batch.id, kind, path, Math.max(1, timeLeftMs()));
    const lines = linesOf(pieces, MAX_ROW);
    const rowAt = (line: Line, number: number) =>
      readRow(line, { pipeline, findings, place: `${batch.id} ${path} ${number}` });
    for await (const part of rowParts(lines, skip, rowAt)) {
      if (part === 'parquet') return { ...total, end: 'unreadable' };
      const name = `${file}-${part.from}-${part.to - part.from}`;
      const counts = await keepPart(part.rows, { batch, name }, reading);
      total.stored += counts.stored;
      total.alreadyThere += counts.alreadyThere;
      await note({ kind, file, lines: part.to, ...(unreadable && { unreadable }) });
      reached = part.to;
      if (!part.last && timeLeftMs() <= 0) return { ...total, end: 'later' };
    }
    return { ...total, end: 'done' };
  } catch (error) {
    // Adobe ends a transfer after a minute, and storing takes time. Read on from the last stored row.
    if (!brokeOff(error) || reached === skip) throw error;
    const rest = await readFile(batch, path, { ...reading, skip: reached });
    return {
      stored: total.stored + rest.stored,
      alreadyThere: total.alreadyThere + rest.alreadyThere,
      end: rest.end,
    };
  }
}

/** Rows that are stored together, and their lines: behind `from`, up to `to`. */
interface RowPart {
  readonly rows: readonly RefusedRow[];
  readonly from: number;
  readonly to: number;
  readonly last: boolean;
}

/**
 * The lines behind the first `skip`, in parts. A part ends at the same line, as long as reading begins where one
 * ended.
 */
async function* rowParts(
  lines: AsyncIterable<Line>,
  skip: number,
  rowAt: (line: Line, number: number) => RefusedRow,
): AsyncGenerator<RowPart | 'parquet', void, undefined> {
  let rows: RefusedRow[] = [];
  let [bytes, from, number] = [0, skip, 0];
  for await (const line of lines) {
    if (number++ === 0 && isParquet(line)) return yield 'parquet';
    if (number <= skip || line.length === 0) continue;
    rows.push(rowAt(line, number));
    bytes += line.length;
    if (rows.length < MAX_ROWS && bytes < MAX_PART_BYTES) continue;
    yield { rows, from, to: number, last: false };
    rows = [];
    [bytes, from] = [0, number];
  }
  if (number > from) yield { rows, from, to: number, last: true };
}

function brokeOff(error: unknown): boolean {
  return isFailure(error) && error.code === 'AEP_UNREACHABLE';
}

function isParquet({ bytes }: Line): boolean {
  return bytes?.subarray(0, 4).toString('latin1') === 'PAR1';
}

function findingsOf({ errors }: Batch) {
  return (errors ?? []).map(({ code, description }) => ({
    code: code ?? undefined,
    text: description ?? undefined,
  }));
}

/** Stores rows, a document for each shard, under keys that are the same each time. Counts what is new. */
async function keepPart(
  part: readonly RefusedRow[],
  { batch, name }: { batch: Batch; name: string },
  reading: Reading,
): Promise<{ stored: number; alreadyThere: number }> {
  const { runtime, pipeline } = reading;
  const { deadLetters, metrics, clock } = runtime;
  const counts = { stored: 0, alreadyThere: 0 };
  const hider = createHider(pipeline);
  const whole = await wholeRows(part, batch, reading, hider);
  for (const [shardId, rows] of Map.groupBy(whole, (row) => row.shardId)) {
    const rules = rows.some(({ entry }) => entry.rules !== undefined)
      ? rulesBehind([hider?.rules])
      : undefined;
    const document: DeadLetterDocument = {
      version: 1,
      pipeline: pipeline.pipeline,
      streamArn: pipeline.streamArn,
      shardId,
      invocationId: `aep-batch-${batch.id}`,
      storedAt: new Date(clock.now()).toISOString(),
      ...(rules !== undefined && { rules }),
      entries: rows.map(({ entry }) => entry),
    };
    const outcome = await deadLetters.putOnce(
      batchKey(batch, pipeline.pipeline, `${name}-${shardId}`),
      document,
    );
    if (outcome === 'stored') counts.stored += rows.length;
    else counts.alreadyThere += rows.length;
  }
  if (counts.stored > 0) {
    metrics.count('RecordsRefusedLater', counts.stored);
    metrics.flush({ pipeline: pipeline.pipeline });
  }
  return counts;
}

/** The rows with the records behind them, if those are found, and redacted. */
async function wholeRows(
  part: readonly RefusedRow[],
  { created, updated }: Batch,
  reading: Reading,
  hider: Hider | undefined,
): Promise<readonly RefusedRow[]> {
  const { runtime, pipeline, mapping, searches, timeLeftMs } = reading;
  const { clock, stream, log } = runtime;
  const ended = updated ?? clock.now();
  const rows = await withOriginals(part, {
    stream,
    clock,
    log,
    pipeline,
    mapping,
    timeLeftMs,
    batch: { created: created ?? ended, ended },
    searches,
    schemas: reading.schemas,
    isWanted: ({ entry }) => hider !== undefined || entry.processed === true,
  });
  return hider === undefined ? rows : rows.map(hider.hide);
}

/** Rejects are stored by day. This one is the day on which AEP made the batch: it is the same whenever it is read. */
function batchKey({ id, created }: Batch, pipeline: string, name: string): string {
  const day = new Date(created ?? 0).toISOString().slice(0, 10).replaceAll('-', '/');
  return `rejected/${pipeline}/${day}/refused-later-${`${id}-${name}`.replace(/[^\w.-]/g, '_')}.json`;
}
