// Lambda's own document about a batch of a stream that it gave up, with the batch in it or only where to find it.
import * as z from 'zod';
import { type KinesisRecord, readEvent } from './event.ts';

/** AWS: "Capturing discarded batches for a Kinesis Data Streams event source in Lambda". */
const OnFailureDocument = z.looseObject({
  version: z.literal('1.0'),
  timestamp: z.iso.datetime({ offset: true }),
  requestContext: z.looseObject({ condition: z.string() }),
  KinesisBatchInfo: z.looseObject({
    shardId: z.string().min(1),
    startSequenceNumber: z.string().regex(/^\d{1,128}$/),
    endSequenceNumber: z.string().regex(/^\d{1,128}$/),
    batchSize: z.int().min(0).optional(),
    streamArn: z.string().min(1),
  }),
});

export interface OnFailure {
  readonly streamArn: string;
  readonly shardId: string;
  /** Why Lambda gave it up, e.g. `RetryAttemptsExhausted`. */
  readonly condition: string;
  readonly storedAt: string;
  readonly first: string;
  readonly last: string;
  /** Records there were in the batch, where the document says so. */
  readonly count: number | undefined;
  /** `undefined` where they have to be read from the stream, while it still has them. */
  readonly records: readonly KinesisRecord[] | undefined;
  /** The same document with these of its records only, given by their place, or with records it lacked. */
  with(records: readonly number[] | readonly KinesisRecord[]): string;
}

/** @returns a word for what is wrong with it where it cannot be used */
export function readOnFailure(value: unknown): OnFailure | 'damaged' {
  const result = OnFailureDocument.safeParse(value);
  if (!result.success) return 'damaged';
  const document = result.data;
  const batch = document.KinesisBatchInfo;
  const payload = payloadOf(document.payload);
  if (payload === 'damaged') return 'damaged';
  return {
    streamArn: batch.streamArn,
    shardId: batch.shardId,
    condition: document.requestContext.condition,
    storedAt: document.timestamp,
    first: batch.startSequenceNumber,
    last: batch.endSequenceNumber,
    count: batch.batchSize,
    records: payload?.records,
    with(records) {
      const kept = records.map((one) => (typeof one === 'number' ? payload?.raw[one] : one));
      const event = { ...payload?.event, Records: kept };
      return JSON.stringify({
        ...document,
        payload: typeof document.payload === 'string' ? JSON.stringify(event) : event,
      });
    },
  };
}

interface Payload {
  readonly event: Record<string, unknown>;
  readonly raw: readonly unknown[];
  readonly records: readonly KinesisRecord[];
}

/** The event in it, which is written as an object or as the text of one. */
function payloadOf(payload: unknown): Payload | undefined | 'damaged' {
  if (payload === undefined || payload === null || payload === '') return undefined;
  try {
    const event = (typeof payload === 'string' ? JSON.parse(payload) : payload) as Record<string, unknown>;
    const records = readEvent(event)?.records ?? [];
    return { event, raw: event.Records as readonly unknown[], records };
  } catch {
    return 'damaged';
  }
}
