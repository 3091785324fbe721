// The runtime of the forwarder, with its metrics and the dead-letter store.
import { Failure } from '../../failure.ts';
import type { ForwardRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createMarks } from '../marks.ts';
import { createMetrics } from '../metrics.ts';
import { createRoutes } from '../routes.ts';
import { createSchemaRegistry } from '../schema-registry.ts';
import { tableCall } from './aws.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function forwardRuntime(): ForwardRuntime {
  const base = baseRuntime();
  const { deadLettersUrl, stage, table } = base.settings;
  if (deadLettersUrl === undefined) {
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: rejected records could not be stored',
    );
  }
  const call = tableCall();
  return {
    ...base,
    routes: createRoutes(table, call),
    marks: createMarks(table, call),
    deadLetters: createDeadLetters(deadLettersUrl),
    metrics: createMetrics(stage),
    ...(base.settings.schemaRegistry && { schemas: createSchemaRegistry() }),
  };
}
