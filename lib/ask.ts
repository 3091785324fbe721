// What to ask next, as data: which function, with which event. Whoever shows it has words of their own for it.
import * as z from 'zod';

export const Ask = z.object({
  /** What for, behind "to": `see whether records arrive`. */
  to: z.string(),
  /** As in `serverless.yml`. */
  function: z.string(),
  event: z.record(z.string(), z.unknown()),
});
export type Ask = z.infer<typeof Ask>;
