// What the routes of a stream make of one message, and what becomes of a message that none of them takes.
import type { DecodedPart } from '../read/decode.ts';
import type { Message } from '../read/message.ts';
import { FILTERED, type Reason, type Rejected, rejected, type Settled, TAKEN_BY_NONE } from '../verdict.ts';
import { withheld } from '../withheld.ts';
import type { Framed } from './framed.ts';
import { LEFT_OUT, type Way } from './way.ts';

/** Ready to be sent, settled, or acknowledged before: then it may be sent once more. */
export type RouteOutcome =
  | Framed
  | Settled
  | { readonly message: Message; readonly again: Framed | undefined }
  | typeof LEFT_OUT;

/** What becomes of a message that no route of the stream takes. */
export interface Unrouted {
  readonly kind: 'count' | 'keep';
  /** Whether a route of the stream redacts: then what no route has looked into is kept without its bytes. */
  readonly redacts?: boolean;
}

/** Of a message with one of these, no field was looked at. */
const UNREADABLE: ReadonlySet<Reason> = new Set(['empty', 'not-utf8', 'not-json', 'too-deep']);

/**
 * Settles what concerns the stream as a whole, and not each route. A message that no route takes is counted or kept
 * once, by the first route. So is one that cannot be read, if all routes choose by fields: it may be anyone's.
 * @param part as decoded; `undefined` for an ordinary record
 */
export function unroutedOnce(
  outcomes: (RouteOutcome | undefined)[],
  message: Message,
  part: DecodedPart | undefined,
  ways: readonly Way[],
  unrouted: Unrouted,
): void {
  if (ways.length === 1 && unrouted.kind === 'count') return;
  if (outcomes.every(isLeftOut)) {
    // A format has passed it over: it is no route's to take.
    if (part !== undefined && 'verdict' in part && part.verdict.kind === 'filtered') return;
    outcomes[0] = unroutedMessage(message, unrouted);
  } else if (part !== undefined && ways.length > 1) unreadableOnce(outcomes, part, ways, unrouted);
}

function unroutedMessage(message: Message, { kind, redacts }: Unrouted): Settled {
  if (kind === 'count') return { message, verdict: TAKEN_BY_NONE };
  const verdict = rejected('unrouted', 'no route of the stream takes it');
  return { message: redacts === true ? withheld(message) : message, verdict };
}

function unreadableOnce(
  outcomes: (RouteOutcome | undefined)[],
  part: DecodedPart,
  ways: readonly Way[],
  { redacts }: Unrouted,
): void {
  const unread = ways.flatMap((_, index) => (isUnread(outcomes[index], part) ? [index] : []));
  const choosing = unread.filter((index) => ways[index]?.chooses === true);
  if (choosing.length === 0) return;
  // A route that takes everything has it.
  const keeps = choosing.length < unread.length ? undefined : choosing[0];
  for (const index of choosing) {
    const { message, verdict } = outcomes[index] as Settled<Rejected>;
    if (index !== keeps) outcomes[index] = { message, verdict: FILTERED };
    else if (redacts === true && message.withheld === undefined)
      outcomes[index] = { message: withheld(message), verdict };
  }
}

function isUnread(outcome: RouteOutcome | undefined, part: DecodedPart): boolean {
  if (outcome === undefined || outcome === LEFT_OUT) return false;
  if (!('verdict' in outcome) || outcome.verdict.kind !== 'rejected') return false;
  return 'verdict' in part || UNREADABLE.has(outcome.verdict.reason);
}

function isLeftOut(outcome: RouteOutcome | undefined): boolean {
  if (outcome === undefined || outcome === LEFT_OUT) return outcome === LEFT_OUT;
  return 'verdict' in outcome && outcome.verdict.kind === 'filtered' && outcome.verdict.unrouted !== false;
}
