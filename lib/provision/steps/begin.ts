// The beginning: checks a request, and makes it the document that travels through the state machine.
import { notAccepted } from '../../accepted.ts';
import { Failure } from '../../failure.ts';
import { type Manifest, parseManifest } from '../../manifest.ts';
import { isDeeper } from '../../mistakes.ts';
import { DOCUMENT_VERSION, nothingYet, type Pipeline, ProvisionRequest } from '../../pipeline.ts';
import { readStream } from '../../published.ts';
import { sizeMistakes, startToCome } from '../../request-rules.ts';
import type { BeginRuntime, StreamDescription } from '../../runtime.ts';
import { checkSandbox } from '../../sandbox.ts';
import { checkSchemaOf } from '../../schemas/check.ts';
import { checkWaits } from '../../waits.ts';

/** A manifest has its own limit; samples are records. */
const MAX_REQUEST_DEPTH = 110;

/**
 * The document for a request, without a plan yet.
 * @throws Failure `EVENT_INVALID`; `AWS_*` of looking up the stream.
 * @throws Failure `MANIFEST_INVALID`, also if the stream does not exist or keeps no order
 */
export async function begin(event: unknown, runtime: BeginRuntime): Promise<Pipeline> {
  if (isDeeper(event, MAX_REQUEST_DEPTH))
    throw new Failure('EVENT_INVALID', `it is nested deeper than ${MAX_REQUEST_DEPTH} levels`);
  const request = ProvisionRequest.safeParse(event);
  if (!request.success)
    throw notAccepted('begin', 'this is not a request to provision', request.error.issues);
  const { manifest: asked, execution, deleteData, mode, sandbox, requestedBy: _, ...rest } = request.data;
  if (deleteData && mode !== 'retire')
    throw new Failure('EVENT_INVALID', '"deleteData" belongs to "mode": "retire"');
  if (rest.token !== undefined && mode !== 'apply')
    throw new Failure('EVENT_INVALID', '"token" belongs to "mode": "apply"');
  checkWaits(rest, runtime.settings);
  const manifest = parseManifest(asked);
  checkSandbox(sandbox, manifest.name, manifest.sandbox);
  if (mode !== 'retire') await checkSchemaOf(manifest);
  const [tooLarge] = sizeMistakes(manifest, rest.samples);
  if (tooLarge !== undefined) throw new Failure('EVENT_INVALID', tooLarge);
  const now = runtime.clock.now();
  const streamArn = await feedingStream(manifest, mode, runtime);
  const stream =
    mode === 'retire' || streamArn === undefined ? undefined : await runtime.streams.describe(streamArn);
  checkOrder(manifest, stream);
  checkStart(manifest, now);
  const at = new Date(now).toISOString();
  return {
    version: DOCUMENT_VERSION,
    mode,
    manifest,
    deleteData,
    ...rest,
    execution: execution ?? { id: 'by-hand', name: `by-hand-${at.replace(/\D/g, '')}`, startedAt: at },
    ...(streamArn !== undefined && { streamArn }),
    ...nothingYet(),
    warnings: tooLargeOf(manifest, stream),
  };
}

/**
 * The stream that feeds an inlet. A stream may be deleted before its pipeline is retired: then the published
 * pipeline knows its ARN.
 */
async function feedingStream(
  { source }: Manifest,
  mode: Pipeline['mode'],
  runtime: BeginRuntime,
): Promise<string | undefined> {
  if (source.kind !== 'inlet') return undefined;
  const found = await runtime.streams.arn(source.stream);
  if (found !== undefined) return found;
  if (mode === 'retire') return (await readStream(runtime, source.stream))?.streamArn;
  throw new Failure('MANIFEST_INVALID', `source.stream: there is no Kinesis stream ${source.stream}`, {
    next: 'Create the stream, or correct its name in the manifest.',
  });
}

/**
 * A stream that distributes its records by itself puts records of one key into several shards. Those are read
 * at the same time.
 */
function checkOrder({ source }: Manifest, stream: StreamDescription | undefined): void {
  if (source.kind !== 'inlet' || source.order !== 'strict' || stream?.distribution !== 'AUTO') return;
  throw new Failure(
    'MANIFEST_INVALID',
    `source.order: "strict" cannot be kept: ${source.stream} distributes its records by itself (RecordDistributionStrategy AUTO), and puts those of one partition key into several shards`,
    { next: 'Set "order" to "key", or switch the stream to USER_PARTITION_KEY.' },
  );
}

/**
 * Most that an inlet takes of a request, in Kinesis's unit. Adobe says 1 MB, but not whether that is 10^6 or
 * 2^20. Contract §6.4.
 */
const INLET_KIB = 1_024;

/** Kinesis takes records of 1 MiB, or of up to 10 MiB if the stream allows it (`UpdateMaxRecordSize`). */
function tooLargeOf({ source }: Manifest, stream: StreamDescription | undefined): string[] {
  const { maxRecordKiB } = stream ?? {};
  if (source.kind !== 'inlet' || maxRecordKiB === undefined || maxRecordKiB <= INLET_KIB) return [];
  return [
    `source.stream: found records of up to ${maxRecordKiB} KiB (MaxRecordSizeInKiB of ${source.stream}); expected ${INLET_KIB} KiB at most. An inlet takes no more: larger messages are rejected as too-large, and kept`,
  ];
}

function checkStart(manifest: Manifest, now: number): void {
  const toCome = startToCome(manifest, now);
  if (toCome === undefined) return;
  throw new Failure('MANIFEST_INVALID', toCome, {
    next: 'Kinesis starts at "now", "earliest" or a time that has passed.',
  });
}
