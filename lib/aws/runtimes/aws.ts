// The runtime of a function that calls only AWS: settings from the environment, and Secrets Manager.
import { systemClock } from '../../aep/transport.ts';
import { createLog } from '../../log.ts';
import type { Runtime } from '../../runtime.ts';
import { settingsFrom } from '../../settings.ts';
import { createSecrets } from '../secrets.ts';

/** @throws Failure `SETTINGS_INVALID` */
export function awsRuntime(): Omit<Runtime, 'fetch'> {
  const settings = settingsFrom(process.env);
  return {
    settings,
    clock: systemClock,
    random: Math.random,
    log: createLog(settings.logLevel),
    secrets: createSecrets(undefined, settings.kmsKey, settings.tags),
  };
}
