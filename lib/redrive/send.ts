// Sends messages again by the forwarder's own stages, at the pipeline's rate or a lower one of the request.
import type { Sessions } from '../aep/token.ts';
import { checkConservation } from '../forward/conservation.ts';
import { createFramer, type Framer } from '../forward/frame/frame.ts';
import type { Framed } from '../forward/frame/framed.ts';
import { type DecodedPart, decode, MAX_PIECES, messageOf, readyToDecode } from '../forward/read/decode.ts';
import { createDecoding, type Decoding } from '../forward/read/decoding.ts';
import { createSchemas } from '../forward/read/formats/by-schema.ts';
import { isAggregate } from '../forward/read/kpl.ts';
import type { Message } from '../forward/read/message.ts';
import { type BatchOptions, batch, framedIn, MAX_MESSAGES } from '../forward/send/batch.ts';
import { createLimits } from '../forward/send/limits.ts';
import type { Sender, Stop } from '../forward/send/run.ts';
import { send } from '../forward/send/send.ts';
import { createSender } from '../forward/send/sender.ts';
import { createStanding } from '../forward/send/standing.ts';
import { createTransform } from '../forward/transform/transform.ts';
import { DELIVERED, RETRY, rejected, type Verdict } from '../forward/verdict.ts';
import type { PublishedPipeline } from '../published.ts';
import type { RedriveRuntime } from '../runtime.ts';
import type { Item } from './parcel.ts';
import type { Conditions } from './request.ts';
import type { OtherRoute } from './routes.ts';
import { chosenAsItem, chosenByField } from './select.ts';
import { isOpenFor, isSettledBefore, openForOthers } from './settled-before.ts';

/** Time reserved to write down what became of what was sent, in ms. */
export const SETTLE_MS = 15_000;
/** The most that is sent together, in bytes and in messages. */
const SLICE_BYTES = 16 * 1024 * 1024;
const SLICE_MESSAGES = 20_000;

/** A message and its verdict; `retry` if it stays where it was. */
export interface SentPart {
  readonly message: Message;
  /** Whether the conditions hold for it. */
  readonly chosen: boolean;
  verdict: Verdict;
  /** Whether this route settled it in a run before. */
  readonly before?: true;
  /** Other routes that take it, and have not settled it. */
  readonly openFor: readonly string[];
}

export interface Carried {
  /** The messages of each item; none for an item that was not looked at because sending had stopped. */
  readonly parts: ReadonlyMap<Item, readonly SentPart[]>;
  /** Why not everything was sent. */
  readonly stop: Stop | undefined;
  /** Messages that were not sent once more, because each is at fault itself. */
  readonly stuck: number;
}

export interface Carrier {
  /** Whether the conditions hold for anything in it. */
  wanted(items: readonly Item[]): Promise<Item[]>;
  carry(items: readonly Item[]): Promise<Carried>;
}

export interface CarrierOptions {
  readonly runtime: RedriveRuntime;
  readonly sessions: Sessions;
  readonly pipeline: PublishedPipeline;
  readonly others: readonly OtherRoute[];
  readonly where: Conditions;
  /** Messages a second, below what the pipeline allows. */
  readonly rate: number | undefined;
  readonly dryRun: boolean;
  /** Whether a message that the inlet does not take holds up no others, as long as it takes any. */
  readonly passesOver: boolean;
  readonly remainingMs: () => number;
  readonly invocationId: string;
}

