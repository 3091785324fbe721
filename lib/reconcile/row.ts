// One row that AEP refused, as an entry of the dead-letter store: what AEP says, and the record as far as the row still holds it.
import { createHash } from 'node:crypto';
import { excerpt, parse } from '../aep/exchange.ts';
import { memberSpan } from '../forward/json/json.ts';
import { type Coordinates, coordinatesIn } from '../forward/read/record-id.ts';
import { type PublishedPipeline, streamNameOf } from '../published.ts';
import { covers } from '../records.ts';
import type { DeadLetter } from '../runtime.ts';
import type { Line } from './lines.ts';

/** The shard of a record whose row does not say where it stood in the stream. */
export const UNKNOWN_SHARD = 'unknown';

/** A code and a text of AEP's, either of which may be missing. */
export interface RowFinding {
  readonly code?: string | undefined;
  readonly text?: string | undefined;
}

export interface RefusedRow {
  readonly shardId: string;
  readonly entry: DeadLetter;
  /** Whether it holds what the mapping makes of a record. */
  readonly mapped: boolean;
  /** The entry has the record itself, as it was read from the stream. */
  readonly joined?: true;
}

type RowJson = Readonly<Record<string, unknown>>;

/** What there is to know about a row besides itself. */
export interface About {
  readonly pipeline: Pick<PublishedPipeline, 'streamArn' | 'data' | 'records'>;
  /** What AEP says of the batch, for a row that says nothing. */
  readonly findings: readonly RowFinding[];
  /** Batch, file and line: they tell rows apart that are too long to be kept. */
  readonly place: string;
}

export function readRow({ bytes, length }: Line, about: About): RefusedRow {
  const { pipeline } = about;
  const row = bytes === undefined ? undefined : asRow(parse(bytes.toString('utf8')));
  const own = row === undefined ? [] : [...findingsIn(row._errors), ...findingsIn(row._validationErrors)];
  const redacts = pipeline.records?.redact ?? [];
  const findings = own.some(saysAnything) ? own : about.findings;
  // What AEP says in words quotes the record, and that may have been sent before anything was to be hidden.
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
      message: bytes === undefined ? `its row has ${length} bytes and was not kept; ${said}` : said,
      sequenceNumber,
      ...(subSequenceNumber !== undefined && { subSequenceNumber }),
      data: record.bytes.toString('base64'),
      ...(isProcessed(record.isEntity, pipeline) && { processed: true }),
      asReceived: true,
    },
  };
}

/** Whether what AEP has is another thing than what the pipeline takes. An entity behind raw data has been mapped. */
function isProcessed(isEntity: boolean, { data, records }: About['pipeline']): boolean {
  return records?.select !== undefined || (data === 'raw' && isEntity);
}

/** What AEP adds to a row, where it does not put the row into a `body`. */
const ADDED = ['_errors', '_validationErrors', '_corrupt_record', '_filename', '_batchId', '_failedAt'];

/** The record in a row, byte for byte where it stands in one piece. Contract §3.4. */
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

/** The object that a member is, or that is encoded as a string in it, and the bytes it is written in. */
function inside(bytes: Buffer, row: RowJson, name: string): { bytes: Buffer; value: RowJson } | undefined {
  const member = row[name];
  const object = asRow(member);
  if (object === undefined) return decodedMember(member);
  const span = memberSpan(bytes, name);
  return span && { bytes: bytes.subarray(span.start, span.end), value: object };
}

/** Encoded once, or once more by whoever passed it on. */
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
 * Those in a derived `_id`, unless that is to be hidden; else the content stands for them, so that the same content is the
 * same record. The same each time, whatever the stream has at that place: the row's key is made of them.
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

/** Findings within findings are those that say something; no honest row goes deeper. */
const MAX_FINDING_DEPTH = 5;
const MAX_FINDINGS = 3;

/** What AEP says in a member of a row: a list, an object of lists, or either encoded as a string. */
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
  // "3 schema violations found" is no news where they are named.
  const shown = below.some((one) => one.text !== undefined) ? undefined : text;
  return [
    { code, text: shown !== undefined && where !== undefined ? `${where}: ${shown}` : shown },
    ...below,
  ];
}

/** At most a line: the codes, then the first of what is said. */
function inWords(findings: readonly RowFinding[]): string {
  const distinct = (texts: readonly (string | undefined)[]) =>
    [...new Set(texts.filter((text) => text !== undefined))].slice(0, MAX_FINDINGS);
  const codes = distinct(findings.map(({ code }) => code)).join(', ');
  const texts = distinct(findings.map(({ text }) => text)).join('; ');
  return excerpt([codes, texts].filter(Boolean).join(': ') || 'AEP does not say why', 500);
}

/** A code of AEP's, such as `DCVS-1106-400`: no value of a record. */
const CODE = /^[A-Z][A-Z0-9]{1,15}(-[0-9]{1,6}){1,3}$/;

/** Those that are codes of AEP's and nothing else. */
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
