// Sandbox Management, reading only. Contract §7.
import * as z from 'zod';
import type { Request } from './request.ts';

const Sandbox = z.object({
  name: z.string(),
  state: z.string().nullish(),
  type: z.string().nullish(),
  /** Its region: `VA7`, and `VA6` where AEP runs on AWS. */
  region: z.string().nullish(),
});

export type Sandbox = z.infer<typeof Sandbox>;

/** Sandbox Management's calls. Each throws the `Failure`s of `createRequest`. */
export function sandboxes(request: Request) {
  return {
    /** The sandboxes that the caller may use. */
    async visible(): Promise<Sandbox[]> {
      const { value } = await request({
        method: 'GET',
        path: '/data/foundation/sandbox-management/',
        answer: z.object({ sandboxes: z.array(Sandbox) }),
      });
      return value.sandboxes;
    },
  };
}
