// What tap is asked: a pipeline, and where its last answer stopped.
import { notAccepted } from '../accepted.ts';
import * as z from '../zod.ts';

/** Most messages of one answer. With MAX_SHOWN of each text, an answer stays below 2 MB; Lambda's end at 6 MB. */
export const MAX_TAPPED = 25;

const TapCursor = z.strictObject({
  /** When the tap began, in ms since the epoch: of a shard without an entry below, what came from then on. */
  since: z.int().check(z.minimum(0)),
  /** The last record that was looked at, by shard. */
  after: z.record(
    z.string().check(z.regex(/^[\w.-]{1,128}$/)),
    z.string().check(z.regex(/^(0|[1-9]\d{0,127})$/, 'expected a sequence number')),
  ),
});

export type TapCursor = z.infer<typeof TapCursor>;

const TapRequest = z.strictObject({
  pipeline: z.string().check(z.minLength(1), z.maxLength(500)),
  /** Of the last answer. Absent: begins now. */
  continue: z.optional(TapCursor),
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_TAPPED))),
});

export type TapRequest = z.infer<typeof TapRequest>;

/** @throws Failure `EVENT_INVALID` */
export function tapRequest(event: unknown): TapRequest {
  const asked = TapRequest.safeParse(event);
  if (asked.success) return asked.data;
  throw notAccepted('tap', 'this does not say which pipeline to look at', asked.error.issues);
}
