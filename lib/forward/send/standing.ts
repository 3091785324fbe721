// How an inlet has answered lately: what is known of it beyond an invocation, as long as the container lives.
import type { Clock } from '../../aep/transport.ts';
import { keyOf, type Message, sequenceOf } from '../read/message.ts';
import { HANDFUL } from './classes.ts';

/** The first break that an inlet gets whose answers cannot be understood, in ms; each further one is twice as long, up to the longest. */
const FIRST_BREAK_MS = 5_000;
/** Once it is understood again, records are to arrive within a minute. */
const MAX_BREAK_MS = 40_000;

/**
 * After so long, in ms, one more may be rejected by the inlet's word alone. What Lambda brings again is never joined by new records:
 * without that, six refused ones would hold their shard until they are too old.
 */
const FORGIVEN_AFTER_MS = 3_600_000;

/** As many as an event can bring. */
const MAX_KNOWN = 10_000;

/**
 * A message that fails by itself in so many stretches, with others taken after each of them, is at fault itself. Within an
 * invocation two are enough, seconds apart; these lie apart for as long as Lambda likes, and an outage may come and go between.
 */
const STRETCHES = 5;
/** An invocation ends with a few at most. */
const MAX_SUSPECTS = 1_000;

/** A message that failed by itself, and nothing was taken since that would show why. */
interface Suspect {
  /** How often it did, with others taken between. */
  readonly stretches: number;
  /** What the inlet had taken by the last of them. */
  readonly takes: number;
}

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
  /** Whether what the message was not taken for is its own fault, as far as earlier invocations have shown. */
  isKnown(message: Message): boolean;
  /** The message failed by itself, and an invocation ended that could not show why. @returns in how many stretches it has failed */
  suspect(message: Message): number;
  /** Whether there is such a message in one of these records. */
  suspects(sequenceNumbers: Iterable<string>): boolean;
  /** The inlet took the message after all. Was it suspected, its failures were the inlet's, as those of all others may be. */
  cleared(message: Message): void;
  /** An error turned out to be the inlet's: what others failed by says nothing. */
  clear(): void;
}

/** @param handful messages that may be rejected by the inlet's word alone, while none is taken; one more each hour */
export function createStanding(clock: Pick<Clock, 'now'>, handful = HANDFUL): Standing {
  let [refusals, since, breaks] = [0, clock.now(), 0];
  let takes = 0;
  const known = new Set<string>();
  const suspects = new Map<string, Suspect>();
  const forgive = () => {
    // A clock that is set back forgives nothing.
    const hours = Math.max(0, Math.floor((clock.now() - since) / FORGIVEN_AFTER_MS));
    refusals = Math.max(0, refusals - hours);
    since = refusals === 0 ? clock.now() : since + hours * FORGIVEN_AFTER_MS;
  };
  const isProven = ({ stretches, takes: since }: Suspect) => stretches >= STRETCHES && takes > since;
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
      takes++;
    },
    refused(messages) {
      forgive();
      refusals += messages;
    },
    unclear() {
      return Math.min(MAX_BREAK_MS, FIRST_BREAK_MS * 2 ** breaks++);
    },
    know(message) {
      if (known.size >= MAX_KNOWN) known.clear();
      known.add(keyOf(message));
    },
    isKnown(message) {
      const key = keyOf(message);
      const suspect = suspects.get(key);
      return known.has(key) || (suspect !== undefined && isProven(suspect));
    },
    suspect(message) {
      const key = keyOf(message);
      const { stretches, takes: since } = suspects.get(key) ?? { stretches: 0, takes: -1 };
      const next = { stretches: takes > since ? stretches + 1 : stretches, takes };
      if (suspects.size >= MAX_SUSPECTS && !suspects.has(key)) suspects.clear();
      suspects.set(key, next);
      return next.stretches;
    },
    suspects(sequenceNumbers) {
      if (suspects.size === 0) return false;
      const those = new Set(sequenceNumbers);
      return Array.from(suspects.keys(), sequenceOf).some((one) => those.has(one));
    },
    cleared(message) {
      if (suspects.size > 0 && suspects.has(keyOf(message))) suspects.clear();
    },
    clear() {
      suspects.clear();
    },
  };
}
