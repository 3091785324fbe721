// gzip, for pipelines that say so: one member, whole, and no more of it than fits.
import { gunzipSync } from 'node:zlib';
import { type Rejected, rejected } from './verdict.ts';

/** 50 MiB of zeros pack into 50 KB; no message that could be delivered, at most 1 MB, comes near this. */
export const MAX_UNPACKED_BYTES = 2 * 1024 * 1024;

/** Whether `bytes` begin like gzip. RFC 1952 §2.3.1. */
export function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The content of a gzip file of one member; empty ones around it do no harm. */
export function gunzip(bytes: Buffer): Buffer | Rejected {
  try {
    const content = gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
    // The trailer holds the member's own length: Node passes over bytes behind it, and joins members.
    if (bytes.readUInt32LE(bytes.length - 4) === content.length) return content;
    return rejected('not-gzip', 'there is more than one gzip member, or something behind it');
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return rejected('gzip-too-large', `unpacked it has more than ${MAX_UNPACKED_BYTES} bytes`);
    }
    if (code?.startsWith('Z_')) return rejected('not-gzip', 'it begins like gzip but cannot be unpacked');
    throw error;
  }
}
