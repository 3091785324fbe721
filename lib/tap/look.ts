// What the forwarder would make of a record on one route of its stream: its own stages, without anything that sends.
import { type Failure, isFailure, reasonOf } from '../failure.ts';
import { createFramer } from '../forward/frame/frame.ts';
import type { Framed } from '../forward/frame/framed.ts';
import { createRoom, prepareAll, type StreamStages } from '../forward/frame/prepare.ts';
import type { Way } from '../forward/frame/way.ts';
import type { KinesisRecord } from '../forward/read/event.ts';
import type { Schemas } from '../forward/read/formats/by-schema.ts';
import type { Message } from '../forward/read/message.ts';
import { streamDecoding } from '../forward/stages.ts';
import { createTransform } from '../forward/transform/transform.ts';
import { hasArrivedSince } from '../forward/turn.ts';
import type { Settled } from '../forward/verdict.ts';
import type { PublishedRoute, PublishedStream } from '../published.ts';

/**
 * - `sent`: the forwarder would send it
 * - `filtered`: this pipeline does not take it. `unrouted`: no pipeline of the stream does
 * - `rejected`: it would go to the dead-letter store
 * - `waits`: it cannot be decoded yet, and would stay in the stream
 */
export type TapOutcome = 'sent' | 'filtered' | 'unrouted' | 'rejected' | 'waits';

/** What becomes of a message. */
export interface LookedMessage {
  readonly subSequenceNumber?: number | undefined;
  readonly outcome: TapOutcome;
  /** Why it is rejected, by one of the reasons of rejects; or the code of the failure for which it waits. */
  readonly reason?: string;
  readonly text?: string;
  /** What a request would have of it: JSON. */
  readonly sends?: string;
}

export type TapLook = (record: KinesisRecord, shardId: string) => Promise<LookedMessage[]>;

/** @param route one of the stream's */
export function createLook(stream: PublishedStream, route: PublishedRoute, schemas: Schemas): TapLook {
  const at = stream.routes.indexOf(route);
  const shared = streamDecoding(stream, schemas);
  const byShard = new Map<string, readonly Way[]>();
  const waysOf = (shardId: string) => {
    const ways = byShard.get(shardId) ?? stream.routes.map((one) => wayOf(one, shardId));
    byShard.set(shardId, ways);
    return ways;
  };
  // A route that cannot be read may take what the others leave.
  const isWhole = (stream.unread ?? []).length === 0;
  return async (record, shardId) => {
    let failure: Failure | undefined;
    const stages: StreamStages = {
      ...shared,
      ways: waysOf(shardId),
      onUnready: (why) => {
        failure = why;
      },
    };
    const { routes, left } = await prepareAll(
      [record],
      stages,
      createRoom(() => true),
    );
    if (left.length > 0) return [waiting(failure)];
    const unrouted = new Set(isWhole ? (routes[0]?.settled ?? []).filter(isUnrouted).map(subNumberOf) : []);
    const { framed, settled } = routes[at] ?? { framed: [], settled: [] };
    return [...framed.map(sentMessage), ...settled.map((one) => settledMessage(one, unrouted))].sort(
      (one, other) => (one.subSequenceNumber ?? 0) - (other.subSequenceNumber ?? 0),
    );
  };
}

function wayOf(route: PublishedRoute, shardId: string): Way {
  const { from } = route;
  return {
    transform: createTransform(route),
    frame: createFramer(route, shardId).frame,
    isFor: from === undefined ? undefined : (message) => hasArrivedSince(from, message),
    chooses: route.records?.where !== undefined,
    isKnown: () => false,
  };
}

function waiting(failure: Failure | undefined): LookedMessage {
  if (!isFailure(failure)) return { outcome: 'waits' };
  return { outcome: 'waits', reason: failure.code, text: reasonOf(failure) };
}

/** The first route has it for all. */
function isUnrouted({ verdict }: Settled): boolean {
  return verdict.kind === 'rejected'
    ? verdict.reason === 'unrouted'
    : verdict.kind === 'filtered' && verdict.unrouted === true;
}

function subNumberOf({ message }: { readonly message: Message }): number | undefined {
  return message.subSequenceNumber;
}

function sentMessage({ message, slab, start, end }: Framed): LookedMessage {
  return { ...numbered(message), outcome: 'sent', sends: slab.toString('utf8', start, end) };
}

function settledMessage(
  { message, verdict }: Settled,
  unrouted: ReadonlySet<number | undefined>,
): LookedMessage {
  if (unrouted.has(message.subSequenceNumber)) return { ...numbered(message), outcome: 'unrouted' };
  if (verdict.kind !== 'rejected') return { ...numbered(message), outcome: 'filtered' };
  return { ...numbered(message), outcome: 'rejected', reason: verdict.reason, text: verdict.text };
}

function numbered({ subSequenceNumber }: Message) {
  return subSequenceNumber === undefined ? {} : { subSequenceNumber };
}
