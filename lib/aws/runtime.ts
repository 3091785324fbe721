// The runtime of a deployed function, built on its first call: settings from the environment, HTTP, Secrets Manager.
import { systemClock } from '../aep/transport.ts';
import { createLog } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import { settingsFrom } from '../settings.ts';
import { createFetch } from './http.ts';
import { createSecrets } from './secrets.ts';

/**
 * The part of the runtime that every function has.
 * @throws Failure `SETTINGS_INVALID`
 */
export function baseRuntime(): Runtime {
  const settings = settingsFrom(process.env);
  return {
    settings,
    clock: systemClock,
    random: Math.random,
    fetch: createFetch(),
    log: createLog(settings.logLevel),
    secrets: createSecrets(undefined, settings.kmsKey),
  };
}
