// Makes a dead letter of one row that AEP refused: AEP's message, and the record as far as the row holds it.
import { createHash } from 'node:crypto';
import { excerpt, parse } from '../aep/exchange.ts';
import { memberSpan } from '../forward/json/json.ts';
import { type Coordinates, coordinatesIn } from '../forward/read/record-id.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import { covers } from '../records.ts';
import type { DeadLetter } from '../runtime.ts';
import type { Line } from './lines.ts';

/** The shard of a record whose row does not name its place in the stream. */
export const UNKNOWN_SHARD = 'unknown';

/** A code and a text of AEP's; either may be missing. */
export interface RowFinding {
  readonly code?: string | undefined;
  readonly text?: string | undefined;
}

export interface RefusedRow {
  readonly shardId: string;
  readonly entry: DeadLetter;
  /** Whether it holds the mapping's result instead of the record. */
  readonly mapped: boolean;
  /** The entry has the record itself, as it was read from the stream. */
  readonly joined?: true;
}

type RowJson = Readonly<Record<string, unknown>>;

/** What is known about a row besides its bytes. */
export interface About {
  readonly pipeline: Pick<PublishedPipeline, 'streamArn' | 'data' | 'records'>;
  /** AEP's findings about the whole batch, for a row without its own. */
  readonly findings: readonly RowFinding[];
  /** Batch, file and line: they identify rows that are too long to be kept. */
  readonly place: string;
}

export function readRow({ bytes, length }: Line, about: About): RefusedRow {
  const { pipeline } = about;
  const row = bytes === undefined ? undefined : asRow(parse(bytes.toString('utf8')));
  const own = row === undefined ? [] : [...findingsIn(row._errors), ...findingsIn(row._validationErrors)];
  const redacts = pipeline.records?.redact ?? [];
  const findings = own.some(saysAnything) ? own : about.findings;
  // AEP's messages quote the record, which may have been sent before the pipeline redacted.
  const said = inWords(redacts.length > 0 ? codesIn(findings).map((code) => ({ code })) : findings);
  const record = recordIn(bytes, row);
  const { shardId, sequenceNumber, subSequenceNumber } = coordinatesOf(
    record.bytes,
    streamNameOf(pipeline.streamArn),
    bytes ?? about.place,
    redacts.some(({ field }) => covers(field, '/_id')),
  );
  return {
    shardId,
    mapped: pipeline.data === 'raw' && record.isEntity,
    entry: {
      reason: 'refused-later',
      message: bytes === undefined ? `the row was not kept, because it has ${length} bytes; ${said}` : said,
      sequenceNumber,
      ...(subSequenceNumber !== undefined && { subSequenceNumber }),
      data: record.bytes.toString('base64'),
      ...(isProcessed(record.isEntity, pipeline) && { processed: true }),
      asReceived: true,
    },
  };
}

/** Whether AEP has the record in another form than the pipeline takes. An entity behind raw data has been mapped. */
function isProcessed(isEntity: boolean, { data, records }: About['pipeline']): boolean {
  return records?.select !== undefined || (data === 'raw' && isEntity);
}

/** What AEP adds to a row, if it does not put the record into a `body`. */
const ADDED = ['_errors', '_validationErrors', '_corrupt_record', '_filename', '_batchId', '_failedAt'];

/** The record in a row: its own bytes where the row holds them in one piece. Contract §3.4. */
function recordIn(bytes: Buffer | undefined, row: RowJson | undefined): { bytes: Buffer; isEntity: boolean } {
  const whole = (text: Buffer) => ({ bytes: text, isEntity: false });
  if (bytes === undefined || row === undefined) return whole(bytes ?? Buffer.alloc(0));
  if (typeof row._corrupt_record === 'string') return whole(Buffer.from(row._corrupt_record));
  const body = inside(bytes, row, 'body');
  const entity = body && inside(body.bytes, body.value, 'xdmEntity');
  if (entity !== undefined) return { bytes: entity.bytes, isEntity: true };
  if (body !== undefined) return whole(body.bytes);
  if (typeof row.body === 'string') return whole(Buffer.from(row.body));
  const rest = Object.entries(row).filter(([name]) => !ADDED.includes(name));
  return whole(Buffer.from(JSON.stringify(Object.fromEntries(rest))));
}

