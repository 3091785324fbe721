// Where is this record? Asks the stream, the forwarder's log and the dead-letter store, and says what follows.
import * as z from 'zod';
import { notAccepted } from '../accepted.ts';
import { isFailure } from '../failure.ts';
import { coordinatesIn } from '../forward/read/record-id.ts';
import { didYouMean } from '../nearest.ts';
import { streamNameOf } from '../published.ts';
import type { ForwardedBatch, WhereRuntime } from '../runtime.ts';
import {
  type FoundRecord,
  type Scope,
  type Searched,
  type Spot,
  searchDiscarded,
  searchRejects,
} from './stored.ts';

/** The longest search, in ms; the answer says if it was not complete. */
const SEARCH_MS = 60_000;
/** A record is read soon after it came, but the clocks of Kinesis and of the forwarder may differ. */
const CLOCK_MS = 60_000;

const moment = z.iso.datetime({ offset: true });

const Question = z.union([
  z.strictObject({
    pipeline: z.string().min(1),
    shardId: z.string().min(1),
    sequenceNumber: z.string().regex(/^(0|[1-9]\d{0,127})$/, 'expected a sequence number'),
    /** About when the record came to the stream: needed if the stream no longer has it. */
    arrivedAt: moment.optional(),
  }),
  z.strictObject({
    pipeline: z.string().min(1),
    _id: z.string().min(1),
    /** From which day on the dead letters are searched. */
    arrivedAt: moment.optional(),
  }),
]);

/**
 * - `delivered`: the forwarder is past it, and nothing was rejected or filtered with it
 * - `settled`: the forwarder is past it; it was delivered, filtered, or rejected and sent again since: see `batches`
 * - `dead-letter`: it is in the dead-letter store (of an aggregate, perhaps a part)
 * - `discarded`: it is in an on-failure document of Lambda's
 * - `in-stream`: it is still to be delivered
 * - `unknown`: it was found nowhere
 */
export type RecordPlace = 'delivered' | 'settled' | 'dead-letter' | 'discarded' | 'in-stream' | 'unknown';

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

/** Whether an event asks for a record, and not for a pipeline. */
export function asksForRecord(event: unknown): boolean {
  return (
    typeof event === 'object' &&
    event !== null &&
    ['shardId', 'sequenceNumber', '_id'].some((name) => name in event)
  );
}

/**
 * Looks for one record, and changes nothing.
 * @throws Failure `EVENT_INVALID` for an invalid question, or a pipeline that reads no stream
 */
export async function where(event: unknown, runtime: WhereRuntime): Promise<Whereabouts> {
  const result = Question.safeParse(event);
  if (!result.success)
    throw notAccepted('status', 'this is not a valid question about a record', result.error.issues);
  const question = result.data;
  const streamArn = await streamArnOf(question.pipeline, runtime);
  const scope = { pipeline: question.pipeline, streamArn, until: runtime.clock.now() + SEARCH_MS };
  const hint = question.arrivedAt === undefined ? undefined : Date.parse(question.arrivedAt);
  if (!('_id' in question))
    return bySequence({ ...question, subSequenceNumber: undefined }, scope, hint, runtime);
  const derived = coordinatesIn(question._id);
  if (derived?.stream === streamNameOf(streamArn)) return bySequence(derived, scope, hint, runtime);
  const { _id } = question;
  const rejects = await searchRejects(scope, hint, { _id }, runtime);
  return {
    pipeline: question.pipeline,
    place: rejects.found.length > 0 ? 'dead-letter' : 'unknown',
    says:
      rejects.found.length > 0
        ? 'It is in the dead-letter store.'
        : `No dead letter has this _id${unless(rejects)}. It may have been delivered: query the dataset, or ask by shard and sequence number.`,
    batches: [],
    deadLetters: rejects.found,
    searched: { objects: rejects.objects, complete: rejects.complete },
  };
}

const InletManifest = z.looseObject({
  source: z.looseObject({ kind: z.literal('inlet'), stream: z.string() }),
});

