// Data Access: the rows that were refused after they had been received. Contract §3.4.
import * as z from 'zod';
import type { Download } from './download.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/export';

/** A file among a batch's failed rows or diagnostics. */
export interface BatchFile {
  /** As `path` has to be to read it. */
  readonly path: string;
  /** As far as the listing says so. */
  readonly bytes: number | undefined;
}

const Listing = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      /** A string in every example of Adobe's. */
      length: z.union([z.string(), z.number()]).nullish().catch(undefined),
    }),
  ),
});

const PAGE_FILES = 100;

/** Data Access' calls. Each throws the `Failure`s of `createRequest`. */
export function dataAccess(request: Request, download: Download) {
  async function list(path: string, folder: string | undefined): Promise<BatchFile[]> {
    const found = new Map<string, BatchFile>();
    for (;;) {
      const before = found.size;
      const { value } = await request({
        method: 'GET',
        path,
        query: [
          ...(folder === undefined ? [] : [['path', folder] as const]),
          ['limit', String(PAGE_FILES)],
          ['start', String(before)],
        ],
        answer: Listing,
      });
      for (const { name, length } of value.data) {
        const inside = folder === undefined ? name : `${folder}/${name}`;
        found.set(inside, { path: inside, bytes: lengthIn(length) });
      }
      // A page that brings nothing new is the same page again: `start` is not honoured everywhere.
      if (value.data.length < PAGE_FILES || found.size === before) break;
    }
    // Markers such as `_SUCCESS`.
    return [...found.values()].filter(({ path: name, bytes }) => !(bytes === 0 || /(^|\/)_/.test(name)));
  }

  return {
    /** The files with a batch's refused rows, without empty ones and markers. */
    failedFiles: async (batchId: string): Promise<BatchFile[]> =>
      list(`${batchPath(batchId)}/failed`, undefined),
    /** The files with what AEP says about single rows: kept up to 30 days, and only where error diagnostics are on. */
    rowErrorFiles: async (batchId: string): Promise<BatchFile[]> =>
      list(`${batchPath(batchId)}/meta`, 'row_errors'),
    /**
     * One of `failedFiles` or `rowErrorFiles`, piece by piece: JSON lines, unless it is parquet. It may be large, and
     * Data Access answers for 60 seconds at most (Adobe's description of the API).
     */
    readFile: async (
      batchId: string,
      kind: 'failed' | 'meta',
      file: string,
      timeoutMs: number,
    ): Promise<AsyncIterable<Uint8Array>> =>
      download({ path: `${batchPath(batchId)}/${kind}`, query: [['path', file]], timeoutMs }),
  };
}

function batchPath(batchId: string): string {
  return `${BASE}/batches/${pathPart(batchId)}`;
}

function lengthIn(length: string | number | null | undefined): number | undefined {
  const bytes = Number(length ?? Number.NaN);
  return Number.isFinite(bytes) ? bytes : undefined;
}
