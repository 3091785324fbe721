// What the page changes at the simulated platform: that platform's own pages do it, and this hands them the call.
import { randomUUID } from 'node:crypto';
import type { Acted, Asked } from './serve.ts';
import type { Watched } from './watched.ts';

/** What of `/_simulator` a page may ask for: it has no use for the rest. */
const OPEN = /^(?:faults(?:\/[\w-]+)?|clock)$/;

/** @returns `undefined` where a page may not ask for it */
export async function passToSimulator(
  { platform: { platform } }: Pick<Watched, 'platform'>,
  { method, path, body }: Asked,
): Promise<Acted | undefined> {
  if (!OPEN.test(path)) return undefined;
  const answer = await platform.handle({
    method,
    path: `/_simulator/${path}`,
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/json' },
    body,
    requestId: randomUUID(),
  });
  return { status: answer.status, body: answer.body };
}
