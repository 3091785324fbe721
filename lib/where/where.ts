// Where is this record? Asks the stream, the forwarder's log and the dead-letter store, and says what follows.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';
import { isFailure } from '../failure.ts';
import { decode, readyToDecode } from '../forward/read/decode.ts';
import { createDecoding } from '../forward/read/decoding.ts';
import { coordinatesIn } from '../forward/read/record-id.ts';
import { inletStreamIn } from '../kept-manifest.ts';
import { readRoute, readStream, streamNameOf } from '../published.ts';
import { recordFor } from '../redrive/parcel.ts';
import { takerOf } from '../redrive/routes.ts';
import type { ForwardedBatch, StreamRecord, WhereRuntime } from '../runtime.ts';
import { withoutStream } from '../without-stream.ts';
import { batchesWith } from './batches.ts';
import { type FoundRecord, type Searched, type Spot, searchDiscarded, searchOwn } from './stored.ts';

/** The longest search, in ms; the answer says if it was not complete. */
const SEARCH_MS = 60_000;

const moment = z.iso.datetime({ offset: true });

/** Of one pipeline, or of all that the stream has. */
const Whose = {
  pipeline: z.string().min(1).optional(),
  stream: z.string().min(1).optional(),
  streamArn: z.string().min(1).optional(),
};

const Question = z
  .union([
    z.strictObject({
      ...Whose,
      shardId: z.string().min(1),
      sequenceNumber: z.string().regex(/^(0|[1-9]\d{0,127})$/, 'expected a sequence number'),
      /** About when the record came to the stream: needed if the stream no longer has it. */
      arrivedAt: moment.optional(),
    }),
    z.strictObject({
      ...Whose,
      _id: z.string().min(1),
      /** From which day on the dead letters are searched. */
      arrivedAt: moment.optional(),
    }),
  ])
  .refine((asked) => [asked.pipeline, asked.stream, asked.streamArn].filter(Boolean).length === 1, {
    error: 'expected one of pipeline, stream and streamArn',
  });
type Question = z.infer<typeof Question>;

/**
 * - `delivered`: the forwarder is past it, and nothing was rejected, parked or filtered with it
 * - `filtered`: the forwarder is past it, and the pipeline does not take it
 * - `settled`: the forwarder is past it; it was delivered, filtered, or rejected or parked and sent again since: see
 *   `batches`
 * - `parked`: it waits in the dead-letter store until its inlet answers again (of an aggregate, perhaps a part)
 * - `dead-letter`: it is in the dead-letter store as a reject (of an aggregate, perhaps a part)
 * - `discarded`: it is in an on-failure document of Lambda's
 * - `in-stream`: it is still to be delivered
 * - `unknown`: it was found nowhere
 */
export type RecordPlace =
  | 'delivered'
  | 'filtered'
  | 'settled'
  | 'parked'
  | 'dead-letter'
  | 'discarded'
  | 'in-stream'
  | 'unknown';

/** Holds nothing of the record itself. */
export interface Whereabouts {
  readonly pipeline: string;
  readonly place: RecordPlace;
  /** The same in a sentence. */
  readonly says: string;
  readonly shardId?: string;
  readonly sequenceNumber?: string;
  /** Whether the stream still has it; absent if no place in the stream was asked for. */
  readonly inStream?: boolean;
  /** When it came to the stream (ISO 8601). */
  readonly arrivedAt?: string;
  /** The invocations that had it, the last one last. */
  readonly batches: readonly ForwardedBatch[];
  readonly deadLetters: readonly FoundRecord[];
  readonly searched: { readonly objects: number; readonly complete: boolean };
}

/** The same for every pipeline of a stream. */
export interface StreamWhereabouts {
  readonly stream: string;
  /** In a sentence: what became of it on each route. */
  readonly says: string;
  /** In the order of the pipelines' names. */
  readonly routes: readonly Whereabouts[];
}

/** Whether an event asks for a record, and not for a pipeline. */
export function asksForRecord(event: unknown): boolean {
  return (
    typeof event === 'object' &&
    event !== null &&
    ['shardId', 'sequenceNumber', '_id'].some((name) => name in event)
  );
}

/** Whether it asks for a record on every route of its stream. */
export function asksForRoutes(event: unknown): boolean {
  return asksForRecord(event) && ['stream', 'streamArn'].some((name) => name in (event as object));
}

/**
 * Looks for one record on the route of a pipeline, and changes nothing.
 * @throws Failure `EVENT_INVALID` for an invalid question, or a pipeline that reads no stream
 */
export async function where(event: unknown, runtime: WhereRuntime): Promise<Whereabouts> {
  const question = questionIn(event);
  const { pipeline = '' } = question;
  const streamArn = await streamArnOf(pipeline, runtime);
  const [found] = await answersFor(question, { streamArn, pipelines: [pipeline] }, runtime);
  return found as Whereabouts;
}

/**
 * The same on every route of a stream.
 * @throws Failure `EVENT_INVALID` for an invalid question, or a stream without a pipeline
 */
