// The runtime of a deployed function, built on its first call: settings from the environment, undici, Secrets Manager.
import { Agent, fetch as undiciFetch } from 'undici';
import { systemClock } from '../aep/transport.ts';
import { createLog } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import { settingsFrom } from '../settings.ts';
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
    secrets: createSecrets(),
  };
}

/** undici's fetch over connections that are kept and reused. Timeouts of a whole exchange come with its signal. */
export function createFetch(): Runtime['fetch'] {
  // HTTP/2 would put all requests on one connection and make `connections` meaningless.
  const dispatcher = new Agent({
    allowH2: false,
    connections: 8,
    connect: { timeout: 5_000 },
    keepAliveTimeout: 30_000,
  });
  return async (url, init) => (await undiciFetch(url, { ...init, dispatcher })) as unknown as Response;
}
