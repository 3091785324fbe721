// The published pipeline: all that provisioning tells the forwarder, kept as one secret per stream.
import { PublishedFormat } from './formats.ts';
import { parseSecret } from './json-secret.ts';
import { Rate } from './rate.ts';
import { Records } from './records.ts';
import type { Secrets } from './runtime.ts';
import type { Settings } from './settings.ts';
import { COMPRESSIONS, DATA } from './shared-rules.ts';
import * as z from './zod.ts';

export const PublishedPipeline = z.strictObject({
  version: z.literal(1),
  pipeline: z.string().check(z.minLength(1)),
  streamArn: z.string().check(z.minLength(1)),
  sandbox: z.string().check(z.minLength(1)),
  organizationId: z.string().check(z.minLength(1)),
  /** `raw`: the flow maps the record. `xdm`: the record is the XDM entity. */
  data: z.enum(DATA),
  /** What is looked for in the records, and unpacked. */
  compression: z.enum(COMPRESSIONS),
  /** What a record holds. Absent: one JSON object. */
  format: z.optional(PublishedFormat),
  /** What is done with the records on their way. Absent: they are sent as they are. */
  records: z.optional(Records),
  /** Keeps the order of a partition key through retries too. Absent: not through retries. */
  order: z.optional(z.literal('strict')),
  /** For each shard that is read. Absent: as much as the inlet takes. */
  rate: z.optional(Rate),
  /** `https://…/collection/{inletId}`; a secret if `authenticationRequired` is false. */
  inletUrl: z.url(),
  authenticationRequired: z.boolean(),
  flowId: z.string().check(z.minLength(1)),
  datasetId: z.string().check(z.minLength(1)),
  schemaId: z.string().check(z.minLength(1)),
  /** Where new identities are linked. Absent: no operation links any. */
  identityDatasetId: z.optional(z.string().check(z.minLength(1))),
  /** The inlet's `sourceId`, for the XDM header's `source.name`. */
  sourceName: z.string().check(z.minLength(1)),
  /** The execution that published it, and when (ISO 8601). */
  execution: z.string(),
  publishedAt: z.string(),
});

export type PublishedPipeline = z.infer<typeof PublishedPipeline>;

/** The name of the secret that holds a stream's pipeline. */
export function publishedSecret(settings: Pick<Settings, 'stage'>, streamArn: string): string {
  return `penstock/${settings.stage}/streams/${streamNameOf(streamArn)}`;
}

/** The name in `arn:aws:kinesis:{region}:{account}:stream/{name}`. */
export function streamNameOf(streamArn: string): string {
  return streamArn.slice(streamArn.indexOf('/') + 1);
}

/** @throws Failure `NEWER_VERSION`; `SECRET_INVALID` naming the fields that are wrong, never their values */
export async function readPublished(
  secrets: Secrets,
  settings: Pick<Settings, 'stage'>,
  streamArn: string,
): Promise<PublishedPipeline | undefined> {
  const id = publishedSecret(settings, streamArn);
  const text = await secrets.get(id);
  if (text === undefined) return undefined;
  return parseSecret(text, PublishedPipeline, {
    what: `the published pipeline ${id}`,
    refused: 'is damaged',
    next: 'Provision the pipeline again; that writes it anew.',
    version: 1,
  });
}
