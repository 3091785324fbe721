// The sessions of a function: one for each of the credentials that its pipelines name, read again for every token.
import { type Credentials, createSessions, type Sessions } from './aep/token.ts';
import { readCredentials } from './credentials.ts';
import { isFailure } from './failure.ts';
import type { Runtime } from './runtime.ts';
import type { Settings } from './settings.ts';

/** The sessions of a pipeline, by the `credentials` of its manifest; `undefined` stands for the stage's own. */
export type SessionsOf = (credentials: string | undefined) => Sessions;

/** The name of the secret with these credentials. What a manifest names lies below the stage's own. */
export function credentialsSecretOf(
  { credentialsSecret }: Pick<Settings, 'credentialsSecret'>,
  credentials: string | undefined,
): string {
  return credentials === undefined ? credentialsSecret : `${credentialsSecret}/${credentials}`;
}

interface SessionListeners {
  readonly onIssued?: () => void;
  readonly onFailed?: () => void;
  readonly onFallback?: () => void;
}

/** Sessions that log when IMS refuses the new client secret and the previous one is used. */
export function sessionsOf(runtime: Runtime, told: SessionListeners = {}): SessionsOf {
  const known = new Map<string, Sessions>();
  return (credentials) => {
    const secret = credentialsSecretOf(runtime.settings, credentials);
    const sessions = known.get(secret) ?? sessionsWith(secret, runtime, told);
    known.set(secret, sessions);
    return sessions;
  };
}

function sessionsWith(secret: string, runtime: Runtime, told: SessionListeners): Sessions {
  const { settings, log } = runtime;
  return createSessions({
    imsUrl: settings.imsUrl,
    credentials: credentialsReader(secret, runtime),
    transport: runtime,
    ...(told.onIssued !== undefined && { onIssued: told.onIssued }),
    ...(told.onFailed !== undefined && { onFailed: told.onFailed }),
    onFallback: (refusal) => {
      told.onFallback?.();
      log.warn('IMS refuses clientSecret; previousClientSecret was used', {
        event: 'previous-secret-used',
        secret,
        reason: refusal.what,
        next: 'Correct clientSecret in the credentials secret before the previous one is deleted.',
      });
    },
  });
}

/** How long known credentials are used, in ms, after Secrets Manager was first found to be unavailable. */
const CREDENTIALS_KEPT_MS = 900_000;

/** Reads them again for every token. While Secrets Manager is unavailable, the last ones are used. */
function credentialsReader(secret: string, { secrets, clock, log }: Runtime): () => Promise<Credentials> {
  let known: Credentials | undefined;
  let awaySince: number | undefined;
  return async () => {
    try {
      known = await readCredentials(secrets, secret);
      awaySince = undefined;
      return known;
    } catch (error) {
      if (known === undefined || !isFailure(error) || error.code !== 'AWS_UNAVAILABLE') throw error;
      awaySince ??= clock.now();
      if (clock.now() - awaySince > CREDENTIALS_KEPT_MS) throw error;
      log.warn('Secrets Manager cannot be reached: the last ones are used', {
        secret,
        awaySeconds: Math.round((clock.now() - awaySince) / 1_000),
        reason: error.what,
      });
      return known;
    }
  };
}
