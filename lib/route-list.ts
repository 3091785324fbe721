// The list of a stream's routes, as stored: which pipelines take its records, and what they all share.
import { Failure, issuesText } from './failure.ts';
import { PublishedFormat } from './formats.ts';
import { checkVersion } from './kept.ts';
import { COMPRESSIONS, UNROUTED } from './shared-rules.ts';
import * as z from './zod.ts';

/** What all routes of a stream share. */
export const StreamSettings = z.strictObject({
  /** What is looked for in the records, and unpacked. */
  compression: z.enum(COMPRESSIONS),
  /** What a record holds. Absent: one JSON object. */
  format: z.optional(PublishedFormat),
  /** What becomes of a record that no route takes. */
  unrouted: z.enum(UNROUTED),
});
export type StreamSettings = z.infer<typeof StreamSettings>;

const ListedRoute = z.strictObject({
  /** Which version of its secret is published. Absent: the stream's own secret, as 0.1.0 published it. */
  revision: z.optional(z.string().check(z.minLength(1))),
  /** In ms since the epoch: what arrived before is not for it. Absent: it takes all. */
  from: z.optional(z.number()),
});
export type ListedRoute = z.infer<typeof ListedRoute>;

const RouteList = z.strictObject({
  version: z.literal(1),
  streamArn: z.string().check(z.minLength(1)),
  settings: StreamSettings,
  /** By the pipelines' names. */
  routes: z.record(z.string(), ListedRoute),
  /** Set while the last route leaves: its execution removes the trigger. `at` in ms since the epoch. */
  closing: z.optional(z.strictObject({ execution: z.string(), at: z.number() })),
});
export type RouteList = z.infer<typeof RouteList>;

/**
 * A stored list; `undefined` if there is none.
 * @throws Failure `NEWER_VERSION`; `AWS_REFUSED` if it is damaged
 */
export function parseRouteList(value: unknown, stream: string): RouteList | undefined {
  if (value === undefined) return undefined;
  const what = `the list of the routes of ${stream}`;
  checkVersion(what, value, 1);
  const result = RouteList.safeParse(value);
  if (result.success) return result.data;
  throw new Failure('AWS_REFUSED', `${what} is damaged:\n${issuesText(result.error.issues)}`, {
    next: 'Put the item back from a backup of the table.',
  });
}
