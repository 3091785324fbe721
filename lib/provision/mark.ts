// The ownership mark: which pipeline and which execution made a resource, written where AEP lets us write.
export interface Mark {
  readonly pipeline: string;
  readonly execution: string;
}

const IN_DESCRIPTION = /\[penstock pipeline=(\S+) execution=(\S+)\]/;

/** A description that ends in the mark: Schema Registry and Flow Service have no better place. */
export function describe(mark: Mark, description: string | undefined): string {
  const line = `[penstock pipeline=${mark.pipeline} execution=${mark.execution}]`;
  return description === undefined ? line : `${description} ${line}`;
}

export function markInDescription(description: string | null | undefined): Mark | undefined {
  const [, pipeline, execution] = IN_DESCRIPTION.exec(description ?? '') ?? [];
  return pipeline === undefined || execution === undefined ? undefined : { pipeline, execution };
}

/** The mark as tags of a dataset. Catalog keeps tags; names that start with `adobe` are Adobe's. */
export function tagsOf(mark: Mark): Record<string, string[]> {
  return { penstock: [`pipeline:${mark.pipeline}`, `execution:${mark.execution}`] };
}

export function markInTags(tags: Readonly<Record<string, readonly string[]>>): Mark | undefined {
  const value = (key: string) =>
    tags.penstock?.find((entry) => entry.startsWith(`${key}:`))?.slice(key.length + 1);
  const pipeline = value('pipeline');
  const execution = value('execution');
  return pipeline === undefined || execution === undefined ? undefined : { pipeline, execution };
}
