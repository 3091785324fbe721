// What is published: all that provisioning tells the forwarder, as a list of a stream's routes and a secret for each.
import { createHash } from 'node:crypto';
import { Failure } from './failure.ts';
import { PublishedFormat } from './formats.ts';
import { parseSecret } from './json-secret.ts';
import { Rate } from './rate.ts';
import { Records } from './records.ts';
import { type ListedRoute, parseRouteList, type StreamSettings } from './route-list.ts';
import type { Routes, Secrets } from './runtime.ts';
import type { Settings } from './settings.ts';
import { COMPRESSIONS, DATA, PARK_AFTER_SECONDS, UNROUTED } from './shared-rules.ts';
import * as z from './zod.ts';

export const PublishedPipeline = z.strictObject({
  version: z.literal(1),
  pipeline: z.string().check(z.minLength(1)),
  streamArn: z.string().check(z.minLength(1)),
  sandbox: z.string().check(z.minLength(1)),
  organizationId: z.string().check(z.minLength(1)),
  /** Which Adobe credentials. Absent: those of the stage. */
  credentials: z.optional(z.string().check(z.minLength(1))),
  /** `raw`: the flow maps the record. `xdm`: the record is the XDM entity. */
  data: z.enum(DATA),
  /** What is looked for in the records, and unpacked. */
  compression: z.enum(COMPRESSIONS),
  /** What becomes of a record that no route of the stream takes. Absent: it is counted. */
  unrouted: z.optional(z.enum(UNROUTED)),
  /** What a record holds. Absent: one JSON object. */
  format: z.optional(PublishedFormat),
  /** What is done with the records on their way. Absent: they are sent as they are. */
  records: z.optional(Records),
  /** Keeps the order of a partition key through retries too. Absent: not through retries. */
  order: z.optional(z.literal('strict')),
  /** Its messages are parked after so long an outage. Absent: they hold the shard. */
  park: z.optional(z.strictObject({ afterSeconds: z.int().check(z.minimum(1)) })),
  /** For each shard that is read. Absent: as much as the inlet takes. */
  rate: z.optional(Rate),
  /** `https://…/collection/{inletId}`; a secret if `authenticationRequired` is false. */
  inletUrl: z.url(),
  authenticationRequired: z.boolean(),
  flowId: z.string().check(z.minLength(1)),
  datasetId: z.string().check(z.minLength(1)),
  schemaId: z.string().check(z.minLength(1)),
  /** Where new identities are linked. Absent: no operation links any. */
  identityDatasetId: z.optional(z.string().check(z.minLength(1))),
  /** The inlet's `sourceId`, for the XDM header's `source.name`. */
  sourceName: z.string().check(z.minLength(1)),
  /** The execution that published it, and when (ISO 8601). */
  execution: z.string(),
  publishedAt: z.string(),
});

export type PublishedPipeline = z.infer<typeof PublishedPipeline>;

/** A route as published: a pipeline's document, and from when it takes the stream's records. */
export type PublishedRoute = PublishedPipeline & {
  /**
   * In ms since the epoch: what arrived before is not for it. Absent: it takes all, as the stream's first route does.
   * Held in the list, and not in the document.
   */
  readonly from?: number;
};

/** All that is published for a stream. */
export interface PublishedStream {
  readonly streamArn: string;
  readonly settings: StreamSettings;
  /** At least one, in the order of their pipelines' names. */
  readonly routes: readonly PublishedRoute[];
  /** Pipelines that are listed, and whose document cannot be read now; only for a reader that can do without. */
  readonly unread?: readonly string[];
}

/** What readers of what is published need. */
export interface PublishedRuntime {
  readonly secrets: Pick<Secrets, 'get'>;
  readonly routes: Pick<Routes, 'read'>;
  readonly settings: Pick<Settings, 'stage'>;
}