/** A member that is an object, or holds one encoded as a string; and its bytes. */
function inside(bytes: Buffer, row: RowJson, name: string): { bytes: Buffer; value: RowJson } | undefined {
  const member = row[name];
  const object = asRow(member);
  if (object === undefined) return decodedMember(member);
  const span = memberSpan(bytes, name);
  return span && { bytes: bytes.subarray(span.start, span.end), value: object };
}

/** Encoded as a string once or twice. */
function decodedMember(member: unknown): { bytes: Buffer; value: RowJson } | undefined {
  let text = member;
  for (let tries = 0; tries < 2 && typeof text === 'string'; tries++) {
    const inner = parse(text);
    const value = asRow(inner);
    if (value !== undefined) return { bytes: Buffer.from(text), value };
    text = inner;
  }
  return undefined;
}

/**
 * The place in a derived `_id`, unless the id is redacted. Otherwise a hash of the content, so that the same content
 * is the same record. The result never depends on the stream, because the row's key is made of it.
 */
function coordinatesOf(
  data: Buffer,
  stream: string,
  otherwise: Buffer | string,
  isHidden: boolean,
): Coordinates {
  const id = isHidden ? undefined : asRow(parse(data.toString('utf8')))?._id;
  const found = typeof id === 'string' ? coordinatesIn(id) : undefined;
  if (found?.stream === stream) return found;
  const content = data.length > 0 ? data : otherwise;
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 32);
  return { stream, shardId: UNKNOWN_SHARD, sequenceNumber: BigInt(`0x${hash}`).toString() };
}

/** Findings can hold more precise findings; real rows do not go deeper. */
const MAX_FINDING_DEPTH = 5;
const MAX_FINDINGS = 3;

/** AEP's findings in a member of a row: a list, an object of lists, or either encoded as a string. */
export function findingsIn(member: unknown, depth = 0): RowFinding[] {
  const value = typeof member === 'string' ? parse(member) : member;
  if (depth > MAX_FINDING_DEPTH) return [];
  if (Array.isArray(value)) return value.slice(0, 20).flatMap((each) => findingsIn(each, depth + 1));
  const row = asRow(value);
  if (row === undefined) return [];
  const below = Object.values(row).flatMap((each) =>
    Array.isArray(each) ? findingsIn(each, depth + 1) : [],
  );
  const code = memberText(row.code);
  const text = memberText(row.message) ?? memberText(row.description);
  const where = memberText(row.pointerToViolation);
  // "3 schema violations found" adds nothing where they are named.
  const shown = below.some((one) => one.text !== undefined) ? undefined : text;
  return [
    { code, text: shown !== undefined && where !== undefined ? `${where}: ${shown}` : shown },
    ...below,
  ];
}

/** At most a line: the codes, then the first texts. */
function inWords(findings: readonly RowFinding[]): string {
  const distinct = (texts: readonly (string | undefined)[]) =>
    [...new Set(texts.filter((text) => text !== undefined))].slice(0, MAX_FINDINGS);
  const codes = distinct(findings.map(({ code }) => code)).join(', ');
  const texts = distinct(findings.map(({ text }) => text)).join('; ');
  return excerpt([codes, texts].filter(Boolean).join(': ') || 'AEP does not say why', 500);
}

/** A code of AEP's, such as `DCVS-1106-400`, and never a value of a record. */
const CODE = /^[A-Z][A-Z0-9]{1,15}(-[0-9]{1,6}){1,3}$/;

/** The codes of AEP's among them. */
export function codesIn(findings: readonly { readonly code?: string | null | undefined }[]): string[] {
  return findings.flatMap(({ code }) => (typeof code === 'string' && CODE.test(code) ? [code] : []));
}

function saysAnything({ code, text }: RowFinding): boolean {
  return code !== undefined || text !== undefined;
}

function memberText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== ''
    ? value
    : typeof value === 'number'
      ? String(value)
      : undefined;
}

function asRow(value: unknown): RowJson | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as RowJson)
    : undefined;
}
