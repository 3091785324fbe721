// Codes of the log lines that a filter, an alarm or a query of the runbook looks for. They do not change;
// texts may.

/** A batch that the forwarder has ended, whatever became of its records. */
export const BATCH_ENDED = 'batch-ended';

/** Values of the field `event`. */
export const LOG_EVENTS = [
  BATCH_ENDED,
  'miscounted',
  'record-held',
  'route-parked',
  'taken-in-part',
  'previous-secret-used',
  'reconciled',
  'records-lost',
  'drifted',
  'hook',
  'run-report',
] as const;

export type LogEvent = (typeof LOG_EVENTS)[number];
