// The name of an execution: the pipeline's for readers, then 32 hexadecimal digits that make it the only one.

/** At most 80 characters are for all of it. */
const READABLE = 40;

/**
 * Only characters that Step Functions takes and a log can show.
 * @param only 32 hexadecimal digits
 */
export function executionNameOf(pipeline: string, only: string): string {
  return `${readable(pipeline)}-${only}`;
}

/**
 * The pipeline that an execution was named after: one of those that are known, or as the name itself has it.
 * @returns `undefined` where that is not certain, or somebody else has named it
 */
export function pipelineIn(name: string, known: readonly string[]): string | undefined {
  const [, front = ''] = /^([0-9A-Za-z_-]{1,40})-[0-9a-f]{32}(?:-\d+)?$/.exec(name) ?? [];
  const fitting = known.filter((one) => front !== '' && readable(one) === front);
  if (fitting.length > 0) return fitting.length === 1 ? fitting[0] : undefined;
  return front === '' || front.length === READABLE ? undefined : front;
}

function readable(pipeline: string): string {
  return pipeline.replace(/[^0-9A-Za-z_-]/g, '-').slice(0, READABLE);
}