async function streamArnOf(pipeline: string, { ledger, streams }: WhereRuntime): Promise<string> {
  const manifest = InletManifest.safeParse((await ledger.read(pipeline))?.manifest);
  const arn = manifest.success ? await streams.arn(manifest.data.source.stream) : undefined;
  if (arn !== undefined) return arn;
  const near = manifest.success ? '' : didYouMean([pipeline], await ledger.names());
  throw notAccepted('status', `no pipeline ${pipeline} reads a stream that there is${near}`);
}

async function bySequence(
  spot: Spot,
  scope: Scope,
  hint: number | undefined,
  runtime: WhereRuntime,
): Promise<Whereabouts> {
  const record = await inStream(spot, scope, runtime);
  const arrivedAt = record?.arrivedAt === undefined ? hint : record.arrivedAt * 1_000;
  const log = await batchesWith(spot, arrivedAt ?? 0, scope, runtime);
  const rejects = await searchRejects(scope, arrivedAt, spot, runtime);
  const givenUp = await searchDiscarded(scope, spot, runtime);
  const deadLetters = [...rejects.found, ...givenUp.found];
  const searched = {
    objects: rejects.objects + givenUp.objects,
    complete: log.complete && rejects.complete && givenUp.complete,
  };
  const place = placeFound(log.batches, rejects, givenUp, record !== undefined);
  return {
    pipeline: scope.pipeline,
    place,
    says: `${PLACE_TEXT[place]}${place === 'unknown' ? unless(searched) : ''}`,
    shardId: spot.shardId,
    sequenceNumber: spot.sequenceNumber,
    inStream: record !== undefined,
    ...(arrivedAt !== undefined && { arrivedAt: new Date(arrivedAt).toISOString() }),
    batches: log.batches,
    deadLetters,
    searched,
  };
}

const PLACE_TEXT: Readonly<Record<RecordPlace, string>> = {
  delivered: 'Experience Platform has acknowledged it.',
  settled:
    'The forwarder is past it. It was delivered, filtered, or rejected and since then sent again or removed; `batches` has the counts.',
  'dead-letter': 'It is in the dead-letter store.',
  discarded: 'Lambda has discarded it; it is in an on-failure document.',
  'in-stream': 'It is in the stream, and not yet delivered.',
  unknown: 'It was not found',
};

function unless({ complete }: Pick<Searched, 'complete'>): string {
  return complete ? '' : '; the search ran out of time';
}

function placeFound(
  batches: readonly ForwardedBatch[],
  rejects: Searched,
  givenUp: Searched,
  isInStream: boolean,
): RecordPlace {
  if (rejects.found.length > 0) return 'dead-letter';
  const last = batches.at(-1);
  if (last?.settled === true) return last.filtered + last.rejected > 0 ? 'settled' : 'delivered';
  if (givenUp.found.length > 0) return 'discarded';
  return isInStream ? 'in-stream' : 'unknown';
}

/** The record, if the stream still has it. A shard that no longer exists has none. */
async function inStream({ shardId, sequenceNumber }: Spot, { streamArn }: Scope, { stream }: WhereRuntime) {
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

/** The log entries up to the batch that settled it: later ones are not about it. */
async function batchesWith(
  { shardId, sequenceNumber }: Spot,
  arrivedAt: number,
  { until }: Scope,
  { forwardLog, clock }: WhereRuntime,
): Promise<{ batches: ForwardedBatch[]; complete: boolean }> {
  const number = BigInt(sequenceNumber);
  const batches: ForwardedBatch[] = [];
  for await (const page of forwardLog.batches(shardId, Math.max(0, arrivedAt - CLOCK_MS))) {
    for (const batch of page) {
      if (number < BigInt(batch.first) || number > BigInt(batch.last)) continue;
      const settled = batch.checkpoint === undefined || number < BigInt(batch.checkpoint);
      batches.push({ ...batch, settled });
      if (settled) return { batches, complete: true };
    }
    if (clock.now() > until) return { batches, complete: false };
  }
  return { batches, complete: true };
}