/** What is published of a manifest's `onOutage`; nothing where the shard waits. */
export function parkIn({
  onOutage,
  parkAfterSeconds = PARK_AFTER_SECONDS,
}: {
  readonly onOutage?: 'hold' | 'park' | undefined;
  readonly parkAfterSeconds?: number | undefined;
}): Pick<PublishedPipeline, 'park'> {
  return onOutage === 'park' ? { park: { afterSeconds: parkAfterSeconds } } : {};
}

/** The stream settings that a document holds. */
export function streamSettingsOf(
  document: Pick<PublishedPipeline, 'compression' | 'format' | 'unrouted'>,
): StreamSettings {
  const { compression, format, unrouted = 'count' } = document;
  return { compression, ...(format !== undefined && { format }), unrouted };
}

/**
 * The name of the secret that holds a route. Without a pipeline: the one of the stream's only pipeline, as version
 * 0.1.0 published it.
 */
export function publishedSecret(
  settings: Pick<Settings, 'stage'>,
  streamArn: string,
  pipeline?: string,
): string {
  const ofStream = `penstock/${settings.stage}/streams/${streamNameOf(streamArn)}`;
  return pipeline === undefined ? ofStream : `${ofStream}/${pipeline}`;
}

/**
 * The stream's ARN in `{stream's ARN}/consumer/{name}:{time}`, the ARN of a consumer; any other one is the stream's.
 * AWS does not say which of the two stands in an event or a document of a consumer's trigger.
 */
export function streamArnIn(eventSourceArn: string): string {
  const end = eventSourceArn.indexOf('/consumer/');
  return end < 0 ? eventSourceArn : eventSourceArn.slice(0, end);
}

/** The name in `arn:aws:kinesis:{region}:{account}:stream/{name}`, and in the ARN of a consumer of that stream. A name is itself. */
export function streamNameOf(streamArn: string): string {
  const arn = streamArnIn(streamArn);
  return arn.slice(arn.indexOf('/') + 1);
}

/** The version of a secret with this text: a text has no other, and no other text has it. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A document as read, and which one it is. */
export interface RouteDocument {
  readonly pipeline: PublishedPipeline;
  readonly revision: string;
}

/** Reads the document of a route that is listed; the route of a stream without a list has no revision. */
export type ReadDocument = (
  listed: ListedRoute,
  pipeline: string | undefined,
) => Promise<RouteDocument | undefined>;

/**
 * What is published for a stream; `undefined` if nothing is.
 * @param stream its ARN or its name
 * @param read reads a document; by default from Secrets Manager
 * @param isPartEnough whether one route that can be read is enough
 * @throws Failure `NEWER_VERSION`; `SECRET_INVALID` naming the fields that are wrong, never their values;
 * `SECRET_MISSING` where a route is listed without its document
 */
export async function readStream(
  runtime: PublishedRuntime,
  stream: string,
  read: ReadDocument = (listed, pipeline) => readDocument(runtime, stream, listed, pipeline),
  isPartEnough = false,
): Promise<PublishedStream | undefined> {
  // A publication moves the document of 0.1.0: what is missing may have been moved after the list was read.
  for (let last = false; ; last = true) {
    const list = parseRouteList((await runtime.routes.read(streamNameOf(stream))).value, stream);
    if (list === undefined) {
      const only = await read({}, undefined);
      if (only !== undefined) return streamOf(only.pipeline);
      if (last) return undefined;
      continue;
    }
    const names = Object.keys(list.routes).sort();
    if (names.length === 0) return undefined;
    const found = await Promise.all(
      names.map(async (name) => routeOf(list.routes[name], await read(list.routes[name] ?? {}, name))),
    );
    const routes = found.filter((route) => route !== undefined);
    if (routes.length === names.length) return { streamArn: list.streamArn, settings: list.settings, routes };
    if (!last) continue;
    if (!isPartEnough || routes.length === 0) throw missing(runtime, stream, names, routes);
    const unread = names.filter((name) => !routes.some(({ pipeline }) => pipeline === name));
    return { streamArn: list.streamArn, settings: list.settings, routes, unread };
  }
}

