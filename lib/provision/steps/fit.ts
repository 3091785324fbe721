// The document between two states is no larger than what Step Functions passes on, with room for what it adds itself.
import { Failure } from '../../failure.ts';
import type { Pipeline, Report } from '../../pipeline.ts';
import { jsonBytes } from '../clip.ts';

/** What Step Functions passes between states. AWS: "Step Functions service quotas". */
export const MAX_STATE_BYTES = 262_144;
/** The causes of two failures are put into it besides. */
const MAX_DOCUMENT_BYTES = 220_000;

/**
 * The document as it is, or without the names of the calls that its first steps made: how many they were stays.
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

/** The last document, with its report. What the report says as well goes where both do not fit: the calls, then the differences. */
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
