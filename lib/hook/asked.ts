// What a hook can ask for in our own format: one pipeline of the bundle, all of them, or its own manifest.
import { notAccepted } from '../accepted.ts';
import { isDeeper } from '../mistakes.ts';
import { ALL, MAX_DRAIN_SECONDS, MAX_WARM_UP_SECONDS, PIPELINE_NAME } from '../shared-rules.ts';
import { leanObject } from '../strict-object.ts';
import * as z from '../zod.ts';

/** As deep as `begin` accepts. Deeper JSON could exhaust the stack. */
const MAX_ASKED_DEPTH = 110;

const HookRequest = leanObject({
  /** A pipeline's name, or `all`. */
  pipeline: z.optional(
    z
      .string()
      .check(
        z.refine(
          (name) => name === ALL || PIPELINE_NAME.test(name),
          'expected the name of a pipeline, or "all"',
        ),
      ),
  ),
  manifest: z.optional(z.record(z.string(), z.unknown(), 'expected a manifest')),
  /** Records for that manifest, and the XDM expected of them. */
  samples: z.optional(z.array(z.unknown())),
  mode: z.optional(z.enum(['apply', 'plan'], 'expected "apply" or "plan"')),
  /** As in the state machine's own input, which explains them. */
  warmUpSeconds: z.optional(z.int().check(z.minimum(0), z.maximum(MAX_WARM_UP_SECONDS))),
  drainSeconds: z.optional(z.int().check(z.minimum(0), z.maximum(MAX_DRAIN_SECONDS))),
  /** Distinguishes requests that would otherwise be the same. */
  id: z.optional(
    z.string().check(z.regex(/^[!-~]{1,200}$/, 'expected 1 to 200 characters of ASCII, without blanks')),
  ),
}).check(
  z.refine(({ pipeline, manifest }) => (pipeline === undefined) !== (manifest === undefined), {
    error: 'expected either "pipeline" or "manifest"',
  }),
  z.refine(({ samples, manifest }) => samples === undefined || manifest !== undefined, {
    error: '"samples" belong to a "manifest"',
  }),
);

export type HookRequest = z.infer<typeof HookRequest>;

/** @throws Failure `EVENT_INVALID`: what is wrong, and what is accepted */
export function parseRequest(value: unknown): HookRequest {
  if (isDeeper(value, MAX_ASKED_DEPTH))
    throw notAccepted('deployHook', `it is nested deeper than ${MAX_ASKED_DEPTH} levels`);
  const result = HookRequest.safeParse(value);
  if (result.success) return result.data;
  throw notAccepted('deployHook', 'this is not a request to a deploy hook', result.error.issues);
}