/**
 * The route of a stream that is this pipeline's; `undefined` if it has none, or none that can be used.
 * @param stream its ARN or its name
 * @throws Failure `NEWER_VERSION`, `SECRET_INVALID`
 */
export async function readRoute(
  runtime: PublishedRuntime,
  stream: string,
  pipeline: string,
): Promise<PublishedRoute | undefined> {
  for (let last = false; ; last = true) {
    const list = parseRouteList((await runtime.routes.read(streamNameOf(stream))).value, stream);
    if (list === undefined) {
      const only = await readDocument(runtime, stream, {}, undefined);
      if (only?.pipeline.pipeline === pipeline) return only.pipeline;
      if (only !== undefined || last) return undefined;
      continue;
    }
    const listed = list.routes[pipeline];
    if (listed === undefined) return undefined;
    const route = routeOf(listed, await readDocument(runtime, stream, listed, pipeline));
    if (route !== undefined || last) return route;
  }
}

/** Whether the stream has a route of this pipeline, be its document there or not. */
export async function isListed(
  { routes }: Pick<PublishedRuntime, 'routes'>,
  stream: string,
  pipeline: string,
): Promise<boolean> {
  const list = parseRouteList((await routes.read(streamNameOf(stream))).value, stream);
  return list?.routes[pipeline] !== undefined;
}

/** The document of a listed route, from Secrets Manager. */
export async function readDocument(
  { secrets, settings }: PublishedRuntime,
  stream: string,
  { revision }: Pick<ListedRoute, 'revision'>,
  pipeline: string | undefined,
): Promise<RouteDocument | undefined> {
  const id = publishedSecret(settings, stream, revision === undefined ? undefined : pipeline);
  // A version that was just written may not be everywhere yet. The one before it is used until the next look.
  const text =
    (revision === undefined ? undefined : await secrets.get(id, revision)) ?? (await secrets.get(id));
  if (text === undefined) return undefined;
  return { pipeline: parsePublished(id, text), revision: revisionOf(text) };
}

/** What was written for a pipeline last, whether it is listed or not. */
export async function writtenDocument(
  { secrets, settings }: Pick<PublishedRuntime, 'secrets' | 'settings'>,
  stream: string,
  pipeline: string,
): Promise<PublishedPipeline | undefined> {
  const id = publishedSecret(settings, stream, pipeline);
  const text = await secrets.get(id);
  return text === undefined ? undefined : parsePublished(id, text);
}

function parsePublished(id: string, text: string): PublishedPipeline {
  return parseSecret(text, PublishedPipeline, {
    what: `the published pipeline ${id}`,
    refused: 'is damaged',
    next: 'Provision the pipeline again; that writes it anew.',
    version: 1,
  });
}

/** A stream of one pipeline, as 0.1.0 published it. */
function streamOf(only: PublishedPipeline): PublishedStream {
  return { streamArn: only.streamArn, settings: streamSettingsOf(only), routes: [only] };
}

function routeOf(
  listed: ListedRoute | undefined,
  document: RouteDocument | undefined,
): PublishedRoute | undefined {
  if (document === undefined || listed === undefined) return undefined;
  return { ...document.pipeline, ...(listed.from !== undefined && { from: listed.from }) };
}

function missing(
  { settings }: PublishedRuntime,
  stream: string,
  names: readonly string[],
  routes: readonly PublishedRoute[],
): Failure {
  const [gone = ''] = names.filter((name) => !routes.some(({ pipeline }) => pipeline === name));
  return new Failure(
    'SECRET_MISSING',
    `the stream ${streamNameOf(stream)} has a route without its secret ${publishedSecret(settings, stream, gone)}`,
    { next: `Provision the pipeline ${gone} again; that writes it anew.` },
  );
}
