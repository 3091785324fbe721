// The ownership mark: which pipeline and which execution made a resource, written where AEP lets us write.
export interface Mark {
  readonly pipeline: string;
  readonly execution: string;
  /** Of a base connection: the stream that feeds it. */
  readonly stream?: string | undefined;
}

/** At the very end: what a user writes before it is no mark, whatever it looks like. */
const IN_DESCRIPTION = /\[penstock pipeline=(\S+) execution=(\S+?)(?: stream=(\S+))?\]\s*$/;

/** A description that ends in the mark: Schema Registry and Flow Service have no better place. */
export function describe(mark: Mark, description: string | undefined): string {
  const stream = mark.stream === undefined ? '' : ` stream=${mark.stream}`;
  const line = `[penstock pipeline=${mark.pipeline} execution=${mark.execution}${stream}]`;
  return description === undefined ? line : `${description} ${line}`;
}

export function markInDescription(description: string | null | undefined): Mark | undefined {
  const [, pipeline, execution, stream] = IN_DESCRIPTION.exec(description ?? '') ?? [];
  return pipeline === undefined || execution === undefined ? undefined : { pipeline, execution, stream };
}

/** The mark as tags of a dataset. Catalog keeps tags; names that start with `adobe` are Adobe's. */
export function tagsOf(mark: Mark): Record<string, string[]> {
  return { penstock: [`pipeline:${mark.pipeline}`, `execution:${mark.execution}`] };
}

export function markInTags(tags: Readonly<Record<string, unknown>> | null | undefined): Mark | undefined {
  const own: unknown[] = Array.isArray(tags?.penstock) ? tags.penstock : [];
  const entries = own.filter((entry) => typeof entry === 'string');
  const value = (key: string) => entries.find((entry) => entry.startsWith(`${key}:`))?.slice(key.length + 1);
  const pipeline = value('pipeline');
  const execution = value('execution');
  return pipeline === undefined || execution === undefined ? undefined : { pipeline, execution };
}
