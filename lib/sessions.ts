// The sessions of a function: its credentials from the configured secret, read again for every token.
import { type Credentials, createSessions, type Sessions } from './aep/token.ts';
import { readCredentials } from './credentials.ts';
import { isFailure } from './failure.ts';
import type { Runtime } from './runtime.ts';

/** Sessions that log when IMS refuses the new client secret and the previous one is used. */
export function sessionsOf(
  runtime: Runtime,
  told: {
    readonly onIssued?: () => void;
    readonly onFailed?: () => void;
    readonly onFallback?: () => void;
  } = {},
): Sessions {
  const { settings, log } = runtime;
  return createSessions({
    imsUrl: settings.imsUrl,
    credentials: credentialsReader(runtime),
    transport: runtime,
    ...(told.onIssued !== undefined && { onIssued: told.onIssued }),
    ...(told.onFailed !== undefined && { onFailed: told.onFailed }),
    onFallback: (refusal) => {
      told.onFallback?.();
      log.warn('IMS refuses clientSecret; previousClientSecret was used', {
        event: 'previous-secret-used',
        secret: settings.credentialsSecret,
        reason: refusal.what,
        next: 'Correct clientSecret in the credentials secret before the previous one is deleted.',
      });
    },
  });
}

/** How long known credentials are used, in ms, after Secrets Manager was first found to be unavailable. */
const CREDENTIALS_KEPT_MS = 900_000;

/** Reads them again for every token. While Secrets Manager is unavailable, the last ones are used. */
function credentialsReader({ secrets, settings, clock, log }: Runtime): () => Promise<Credentials> {
  let known: Credentials | undefined;
  let awaySince: number | undefined;
  return async () => {
    try {
      known = await readCredentials(secrets, settings.credentialsSecret);
      awaySince = undefined;
      return known;
    } catch (error) {
      if (known === undefined || !isFailure(error) || error.code !== 'AWS_UNAVAILABLE') throw error;
      awaySince ??= clock.now();
      if (clock.now() - awaySince > CREDENTIALS_KEPT_MS) throw error;
      log.warn('Secrets Manager cannot be reached: the last ones are used', {
        secret: settings.credentialsSecret,
        awaySeconds: Math.round((clock.now() - awaySince) / 1_000),
        reason: error.what,
      });
      return known;
    }
  };
}
