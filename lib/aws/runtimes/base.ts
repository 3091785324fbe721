// The runtime of a deployed function that also calls Adobe, built on its first call.
import type { Runtime } from '../../runtime.ts';
import { createFetch } from '../http.ts';
import { awsRuntime } from './aws.ts';

/**
 * The common part of these runtimes.
 * @throws Failure `SETTINGS_INVALID`
 */
export function baseRuntime(): Runtime {
  const own = awsRuntime();
  return { ...own, fetch: createFetch(own.settings.proxy) };
}
