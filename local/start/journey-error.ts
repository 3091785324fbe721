// How a journey ends that does not end well.
import { MistakeError } from '../../terminal/mistake.ts';

/** Where nothing better is known. */
const LOOK = 'npm start -- --verbose prints what the functions log.';

export class JourneyError extends MistakeError {
  constructor(what: string, next = LOOK) {
    super('JOURNEY_FAILED', what, next);
  }
}
