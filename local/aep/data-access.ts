// Data Access: the rows that landed and the rows that were refused, as JSON lines (contract §3.4; AEP keeps parquet).

import { type Answer, json, text } from './answer.ts';
import { existingBatch, statusOf } from './catalog/batches.ts';
import { existing, viewId } from './catalog/datasets.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, callHeader, wholeNumber } from './http.ts';
import type { Json, JsonObject } from './json.ts';
import type { Route } from './router.ts';
import type { Batch, RefusedRow, World } from './state.ts';
import { shownViolation } from './xdm/violations.ts';

const BASE = '/data/foundation/export';
const ROWS = 'part-00000-simulated.json';

export function dataAccessRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', `${BASE}/batches/:id/files`, (call, id = '') => files(world, call, id)],
    ['GET', `${BASE}/files/:id`, (call, id = '') => ranged(call, landed(world, call, id))],
    ['HEAD', `${BASE}/files/:id`, (call, id = '') => headOf(world, call, id)],
    ['GET', `${BASE}/datasets/:id/preview`, (call, id = '') => preview(world, call, id)],
    ['GET', `${BASE}/batches/:id/failed`, (call, id = '') => failed(world, call, id)],
    ['GET', `${BASE}/batches/:id/meta`, (call, id = '') => meta(world, call, id)],
  ];
}

function files(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const done = statusOf(batch, world.clock.now()) === 'success';
  const data = done
    ? [
        {
          dataSetFileId: `${batch.id}-1`,
          dataSetViewId: viewId(batch.dataSetId),
          version: '1.0.0',
          created: String(batch.created),
          updated: String(batch.updated),
          records: String(batch.rowCount),
          size: String(batch.bytes),
          isValid: true,
          _links: { self: { href: `${call.origin}${BASE}/files/${batch.id}-1` } },
        },
      ]
    : [];
  return json(200, { data, _page: { limit: 100, count: data.length } });
}

function landed(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id.replace(/-1$/, ''));
  const lines = () => batch.rows.map((row) => ascii(JSON.stringify(row))).join('\n');
  return directory(
    call,
    { [ROWS]: lines },
    `${BASE}/files/${id}`,
    statusOf(batch, world.clock.now()) === 'success',
  );
}

/** Escaped, so that a range of bytes never cuts a character. */
function ascii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Size and type of a file, without its bytes. Adobe's description requires the file's name; a call without one is refused. */
function headOf(world: World, call: AdmittedCall, id: string): Answer {
  if (!call.query.has('path'))
    throw Refusal.problem(400, 'BadRequestError', "The query parameter 'path' is required.");
  const { status, headers, text: whole = '' } = landed(world, call, id);
  return {
    status,
    headers: { ...headers, 'accept-ranges': 'bytes', 'content-length': String(Buffer.byteLength(whole)) },
  };
}

