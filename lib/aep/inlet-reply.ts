// What the streaming inlet's replies mean: status by status, and entry by entry of a 207.
import { excerpt, parse } from './exchange.ts';

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
 * they are the set-up's, so that a stream is never emptied into the dead-letter store because an inlet is gone.
 */
export function replyClassOf(status: number, hasBody: boolean): ReplyClass {
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
const MAX_ENTRY_SAID = 500;

const UNKNOWN: Outcome = { kind: 'unknown' };
const ACKNOWLEDGED: Outcome = { kind: 'acknowledged' };

/**
 * The outcomes of a request with `messages` messages that was answered with a 2xx and `text`. Both shapes of contract
 * §6.3 are understood. Never throws: what is not as documented acknowledges nothing.
 *
 * An entry can be attributed in two ways: by its place, and by the number at the end of its `xactionId`. Adobe documents
 * neither as binding. Where they disagree about a message, it is `unknown`; and all are, where there is not an entry for
 * each message, since numbers alone cannot tell this request's answer from another's.
 */
export function readOutcomes(
  text: string,
  messages: number,
  hide: (said: string) => string = (said) => said,
): Outcomes {
  const entries = replyEntries(parse(text)) ?? [];
  if (entries.length !== messages)
    return { outcomes: new Array<Outcome>(messages).fill(UNKNOWN), acknowledged: 0 };
  // The usual case: where all is well, and no entry is there twice, it does not matter which speaks of which message.
  if (entries.every(isAcknowledged) && !hasDoubles(entries))
    return { outcomes: new Array<Outcome>(messages).fill(ACKNOWLEDGED), acknowledged: messages };
  const said = entries.map((entry) => entryOutcome(entry, hide));
  const numbers = numbersOf(entries);
  const numbered = Map.groupBy(said.keys(), (at) => numbers[at]);
  const outcomes = said.map((own, place) => {
    const others = numbered.get(place)?.map((at) => said[at] as Outcome);
    return agreed(own, numbers[place] ?? place, place, others ?? []);
  });
  return { outcomes, acknowledged: outcomes.filter(({ kind }) => kind === 'acknowledged').length };
}

function replyEntries(body: unknown): readonly unknown[] | undefined {
  const responses = isObject(body) ? own(body, 'responses') : undefined;
  return Array.isArray(responses) ? responses : undefined;
}

/** An id that so many entries share is the request's. That such answers exist is our own guess; with fewer it is an entry's copy. */
const SHARED_BY = 4;

/** Whether an entry stands in another's place as well. */
function hasDoubles(entries: readonly unknown[]): boolean {
  const ids = entryIds(entries);
  return new Set(ids).size < ids.length && !isShared(ids);
}

function isShared(ids: readonly unknown[]): boolean {
  const given = ids.filter((id) => id !== undefined);
  return given.length >= SHARED_BY && new Set(given).size === 1;
}

function entryIds(entries: readonly unknown[]): unknown[] {
  return entries.map((entry) => (isObject(entry) ? own(entry, 'xactionId') : undefined));
}

/** The number at the end of each entry's `xactionId` that is the index of a message; a shared id holds no number. */
function numbersOf(entries: readonly unknown[]): (number | undefined)[] {
  const ids = entryIds(entries);
  if (isShared(ids)) return ids.map(() => undefined);
  return ids.map((id) => {
    const digits = typeof id === 'string' ? /[-:](\d{1,9})$/.exec(id)?.[1] : undefined;
    const number = Number(digits ?? Number.NaN);
    return number < entries.length ? number : undefined;
  });
}

/**
 * What both ways of attributing entries say of the message in this place; `unknown` where they do not say the same.
 * @param own what the entry in its place says, and `number` whose entry that is by its number
 * @param numbered what the entries say that bear the message's number
 */
function agreed(own: Outcome, number: number, place: number, numbered: readonly Outcome[]): Outcome {
  // Its entry bears the number of another message, and no other entry bears its own.
  if (number !== place && numbered.length === 0) return UNKNOWN;
  return numbered.every((outcome) => areSame(outcome, own)) ? own : UNKNOWN;
}

function areSame(one: Outcome, other: Outcome): boolean {
  if (one.kind !== 'refused' || other.kind !== 'refused') return one.kind === other.kind;
  return one.class === other.class && one.status === other.status;
}

/** Adobe writes a status under either name, as number or text; what succeeded may have one too, below 400. */
const STATUS_NAMES = ['statusCode', 'status'] as const;

function isAcknowledged(entry: unknown): boolean {
  return (
    isObject(entry) &&
    typeof own(entry, 'xactionId') === 'string' &&
    STATUS_NAMES.every((name) => isSuccess(own(entry, name)))
  );
}

function isSuccess(value: unknown): boolean {
  const status = statusIn(value);
  return value === undefined || value === null || (status !== undefined && status < 400);
}

/** A status of HTTP, as number or text. */
function statusIn(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
    ? status
    : undefined;
}

function entryOutcome(entry: unknown, hide: (said: string) => string): Outcome {
  if (isAcknowledged(entry)) return ACKNOWLEDGED;
  const status = isObject(entry) ? failingStatus(entry) : undefined;
  if (status === undefined) return UNKNOWN;
  return { kind: 'refused', class: itemClass(status), status, said: entryMessage(entry, hide) };
}

/** The status of a failed entry; of two that disagree the one that is a failure. */
function failingStatus(entry: Readonly<Record<string, unknown>>): number | undefined {
  const failing = STATUS_NAMES.map((name) => statusIn(own(entry, name))).filter(
    (status) => status !== undefined && status >= 400,
  ) as number[];
  // Where both are failures, the one that will pass: a copy too many can be recognised, a lost record cannot.
  return failing.find((status) => itemClass(status) !== 'data') ?? failing[0];
}

/** In a 207 the inlet answered for this very message, so any 4xx that does not pass blames the message. */
function itemClass(status: number): 'throttled' | 'transient' | 'auth' | 'data' {
  if (status >= 500) return 'transient';
  const found = replyClassOf(status, true);
  return found === 'too-large' || found === 'set-up' ? 'data' : found;
}

function entryMessage(entry: unknown, hide: (said: string) => string): string {
  const said = isObject(entry) ? own(entry, 'message') : undefined;
  return typeof said === 'string' && said.trim() !== ''
    ? excerpt(hide(said), MAX_ENTRY_SAID)
    : '(no message)';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
