// The published streams that this container has read. Each is used for a minute, or longer while DynamoDB or Secrets
// Manager cannot be reached.
import type { Clock } from '../aep/transport.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import {
  type PublishedRuntime,
  type PublishedStream,
  type ReadDocument,
  type RouteDocument,
  readDocument,
  readStream,
  streamNameOf,
} from '../published.ts';
import type { Settings } from '../settings.ts';

/**
 * The longest use of what was read while AWS cannot be reached, in ms. Anything newer is published through the same
 * services, and the old flow stays a minute longer than this.
 */
export const PUBLISHED_KEPT_MS = 840_000;

/** A stream, and why some of its routes cannot be read. */
export interface StreamRoutes extends PublishedStream {
  readonly faults: ReadonlyMap<string, Failure>;
}

export interface Pipelines {
  /**
   * The stream and its routes, one at least. A route whose secret is gone or damaged does not stop the others.
   * @throws Failure `NOT_PUBLISHED`, `SECRET_INVALID`, `SECRET_MISSING`, `NEWER_VERSION`, `AWS_UNAVAILABLE`,
   * `AWS_REFUSED`
   */
  of(streamArn: string): Promise<StreamRoutes>;
  /** Reads it again next time: it seems to be out of date. */
  forget(streamArn: string): void;
}

interface HeldStream {
  readonly stream: StreamRoutes;
  readonly documents: ReadonlyMap<string, RouteDocument>;
  readonly readAt: number;
  /** When it was last asked for, successfully or not. */
  askedAt: number;
}

export function createPipelines(
  runtime: PublishedRuntime & {
    readonly settings: Settings;
    readonly clock: Clock;
    readonly log: Log;
  },
): Pipelines {
  const held = new Map<string, HeldStream>();
  const { settings, clock, log } = runtime;
  // A new flow is used after this time at the latest; the old one is kept far longer.
  const goodForMs = settings.publishedSeconds * 1_000;
  // A clock that was set back makes the age negative: read again.
  const isWithin = (ms: number, since: number) => clock.now() - since >= 0 && clock.now() - since < ms;

  // From when routes take records that are listed, and of which no document was read yet.
  const joining = new Map<string, Set<number>>();
  // What is held does not know of such a route: it would settle records that the route is to take.
  const hasJoined = (streamArn: string) =>
    [...(joining.get(streamArn) ?? [])].some((from) => from <= clock.now());

  const read = async (streamArn: string): Promise<StreamRoutes> => {
    const readAt = clock.now();
    const joined = joining.get(streamArn) ?? new Set();
    joining.set(streamArn, joined);
    const { documents, faults, readChanged } = changesSince(
      { before: held.get(streamArn)?.documents, joined },
      runtime,
      streamArn,
    );
    const found = await readStream(runtime, streamArn, readChanged, true);
    joining.delete(streamArn);
    if (found === undefined) {
      held.delete(streamArn);
      throw new Failure(
        'NOT_PUBLISHED',
        `no pipeline is published for the stream ${streamNameOf(streamArn)}`,
      );
    }
    const own = (found.unread ?? []).map((name) => [name, faults.get(name) ?? isGone(name)] as const);
    const stream = { ...found, faults: new Map(own) };
    held.set(streamArn, { stream, documents, readAt, askedAt: readAt });
    return stream;
  };

  return {
    async of(streamArn) {
      const known = held.get(streamArn);
      if (known !== undefined && isWithin(goodForMs, known.askedAt)) return known.stream;
      try {
        return await read(streamArn);
      } catch (error) {
        const isAway = isFailure(error) && error.code === 'AWS_UNAVAILABLE' && !hasJoined(streamArn);
        if (!isAway || known === undefined || !isWithin(PUBLISHED_KEPT_MS, known.readAt)) throw error;
        known.askedAt = clock.now();
        log.warn('what is published cannot be read: the last that was read is used', {
          pipeline: known.stream.routes.map(({ pipeline }) => pipeline).join(', '),
          ageSeconds: Math.round((clock.now() - known.readAt) / 1_000),
          reason: error.what,
        });
        return known.stream;
      }
    },
    forget(streamArn) {
      const known = held.get(streamArn);
      if (known !== undefined) known.askedAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** Reads only the documents that are not held in the listed revision, and holds what the list still has. */
function changesSince(
  { before = new Map(), joined }: { before: HeldStream['documents'] | undefined; joined: Set<number> },
  runtime: PublishedRuntime,
  streamArn: string,
): {
  readonly documents: ReadonlyMap<string, RouteDocument>;
  readonly faults: ReadonlyMap<string, Failure>;
  readonly readChanged: ReadDocument;
} {
  const documents = new Map<string, RouteDocument>();
  const faults = new Map<string, Failure>();
  /** One of several may be damaged; the only one fails the stream. */
  const readable: ReadDocument = async (listed, pipeline) => {
    try {
      return await readDocument(runtime, streamArn, listed, pipeline);
    } catch (error) {
      if (pipeline === undefined || !isFailure(error) || error.retryable) throw error;
      faults.set(pipeline, error);
      return undefined;
    }
  };
  return {
    documents,
    faults,
    readChanged: async (listed, pipeline) => {
      const there = before.get(pipeline ?? '');
      if (there === undefined && listed.from !== undefined) joined.add(listed.from);
      const isHeld = there !== undefined && there.revision === listed.revision;
      const found = isHeld ? there : await readable(listed, pipeline);
      if (found !== undefined) documents.set(pipeline ?? '', found);
      return found;
    },
  };
}

/** A route that is listed without its document. */
export function isGone(pipeline: string): Failure {
  return new Failure('SECRET_MISSING', `the route ${pipeline} is listed, and has no secret`, {
    next: `Provision the pipeline ${pipeline} again; that writes it anew.`,
  });
}
