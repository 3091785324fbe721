// Keeps the document between two states below the limit of Step Functions, with room for what Step Functions
// adds.
import { Failure } from '../../failure.ts';
import type { Pipeline, Report } from '../../pipeline.ts';
import { jsonBytes } from '../clip.ts';

/** Most bytes that Step Functions passes between states. AWS: "Step Functions service quotas". */
export const MAX_STATE_BYTES = 262_144;
/** Room for the causes of two failures. */
const MAX_DOCUMENT_BYTES = 220_000;

/**
 * The document, if necessary without the names of the first steps' calls; their number stays.
 * @throws Failure `TOO_LARGE`
 */
export function fittingDocument(pipeline: Pipeline): Pipeline {
  let fit = pipeline;
  for (let told = 0; jsonBytes(fit) > MAX_DOCUMENT_BYTES; told++) {
    if (told === fit.trail.length)
      throw new Failure(
        'TOO_LARGE',
        `the document of this execution has ${jsonBytes(fit)} bytes; at most ${MAX_DOCUMENT_BYTES} go from state to state`,
      );
    const trail = fit.trail.map((one, at) => (at === told ? { ...one, changes: [] } : one));
    fit = { ...fit, trail };
  }
  return fit;
}

/**
 * The last document, with its report. If both do not fit, the document loses what the report says as well:
 * first the calls, then the differences.
 */
export function withReport<D extends Pick<Pipeline, 'trail' | 'plan'>>(
  document: D,
  report: Report,
): D & { report: Report } {
  const whole = { ...document, report };
  if (jsonBytes(whole) <= MAX_STATE_BYTES) return whole;
  const brief = { ...whole, trail: [] };
  if (jsonBytes(brief) <= MAX_STATE_BYTES) return brief;
  return { ...brief, plan: brief.plan.map(({ differences: _, ...one }) => one) };
}
