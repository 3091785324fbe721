// The runtime of tap, which reads a stream and what is published for it. It has no store, and nothing that sends.
import type { TapRuntime } from '../../runtime.ts';
import { createSchemaRegistry } from '../schema-registry.ts';
import { createStreamRange } from '../stream-range.ts';
import { createStreams } from '../streams.ts';
import { ledgerRuntime } from './ledger.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function tapRuntime(): TapRuntime {
  const base = ledgerRuntime();
  return {
    ...base,
    streams: createStreams(),
    stream: createStreamRange(),
    ...(base.settings.schemaRegistry && { schemas: createSchemaRegistry() }),
  };
}
