// The document between two states is no larger than what Step Functions passes on, with room for what it adds itself.
import { Failure } from '../../failure.ts';
import type { Pipeline, Report } from '../../pipeline.ts';
import { bytesOf } from '../clip.ts';

/** What Step Functions passes between states. AWS: "Step Functions service quotas". */
export const LARGEST_STATE = 262_144;
/** The causes of two failures are put into it besides. */
const LARGEST_DOCUMENT = 220_000;

/**
 * The document as it is, or without the names of the calls that its first steps made: how many they were stays.
 * @throws Failure `TOO_LARGE`
 */
export function fitting(pipeline: Pipeline): Pipeline {
  let fit = pipeline;
  for (let told = 0; bytesOf(fit) > LARGEST_DOCUMENT; told++) {
    if (told === fit.trail.length)
      throw new Failure(
        'TOO_LARGE',
        `the document of this execution has ${bytesOf(fit)} bytes; at most ${LARGEST_DOCUMENT} go from state to state`,
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
  if (bytesOf(whole) <= LARGEST_STATE) return whole;
  const brief = { ...whole, trail: [] };
  if (bytesOf(brief) <= LARGEST_STATE) return brief;
  return { ...brief, plan: brief.plan.map(({ differences: _, ...one }) => one) };
}
