// Writes the finished pipeline where the forwarder reads it.
import { publishedFormat } from '../../formats.ts';
import type { InletSource } from '../../manifest.ts';
import { linksIdentities } from '../../operations.ts';
import type { Pipeline } from '../../pipeline.ts';
import {
  PublishedPipeline,
  type PublishedRoute,
  parkIn,
  publishedSecret,
  readRoute,
  revisionOf,
} from '../../published.ts';
import { type Inlet, inletIn } from '../resources/inlet.ts';
import { executionTag } from '../resources/ownership-tag.ts';
import { type PublishedContext, required } from '../resources/resource.ts';
import { forgetFirstForm, listRoute, readRouteList, withRoute } from '../routes.ts';
import { readInlet } from './verify.ts';

/**
 * The pipeline, published: first its document, then the list that names it, from when on the forwarder uses it.
 * Nothing is written if the forwarder reads the same already.
 * @throws Failure `CONFLICT` where the stream's other pipelines say something else of what all share; `NOT_READY`
 * while the last of them is being retired
 */
export async function publish(pipeline: Pipeline, context: PublishedContext): Promise<Pipeline> {
  const { runtime } = context;
  const { streamArn } = pipeline;
  const { source } = pipeline.manifest;
  // Where AEP reads by itself, the forwarder takes no part.
  if (source.kind !== 'inlet' || streamArn === undefined) return pipeline;
  const there = await readRoute(runtime, streamArn, pipeline.manifest.name);
  const inlet = await readInlet(pipeline, there && inletIn(there), context);
  const wanted = await publishedOf({ ...pipeline, streamArn }, source, inlet, context);
  const known = { ...pipeline, verified: [...pipeline.verified, 'inlet is there and allowed'] };
  if (there !== undefined && same(there, wanted)) {
    const list = await readRouteList(runtime, streamArn);
    if (list?.closing === undefined) {
      if (list?.routes[wanted.pipeline]?.revision !== undefined)
        await forgetFirstForm(wanted.pipeline, streamArn, runtime);
      return joinedAt({ ...known, published: 'kept' }, there.from);
    }
  }
  const from = await writeRoute(wanted, there === undefined, context);
  return joinedAt({ ...known, published: 'written' }, from);
}

/** Returns from when it takes records. */
async function writeRoute(
  wanted: PublishedPipeline,
  isNew: boolean,
  { runtime }: PublishedContext,
): Promise<number | undefined> {
  const { streamArn, pipeline } = wanted;
  const text = JSON.stringify(wanted);
  const revision = revisionOf(text);
  // What is refused is refused before anything is written.
  withRoute(await readRouteList(runtime, streamArn), wanted, revision, runtime);
  const given = [publishedSecret(runtime.settings, streamArn, pipeline), text] as const;
  const description = `Penstock: the pipeline ${pipeline}, for the forwarder`;
  const made = isNew && (await runtime.secrets.create(...given, description, revision));
  if (!made) await runtime.secrets.put(...given, description, revision);
  const from = await listRoute(wanted, revision, runtime);
  await forgetFirstForm(pipeline, streamArn, runtime);
  return from;
}

function joinedAt(pipeline: Pipeline, from: number | undefined): Pipeline {
  return from === undefined ? pipeline : { ...pipeline, routeFrom: from };
}

async function publishedOf(
  pipeline: Pipeline & { streamArn: string },
  source: InletSource,
  inlet: Inlet,
  context: PublishedContext,
): Promise<PublishedPipeline> {
  const { manifest, execution, streamArn } = pipeline;
  const session = await context.aep.sessions.current();
  const format = publishedFormat(source.format);
  return {
    version: 1,
    pipeline: manifest.name,
    streamArn,
    sandbox: manifest.sandbox,
    organizationId: session.organizationId,
    ...(manifest.credentials !== undefined && { credentials: manifest.credentials }),
    data: source.data,
    compression: source.compression,
    ...(format !== undefined && { format }),
    ...(source.unrouted === 'keep' && { unrouted: source.unrouted }),
    ...(source.records !== undefined && { records: source.records }),
    ...(source.order === 'strict' && { order: source.order }),
    ...parkIn(source),
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

/** Equal except for the execution that wrote it, and the times. */
function same({ from: _, ...a }: PublishedRoute, b: PublishedPipeline): boolean {
  const text = (one: PublishedPipeline) =>
    JSON.stringify(PublishedPipeline.parse({ ...one, execution: '', publishedAt: '' }));
  return text(a) === text(b);
}
