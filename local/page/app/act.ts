// Changes something at the server, and says why not where it was refused.
import { tokenHeader } from './token.ts';

export class RefusedError extends Error {
  /** The answer, whole; `undefined` where there was none. */
  readonly told: unknown;
  constructor(message: string, told?: unknown) {
    super(message);
    this.told = told;
  }
}

/** @throws RefusedError with the server's own words */
export async function act<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: { ...tokenHeader(), 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  if (answer === undefined) throw new RefusedError('The server cannot be reached. Try again.');
  const told: unknown = answer.status === 204 ? undefined : await answer.json();
  if (answer.ok) return told as T;
  const { detail, why } = { ...(told as { readonly detail?: string; readonly why?: string }) };
  throw new RefusedError(detail ?? why ?? `The server answered ${answer.status}.`, told);
}
