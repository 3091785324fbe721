// The runtime of drift, which looks up streams as the first step does, and triggers as the others do.
import type { DriftRuntime } from '../../runtime.ts';
import { createStreams } from '../streams.ts';
import { provisionRuntime } from './provision.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function driftRuntime(): DriftRuntime {
  return { ...provisionRuntime(), streams: createStreams() };
}
