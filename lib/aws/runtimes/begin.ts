// The runtime of the first step, which looks up the stream.
import type { BeginRuntime } from '../../runtime.ts';
import { createRoutes } from '../routes.ts';
import { createStreams } from '../streams.ts';
import { tableCall } from './aws.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function beginRuntime(): BeginRuntime {
  const base = baseRuntime();
  return { ...base, routes: createRoutes(base.settings.table, tableCall()), streams: createStreams() };
}
