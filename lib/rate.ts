// Most that one reader of a stream sends to the inlet: part of the manifest, and of the published pipeline.
import { leanObject } from './strict-object.ts';
import * as z from './zod.ts';

/** Adobe's guidance for an inlet is 1,000 requests and 10,000 messages a second. Contract §6.4. */
export const Rate = leanObject({
  requestsPerSecond: z.optional(z.int().check(z.minimum(1), z.maximum(1_000))),
  messagesPerSecond: z.optional(z.int().check(z.minimum(1), z.maximum(100_000))),
});

export type Rate = z.infer<typeof Rate>;
