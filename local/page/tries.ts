// What the inlet of a route answered to a message, try by try, in words.
import type { PublishedRoute } from '../../lib/published.ts';
import { messageKey, type Try } from '../aep/inlet/tries.ts';
import { isObject } from '../aep/json.ts';
import { shownJson, shownText } from './shown.ts';
import type { Health, ToldTry } from './told.ts';
import type { Watched } from './watched.ts';

/** So many of a message are shown: the newest. */
const MOST = 50;

/**
 * Of all messages with these very bytes, at this route's inlet, the oldest first.
 * @param sends the message, as JSON
 */
export function triesOf(
  { platform }: Pick<Watched, 'platform'>,
  { inletUrl }: PublishedRoute,
  sends: string,
): Try[] {
  const inlet = new URL(inletUrl).pathname.split('/').at(-1);
  const all = platform.platform.journal.tries(messageKey(Buffer.from(sends)));
  return all.filter(({ path }) => path.split('/').at(-1) === inlet);
}

/** @param forgotten requests that the journal does not keep any more */
export function toldTries(tries: readonly Try[], forgotten: number): ToldTry[] {
  return tries.slice(-MOST).map((one) => {
    const { number, at, status, durationMs: ms, faults, reply } = one;
    return {
      ...(number > forgotten && { number }),
      at,
      status,
      ms,
      faults,
      ...saidOf(one),
      ...(reply !== undefined && { reply: typeof reply === 'string' ? shownText(reply) : shownJson(reply) }),
    };
  });
}

function saidOf({ status, reply }: Try): { readonly health: Health; readonly says: string } {
  if (status === 0)
    return { health: 'bad', says: 'The connection was cut: no answer came. AEP may have it all the same.' };
  if (status >= 300) return { health: 'bad', says: `The request was refused with ${status}.` };
  if (reply === undefined || reply === null)
    return { health: 'bad', says: 'The answer says nothing of this message.' };
  if (!isObject(reply)) return { health: 'bad', says: 'The answer cannot be read.' };
  const refused = reply.status ?? reply.statusCode;
  if (refused !== undefined)
    return { health: 'bad', says: `The message was refused with ${String(refused)}.` };
  if (reply.xactionId === undefined)
    return { health: 'bad', says: 'The answer says nothing of this message.' };
  return { health: 'good', says: 'The message was received.' };
}
