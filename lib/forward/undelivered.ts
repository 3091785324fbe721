// Rejected messages as a document of the undelivered store.
import type { UndeliveredDocument, UndeliveredEntry } from '../runtime.ts';
import type { Rejected, Settled } from './verdict.ts';

/** The document for `rejects`, of which there is at least one. Holds the producer's bytes as base64, never a token. */
export function undeliveredDocument(
  rejects: readonly Settled<Rejected>[],
  about: Omit<UndeliveredDocument, 'version' | 'entries'>,
): UndeliveredDocument {
  return { version: 1, ...about, entries: rejects.map(entryOf) };
}

function entryOf({ message, verdict }: Settled<Rejected>): UndeliveredEntry {
  const { subSequenceNumber, arrivedAt, bytes } = message;
  return {
    reason: verdict.reason,
    message: verdict.text,
    sequenceNumber: message.sequenceNumber,
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
    partitionKey: message.partitionKey,
    ...(arrivedAt !== undefined && { arrivedAt }),
    data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  };
}
