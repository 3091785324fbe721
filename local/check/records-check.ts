// Records as they stand in a stream, in a file beside the manifest: whether the forwarder makes of them what the file says.
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as z from 'zod';
import { Failure, issuesText } from '../../lib/failure.ts';
import { publishedFormat } from '../../lib/formats.ts';
import { createFramer } from '../../lib/forward/frame/frame.ts';
import { decode, readyToDecode } from '../../lib/forward/read/decode.ts';
import { createDecoding } from '../../lib/forward/read/decoding.ts';
import type { KinesisRecord } from '../../lib/forward/read/event.ts';
import { createTransform } from '../../lib/forward/transform/transform.ts';
import { jsonIn } from '../../lib/json-text.ts';
import type { Manifest } from '../../lib/manifest.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import { mismatches } from '../../lib/samples.ts';
import { parseExactly } from '../aep/json.ts';
import { recordIn } from '../start/witness.ts';

const Outcome = z.union([
  z.literal('filtered'),
  z.strictObject({ rejected: z.string() }),
  z.strictObject({ sent: z.record(z.string(), z.json()) }),
]);

const StreamRecords = z
  .array(
    z.strictObject({
      /** Its name in messages; its position if left out. */
      name: z.string().max(100).optional(),
      /** The content of the record, before it is packed. */
      record: z.string(),
      packed: z.enum(['gzip', 'zlib', 'zstd', 'base64']).optional(),
      /** What becomes of its messages, in their order. */
      becomes: z.array(Outcome),
    }),
  )
  .min(1)
  .max(50);
export type StreamRecords = z.infer<typeof StreamRecords>;

/** The name of the file of records beside a manifest: `orders.json` → `orders.records.json`. */
export function recordsFileOf(manifestFile: string): string {
  return manifestFile.replace(/(\.json)?$/, '.records.json');
}

/**
 * The records in a file's text.
 * @throws Failure `MANIFEST_INVALID` naming each mistake
 */
export function parseRecordsText(text: string, origin: string): StreamRecords {
  const result = StreamRecords.safeParse(jsonIn(text, origin));
  if (result.success) return result.data;
  throw new Failure(
    'MANIFEST_INVALID',
    `${origin} is not a list of records:\n${issuesText(result.error.issues)}\n`,
    {
      next: 'Write [{"record": "…", "becomes": [{"sent": {…}}, {"rejected": "not-json"}, "filtered"]}].',
    },
  );
}

/** Where a record becomes something else, line by line. */
export async function recordMistakes(manifest: Manifest, records: StreamRecords): Promise<string[]> {
  const pipeline = standInFor(manifest);
  if (pipeline === undefined) return ['records are for a source of the kind "inlet" only'];
  const mistakes: string[] = [];
  const outcomesOf = createOutcomes(pipeline);
  for (const [index, one] of records.entries()) {
    const { name, becomes } = one;
    const found = await outcomesOf(bytesOf(one));
    const called = name ?? `record ${index + 1}`;
    if (found.length !== becomes.length)
      mistakes.push(`${called}: expected ${becomes.length} messages, got ${found.length}`);
    else
      for (const [at, expected] of becomes.entries())
        for (const { text } of mismatches(expected, found[at]))
          mistakes.push(`${called}, message ${at + 1}: ${text}`);
  }
  return mistakes;
}

/** The record's bytes, as they stand in the stream. */
export function bytesOf({ record, packed }: StreamRecords[number]): Buffer {
  return PACK[packed ?? 'text'](record);
}

const PACK: Readonly<Record<'text' | 'gzip' | 'zlib' | 'zstd' | 'base64', (text: string) => Buffer>> = {
  text: (text) => Buffer.from(text),
  gzip: (text) => gzipSync(text),
  zlib: (text) => deflateSync(text),
  zstd: (text) => zstdCompressSync(text),
  base64: (text) => Buffer.from(text, 'base64'),
};

const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/';
const SHARD_ID = 'shardId-000000000000';

/** What becomes of each message of one record. */
export type OutcomesOf = (bytes: Buffer) => Promise<z.infer<typeof Outcome>[]>;

/** Each message of a record as the forwarder would settle it, with what goes to the inlet. */
export function createOutcomes(pipeline: PublishedPipeline): OutcomesOf {
  const framesOf = createFrames(pipeline);
  return async (bytes) =>
    (await framesOf(bytes)).map((one): z.infer<typeof Outcome> => {
      if (typeof one === 'string' || 'rejected' in one) return one;
      return { sent: recordIn(parseExactly(one.text), pipeline.data) as Record<string, never> };
    });
}

/** A message as it goes to the inlet, in its envelope if it has one; or why it does not. */
export type Framed = 'filtered' | { readonly rejected: string } | { readonly text: string };

/** As `createOutcomes`, of which nothing is parsed. */
export function createFrames(pipeline: PublishedPipeline): (bytes: Buffer) => Promise<Framed[]> {
  const transform = createTransform(pipeline);
  const framer = createFramer(pipeline, SHARD_ID);
  const decoding = createDecoding(pipeline);
  return async (bytes) => {
    const record: KinesisRecord = {
      eventSourceARN: pipeline.streamArn,
      kinesis: {
        sequenceNumber: '1',
        partitionKey: 'key',
        data: bytes.toString('base64'),
        approximateArrivalTimestamp: 1_767_225_600,
      },
    };
    await readyToDecode(record, decoding);
    return Array.from(decode(record, decoding), (part): Framed => {
      const transformed = transform?.(part) ?? part;
      const framed = 'payload' in transformed ? framer.frame(transformed) : transformed;
      if (!('verdict' in framed)) {
        const { slab, start, end } = framed;
        return { text: Buffer.from(slab.buffer, slab.byteOffset + start, end - start).toString() };
      }
      const { verdict } = framed;
      return verdict.kind === 'rejected' ? { rejected: verdict.reason } : 'filtered';
    });
  };
}

/** What would be published of this manifest, as far as it decides what becomes of a record. */
export function standInFor({ name, sandbox, source }: Manifest): PublishedPipeline | undefined {
  if (source.kind !== 'inlet') return undefined;
  const format = publishedFormat(source.format);
  return {
    version: 1,
    pipeline: name,
    streamArn: source.stream.startsWith('arn:') ? source.stream : `${STREAM_ARN}${source.stream}`,
    sandbox,
    organizationId: 'offline@AdobeOrg',
    data: source.data,
    compression: source.compression,
    ...(format !== undefined && { format }),
    ...(source.records !== undefined && { records: source.records }),
    inletUrl: 'https://dcs.adobedc.net/collection/offline',
    authenticationRequired: true,
    flowId: 'offline',
    datasetId: 'offline',
    schemaId: 'https://ns.adobe.com/offline/schemas/offline',
    sourceName: 'offline',
    execution: 'offline',
    publishedAt: '',
  };
}
