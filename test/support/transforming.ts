// Records through decoder, transform and framer of a pipeline, and what becomes of each.

import { deadLetterDocument } from '../../lib/forward/dead-letters.ts';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import type { Framed } from '../../lib/forward/frame/framed.ts';
import { decode } from '../../lib/forward/read/decode.ts';
import { createDecoding } from '../../lib/forward/read/decoding.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { createTransform } from '../../lib/forward/transform/transform.ts';
import type { Rejected, Settled } from '../../lib/forward/verdict.ts';
import { PublishedPipeline } from '../../lib/published.ts';
import type { DeadLetter } from '../../lib/runtime.ts';
import { kinesisEvent, PUBLISHED, type RecordInput, SHARD_ID, STREAM_ARN } from './forwarding.ts';

/** What is sent of a record, as text; or its verdict: `filtered`, or why it is rejected. */
export interface Outcome {
  readonly sent?: string;
  readonly verdict?: string;
  readonly framed?: Framed;
  /** What the dead-letter store keeps of a reject. */
  readonly entry?: DeadLetter;
}

/** A pipeline with these options, as read from its secret. */
export function pipelineWith(records: unknown, published: Partial<PublishedPipeline> = {}) {
  return PublishedPipeline.parse({ ...PUBLISHED, ...published, records });
}

/** Takes records the way the forwarder does, up to the request. */
export function transforming(records: unknown, published: Partial<PublishedPipeline> = {}) {
  const pipeline = pipelineWith(records, published);
  const [transform, framer] = [createTransform(pipeline), createFramer(pipeline, SHARD_ID)];
  const one = (record: KinesisRecord): Outcome[] =>
    [...decode(record, createDecoding(pipeline))].map((part) => {
      const transformed = transform === undefined ? part : transform(part);
      const result = 'payload' in transformed ? framer.frame(transformed) : transformed;
      if (!('verdict' in result)) return { sent: textOf(framer.body([result])), framed: result };
      const { verdict } = result;
      return verdict.kind === 'rejected'
        ? { verdict: verdict.reason, entry: entryOf(result as Settled<Rejected>) }
        : { verdict: verdict.kind };
    });
  return (...inputs: RecordInput[]): Outcome[] =>
    (kinesisEvent(inputs).Records as unknown as KinesisRecord[]).flatMap(one);
}

/** The one message of a request. */
function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString().slice('{"messages":['.length, -']}'.length);
}

function entryOf(settled: Settled<Rejected>): DeadLetter {
  const about = { pipeline: 'p', streamArn: STREAM_ARN, shardId: SHARD_ID, invocationId: 'i', storedAt: '' };
  return deadLetterDocument([settled], about).entries[0] as DeadLetter;
}

/** The text that an entry keeps. */
export function kept(entry: DeadLetter | undefined): string {
  return Buffer.from(entry?.data ?? '', 'base64').toString();
}
