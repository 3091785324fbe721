// The runtime of reconcile, which reads what AEP refused, stores it as dead letters, and starts redrive.
import { Failure } from '../../failure.ts';
import type { ReconcileRuntime } from '../../runtime.ts';
import { createDeadLetters } from '../dead-letters.ts';
import { createFunctions } from '../functions.ts';
import { createLedger } from '../ledger.ts';
import { createMarks } from '../marks.ts';
import { createMetrics } from '../metrics.ts';
import { createProgress } from '../progress.ts';
import { createRoutes } from '../routes.ts';
import { createSchemaRegistry } from '../schema-registry.ts';
import { createStreamRange } from '../stream-range.ts';
import { tableCall } from './aws.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function reconcileRuntime(): ReconcileRuntime {
  const base = baseRuntime();
  const { deadLettersUrl, table, stage } = base.settings;
  if (deadLettersUrl === undefined) {
    throw new Failure(
      'SETTINGS_INVALID',
      'PENSTOCK_DEAD_LETTERS_URL is not set: refused records could not be stored',
    );
  }
  const call = tableCall();
  return {
    ...base,
    routes: createRoutes(table, call),
    ledger: createLedger(table, call),
    progress: createProgress(table, call),
    deadLetters: createDeadLetters(deadLettersUrl),
    functions: createFunctions(),
    marks: createMarks(table, call),
    stream: createStreamRange(),
    metrics: createMetrics(stage),
    ...(base.settings.schemaRegistry && { schemas: createSchemaRegistry() }),
  };
}
