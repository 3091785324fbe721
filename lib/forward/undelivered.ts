// Rejected messages as a document of the undelivered store.
import { hash } from 'node:crypto';
import type { UndeliveredDocument, UndeliveredEntry } from '../runtime.ts';
import type { Rejected, Settled } from './verdict.ts';

/**
 * The document for `rejects`, of which there is at least one. Holds the producer's bytes as base64, or what is left of
 * them where the pipeline redacts; never a token.
 */
export function undeliveredDocument(
  rejects: readonly Settled<Rejected>[],
  about: Omit<UndeliveredDocument, 'version' | 'entries'>,
): UndeliveredDocument {
  return { version: 1, ...about, entries: rejects.map(entryOf) };
}

/** As kept of one message. */
export function entryOf({ message, verdict }: Settled<Rejected>): UndeliveredEntry {
  const { subSequenceNumber, arrivedAt, bytes, redacted, withheld } = message;
  // Keys are people's names and addresses more often than not.
  const hidden = redacted === true || withheld !== undefined;
  return {
    reason: verdict.reason,
    message: verdict.text,
    sequenceNumber: message.sequenceNumber,
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
    partitionKey: hidden ? hash('sha256', message.partitionKey, 'hex') : message.partitionKey,
    ...(arrivedAt !== undefined && { arrivedAt }),
    data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    ...(redacted === true && { redacted }),
    ...(withheld !== undefined && { withheld: true, ...withheld }),
  };
}
