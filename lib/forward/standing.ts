// How an inlet has answered lately: what is known of it beyond an invocation, as long as the container lives.
import type { Clock } from '../aep/transport.ts';
import { HANDFUL } from './classes.ts';
import { keyOf, type Message } from './message.ts';

/** The first break that an inlet gets whose answers cannot be understood, in ms; each further one is twice as long, up to the longest. */
const FIRST_BREAK_MS = 5_000;
/** Once it is understood again, records are to arrive within a minute. */
const LONGEST_BREAK_MS = 40_000;

/**
 * After so long, in ms, one more may be rejected by the inlet's word alone. What Lambda brings again is never joined by new records:
 * without that, six refused ones would hold their shard until they are too old.
 */
const FORGIVEN_AFTER_MS = 3_600_000;

/** As many as an event can bring. */
const MOST_KNOWN = 10_000;

export interface Standing {
  /** So many more messages may be rejected by the inlet's word alone, before it takes another one. */
  readonly room: number;
  /** Its last answer did not say what was taken. */
  readonly isUnclear: boolean;
  /** It has taken a message. */
  took(): void;
  /** So many were rejected by its word alone. */
  refused(messages: number): void;
  /** Its answer did not say what was taken. @returns how long to leave it alone, in ms */
  unclear(): number;
  /** The message was not taken while others were, and comes again because it could not be stored, or others could not be sent. */
  know(message: Message): void;
  isKnown(message: Message): boolean;
}

/** @param handful messages that may be rejected by the inlet's word alone, while none is taken; one more each hour */
export function createStanding(clock: Pick<Clock, 'now'>, handful = HANDFUL): Standing {
  let [refusals, since, breaks] = [0, clock.now(), 0];
  const known = new Set<string>();
  const forgive = () => {
    // A clock that is set back forgives nothing.
    const hours = Math.max(0, Math.floor((clock.now() - since) / FORGIVEN_AFTER_MS));
    refusals = Math.max(0, refusals - hours);
    since = refusals === 0 ? clock.now() : since + hours * FORGIVEN_AFTER_MS;
  };
  return {
    get room() {
      forgive();
      return Math.max(0, handful - refusals);
    },
    get isUnclear() {
      return breaks > 0;
    },
    took() {
      refusals = 0;
      breaks = 0;
    },
    refused(messages) {
      forgive();
      refusals += messages;
    },
    unclear() {
      return Math.min(LONGEST_BREAK_MS, FIRST_BREAK_MS * 2 ** breaks++);
    },
    know(message) {
      if (known.size >= MOST_KNOWN) known.clear();
      known.add(keyOf(message));
    },
    isKnown: (message) => known.has(keyOf(message)),
  };
}
