// What import is asked: one flow, the flows of a dataset, or a page of all flows of a sandbox.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';
import { secretReference } from '../manifest.ts';
import { PIPELINE_NAME } from '../shared-rules.ts';

const text = z.string().min(1).max(500);

/** Most flows of one invocation; each costs some 30 calls. */
export const MAX_IMPORTED = 20;

const IN_SANDBOX = {
  sandbox: text,
  /** Of another organization, as manifests name them. */
  credentials: text.optional(),
};
const UNTOLD = { stream: text.optional(), sourceCredentials: secretReference.optional() };

const OF_MANY = {
  /** Whether flows that cannot be read are told however many they are: whoever asks knows that AEP is not away. */
  skipUnreadable: z.boolean().optional(),
};

const ImportEvent = z.union([
  z.strictObject({ ...IN_SANDBOX, ...UNTOLD, flow: text, name: z.string().regex(PIPELINE_NAME).optional() }),
  z.strictObject({ ...IN_SANDBOX, ...UNTOLD, ...OF_MANY, dataset: text }),
  z.strictObject({
    ...IN_SANDBOX,
    ...OF_MANY,
    all: z.literal(true),
    /** Where the last answer stopped. */
    continue: text.optional(),
    limit: z.number().int().min(1).max(MAX_IMPORTED).optional(),
  }),
]);

export type ImportRequest = z.infer<typeof ImportEvent>;

/** @throws Failure `EVENT_INVALID` */
export function importRequest(event: unknown): ImportRequest {
  const asked = ImportEvent.safeParse(event);
  if (asked.success) return asked.data;
  throw notAccepted('import', 'this does not say what to import', asked.error.issues);
}
