// The runtime of a function that calls only AWS: settings from the environment, and Secrets Manager.
import { systemClock } from '../../aep/transport.ts';
import { createLog } from '../../log.ts';
import type { Runtime } from '../../runtime.ts';
import { settingsFrom } from '../../settings.ts';
import { accessFrom, createTableCall, type TableCall } from '../dynamodb.ts';
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

/** How functions call DynamoDB that the SDK's client would be too much for. */
export function tableCall(): TableCall {
  return createTableCall(() => accessFrom(process.env));
}
