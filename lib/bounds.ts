// The largest size of each stored thing, in bytes: below AWS's limits, and the same for writers and readers.
import { Failure } from './failure.ts';

/**
 * Each is one attribute of the pipeline's item. An item holds 400 KB, names included. AWS: "Quotas in Amazon
 * DynamoDB".
 */
export const MAX_IN_LEDGER_BYTES = {
  manifest: 110_000,
  known: 100_000,
  report: 65_000,
  succeeded: 1_000,
} as const;

/**
 * A manifest as JSON. A state's input and output end at 256 KB, and the document also holds samples, the plan and the
 * report.
 */
export const MAX_MANIFEST_BYTES = 100_000;

/** A file of a manifest or of its samples: ten times what a manifest may have, since people write blanks. */
export const MAX_FILE_BYTES = 1_000_000;

/** All of reconcile's progress, which has its own item. Each write costs a unit for each KB. */
export const MAX_PROGRESS_BYTES = 16_000;

/** Routes of a stream. Each has a secret, and a forwarder's memory holds what all of them say. */
export const MAX_ROUTES = 16;

/** The list of a stream's routes: 200 for each of them at most, and the stream settings. */
export const MAX_ROUTES_BYTES = 20_000;

/** AWS: "AWS Secrets Manager quotas". */
export const MAX_SECRET_BYTES = 65_536;

/**
 * A manifest's `source.records`, which becomes part of a secret. The rest of the published pipeline has 2 KB.
 */
export const MAX_RECORDS_BYTES = 60_000;

/** An object of the dead-letter store, read into memory as a whole. Penstock writes none that is larger. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024;

/**
 * An object that is written; a longer document is split. The largest record of a stream, 10 MiB, fits in
 * base64.
 */
export const MAX_WRITTEN_BYTES = 16 * 1024 * 1024;

/** Bytes of records in one document. In base64 the document is still small enough to be read as a whole. */
export const MAX_OPENED_BYTES = 32 * 1024 * 1024;

/**
 * Checks the length of a text in bytes; `what` names it in the message.
 * @throws Failure `TOO_LARGE`
 */
export function checkBytes(what: string, text: string, most: number): void {
  // A unit of the text has at most three bytes in UTF-8.
  if (text.length * 3 <= most) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= most) return;
  throw new Failure('TOO_LARGE', `${what} has ${bytes} bytes; at most ${most} are kept`);
}