/** @throws Failure `INLET_NOT_ALLOWED`; from `carry` `CONSERVATION` */
export function createCarrier(options: CarrierOptions): Carrier {
  const { runtime, pipeline, others, where, rate, dryRun, passesOver, remainingMs, invocationId } = options;
  const budgetMs = () => remainingMs() - SETTLE_MS;
  const about = { pipeline: pipeline.pipeline, invocationId };
  const transform = createTransform(pipeline);
  const decoding = createDecoding(pipeline, createSchemas(runtime.clock, runtime.schemas));
  const pacer = createPacer(rate, () => runtime.clock.now());
  // All messages go to one inlet: a wrong address is found before anything is read.
  const body = () => new Uint8Array();
  const limits = createLimits(runtime.clock, pipeline.rate);
  // What is refused again stays where it is, so all of it may be tried.
  const standing = createStanding(runtime.clock, Number.POSITIVE_INFINITY);
  createSender({ ...options, limits, standing, framer: { body }, budgetMs, about });
  const batching: BatchOptions = {
    // A request larger than a second's rate might need more time than there is.
    maxMessages: Math.min(MAX_MESSAGES, pipeline.rate?.messagesPerSecond ?? MAX_MESSAGES),
    // Lanes side by side would send in a burst what the request's rate spreads.
    ...(rate !== undefined && { lanes: 1 }),
  };

  const blame = createBlame();

  const sendOnce = async ({ parts, sender }: Slice, these: readonly SlicePart[]) => {
    const waitMs = pacer.waitMs(these.length);
    if (waitMs > budgetMs()) return { acknowledged: 0, stop: { why: 'time', fault: false } satisfies Stop };
    if (waitMs > 0) await runtime.clock.sleep(waitMs);
    const framed = these.map((one) => one.framed);
    const sent = await send(batch(framed, batching), sender);
    for (const { message, verdict } of sent.settled) {
      const found = parts.get(message);
      if (found !== undefined) found.part.verdict = verdict;
    }
    return sent;
  };

  /** Where a message is passed over, those that were not tried for its sake are tried next. */
  const sendSlice = async (slice: Slice): Promise<Stop | undefined> => {
    const { parts, tried, shardId } = slice;
    let acknowledged = 0;
    let stop: Stop | undefined;
    let untried = [...parts.values()];
    while (untried.length > 0) {
      const sent = await sendOnce(slice, untried);
      acknowledged += sent.acknowledged;
      stop = sent.stop;
      if (!passesOver || (stop !== undefined && stop.why !== 'attempts')) break;
      const failed = untried.filter(
        ({ framed, part }) => tried.has(framed.message) && part.verdict.kind === 'retry',
      );
      const names = failed.map(({ framed }) => nameOf(shardId, framed.message));
      const isAway = blame.judge(names, sent.acknowledged > 0);
      const next = untried.filter(({ framed }) => !tried.has(framed.message));
      if (stop === undefined || isAway || next.length === untried.length) break;
      stop = undefined;
      untried = next;
    }
    balance(parts, acknowledged);
    return stop;
  };

  const newSlice = (shardId: string): Slice => {
    const framer = createFramer(pipeline, shardId);
    const sender = createSender({
      ...options,
      limits,
      standing,
      framer,
      budgetMs,
      about: { ...about, shardId },
    });
    const tried = new Set<Message>();
    const post: Sender['post'] = (messages, ...rest) => {
      for (const { message } of framedIn(messages)) tried.add(message);
      return sender.post(messages, ...rest);
    };
    return { shardId, framer, sender: { ...sender, post }, parts: new Map(), tried, bytes: 0, stuck: 0 };
  };

  /** Puts the item's messages that are to be sent into the slice. */
  const take = (item: Item, slice: Slice): SentPart[] =>
    messagesIn(item, decoding).map((found) => {
      const { message } = found;
      const openFor = openForOthers(item, found, others);
      if (isSettledBefore(item, message, pipeline.pipeline))
        return { message, chosen: false, verdict: DELIVERED, before: true, openFor };
      if (!chosenByField(where, found)) return { message, chosen: false, verdict: RETRY, openFor };
      const transformed = transform?.(found) ?? found;
      const result = 'payload' in transformed ? slice.framer.frame(transformed) : transformed;
      if ('verdict' in result)
        return { message: result.message, chosen: true, verdict: result.verdict, openFor };
      const part: SentPart = { message: result.message, chosen: true, verdict: RETRY, openFor };
      if (blame.isAtFault(nameOf(item.shardId, result.message))) {
        slice.stuck++;
        return part;
      }
      slice.parts.set(result.message, { framed: result, part });
      slice.bytes += result.size;
      return part;
    });

  return {
    async wanted(items) {
      const wanted: Item[] = [];
      const open = items.filter(
        (one) => chosenAsItem(where, one) && isOpenFor(one, pipeline.pipeline, others),
      );
      for (const item of open) {
        if (where.field !== undefined) {
          await readyToDecode(item.record, decoding);
          const isWanted = messagesIn(item, decoding).some(
            (part) => !isSettledBefore(item, part.message, pipeline.pipeline) && chosenByField(where, part),
          );
          if (!isWanted) continue;
        }
        wanted.push(item);
      }
      return wanted;
    },

    async carry(items) {
      const parts = new Map<Item, SentPart[]>();
      let slice: Slice | undefined;
      let stop: Stop | undefined;
      let stuck = 0;
      for (const item of items) {
        if (slice !== undefined && isFull(slice, item, pacer.burst)) {
          stop = dryRun ? undefined : await sendSlice(slice);
          slice = undefined;
        }
        if (stop !== undefined) break;
        slice ??= newSlice(item.shardId);
        await readyToDecode(item.record, decoding);
        const before: number = slice.stuck;
        parts.set(item, take(item, slice));
        stuck += slice.stuck - before;
      }
      if (stop === undefined && slice !== undefined && !dryRun) stop = await sendSlice(slice);
      return { parts, stop, stuck };
    },
  };
}

