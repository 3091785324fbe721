// Codes of the log lines that something looks for: a filter, an alarm, a query of the runbook. Their words may change, these do not.

/** Of a batch that the forwarder has ended, whatever became of its records. */
export const BATCH_ENDED = 'batch-ended';

/** Values of the field `event`. */
export const LOG_EVENTS = [
  BATCH_ENDED,
  'miscounted',
  'taken-in-part',
  'previous-secret-used',
  'reconciled',
  'records-lost',
  'drifted',
  'hook',
  'run-report',
] as const;

export type LogEvent = (typeof LOG_EVENTS)[number];
