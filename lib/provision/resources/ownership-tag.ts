// The ownership tag: which pipeline and which execution made a resource, written where AEP allows text of
// ours.
export interface OwnershipTag {
  readonly pipeline: string;
  /** What `executionTag` makes of the execution that wrote it. */
  readonly execution: string;
  /** Somebody else made it and we adopted it: it is never undone. */
  readonly adopted?: boolean | undefined;
  /** What the resource itself cannot tell, e.g. the stream that feeds an inlet. No blanks and no brackets. */
  readonly notes?: Readonly<Record<string, string>> | undefined;
}

/**
 * Identifies an execution by its name and its start. A name alone can come back: Step Functions frees it
 * after 90 days, and at once if the state machine is made anew. RedriveExecution keeps both. Ownership tags
 * of version 0.1.0 hold the name alone. They belong to the pipeline, and never to an execution that looks for
 * its own.
 */
export function executionTag({
  name,
  startedAt,
}: {
  readonly name: string;
  readonly startedAt: string;
}): string {
  return `${name}@${startedAt}`;
}

/** The last one counts. A user's text comes before it, and is never an ownership tag. */
const IN_DESCRIPTION = /\s*\[penstock pipeline=(\S+) execution=(\S+?)((?: \w+=[^\s\]]+)*)( adopted)?\]/g;

/** A description that ends in the ownership tag: Schema Registry and Flow Service have no better place. */
export function describe(ownershipTag: OwnershipTag, description: string | null | undefined): string {
  const notes = Object.entries(ownershipTag.notes ?? {}).map(([name, value]) => ` ${name}=${value}`);
  const adopted = ownershipTag.adopted === true ? ' adopted' : '';
  const line = `[penstock pipeline=${ownershipTag.pipeline} execution=${ownershipTag.execution}${notes.join('')}${adopted}]`;
  return description ? `${description} ${line}` : line;
}

export function tagInDescription(description: string | null | undefined): OwnershipTag | undefined {
  const [, pipeline, execution, notes = '', adopted] = lastTag(description) ?? [];
  if (pipeline === undefined || execution === undefined) return undefined;
  return { pipeline, execution, adopted: adopted !== undefined, notes: notesIn(notes) };
}

/** The description before the ownership tag. */
export function withoutTag(description: string | null | undefined): string {
  return (description ?? '').slice(0, lastTag(description)?.index);
}

function lastTag(description: string | null | undefined) {
  return [...(description ?? '').matchAll(IN_DESCRIPTION)].at(-1);
}

function notesIn(text: string): Record<string, string> {
  const entries = text.trim().split(' ').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** The ownership tag as tags of a dataset, which Catalog keeps. Names that start with `adobe` are Adobe's. */
export function tagsOf(ownershipTag: OwnershipTag): Record<string, string[]> {
  const adopted = ownershipTag.adopted === true ? ['adopted:true'] : [];
  return {
    penstock: [`pipeline:${ownershipTag.pipeline}`, `execution:${ownershipTag.execution}`, ...adopted],
  };
}

export function tagInTags(
  tags: Readonly<Record<string, unknown>> | null | undefined,
): OwnershipTag | undefined {
  const own: unknown[] = Array.isArray(tags?.penstock) ? tags.penstock : [];
  const entries = own.filter((entry) => typeof entry === 'string');
  const value = (key: string) => entries.find((entry) => entry.startsWith(`${key}:`))?.slice(key.length + 1);
  const pipeline = value('pipeline');
  const execution = value('execution');
  if (pipeline === undefined || execution === undefined) return undefined;
  return { pipeline, execution, adopted: value('adopted') === 'true' };
}
