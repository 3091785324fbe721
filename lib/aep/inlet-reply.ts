// What the streaming inlet's replies mean: status by status, and entry by entry of a 207.
import { clip, parse } from './exchange.ts';

/**
 * What a reply asks of the sender.
 *
 * - `throttled`, `transient`: the same request may succeed later
 * - `auth`: the token was not taken
 * - `data`: something in the request is refused for good
 * - `too-large`: the request is, or the one message in it
 * - `set-up`: no request to this inlet can succeed until somebody changes something
 */
export type ReplyClass = 'throttled' | 'transient' | 'auth' | 'data' | 'too-large' | 'set-up';

/** Statuses of a whole request that are not what their hundred says. Contract §6.3. */
const STATUS_CLASSES: Readonly<Record<number, ReplyClass>> = {
  400: 'data',
  401: 'auth',
  // With a body. Without one it is the organization's IP allow-list: `classOf` makes it `set-up`.
  403: 'auth',
  408: 'transient',
  413: 'too-large',
  425: 'transient',
  429: 'throttled',
  // Synchronous validation, which is never asked for: the request went to the wrong place.
  501: 'set-up',
};

/**
 * The class of a whole request that was not a success. Redirects and any other 4xx (404, 410, 415, …) blame no record:
 * they are the set-up's, so that a stream is never emptied into the undelivered store because an inlet is gone.
 */
export function classOf(status: number, hasBody: boolean): ReplyClass {
  if (status === 403 && !hasBody) return 'set-up';
  return STATUS_CLASSES[status] ?? (status >= 300 && status < 500 ? 'set-up' : 'transient');
}

/** What the inlet said about one message. `unknown`: nothing that could be attributed to it or understood. */
export type Outcome =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'refused';
      readonly class: 'throttled' | 'transient' | 'auth' | 'data';
      readonly status: number;
      readonly said: string;
    };

export interface Outcomes {
  /** One for each message of the request, in its order. */
  readonly outcomes: readonly Outcome[];
  /** Acknowledgements counted in the reply's own entries, not in `outcomes`: one side of the forwarder's balance. */
  readonly acknowledged: number;
}

/** Of what the inlet says of a message, so much is kept, in characters. */
const LONGEST_SAID = 500;

const UNKNOWN: Outcome = { kind: 'unknown' };
const ACKNOWLEDGED: Outcome = { kind: 'acknowledged' };

/**
 * The outcomes of a request with `messages` messages that was answered with a 2xx and `text`. Both shapes of contract
 * §6.3 are understood. Never throws: what is not as documented acknowledges nothing.
 */
export function readOutcomes(
  text: string,
  messages: number,
  hide: (said: string) => string = (said) => said,
): Outcomes {
  const entries = entriesOf(parse(text)) ?? [];
  const acknowledged = entries.filter(isAcknowledged).length;
  // The usual case: where all is well, the order does not matter.
  if (entries.length === messages && acknowledged === messages)
    return { outcomes: new Array<Outcome>(messages).fill(ACKNOWLEDGED), acknowledged };
  const places = placesOf(entries, messages);
  const outcomes = new Array<Outcome>(messages).fill(UNKNOWN);
  if (places === undefined) return { outcomes, acknowledged: 0 };
  entries.forEach((entry, index) => {
    outcomes[places === 'by-position' ? index : (places[index] as number)] = outcomeOf(entry, hide);
  });
  return { outcomes, acknowledged };
}

function entriesOf(body: unknown): readonly unknown[] | undefined {
  const responses = isObject(body) ? own(body, 'responses') : undefined;
  return Array.isArray(responses) ? responses : undefined;
}

/**
 * Which message each entry speaks of. By the number at the end of its `xactionId`, where every entry has one, in range and
 * none twice: Adobe's tutorial shows four entries for five messages, and all the numbers in another order are no accident.
 * Else by position, where there is an entry for each message. More entries than messages have no place.
 */
function placesOf(entries: readonly unknown[], messages: number): 'by-position' | number[] | undefined {
  const places = entries.map(indexIn);
  const usable = places.every((place) => place !== undefined && place < messages);
  if (usable && new Set(places).size === places.length) return places as number[];
  return entries.length === messages ? 'by-position' : undefined;
}

function indexIn(entry: unknown): number | undefined {
  const id = isObject(entry) ? own(entry, 'xactionId') : undefined;
  const digits = typeof id === 'string' ? /[-:](\d{1,9})$/.exec(id)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function isAcknowledged(entry: unknown): boolean {
  return (
    isObject(entry) &&
    typeof own(entry, 'xactionId') === 'string' &&
    !Object.hasOwn(entry, 'status') &&
    !Object.hasOwn(entry, 'statusCode')
  );
}

function outcomeOf(entry: unknown, hide: (said: string) => string): Outcome {
  if (isAcknowledged(entry)) return ACKNOWLEDGED;
  const status = isObject(entry) ? failingStatus(entry) : undefined;
  if (status === undefined) return UNKNOWN;
  return { kind: 'refused', class: itemClass(status), status, said: messageOf(entry, hide) };
}

/** The status of a failed entry; of two that disagree the one that is a failure. Adobe writes either name, as number or text. */
function failingStatus(entry: Readonly<Record<string, unknown>>): number | undefined {
  const failing = [own(entry, 'statusCode'), own(entry, 'status')]
    .map((value) => (typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value))
    .filter(
      (value): value is number =>
        typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599,
    );
  // Where both are failures, the one that will pass: a copy too many can be recognised, a lost record cannot.
  return failing.find((status) => itemClass(status) !== 'data') ?? failing[0];
}

/** In a 207 the inlet answered for this very message, so any 4xx that does not pass blames the message. */
function itemClass(status: number): 'throttled' | 'transient' | 'auth' | 'data' {
  if (status >= 500) return 'transient';
  const found = classOf(status, true);
  return found === 'too-large' || found === 'set-up' ? 'data' : found;
}

function messageOf(entry: unknown, hide: (said: string) => string): string {
  const said = isObject(entry) ? own(entry, 'message') : undefined;
  return typeof said === 'string' && said.trim() !== '' ? clip(hide(said), LONGEST_SAID) : '(no message)';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
