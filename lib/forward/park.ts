// A route's outage in a shard: when its messages are parked, so that they no longer hold the shard for the others.
import { type PublishedRoute, streamNameOf } from '../published.ts';
import type { ForwardRuntime, Outage } from '../runtime.ts';
import type { Received } from './read/event.ts';
import type { Sent } from './send/run.ts';
import { lowest } from './settle.ts';
import type { ShardStore } from './shard-store.ts';
import { type Rejected, rejected, type Settled } from './verdict.ts';

/** What a route does about an outage. */
export interface Parking {
  /** Messages are parked already: new ones queue behind them, and nothing is sent. */
  readonly isQueue: boolean;
  /** The verdicts after an outage is reckoned with: what would stay in the stream is parked, if it is time. */
  judge(end: SentOnRoute): Promise<readonly Settled[]>;
}

/** What became of the messages of a route. */
export interface SentOnRoute {
  readonly settled: readonly Settled[];
  readonly sent: Pick<Sent, 'settled' | 'acknowledged' | 'stop'>;
  /** Messages that AEP acknowledged in an earlier invocation. */
  readonly known: number;
}

/** The shard waits, however long it takes. */
export const HOLDS: Parking = { isQueue: false, judge: async ({ settled }) => settled };

const IN_QUEUE = rejected('parked', 'It waits behind messages that are parked already.');

const PARKED_NEXT =
  'Compare what its inlet answers. What is parked is sent by itself once the inlet takes messages again: see docs/rejects.md.';

/** @param store what is kept of the shard; without it, or if it is away, the route holds */
export function parkingOf(
  { pipeline, park }: PublishedRoute,
  { streamArn, shardId }: Pick<Received, 'streamArn' | 'shardId'>,
  { marks, clock, log }: Pick<ForwardRuntime, 'marks' | 'clock' | 'log'>,
  store: ShardStore | undefined,
): Parking {
  if (park === undefined || store === undefined) return HOLDS;
  const { shard, ask } = store;
  const outage = store.kept.outages.get(pipeline);
  const write = (now: Outage) =>
    ask('the outage of a route could not be written', async () => {
      await marks.outage(shard, pipeline, now);
      return true;
    });

  if (outage?.parkedSince !== undefined) {
    const lasts = () =>
      ask('whether a route is parked could not be read', () => marks.outageLasts(shard, pipeline));
    return {
      isQueue: true,
      async judge({ settled }) {
        const open = settled.filter(isOpen);
        // If all was sent meanwhile, they come again and are sent.
        if (open.length === 0 || (await lasts()) === false) return settled;
        return parked(settled, new Set(open), IN_QUEUE);
      },
    };
  }

  return {
    isQueue: false,
    async judge({ settled, sent, known }) {
      const open = settled.filter(isOpen);
      if (open.length === 0) {
        // A batch without a message for this route says nothing of its inlet.
        if (outage !== undefined && sent.settled.length > 0)
          await ask('the outage of a route could not be removed', () => marks.outageEnded(shard, pipeline));
        return settled;
      }
      const now = clock.now();
      const waiting = rangeOf(open);
      if (outage === undefined || hasProgressed(outage, waiting, sent)) {
        await write({ since: now, waiting });
        return settled;
      }
      if (now - outage.since < park.afterSeconds * 1_000) return settled;
      const verdict = rejected('parked', sent.stop?.failure?.what ?? 'Its inlet does not take it.');
      // While others are taken, only those are parked that have waited all the time: the inlet is not out.
      if (sent.acknowledged > 0 || known > 0)
        return parked(settled, new Set(open.filter((one) => hasWaited(one, outage))), verdict);
      if ((await write({ ...outage, parkedSince: now })) !== true) return settled;
      log.warn('a route is parked: its inlet has taken nothing for long', {
        event: 'route-parked',
        pipeline,
        stream: streamNameOf(streamArn),
        shardId,
        since: new Date(outage.since).toISOString(),
        reason: sent.stop?.failure?.what,
        next: PARKED_NEXT,
      });
      return parked(settled, new Set(open), verdict);
    },
  };
}

function isOpen({ verdict }: Settled): boolean {
  return verdict.kind === 'retry';
}

/** Of messages, of which there is at least one. */
function rangeOf(open: readonly Settled[]): { readonly from: string; readonly through: string } {
  const numbers = open.map(({ message }) => message.sequenceNumber);
  const through = numbers.reduce((one, other) => (BigInt(other) > BigInt(one) ? other : one));
  return { from: lowest(numbers) ?? through, through };
}

/** The inlet takes messages, and the one that waited longest is done: a backlog or a rate is no outage. */
function hasProgressed(
  { waiting: then }: Outage,
  { from }: { readonly from: string },
  { acknowledged }: Pick<Sent, 'acknowledged'>,
): boolean {
  return acknowledged > 0 && (then === undefined || BigInt(from) > BigInt(then.from));
}

function hasWaited({ message }: Settled, { waiting }: Outage): boolean {
  return waiting === undefined || BigInt(message.sequenceNumber) <= BigInt(waiting.through);
}

function parked(
  settled: readonly Settled[],
  which: ReadonlySet<Settled>,
  verdict: Rejected,
): readonly Settled[] {
  return settled.map((one) => (which.has(one) ? { message: one.message, verdict } : one));
}