/** One range of bytes, as `Range` asks (Adobe's description of Data Access; RFC 9110, 14.2). Several ranges give the whole file. */
function ranged(call: AdmittedCall, answer: Answer): Answer {
  const found = /^bytes=(\d*)-(\d*)$/.exec(callHeader(call, 'range') ?? '');
  const { text: whole } = answer;
  if (whole === undefined || found === null || found[0] === 'bytes=-') return answer;
  const [first, last] = [found[1] ?? '', found[2] ?? ''];
  const from = first === '' ? Math.max(0, whole.length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? whole.length - 1 : Math.min(Number(last), whole.length - 1);
  if (from > to) throw new Refusal(416, undefined, { 'content-range': `bytes */${whole.length}` });
  const headers = { ...answer.headers, 'content-range': `bytes ${from}-${to}/${whole.length}` };
  return { ...answer, status: 206, headers, text: whole.slice(from, to + 1) };
}

const PREVIEWED = 100;

/** The first rows of a dataset. How Adobe shows a row with objects in it is not documented. */
function preview(world: World, call: AdmittedCall, id: string): Answer {
  existing(call, id);
  const rows: Json[] = [];
  for (const batch of call.sandbox.batches.values()) {
    if (rows.length >= PREVIEWED) break;
    if (batch.dataSetId !== id || statusOf(batch, world.clock.now()) !== 'success') continue;
    rows.push(...batch.rows.slice(0, PREVIEWED - rows.length));
  }
  return json(200, { data: rows });
}

function failed(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const lines = () => batch.refused.map((row) => JSON.stringify(failedLine(world, batch, row))).join('\n');
  const done = statusOf(batch, world.clock.now()) === 'failed';
  return directory(call, { [ROWS]: lines, _SUCCESS: () => '' }, `${BASE}/batches/${id}/failed`, done);
}

/** Diagnostics are kept where the dataset has them switched on. Their rows are as they were sent. */
function meta(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const dataSet = call.sandbox.dataSets.get(batch.dataSetId);
  const done = statusOf(batch, world.clock.now()) !== 'processing';
  const readable = done && batch.refused.length > 0 && dataSet?.body.enableErrorDiagnostics === true;
  const errors = () => batch.refused.map((row) => JSON.stringify(diagnosed(row))).join('\n');
  const href = `${BASE}/batches/${id}/meta`;
  const [folder = '', file] = (call.query.get('path') ?? '').split('/');
  const files = FOLDERS.get(folder)?.(errors);
  if (files !== undefined) return directory(call, files, href, readable, { folder, file });
  return directory(
    call,
    { row_errors: () => '', input_files: () => '', 'row_error_samples.json': errors },
    href,
    readable,
  );
}

/** Folders within the diagnostics, by what is in them. */
const FOLDERS = new Map<string, (errors: () => string) => Directory>([
  ['row_errors', (errors) => ({ 'conversion_errors_0.json': errors })],
  ['input_files', () => ({})],
]);

function diagnosed({ source, violations, code }: RefusedRow): JsonObject {
  const errors = violations.map(({ pointerToViolation, message }) => ({
    code,
    column: pointerToViolation,
    message,
  }));
  return { ...source, _errors: errors, _filename: ROWS };
}

interface Directory {
  readonly [name: string]: () => string;
}

/** Without `path` the names inside; with it the content of one. A folder within is named before its files. */
function directory(
  call: AdmittedCall,
  inside: Directory,
  href: string,
  readable: boolean,
  below?: { readonly folder: string; readonly file: string | undefined },
): Answer {
  const path = below === undefined ? call.query.get('path') : (below.file ?? null);
  const prefix = below === undefined ? '' : `${below.folder}/`;
  const limit = wholeNumber(call, 'limit', 100, 1, 100);
  const start = wholeNumber(call, 'start', 0, 0, Number.MAX_SAFE_INTEGER);
  if (path === null) {
    const names = readable ? Object.keys(inside) : [];
    const data: Json[] = names.slice(start, start + limit).map((name) => ({
      name,
      // A string, not a number (contract §3.4).
      length: String(Buffer.byteLength(inside[name]?.() ?? '')),
      _links: { self: { href: `${call.origin}${href}?path=${encodeURIComponent(prefix + name)}` } },
    }));
    return json(200, { data, _page: { limit, count: data.length } });
  }
  const content = readable && Object.hasOwn(inside, path) ? inside[path] : undefined;
  if (!content) throw Refusal.problem(404, 'NotFoundError', `There is no file '${prefix}${path}'.`);
  return text(200, content(), 'application/octet-stream');
}

/**
 * Streamed failures carry their parts encoded as strings (contract §3.4: aepp un-escapes them by hand). It looks for them in
 * this order: body, header, errors.
 */
function failedLine(world: World, batch: Batch, row: RefusedRow): JsonObject {
  const parts: JsonObject = { body: row.body, header: row.header, _errors: reasons(row) };
  const strings = world.settings.quirks['failed-rows'] === 'strings';
  const shown = strings
    ? Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, JSON.stringify(value)]))
    : parts;
  return { ...shown, _batchId: batch.id, _failedAt: batch.created };
}

function reasons(row: RefusedRow): JsonObject {
  const details: Json = row.violations.map((violation) => ({
    ...shownViolation(violation),
    causingExceptions: [],
  }));
  const key = row.stage === 'mapper' ? '_mapper' : '_streamingValidation';
  return { code: row.code, [key]: details };
}