/** What is sent together: of one shard, because an id may be derived from it. */
interface Slice {
  readonly shardId: string;
  readonly framer: Framer;
  readonly sender: Sender;
  readonly parts: Map<Message, SlicePart>;
  /** Messages that were in a request. */
  readonly tried: Set<Message>;
  bytes: number;
  /** Messages that are not sent once more. */
  stuck: number;
}

function isFull({ shardId, parts, bytes }: Slice, next: Item, burst: number): boolean {
  return shardId !== next.shardId || parts.size >= burst || bytes >= SLICE_BYTES;
}

interface SlicePart {
  readonly framed: Framed;
  readonly part: SentPart;
}

/** @throws Failure `CONSERVATION`, before anything is removed */
function balance(slice: ReadonlyMap<Message, SlicePart>, acknowledged: number): void {
  const of = (kind: Verdict['kind']) =>
    [...slice.values()].filter(({ part }) => part.verdict.kind === kind).length;
  const counts = { stored: of('rejected'), filtered: of('filtered'), known: 0, unresolved: of('retry') };
  checkConservation({ ...counts, decoded: slice.size, acknowledged });
}

/** The messages in it that are to be sent, with the identity they had when they were stored. */
function messagesIn(item: Item, decoding: Decoding): DecodedPart[] {
  const { entry, record, givenUp, redacted, asReceived } = item;
  if (entry === undefined) {
    const done = new Set<number | undefined>(givenUp?.note.done);
    return [...decode(record, decoding)].filter(({ message }) => !done.has(message.subSequenceNumber));
  }
  const place = entry.subSequenceNumber;
  const own = {
    ...(place !== undefined && { subSequenceNumber: place }),
    ...(entry.piece === true && { piece: entry.piece }),
    ...(redacted !== undefined && { redacted }),
    ...(asReceived !== undefined && { asReceived }),
  };
  const bytes = Buffer.from(entry.data, 'base64');
  const message = { ...messageOf(record, bytes), ...own };
  if (isTakenApart(item, decoding)) return [{ message, payload: bytes }];
  const parts =
    place !== undefined && isAggregate(bytes)
      ? [{ message, verdict: rejected('bad-aggregate', 'an aggregate within an aggregate') }]
      : [...decode(record, decoding)];
  if (place === undefined || parts.length === 1)
    return parts.map((part) => ({ ...part, message: { ...part.message, ...own } }));
  if (place >= PLACES)
    return [
      { message, verdict: rejected('bad-aggregate', 'it holds several messages, and came apart before') },
    ];
  return parts.map((part, at) => {
    const subSequenceNumber = (place + 1) * PLACES + at;
    return { ...part, message: { ...part.message, ...own, subSequenceNumber } };
  });
}

/**
 * Several messages come out of a stored sub-record. All of the record's own places may be taken: these lie behind
 * them, and the same message always has the same one.
 */
const PLACES = 10 * MAX_PIECES;

/** Whether it is a message as it is, which no format may take for a record. */
function isTakenApart({ entry, redacted, asReceived }: Item, { expander }: Decoding): boolean {
  if (entry?.piece === true) return true;
  return expander !== undefined && (redacted !== undefined || asReceived === true);
}

/** Which messages are at fault themselves where they are not taken, and when it is the inlet. */
function createBlame() {
  const atFault = new Set<string>();
  const failed = new Set<string>();
  let inVain = 0;
  return {
    isAtFault: (name: string) => atFault.has(name),
    /** Of one try: what was not taken, and whether anything was. `true`: the inlet takes nothing. */
    judge(names: readonly string[], tookAny: boolean): boolean {
      for (const name of names) failed.add(name);
      if (tookAny) {
        for (const name of failed) atFault.add(name);
        failed.clear();
      }
      inVain = tookAny ? 0 : inVain + 1;
      return inVain >= TRIES_IN_VAIN;
    },
  };
}

/** The first may have had only messages that are at fault. */
const TRIES_IN_VAIN = 2;

function nameOf(shardId: string, { sequenceNumber, subSequenceNumber }: Message): string {
  return `${shardId} ${sequenceNumber} ${subSequenceNumber ?? ''}`;
}

/** Spreads messages over time: so many a second, and never more than that at once. */
function createPacer(rate: number | undefined, now: () => number) {
  let free = 0;
  return {
    burst: rate === undefined ? SLICE_MESSAGES : Math.max(1, Math.min(SLICE_MESSAGES, Math.floor(rate))),
    /** How long to wait before so many messages are sent, in ms. Counts them as sent then. */
    waitMs(messages: number): number {
      if (rate === undefined) return 0;
      const start = Math.max(now(), free);
      free = start + (messages / rate) * 1_000;
      return start - now();
    },
  };
}
