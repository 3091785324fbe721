// The runtime of the first step, which looks up the stream.
import type { BeginRuntime } from '../../runtime.ts';
import { createStreams } from '../streams.ts';
import { baseRuntime } from './base.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function beginRuntime(): BeginRuntime {
  return { ...baseRuntime(), streams: createStreams() };
}
