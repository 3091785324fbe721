// The route that a redrive goes through, and what the other routes of its stream would take.
import { notAccepted } from '../accepted.ts';
import { Failure, isFailure } from '../failure.ts';
import { createPipelines, type StreamRoutes } from '../forward/pipelines.ts';
import type { DecodedPart } from '../forward/read/decode.ts';
import { createTransform } from '../forward/transform/transform.ts';
import { hasArrivedSince } from '../forward/turn.ts';
import { type PublishedRoute, streamArnIn } from '../published.ts';
import type { RedriveRuntime } from '../runtime.ts';
import type { RedriveRequest } from './request.ts';

/** Another route of the stream. */
export interface OtherRoute {
  readonly pipeline: string;
  readonly redacts: boolean;
  /** Whether it takes only some messages, by their fields. */
  readonly chooses: boolean;
  /** Whether the route takes the message, as far as that is known: then it has to settle it as well. */
  takes(part: DecodedPart): boolean;
}

export interface ChosenRoute {
  readonly pipeline: PublishedRoute;
  readonly others: readonly OtherRoute[];
}

/**
 * The route that the request names; the only one if it names none.
 * @throws Failure `EVENT_INVALID` if the stream has several and the request names none
 * @throws Failure `NOT_PUBLISHED`, `SECRET_*`, `NEWER_VERSION`, `AWS_*`
 */
export async function routeFor(
  { stream, pipeline: asked }: RedriveRequest,
  runtime: RedriveRuntime,
): Promise<ChosenRoute> {
  const { streamArn, routes, faults } = await streamAsked(stream, runtime);
  if (stream.startsWith('arn:') && streamArnIn(stream) !== streamArn) throw notPublished(stream);
  const names = [...routes.map(({ pipeline }) => pipeline), ...faults.keys()].sort();
  if (asked === undefined && names.length > 1)
    throw notAccepted(
      'redrive',
      `the stream ${stream} has several pipelines, and "pipeline" names none: ${names.join(', ')}`,
    );
  const chosen = routes.find(({ pipeline }) => pipeline === (asked ?? names[0]));
  if (chosen === undefined) throw faults.get(asked ?? '') ?? notOfStream(stream, asked ?? '', names);
  const others = [
    ...routes.filter((route) => route !== chosen).map(otherRoute),
    // It is not known what it takes.
    ...Array.from(faults.keys(), (pipeline) => ({
      pipeline,
      redacts: true,
      chooses: true,
      takes: () => true,
    })),
  ];
  return { pipeline: chosen, others };
}

async function streamAsked(stream: string, runtime: RedriveRuntime): Promise<StreamRoutes> {
  try {
    // A new one for each invocation: it reads all of it now.
    return await createPipelines(runtime).of(stream);
  } catch (error) {
    throw isFailure(error) && error.code === 'NOT_PUBLISHED' ? notPublished(stream) : error;
  }
}

function otherRoute(route: PublishedRoute): OtherRoute {
  const { pipeline, records } = route;
  return {
    pipeline,
    takes: takerOf(route),
    redacts: records?.redact !== undefined,
    chooses: records?.where !== undefined,
  };
}

/** Whether the route takes a message by the rules that are in force. */
export function takerOf(route: PublishedRoute): OtherRoute['takes'] {
  const { from } = route;
  const transform = createTransform(route);
  return (part) => {
    if (from !== undefined && !hasArrivedSince(from, part.message)) return false;
    const transformed = transform?.(part) ?? part;
    return !('verdict' in transformed) || transformed.verdict.kind !== 'filtered';
  };
}

function notPublished(stream: string): Failure {
  return new Failure('NOT_PUBLISHED', `no pipeline is published for the stream ${stream}`, {
    next: 'Provision a pipeline for this stream; then send again.',
  });
}

function notOfStream(stream: string, pipeline: string, names: readonly string[]): Failure {
  return new Failure(
    'NOT_PUBLISHED',
    `no pipeline ${pipeline} is published for the stream ${stream}; it has ${names.join(', ')}`,
    { next: 'Provision this pipeline, or name one that the stream has; then send again.' },
  );
}
