// How much one reader of a stream gives to the inlet at most: part of the manifest, and of what is published.
import * as z from 'zod';
import { object } from './strict-object.ts';

/** Adobe's guidance for an inlet is 1,000 requests and 10,000 messages a second. Contract §6.4. */
export const Rate = object({
  requestsPerSecond: z.int().min(1).max(1_000).optional(),
  messagesPerSecond: z.int().min(1).max(100_000).optional(),
});

export type Rate = z.infer<typeof Rate>;
