// Data Access: reads the rows that AEP refused after it had received them. Contract §3.4.
import * as z from 'zod';
import type { Download } from './download.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/export';

/** A file among a batch's failed rows or diagnostics. */
export interface BatchFile {
  /** In the form that reading it needs. */
  readonly path: string;
  /** If the listing says it. */
  readonly bytes: number | undefined;
}

const Listing = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      /** A string in each of Adobe's examples. */
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
      // A page without new files is the same page again: some services ignore `start`.
      if (value.data.length < PAGE_FILES || found.size === before) break;
    }
    // Markers such as `_SUCCESS`.
    return [...found.values()].filter(({ path: name, bytes }) => !(bytes === 0 || /(^|\/)_/.test(name)));
  }

  return {
    /** The files with a batch's refused rows, without empty ones and markers. */
    failedFiles: async (batchId: string): Promise<BatchFile[]> =>
      list(`${batchPath(batchId)}/failed`, undefined),
    /**
     * The files with AEP's findings about single rows. They are kept up to 30 days, and only with error diagnostics
     * on.
     */
    rowErrorFiles: async (batchId: string): Promise<BatchFile[]> =>
      list(`${batchPath(batchId)}/meta`, 'row_errors'),
    /**
     * The content of one of `failedFiles` or `rowErrorFiles`, piece by piece: JSON lines, or parquet. It may be
     * large. Data Access answers for 60 seconds at most (Adobe's description of the API).
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
