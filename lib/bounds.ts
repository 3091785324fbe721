// What is kept, and how large each of it may be, in bytes: less than what AWS takes of it, and the same for whoever writes and reads it.
import { Failure } from './failure.ts';

/** Each is one attribute of the pipeline's item, and an item holds 400 KB, names included. AWS: "Quotas in Amazon DynamoDB". */
export const MAX_IN_LEDGER_BYTES = {
  manifest: 110_000,
  known: 100_000,
  report: 65_000,
  succeeded: 1_000,
} as const;

/** What is read and written of reconcile's progress as a whole, in an item of its own: each write costs a unit for each KB. */
export const MAX_PROGRESS_BYTES = 16_000;

/** AWS: "AWS Secrets Manager quotas". */
export const MAX_SECRET_BYTES = 65_536;

/** Of a manifest's `source.records`, which goes into a secret: the rest of what is published has 2 KB. */
export const MAX_RECORDS_BYTES = 60_000;

/** An object of the dead-letter store that is read, and so held in memory, as a whole. What is larger is nobody's of Penstock's. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024;

/** One that is written: a document that is longer is divided. The largest record of a stream, 10 MiB, fits in base64. */
export const MAX_WRITTEN_BYTES = 16 * 1024 * 1024;

/** Bytes of records held for one document: in base64 they still make one that can be read as a whole. */
export const MAX_OPENED_BYTES = 32 * 1024 * 1024;

/** @throws Failure `TOO_LARGE` for a text of more bytes than `most`; `what` says what it is */
export function checkBytes(what: string, text: string, most: number): void {
  // The longest character of UTF-8 has three bytes for each of the text's units.
  if (text.length * 3 <= most) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= most) return;
  throw new Failure('TOO_LARGE', `${what} has ${bytes} bytes; at most ${most} are kept`);
}
