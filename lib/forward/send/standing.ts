// How an inlet has answered lately: kept between invocations, as long as the container lives.
import type { Clock } from '../../aep/transport.ts';
import { keyOf, type Message, sequenceOf } from '../read/message.ts';
import { HANDFUL } from './classes.ts';

/**
 * The first break, in ms, for an inlet whose answers cannot be understood. Each further one is twice as long, up to
 * the longest.
 */
const FIRST_BREAK_MS = 5_000;
/** Once its answers are understood again, records arrive within a minute. */
const MAX_BREAK_MS = 40_000;

/**
 * After so long, in ms, one more message may be rejected by the inlet's word alone. Lambda never adds new records to
 * a batch that it repeats. Without this, six refused ones would block their shard until they are too old.
 */
const FORGIVEN_AFTER_MS = 3_600_000;

/** As many as an event can bring. */
const MAX_KNOWN = 10_000;

/**
 * A message that fails alone so often, with others taken after each time, is at fault itself. Within an invocation
 * two times are enough, seconds apart. Lambda decides how far apart these are, and an outage may come and go between.
 */
const STRETCHES = 5;
/** An invocation ends with a few at most. */
const MAX_SUSPECTS = 1_000;

/** A message that failed alone, with none taken since to show why. */
interface Suspect {
  /** How often it failed, with others taken in between. */
  readonly stretches: number;
  /** How much the inlet had taken by its last failure. */
  readonly takes: number;
}

export interface Standing {
  /** How many more messages may be rejected by the inlet's word alone, before it takes another one. */
  readonly room: number;
  /** Its last answer did not say what was taken. */
  readonly isUnclear: boolean;
  /** The inlet has taken a message. */
  took(): void;
  /** So many messages were rejected by its word alone. */
  refused(messages: number): void;
  /**
   * Its answer did not say what was taken.
   * @returns how long to leave the inlet alone, in ms
   */
  unclear(): number;
  /**
   * The message was refused while others were taken. It comes again, because it could not be stored or others could
   * not be sent.
   */
  know(message: Message): void;
  /** Whether earlier invocations have shown that the message itself is at fault. */
  isKnown(message: Message): boolean;
  /**
   * The message failed alone, and the invocation could not show why.
   * @returns how often it has failed so
   */
  suspect(message: Message): number;
  /** Whether there is such a message. */
  readonly hasSuspects: boolean;
  /** Whether one of these records has such a message. */
  suspects(sequenceNumbers: Iterable<string>): boolean;
  /**
   * The inlet took the message after all. If it was suspected, its failures were the inlet's, and so may those of the
   * others be.
   */
  cleared(message: Message): void;
  /** An error turned out to be the inlet's fault: the failures of other messages prove nothing. */
  clear(): void;
}

/**
 * @param handful how many messages may be rejected by the inlet's word alone while none is taken; one more each hour
 */
export function createStanding(clock: Pick<Clock, 'now'>, handful = HANDFUL): Standing {
  let [refusals, since, breaks] = [0, clock.now(), 0];
  let takes = 0;
  const known = new Set<string>();
  const suspects = new Map<string, Suspect>();
  const forgive = () => {
    // A clock that is set back allows no more.
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
    get hasSuspects() {
      return suspects.size > 0;
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
