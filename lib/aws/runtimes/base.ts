// The runtime of a deployed function that asks Adobe too, built on its first call.
import type { Runtime } from '../../runtime.ts';
import { createFetch } from '../http.ts';
import { awsRuntime } from './aws.ts';

/**
 * The part of the runtime that every such function has.
 * @throws Failure `SETTINGS_INVALID`
 */
export function baseRuntime(): Runtime {
  const own = awsRuntime();
  return { ...own, fetch: createFetch(own.settings.proxy) };
}
