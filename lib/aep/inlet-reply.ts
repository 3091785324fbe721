// What the streaming inlet's replies mean: by status, and by entry of a 207.
import { excerpt, parse } from './exchange.ts';

/**
 * What a reply asks of the sender.
 * - `throttled`, `transient`: the same request may succeed later
 * - `auth`: the token was refused
 * - `data`: something in the request is refused for good
 * - `too-large`: the request is, or the one message in it
 * - `set-up`: no request to this inlet can succeed until an operator changes something
 */
export type ReplyClass = 'throttled' | 'transient' | 'auth' | 'data' | 'too-large' | 'set-up';

/** Statuses of a whole request that mean something else than the rest of their hundred. Contract §6.3. */
const STATUS_CLASSES: Readonly<Record<number, ReplyClass>> = {
  400: 'data',
  401: 'auth',
  // With a body. A 403 without one comes from the organization's IP allow-list: `classOf` makes it `set-up`.
  403: 'auth',
  408: 'transient',
  413: 'too-large',
  425: 'transient',
  429: 'throttled',
  // Synchronous validation is never asked for, so the request went to the wrong place.
  501: 'set-up',
};

/**
 * The class of a whole request that was not a success. Redirects and any other 4xx (404, 410, 415, …) are the
 * set-up's fault and not a record's. Otherwise a missing inlet would empty the stream into the dead-letter store.
 */
export function replyClassOf(status: number, hasBody: boolean): ReplyClass {
  if (status === 403 && !hasBody) return 'set-up';
  return STATUS_CLASSES[status] ?? (status >= 300 && status < 500 ? 'set-up' : 'transient');
}

/** What the inlet said about one message. `unknown`: no entry could be understood as being about it. */
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

/** The longest text of the inlet about a message that is kept, in characters. */
const MAX_ENTRY_SAID = 500;

const UNKNOWN: Outcome = { kind: 'unknown' };
const ACKNOWLEDGED: Outcome = { kind: 'acknowledged' };

/**
 * The outcomes of a request with `messages` messages that was answered with a 2xx and `text`. Both forms of contract
 * §6.3 are understood. Never throws: an undocumented form acknowledges nothing.
 */
export function readOutcomes(
  text: string,
  messages: number,
  hide: (said: string) => string = (said) => said,
): Outcomes {
  return takesAllInOrder(text, messages) ? allAcknowledged(messages) : readEntries(text, messages, hide);
}

/** What comes before the number of the first entry: only members whose texts need no reading. */
const USUAL_HEAD =
  /^\{(?:"(?:inletId|batchId)":"[\w:.-]*",|"receivedTimeMs":(?:0|[1-9]\d{0,15}),)*"responses":\[\{"xactionId":"([\w:.-]*[:-])0/;
const USUAL_END = '"}]}';
const DIGIT_ZERO = 0x30;
/** The text, and before it what is expected of it: used again and again, since new memory would have to be mapped. */
let compared = Buffer.alloc(0);

/**
 * Whether `text` is the usual answer: every message acknowledged, in order, and nothing else said. Then it need not be
 * parsed, which takes longer than all else about an answer. `readEntries` says the same of it.
 */
export function takesAllInOrder(text: string, messages: number): boolean {
  const [head, prefix] = USUAL_HEAD.exec(text) ?? [];
  if (head === undefined) return false;
  const { length } = text;
  const next = `"},{"xactionId":"${prefix}`;
  if (length !== head.length + usualRestLength(next, messages)) return false;
  if (compared.length < 2 * length) compared = Buffer.allocUnsafeSlow(2 * length);
  // A character that is no ASCII may not fit. Then the bytes of an earlier answer would be compared.
  if (compared.write(text, length, length) < length) return false;
  const usual = compared.subarray(0, length - head.length);
  writeUsualRest(usual, next, messages);
  return compared.compare(usual, 0, usual.length, length + head.length, 2 * length) === 0;
}

/** The numbers from 1 on below `messages`, by how many digits they have. */
function* byDigits(messages: number): Generator<{ first: number; behind: number; digits: number }> {
  for (let first = 1, digits = 1; first < messages; first *= 10, digits++)
    yield { first, behind: Math.min(first * 10, messages), digits };
}

/** Of what follows the first number. */
function usualRestLength(next: string, messages: number): number {
  let length = USUAL_END.length;
  for (const { first, behind, digits } of byDigits(messages))
    length += (behind - first) * (next.length + digits);
  return length;
}

function writeUsualRest(to: Buffer, next: string, messages: number): void {
  let at = 0;
  for (const { first, behind, digits } of byDigits(messages)) {
    const size = next.length + digits;
    to.fill(next + '0'.repeat(digits), at, at + (behind - first) * size);
    for (let number = first; number < behind; number++) {
      at += size;
      for (let [place, rest] = [at - 1, number]; rest > 0; place--, rest = Math.floor(rest / 10))
        to[place] = DIGIT_ZERO + (rest % 10);
    }
  }
  to.write(USUAL_END, at);
}

function allAcknowledged(messages: number): Outcomes {
  return { outcomes: new Array<Outcome>(messages).fill(ACKNOWLEDGED), acknowledged: messages };
}

/**
 * The outcomes by the entries of the answer, which is parsed whole. An entry is matched to a message in two ways: by
 * its place, and by the number at the end of its `xactionId`. Adobe documents neither as binding. If they disagree
 * about a message, it is `unknown`. If there is not one entry for each message, all are: numbers alone cannot identify
 * this request's answer.
 */
export function readEntries(text: string, messages: number, hide: (said: string) => string): Outcomes {
  const entries = replyEntries(parse(text)) ?? [];
  if (entries.length !== messages)
    return { outcomes: new Array<Outcome>(messages).fill(UNKNOWN), acknowledged: 0 };
  // The usual case: if every entry is a success and none is repeated, their order does not matter.
  if (entries.every(isAcknowledged) && !hasDoubles(entries)) return allAcknowledged(messages);
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

/**
 * An id that so many entries share is the request's. That such answers exist is our own guess. With fewer it is the
 * copy of an entry.
 */
const SHARED_BY = 4;

/** Whether an entry is repeated in another place. */
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

/** The number at the end of each entry's `xactionId`, if it is the index of a message; a shared id holds no number. */
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
 * The outcome of the message in this place, if both ways of matching give the same; else `unknown`.
 * @param own the entry in its place, and `number` the message that this entry names
 * @param numbered the entries that name this message
 */
function agreed(own: Outcome, number: number, place: number, numbered: readonly Outcome[]): Outcome {
  // Its entry names another message, and no entry names it.
  if (number !== place && numbered.length === 0) return UNKNOWN;
  return numbered.every((outcome) => areSame(outcome, own)) ? own : UNKNOWN;
}

function areSame(one: Outcome, other: Outcome): boolean {
  if (one.kind !== 'refused' || other.kind !== 'refused') return one.kind === other.kind;
  return one.class === other.class && one.status === other.status;
}

/** Adobe writes a status under either name, as number or text. An entry of a success may have a status below 400. */
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

/** An HTTP status, as number or text. */
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

/** The status of a failed entry; of two that disagree, the failure. */
function failingStatus(entry: Readonly<Record<string, unknown>>): number | undefined {
  const failing = STATUS_NAMES.map((name) => statusIn(own(entry, name))).filter(
    (status) => status !== undefined && status >= 400,
  ) as number[];
  // If both are failures, the temporary one: an extra copy can be recognised, a lost record cannot.
  return failing.find((status) => itemClass(status) !== 'data') ?? failing[0];
}

/** In a 207 the inlet answers for this one message, so any permanent 4xx is the message's fault. */
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
