// The documents Lambda leaves of records it discarded, and where they go on this machine.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Calls, noCalls } from './calls.ts';
import { type EventRecord, kinesisEvent, type StreamEvent } from './kinesis-event.ts';
import type { Discarded } from './retry-rules.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
export interface OnFailureDocument {
  requestContext: {
    requestId: string;
    functionArn: string;
    condition: Discarded['condition'];
    approximateInvokeCount: number;
  };
  /** Not there for records that became too old. */
  responseContext?: {
    statusCode: 200;
    executedVersion: '$LATEST';
    /** `null` where the function gave an answer that left records over. */
    functionError: 'Unhandled' | null;
  };
  version: '1.0';
  timestamp: string;
  KinesisBatchInfo: {
    shardId: string;
    startSequenceNumber: string;
    endSequenceNumber: string;
    approximateArrivalOfFirstRecord: string;
    approximateArrivalOfLastRecord: string;
    batchSize: number;
    streamArn: string;
  };
  /** The event of the records, in S3 only: from a queue or a topic they have to be read from the stream again. */
  payload?: StreamEvent;
}

/** A document that has been delivered. */
export interface OnFailureDelivery {
  /** ARN of the bucket, the queue or the topic. */
  destination: string;
  /** Of the object in the bucket. */
  key?: string;
  document: OnFailureDocument;
}

export interface OnFailureDestinations {
  /** Why a mapping may not have this destination; undefined if it may. */
  refusal(destination: string): string | undefined;
  /** @throws while the document cannot be kept */
  send(destination: string, mappingId: string, document: OnFailureDocument): Promise<void>;
}

export interface OnFailureOptions {
  /** Stands for every bucket; without it a bucket is refused as a destination. */
  folder?: string;
  /** Takes the documents for queues and topics; is told of those in the folder as well. */
  onDelivery?(delivery: OnFailureDelivery): void;
  /** Told of what Lambda asks for with the function's role. */
  calls?: Calls;
}

export function createOnFailure(options: OnFailureOptions): OnFailureDestinations {
  const { folder, onDelivery, calls = noCalls } = options;
  return {
    refusal(destination) {
      const kind = kindOf(destination);
      if (kind === undefined)
        return 'the destination is not the ARN of a bucket, a standard queue or a standard topic';
      if (kind === 's3' && folder === undefined) return 'there is no folder here that stands for buckets';
      return undefined;
    },
    async send(destination, mappingId, { payload, ...rest }) {
      if (kindOf(destination) !== 's3' || folder === undefined)
        return onDelivery?.({ destination, document: rest });
      const document: OnFailureDocument = { ...rest, ...(payload && { payload }) };
      const key = keyOf(mappingId, document);
      const functionName = rest.requestContext.functionArn.split(':').at(-1) ?? '';
      calls.by(functionName, { action: 's3:PutObject', resource: `${destination}/${key}` });
      await write(join(folder, key), JSON.stringify(document));
      onDelivery?.({ destination, key, document });
    },
  };
}

/** @param about of the mapping and the moment; `now` in milliseconds since 1970 */
export function onFailureDocument(
  discarded: Discarded,
  about: { functionArn: string; streamArn: string; shardId: string; now: number },
): OnFailureDocument {
  const { condition, records, invocations, lastResult } = discarded;
  const [first, last] = [records[0], records.at(-1)];
  return {
    requestContext: {
      requestId: crypto.randomUUID(),
      functionArn: about.functionArn,
      condition,
      approximateInvokeCount: invocations,
    },
    ...(lastResult && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        functionError: lastResult === 'error' ? 'Unhandled' : null,
      },
    }),
    version: '1.0',
    timestamp: new Date(about.now).toISOString(),
    KinesisBatchInfo: {
      shardId: about.shardId,
      startSequenceNumber: first?.sequenceNumber ?? '',
      endSequenceNumber: last?.sequenceNumber ?? '',
      approximateArrivalOfFirstRecord: arrivalOf(first),
      approximateArrivalOfLastRecord: arrivalOf(last),
      batchSize: records.length,
      streamArn: about.streamArn,
    },
    payload: kinesisEvent(records),
  };
}

function arrivalOf(record: EventRecord | undefined): string {
  return new Date(record?.arrivedAt ?? 0).toISOString();
}

function kindOf(destination: string): 's3' | 'sqs' | 'sns' | undefined {
  const found = /^arn:aws[a-z-]*:(?:(s3):::[a-z0-9.-]+|(sqs|sns):[a-z0-9-]+:\d{12}:[\w-]+)$/.exec(
    destination,
  );
  return (found?.[1] ?? found?.[2]) as 's3' | 'sqs' | 'sns' | undefined;
}

/** `aws/lambda/{mapping}/{shard}/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-{random UUID}` */
function keyOf(mappingId: string, { timestamp, KinesisBatchInfo: { shardId } }: OnFailureDocument): string {
  const [day = '', time = ''] = timestamp.slice(0, 19).split('T');
  const name = `${day}T${time.replaceAll(':', '.')}-${crypto.randomUUID()}`;
  return ['aws', 'lambda', mappingId, shardId, ...day.split('-'), name].join('/');
}

/** Renamed when it is whole and on the disk: whoever lists the folder never sees half a document under its name. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text, { flush: true });
  await rename(temporary, path);
}
