// Data Access: the rows that landed and the rows that were refused, as JSON lines (contract §3.4; AEP keeps parquet).

import { existingBatch, statusOf } from './catalog/batches.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, type Answer, json, text, wholeNumber } from './http.ts';
import type { Json, JsonObject } from './json.ts';
import type { Route } from './router.ts';
import type { Batch, RefusedRow, World } from './state.ts';

const BASE = '/data/foundation/export';
const ROWS = 'part-00000-simulated.json';

export function dataAccessRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', `${BASE}/batches/:id/files`, (call, id = '') => files(world, call, id)],
    ['GET', `${BASE}/files/:id`, (call, id = '') => landed(world, call, id)],
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
          dataSetViewId: batch.dataSetId,
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
  const lines = () => batch.rows.map((row) => JSON.stringify(row)).join('\n');
  return directory(
    call,
    { [ROWS]: lines },
    `${BASE}/files/${id}`,
    statusOf(batch, world.clock.now()) === 'success',
  );
}

function failed(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const lines = () => batch.refused.map((row) => JSON.stringify(failedLine(world, batch, row))).join('\n');
  const done = statusOf(batch, world.clock.now()) === 'failed';
  return directory(call, { [ROWS]: lines, _SUCCESS: () => '' }, `${BASE}/batches/${id}/failed`, done);
}

function meta(world: World, call: AdmittedCall, id: string): Answer {
  const batch = existingBatch(call, id);
  const errors = () =>
    batch.refused.map((row) => JSON.stringify({ _errors: reasons(row), _rowSource: row.source })).join('\n');
  const done = statusOf(batch, world.clock.now()) !== 'processing';
  const inside: Directory = { input_files: () => '', row_errors: errors, 'row_error_samples.json': errors };
  return directory(call, inside, `${BASE}/batches/${id}/meta`, done && batch.refused.length > 0);
}

interface Directory {
  readonly [name: string]: () => string;
}

/** Without `path` the names inside; with it the content of one. */
function directory(call: AdmittedCall, inside: Directory, href: string, readable: boolean): Answer {
  const path = call.query.get('path');
  const limit = wholeNumber(call, 'limit', 100, 1, 100);
  if (path === null) {
    const names = readable ? Object.keys(inside) : [];
    const data: Json[] = names.slice(0, limit).map((name) => ({
      name,
      // A string, not a number (contract §3.4).
      length: String(Buffer.byteLength(inside[name]?.() ?? '')),
      _links: { self: { href: `${call.origin}${href}?path=${encodeURIComponent(name)}` } },
    }));
    return json(200, { data, _page: { limit, count: data.length } });
  }
  const content = readable && Object.hasOwn(inside, path) ? inside[path] : undefined;
  if (!content) throw Refusal.problem(404, 'NotFoundError', `There is no file '${path}'.`);
  return text(200, content(), 'application/octet-stream');
}

/** Streamed failures carry their parts encoded as strings (contract §3.4: aepp un-escapes them by hand). */
function failedLine(world: World, batch: Batch, row: RefusedRow): JsonObject {
  const parts: JsonObject = { header: row.header, body: row.body, _errors: reasons(row) };
  const strings = world.settings.failedRows === 'strings';
  const shown = strings
    ? Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, JSON.stringify(value)]))
    : parts;
  return { ...shown, _batchId: batch.id, _failedAt: batch.created };
}

function reasons(row: RefusedRow): JsonObject {
  const details: Json = row.violations.map((violation) => ({ ...violation, causingExceptions: [] }));
  const key = row.stage === 'mapper' ? '_mapper' : '_streamingValidation';
  return { code: row.code, [key]: details };
}
