// The sessions of a function: its credentials from the secret the settings name, asked for anew with every token.
import { type Credentials, createSessions, type Sessions } from './aep/token.ts';
import { readCredentials } from './credentials.ts';
import { isFailure } from './failure.ts';
import type { Runtime } from './runtime.ts';

/** Sessions that say in the log where the new client secret is refused and the previous one had to do. */
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

/** Credentials that are known are used on for so long, in ms, from when Secrets Manager was first found to be away. */
const CREDENTIALS_KEPT_MS = 900_000;

/** Reads them anew for every token; while Secrets Manager is away, those that were read last are used. */
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
      log.warn('Secrets Manager cannot be reached: the credentials are used as they were read before', {
        secret: settings.credentialsSecret,
        awaySeconds: Math.round((clock.now() - awaySince) / 1_000),
        reason: error.what,
      });
      return known;
    }
  };
}
