// Whether all routes of the stream can be read and agree: one that is broken holds the shards for all of them.
import { isDeepStrictEqual } from 'node:util';
import { type PublishedStream, readStream, streamSettingsOf } from '../published.ts';
import { ok, type Said, unknown, wrong } from './check.ts';
import type { Patient } from './patient.ts';

export async function routesCheck({ runtime, record, streamArn }: Patient): Promise<Said> {
  const stream = await readStream(runtime, await streamArn(), undefined, true);
  if (stream === undefined) return unknown('nothing is published for the stream');
  const { unread = [] } = stream;
  if (unread.length > 0)
    return wrong(
      `listed without a secret: ${unread.join(', ')}. No record of the stream is settled until it has one`,
      `Provision ${unread.join(', ')} again; that writes it anew.`,
    );
  const unequal = unequalIn(stream);
  if (unequal.length > 0)
    return wrong(
      `other settings than the stream has: ${unequal.join(', ')}`,
      `Provision ${unequal.join(', ')} again: the plan says which settings differ.`,
    );
  return ok(`${sharing(stream, record.pipeline)}${starting(stream, runtime.clock.now())}`);
}

/** Pipelines whose document says otherwise than the list about what belongs to the stream. */
function unequalIn({ routes, settings }: PublishedStream): string[] {
  const isEqual = (route: (typeof routes)[number]) => {
    const own: Readonly<Record<string, unknown>> = streamSettingsOf(route);
    return Object.entries(settings).every(([name, value]) => isDeepStrictEqual(own[name], value));
  };
  return routes.filter((route) => !isEqual(route)).map(({ pipeline }) => pipeline);
}

function sharing({ routes }: PublishedStream, pipeline: string): string {
  const others = routes.map((route) => route.pipeline).filter((name) => name !== pipeline);
  if (others.length === 0) return 'no other pipeline has the stream';
  return `the stream and its trigger are shared with ${others.join(', ')}: one that is out of order holds the shards for all`;
}

/** Routes that take records from a moment on that is still to come. */
function starting({ routes }: PublishedStream, now: number): string {
  return routes
    .filter(({ from }) => from !== undefined && from > now)
    .map(({ pipeline, from = 0 }) => `; ${pipeline} starts at ${new Date(from).toISOString()}`)
    .join('');
}
