// Writes the finished pipeline where the forwarder reads it.
import { Failure } from '../../failure.ts';
import { publishedFormat } from '../../formats.ts';
import type { InletSource } from '../../manifest.ts';
import { linksIdentities } from '../../operations.ts';
import type { Pipeline } from '../../pipeline.ts';
import { PublishedPipeline, publishedSecret, readStream } from '../../published.ts';
import { executionTag } from '../resources/ownership-tag.ts';
import { type PublishedContext, required } from '../resources/resource.ts';
import { readInlet } from './verify.ts';

/**
 * The pipeline, published. Nothing is written if the forwarder reads the same already.
 * @throws Failure `CONFLICT` where the stream carries another pipeline
 */
export async function publish(pipeline: Pipeline, context: PublishedContext): Promise<Pipeline> {
  const { runtime } = context;
  const { streamArn } = pipeline;
  const { source } = pipeline.manifest;
  // Where AEP reads by itself, the forwarder takes no part.
  if (source.kind !== 'inlet' || streamArn === undefined) return pipeline;
  const wanted = await publishedOf({ ...pipeline, streamArn }, source, context);
  const known = { ...pipeline, verified: [...pipeline.verified, 'inlet is there and allowed'] };
  const secret = publishedSecret(runtime.settings, streamArn);
  const text = JSON.stringify(wanted);
  const description = `Penstock: the pipeline ${wanted.pipeline}, for the forwarder`;
  const there = await owned(wanted, streamArn, context);
  if (there !== undefined && same(there, wanted)) return { ...known, published: 'kept' };
  // Two pipelines may ask for a stream at the same time: one creates the secret, the other finds it.
  const first = there === undefined && (await runtime.secrets.create(secret, text, description));
  if (!first) {
    await owned(wanted, streamArn, context);
    await runtime.secrets.put(secret, text, description);
  }
  return { ...known, published: 'written' };
}

/**
 * What is published for the stream.
 * @throws Failure `CONFLICT` if that is another pipeline
 */
async function owned(
  wanted: PublishedPipeline,
  streamArn: string,
  { runtime }: PublishedContext,
): Promise<PublishedPipeline | undefined> {
  const there = (await readStream(runtime, streamArn))?.routes[0];
  if (there === undefined || there.pipeline === wanted.pipeline) return there;
  throw new Failure('CONFLICT', `the stream ${streamArn} carries the pipeline ${there.pipeline} already`, {
    next: 'Retire that one first, or give this one another stream.',
  });
}

async function publishedOf(
  pipeline: Pipeline & { streamArn: string },
  source: InletSource,
  context: PublishedContext,
): Promise<PublishedPipeline> {
  const { manifest, execution, streamArn } = pipeline;
  const inlet = await readInlet(pipeline, context);
  const session = await context.aep.sessions.current();
  const format = publishedFormat(source.format);
  return {
    version: 1,
    pipeline: manifest.name,
    streamArn,
    sandbox: manifest.sandbox,
    organizationId: session.organizationId,
    data: source.data,
    compression: source.compression,
    ...(format !== undefined && { format }),
    ...(source.records !== undefined && { records: source.records }),
    ...(source.order === 'strict' && { order: source.order }),
    ...(source.rate !== undefined && { rate: source.rate }),
    inletUrl: inlet.inletUrl,
    authenticationRequired: inlet.authenticationRequired,
    flowId: required(pipeline, 'flow'),
    datasetId: required(pipeline, 'dataset'),
    schemaId: required(pipeline, 'schema'),
    ...(linksIdentities(manifest) && { identityDatasetId: required(pipeline, 'identity-dataset') }),
    sourceName: inlet.sourceId,
    execution: executionTag(execution),
    publishedAt: new Date(context.runtime.clock.now()).toISOString(),
  };
}

/** Equal except for the execution that wrote it, and the time. */
function same(a: PublishedPipeline, b: PublishedPipeline): boolean {
  const text = (one: PublishedPipeline) =>
    JSON.stringify(PublishedPipeline.parse({ ...one, execution: '', publishedAt: '' }));
  return text(a) === text(b);
}
