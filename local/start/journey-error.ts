// How a journey ends that does not end well.
import type { Report } from '../../lib/pipeline.ts';

/** What is known is in the message. */
export class JourneyError extends Error {
  override readonly name = 'JourneyError';
  /** Of an execution that failed, where it left one. */
  readonly report: Report | undefined;

  constructor(message: string, report?: Report) {
    super(message);
    this.report = report;
  }
}