export async function whereOnRoutes(event: unknown, runtime: WhereRuntime): Promise<StreamWhereabouts> {
  const question = questionIn(event);
  const stream = question.stream ?? streamNameOf(question.streamArn ?? '');
  const published = await readStream(runtime, question.streamArn ?? stream, undefined, true);
  if (published === undefined || (question.streamArn ?? published.streamArn) !== published.streamArn)
    throw notAccepted('status', `no pipeline is published for the stream ${question.streamArn ?? stream}`);
  const { streamArn, routes, unread = [] } = published;
  const pipelines = [...routes.map(({ pipeline }) => pipeline), ...unread].sort();
  const found = await answersFor(question, { streamArn, pipelines }, runtime);
  return { stream: streamArn, says: sayAll(found), routes: found };
}

function questionIn(event: unknown): Question {
  const result = Question.safeParse(event);
  if (result.success) return result.data;
  throw notAccepted('status', 'this is not a valid question about a record', result.error.issues);
}

async function streamArnOf(pipeline: string, { ledger, streams }: WhereRuntime): Promise<string> {
  const stream = inletStreamIn((await ledger.read(pipeline))?.manifest);
  const arn = stream === undefined ? undefined : await streams.arn(stream);
  if (arn !== undefined) return arn;
  throw notAccepted('status', await withoutStream(pipeline, { ledger }, await ledger.names()));
}

interface AskedRoutes {
  readonly streamArn: string;
  readonly pipelines: readonly string[];
}

/** One for each of the pipelines, in their order. */
async function answersFor(
  question: Question,
  asked: AskedRoutes,
  runtime: WhereRuntime,
): Promise<Whereabouts[]> {
  const until = runtime.clock.now() + SEARCH_MS;
  const hint = question.arrivedAt === undefined ? undefined : Date.parse(question.arrivedAt);
  if (!('_id' in question))
    return bySequence({ ...question, subSequenceNumber: undefined }, { ...asked, until, hint }, runtime);
  const derived = coordinatesIn(question._id);
  if (derived?.stream === streamNameOf(asked.streamArn))
    return bySequence(derived, { ...asked, until, hint }, runtime);
  const answers: Whereabouts[] = [];
  for (const pipeline of asked.pipelines) {
    const scope = { pipeline, streamArn: asked.streamArn, until };
    answers.push(foundById(pipeline, await searchOwn(scope, hint, question, runtime)));
  }
  return answers;
}

function foundById(pipeline: string, rejects: Searched): Whereabouts {
  const place = placeInStore(rejects);
  return {
    pipeline,
    place: place ?? 'unknown',
    says:
      place !== undefined
        ? PLACE_TEXT[place]
        : `No dead letter has this _id${unless(rejects)}. It may have been delivered: query the dataset, or ask by shard and sequence number.`,
    batches: [],
    deadLetters: rejects.found,
    searched: { objects: rejects.objects, complete: rejects.complete },
  };
}

/** What is looked through for all routes at once. */
interface StreamSearch extends AskedRoutes {
  readonly until: number;
  /** About when the record came, ms since the epoch. */
  readonly hint: number | undefined;
}

async function bySequence(spot: Spot, search: StreamSearch, runtime: WhereRuntime): Promise<Whereabouts[]> {
  const { streamArn, pipelines, until, hint } = search;
  const record = await inStream(spot, streamArn, runtime);
  const arrivedAt = record?.arrivedAt === undefined ? hint : record.arrivedAt * 1_000;
  const log = await batchesWith(spot, arrivedAt ?? 0, search, runtime);
  const rejects: Searched[] = [];
  for (const pipeline of pipelines)
    rejects.push(await searchOwn({ pipeline, streamArn, until }, arrivedAt, spot, runtime));
  const givenUp = await searchDiscarded({ pipeline: '', streamArn, until }, spot, runtime);
  return Promise.all(
    pipelines.map(async (pipeline, index): Promise<Whereabouts> => {
      const own = rejects[index] as Searched;
      const batches = log.batches.get(pipeline) ?? [];
      const [sent, discarded] = partition(givenUp.found, ({ settledBy = [] }) =>
        settledBy.includes(pipeline),
      );
      const searched = {
        objects: own.objects + givenUp.objects,
        complete: log.complete && own.complete && givenUp.complete,
      };
      const found = placeFound(batches, {
        inStore: placeInStore(own),
        isDiscarded: discarded.length > 0,
        isSent: sent.length > 0,
        isInStream: record !== undefined,
      });
      const isLeftOut =
        found === 'settled' &&
        record !== undefined &&
        (await takesNothing(spot, record, { pipeline, streamArn }, runtime));
      const place = isLeftOut ? 'filtered' : found;
      return {
        pipeline,
        place,
        says: place === 'unknown' ? `It was not found${unless(searched)}.` : placeSaid(place, batches),
        shardId: spot.shardId,
        sequenceNumber: spot.sequenceNumber,
        inStream: record !== undefined,
        ...(arrivedAt !== undefined && { arrivedAt: new Date(arrivedAt).toISOString() }),
        batches,
        deadLetters: [...own.found, ...discarded],
        searched,
      };
    }),
  );
}

