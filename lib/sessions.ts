// The sessions of a function: its credentials from the secret the settings name, asked for anew with every token.
import { createSessions, type Sessions } from './aep/token.ts';
import { readCredentials } from './credentials.ts';
import type { Runtime } from './runtime.ts';

/** Sessions that say in the log where the new client secret is refused and the previous one had to do. */
export function sessionsOf(
  runtime: Runtime,
  told: { readonly onIssued?: () => void; readonly onFallback?: () => void } = {},
): Sessions {
  const { settings, secrets, log } = runtime;
  return createSessions({
    imsUrl: settings.imsUrl,
    credentials: () => readCredentials(secrets, settings.credentialsSecret),
    transport: runtime,
    ...(told.onIssued !== undefined && { onIssued: told.onIssued }),
    onFallback: (refusal) => {
      told.onFallback?.();
      log.warn('IMS refuses clientSecret; previousClientSecret was used', {
        secret: settings.credentialsSecret,
        reason: refusal.what,
        next: 'Correct clientSecret in the credentials secret before the previous one is deleted.',
      });
    },
  });
}
