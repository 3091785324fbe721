// The verdict on a message, and the reasons for which one is rejected.
import type { Message } from './read/message.ts';

/**
 * Why a message is in the dead-letter store, where it is kept with it; docs/rejects.md says what to do.
 */
export const REASONS = [
  'empty',
  'not-base64',
  'bad-aggregate',
  'not-gzip',
  'gzip-too-large',
  'not-zlib',
  'zlib-too-large',
  'not-zstd',
  'zstd-too-large',
  /** Its messages together have too many bytes, unpacked. */
  'aggregate-too-large',
  'too-many-messages',
  'not-avro',
  'not-protobuf',
  /** Nothing says by which schema it is to be read. */
  'unknown-schema',
  'not-cloudwatch-logs',
  /** No change record of DynamoDB, or an item in another form. */
  'not-dynamodb',
  'bad-row',
  'not-utf8',
  'not-json',
  'not-an-object',
  'too-deep',
  'too-large',
  /** Raw data that AEP would take for instructions. */
  'envelope',
  /** It lacks the part that the pipeline sends. */
  'nothing-selected',
  /** No operation is declared for what its field says. */
  'no-operation',
  /** It says that something was deleted, and the manifest does not have deletions applied. */
  'deletion',
  /** No route of the stream takes it. */
  'unrouted',
  /** The rules in force now cannot be applied to its stored form: it is not sent, and stays where it is. */
  'redacted-otherwise',
  /** By Experience Platform. */
  'refused',
  /** It waits in the store, because its inlet has been out for long. It is no reject, and is sent as it is. */
  'parked',
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * - `delivered`: Experience Platform acknowledged this very message
 * - `retry`: not resolved; it stays in the stream and Lambda delivers it again
 * - `filtered`: the pipeline does not want it; counted, and not kept. `unrouted`: no route of the stream does;
 *   `false`: a rule passes it over, which is no question of routes
 * - `rejected`: it goes to the dead-letter store. `text` may quote Experience Platform, so it is not for logs. `path` is
 *   made of the record's own names: it is kept only where its bytes are
 */
export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'filtered'; readonly unrouted?: boolean }
  | { readonly kind: 'rejected'; readonly reason: Reason; readonly text: string; readonly path?: string };

export type Filtered = Extract<Verdict, { kind: 'filtered' }>;
export type Rejected = Extract<Verdict, { kind: 'rejected' }>;

/** A message and its verdict. */
export interface Settled<V extends Verdict = Verdict> {
  readonly message: Message;
  readonly verdict: V;
}

export const DELIVERED: Verdict = { kind: 'delivered' };
export const RETRY: Verdict = { kind: 'retry' };
export const FILTERED: Filtered = { kind: 'filtered' };
/** A control record, a deletion that is dropped, or a record of no bytes: never unrouted. */
export const PASSED_OVER: Filtered = { kind: 'filtered', unrouted: false };
/** Of all routes, one counts it so. */
export const TAKEN_BY_NONE: Filtered = { kind: 'filtered', unrouted: true };

/** @param path JSON Pointer of what is wrong with it */
export function rejected(reason: Reason, text: string, path?: string): Rejected {
  return { kind: 'rejected', reason, text, ...(path !== undefined && { path }) };
}

export function isParked({ verdict }: Settled): boolean {
  return verdict.kind === 'rejected' && verdict.reason === 'parked';
}
