// The dead-letter store as a list of messages, and one of them whole.
import { changesFeed } from '../changes.ts';
import type { Feed } from '../events.ts';
import { shownBytes } from '../shown.ts';
import type { Stored } from '../store.ts';
import type { DeadLetterDetail, DeadLetterLine } from '../told.ts';
import type { Looked } from '../watched.ts';

export function deadLettersFeed({ store }: Looked): Feed {
  return changesFeed<DeadLetterLine>(
    ({ id }) => id,
    async () => (await store.rejected()).map(lineOf),
  );
}

/** `undefined` of one that is not in the store any more. */
export async function deadLetter({ store }: Looked, id: string): Promise<DeadLetterDetail | undefined> {
  const stored = (await store.rejected()).find((one) => one.id === id);
  return stored && detailOf(stored);
}

/** A message of the store, whole. */
export function detailOf(stored: Stored): DeadLetterDetail {
  const { entry, streamArn, shardId, file } = stored;
  return {
    ...lineOf(stored),
    record: shownBytes(Buffer.from(entry.data, 'base64')),
    notes: notesOf(stored),
    facts: [
      ['stream', streamArn],
      ['shard', shardId],
      ['file', file],
      ...(entry.arrivedAt === undefined
        ? []
        : [['arrived', new Date(entry.arrivedAt * 1000).toISOString()] as const]),
    ],
  };
}

export function lineOf({ id, pipeline, storedAt, entry }: Stored): DeadLetterLine {
  const { reason, message, sequenceNumber, subSequenceNumber, partitionKey = '' } = entry;
  const place = subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber}/${subSequenceNumber}`;
  return { id, pipeline, reason, message, place, partitionKey, storedAt };
}

/** What is not in `data` as it was in the stream. */
function notesOf({ entry }: Stored): string[] {
  return [
    ...(entry.withheld
      ? ['It could not be redacted, so its bytes are not kept. The stream still has it.']
      : []),
    ...(entry.redacted ? ['It is kept as redaction left it.'] : []),
    ...(entry.piece ? ['It is one of several messages of its record.'] : []),
    ...(entry.asReceived ? ['It is the copy that AEP had.'] : []),
    ...(entry.processed ? ['It is what the pipeline had made of it. It is not sent again as it is.'] : []),
  ];
}
