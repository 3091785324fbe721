// Penstock's log: one structured line per event, through Powertools; only named fields, never bodies.
import { Logger } from '@aws-lambda-powertools/logger';
import type { LogEvent } from './log-events.ts';

/** Powertools drops fields of these names, with a warning in place of the value. */
type Reserved = 'level' | 'message' | 'sampling_rate' | 'service' | 'timestamp';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>> & {
  readonly [name in Reserved]?: never;
} & { readonly event?: LogEvent };

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A longer field is cut here, so that AEP's texts do not flood the log. */
const MAX_TEXT = 1_000;

/**
 * A log whose lines carry the service's name and `fixed`. The type `Fields` allows no objects, and so no
 * bodies.
 */
export function createLog(level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', fixed: LogFields = {}): Log {
  const logger = new Logger({ serviceName: 'penstock', logLevel: level });
  const write = (how: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields: LogFields) =>
    logger[how](message, boundedFields({ ...fixed, ...fields }));
  return {
    debug: (message, fields = {}) => write('debug')(message, fields),
    info: (message, fields = {}) => write('info')(message, fields),
    warn: (message, fields = {}) => write('warn')(message, fields),
    error: (message, fields = {}) => write('error')(message, fields),
  };
}

function boundedFields(fields: LogFields): Record<string, string | number | boolean> {
  const lines: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    lines[name] =
      typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  }
  return lines;
}