type KnownPlace = Exclude<RecordPlace, 'unknown'>;

const PLACE_TEXT: Readonly<Record<KnownPlace, string>> = {
  delivered: 'Experience Platform has acknowledged it.',
  filtered: 'The pipeline does not take it.',
  settled:
    'The forwarder is past it. It was delivered, filtered, or rejected or parked and since then sent again or removed; `batches` has the counts.',
  parked: 'It is parked: it waits in the dead-letter store, and is sent when the inlet answers again.',
  'dead-letter': 'It is in the dead-letter store.',
  discarded: 'Lambda has discarded it; it is in an on-failure document.',
  'in-stream': 'It is in the stream, and not yet delivered.',
};

function placeSaid(place: KnownPlace, batches: readonly ForwardedBatch[]): string {
  if (place !== 'settled' || batches.at(-1)?.settled !== 'by-route') return PLACE_TEXT[place];
  return 'Another route holds the shard. This one has delivered it, or will filter or reject it when the shard goes on.';
}

const ROUTE_TEXT: Readonly<Record<RecordPlace, string>> = {
  delivered: 'delivered by',
  filtered: 'not taken by',
  settled: 'settled by',
  parked: 'parked by',
  'dead-letter': 'dead letter of',
  discarded: 'discarded before it was delivered by',
  'in-stream': 'waiting for',
  unknown: 'not found for',
};

/** Such as `delivered by a, dead letter of b`. */
function sayAll(routes: readonly Whereabouts[]): string {
  return routes.map(({ place, pipeline }) => `${ROUTE_TEXT[place]} ${pipeline}`).join(', ');
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function unless({ complete }: Pick<Searched, 'complete'>): string {
  return complete ? '' : '; the search ran out of time';
}

/** Whether it is parked, or a reject. What waits is told before what is done. */
function placeInStore({ found }: Searched): 'parked' | 'dead-letter' | undefined {
  if (found.length === 0) return undefined;
  return found.some(({ reason }) => reason === 'parked') ? 'parked' : 'dead-letter';
}

interface Signs {
  readonly inStore: RecordPlace | undefined;
  readonly isDiscarded: boolean;
  /** Whether a redrive has sent what Lambda discarded. */
  readonly isSent: boolean;
  readonly isInStream: boolean;
}

function placeFound(
  batches: readonly ForwardedBatch[],
  { inStore, isDiscarded, isSent, isInStream }: Signs,
): RecordPlace {
  if (inStore !== undefined) return inStore;
  const last = batches.at(-1);
  if (last?.settled === true) {
    if (isAllFiltered(last)) return 'filtered';
    return last.filtered + last.rejected + (last.parked ?? 0) > 0 ? 'settled' : 'delivered';
  }
  const isByRoute = last?.settled === 'by-route';
  // Nothing from the checkpoint on was filtered or rejected.
  if (isByRoute && last.returned === 0) return 'delivered';
  if (isDiscarded) return 'discarded';
  if (isByRoute || isSent) return 'settled';
  return isInStream ? 'in-stream' : 'unknown';
}

function isAllFiltered(batch: ForwardedBatch): boolean {
  const { acknowledged, acknowledgedBefore = 0, rejected, parked = 0, returned = 0, filtered } = batch;
  return filtered > 0 && acknowledged + acknowledgedBefore + rejected + parked + returned === 0;
}

/** Whether the pipeline takes nothing of the record, by the rules that are published now. */
async function takesNothing(
  { shardId, subSequenceNumber }: Spot,
  record: StreamRecord,
  { pipeline, streamArn }: { readonly pipeline: string; readonly streamArn: string },
  runtime: WhereRuntime,
): Promise<boolean> {
  try {
    const route = await readRoute(runtime, streamArn, pipeline);
    if (route === undefined) return false;
    const takes = takerOf(route);
    const decoding = createDecoding(route);
    const data = Buffer.from(record.data).toString('base64');
    const packed = recordFor({ shardId, streamArn }, { ...record, data });
    await readyToDecode(packed, decoding);
    const parts = [...decode(packed, decoding)];
    return parts
      .filter(
        ({ message }) => subSequenceNumber === undefined || message.subSequenceNumber === subSequenceNumber,
      )
      .every((part) => !takes(part));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return false;
  }
}

/** The record, if the stream still has it. A shard that no longer exists has none. */
async function inStream({ shardId, sequenceNumber }: Spot, streamArn: string, { stream }: WhereRuntime) {
  try {
    for await (const { records, last } of stream.pages(streamArn, shardId, { kind: 'at', sequenceNumber })) {
      const [first] = records;
      if (first !== undefined) return first.sequenceNumber === sequenceNumber ? first : undefined;
      if (last) return undefined;
    }
  } catch (error) {
    if (!isFailure(error) || error.code !== 'AWS_REFUSED') throw error;
  }
  return undefined;
}
