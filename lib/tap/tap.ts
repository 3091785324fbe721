// Tap: shows the next records of a pipeline's stream, what would be sent of them, and what AEP's mapping makes of it. Sends nothing.
import { notAccepted } from '../accepted.ts';
import { createSchemas } from '../forward/read/formats/by-schema.ts';
import { inletStreamIn } from '../kept-manifest.ts';
import type { Context } from '../provision/resources/resource.ts';
import type { InSandbox } from '../provision/steps/step.ts';
import { type PublishedRoute, type PublishedStream, readStream } from '../published.ts';
import { redactionsOf } from '../records.ts';
import { recordFor } from '../redrive/parcel.ts';
import type { StreamRecord, TapRuntime } from '../runtime.ts';
import { withoutStream } from '../without-stream.ts';
import { createLook, type LookedMessage } from './look.ts';
import { type PreviewedMessage, previewAll } from './preview.ts';
import { nextRecords } from './read.ts';
import { MAX_TAPPED, type TapCursor, tapRequest } from './request.ts';

/** A message of the stream. Its texts are JSON, and long ones are shownText. */
export interface TappedMessage extends LookedMessage, PreviewedMessage {
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** When the record came to the stream (ISO 8601). */
  readonly arrivedAt?: string;
  /** The record as it came. Absent where a route of the stream redacts, and of a message that a record held among others. */
  readonly came?: string;
}

export interface TapAnswer {
  readonly pipeline: string;
  /** The stream's ARN. */
  readonly stream: string;
  readonly data: 'raw' | 'xdm';
  /** Whether a route of the stream redacts: then no record is shown as it came. */
  readonly redacts: boolean;
  readonly messages: readonly TappedMessage[];
  /** Further messages of the last record, for which the answer has no room. */
  readonly leftOut: number;
  /** To be sent back for what comes next. */
  readonly continue: TapCursor;
}

/** Most characters of a text. */
const MAX_SHOWN = 4_000;
/** Most faults of a message. */
const MAX_FAULTS = 10;
const MAX_FAULT = 300;

/**
 * The first call reads nothing: it says where to begin.
 * @throws Failure `EVENT_INVALID`, also for a pipeline that has no route in a stream
 * @throws Failure `AWS_*`, `SECRET_INVALID`, `NEWER_VERSION`
 */
export async function tap(
  event: unknown,
  runtime: TapRuntime,
  contextOf: (of: InSandbox) => Context<TapRuntime>,
): Promise<TapAnswer> {
  const { pipeline, limit = MAX_TAPPED, continue: cursor } = tapRequest(event);
  const { stream, route } = await tappedRoute(pipeline, runtime);
  const begun = cursor ?? { since: Math.floor(runtime.clock.now()), after: {} };
  const redacts =
    (stream.unread ?? []).length > 0 || stream.routes.some((one) => redactionsOf(one).length > 0);
  const about = { pipeline, stream: stream.streamArn, data: route.data, redacts };
  if (cursor === undefined) return { ...about, messages: [], leftOut: 0, continue: begun };
  const { looked, ...rest } = await lookAtNext({ stream, route, redacts, limit, cursor }, runtime);
  const sent = looked.flatMap(({ sends }) => sends ?? []);
  const { sandbox, credentials } = route;
  const aep = () => contextOf({ manifest: { sandbox, credentials } }).aep;
  const previews = sent.length === 0 ? [] : await previewAll(sent, route, aep());
  const next = previews.values();
  const messages = looked.map((one) =>
    shown(one.sends === undefined ? one : { ...one, ...next.next().value }),
  );
  return { ...about, messages, ...rest };
}

interface TapAsked {
  readonly stream: PublishedStream;
  readonly route: PublishedRoute;
  readonly redacts: boolean;
  readonly limit: number;
  readonly cursor: TapCursor;
}

async function lookAtNext(
  { stream, route, redacts, limit, cursor }: TapAsked,
  runtime: TapRuntime,
): Promise<Pick<TapAnswer, 'leftOut' | 'continue'> & { readonly looked: TappedMessage[] }> {
  const { streamArn } = stream;
  const look = createLook(stream, route, createSchemas(runtime.clock, runtime.schemas));
  const after = { ...cursor.after };
  const looked: TappedMessage[] = [];
  for (const { shardId, record } of await nextRecords(streamArn, cursor, limit, runtime)) {
    if (looked.length >= limit) break;
    const data = Buffer.from(record.data).toString('base64');
    const messages = await look(recordFor({ shardId, streamArn }, { ...record, data }), shardId);
    const isWhole = messages.length === 1 && messages[0]?.subSequenceNumber === undefined;
    const came = isWhole && !redacts ? { came: Buffer.from(record.data).toString('utf8') } : {};
    looked.push(...messages.map((one) => ({ ...recordPlace(shardId, record), ...came, ...one })));
    after[shardId] = record.sequenceNumber;
  }
  return {
    looked: looked.slice(0, limit),
    leftOut: Math.max(0, looked.length - limit),
    continue: { since: cursor.since, after },
  };
}

function recordPlace(shardId: string, { sequenceNumber, arrivedAt }: StreamRecord) {
  const time = arrivedAt === undefined ? {} : { arrivedAt: new Date(arrivedAt * 1_000).toISOString() };
  return { shardId, sequenceNumber, ...time };
}

/** @throws Failure `EVENT_INVALID` */
async function tappedRoute(
  pipeline: string,
  runtime: TapRuntime,
): Promise<{ stream: PublishedStream; route: PublishedRoute }> {
  const { ledger, streams } = runtime;
  const named = inletStreamIn((await ledger.read(pipeline))?.manifest);
  const streamArn = named === undefined ? undefined : await streams.arn(named);
  if (streamArn === undefined) throw notAccepted('tap', await withoutStream(pipeline, runtime));
  const stream = await readStream(runtime, streamArn, undefined, true);
  const route = stream?.routes.find((one) => one.pipeline === pipeline);
  if (stream === undefined || route === undefined)
    throw notAccepted('tap', `nothing is published for the pipeline ${pipeline}: apply it first`);
  return { stream, route };
}

function shown({ came, sends, maps, faults, text, unmapped, ...one }: TappedMessage): TappedMessage {
  const texts = Object.entries({ came, sends, maps, text, unmapped }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, shownText(value, MAX_SHOWN)]],
  );
  const few = faults?.slice(0, MAX_FAULTS).map((fault) => shownText(fault, MAX_FAULT));
  return { ...one, ...Object.fromEntries(texts), ...(few !== undefined && { faults: few }) };
}

function shownText(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}
