// The runtime of redrive, which reads the dead-letter store and streams, ends outages, and starts itself again.
import { Failure } from '../../failure.ts';
import type { RedriveRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createFunctions } from '../functions.ts';
import { createMarks } from '../marks.ts';
import { createMetrics } from '../metrics.ts';
import { createRoutes } from '../routes.ts';
import { createSchemaRegistry } from '../schema-registry.ts';
import { createStreamRange } from '../stream-range.ts';
import { tableCall } from './aws.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function redriveRuntime(): RedriveRuntime {
  const base = baseRuntime();
  const { deadLettersUrl, stage, table } = base.settings;
  if (deadLettersUrl === undefined) {
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: the dead-letter store is unknown',
    );
  }
  const call = tableCall();
  return {
    ...base,
    routes: createRoutes(table, call),
    marks: createMarks(table, call),
    deadLetters: createDeadLetters(deadLettersUrl),
    metrics: createMetrics(stage),
    stream: createStreamRange(),
    functions: createFunctions(),
    ...(base.settings.schemaRegistry && { schemas: createSchemaRegistry() }),
  };
}
