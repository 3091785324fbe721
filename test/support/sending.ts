// A sender with scripted answers: lanes from text, and what became of each message as text.
import type { BatchReply, Outcome } from '../../lib/aep/inlet.ts';
import type { Session } from '../../lib/aep/token.ts';
import { Failure } from '../../lib/failure.ts';
import type { Framed } from '../../lib/forward/frame/framed.ts';
import { framedIn, type Lane, type MessageBatch } from '../../lib/forward/send/batch.ts';
import { createLimits } from '../../lib/forward/send/limits.ts';
import type { Sender } from '../../lib/forward/send/run.ts';
import { send } from '../../lib/forward/send/send.ts';
import { createStanding } from '../../lib/forward/send/standing.ts';
import { turn } from './eventually.ts';
import { virtualClock } from './forwarding.ts';

let made = 0;

function framed(name: string): Framed {
  const slab = Buffer.from(`{"n":"${name}"}`);
  const message = { sequenceNumber: String(++made), partitionKey: name, arrivedAt: 0, bytes: slab };
  return { message, slab, start: 0, end: slab.length, size: 20 };
}

/** Lanes from text, requests of a lane between commas: `ab,c` is a request of a and b, then one of c. Each message is a new one. */
export function lanes(...texts: string[]): Lane[] {
  return texts.map((text) => text.split(',').map((one) => [...one].map(framed)));
}

export const named = (batch: MessageBatch) => batch.map(({ message }) => message.partitionKey).join('');

export const answered = (outcomes: readonly Outcome[], acknowledged?: number): BatchReply => ({
  kind: 'answered',
  status: 207,
  outcomes,
  acknowledged: acknowledged ?? outcomes.filter(({ kind }) => kind === 'acknowledged').length,
  retryAfterMs: undefined,
});

export const all = (batch: MessageBatch) => answered(batch.map(() => ({ kind: 'acknowledged' })));

export const failed = (
  kind: 'throttled' | 'transient' | 'auth' | 'data' | 'too-large' | 'set-up',
  retryAfterMs?: number,
  status?: number,
): BatchReply => ({
  kind: 'failed',
  class: kind,
  failure: new Failure('AEP_UNAVAILABLE', 'the inlet answered', status === undefined ? {} : { status }),
  said: 'no',
  retryAfterMs,
});

export type Post = (
  name: string,
  batch: MessageBatch,
  session: Session | undefined,
) => BatchReply | Promise<BatchReply>;

export function sending(post: Post, more: Partial<Sender> & { budget?: number } = {}) {
  const clock = virtualClock();
  const posts: string[] = [];
  const timeouts: number[] = [];
  const end = clock.now() + (more.budget ?? 58_000);
  const sender: Sender = {
    post: async (whole, session, timeoutMs) => {
      const batch = framedIn(whole);
      posts.push(named(batch));
      timeouts.push(timeoutMs);
      await turn();
      return post(named(batch), batch, session);
    },
    sessions: undefined,
    limits: createLimits(clock),
    standing: createStanding(clock),
    strict: false,
    budgetMs: () => end - clock.now(),
    clock,
    random: () => 0.999,
    warn: () => {},
    ...more,
  };
  /** Sends lanes that are made already: what comes again is the same messages. */
  const runLanes = async (made: readonly Lane[]) => {
    const sent = await send(made, sender);
    const verdicts = sent.settled
      .map(({ message, verdict }) => `${message.partitionKey}${verdict.kind[2]}`)
      .join(' ');
    return { ...sent, verdicts };
  };
  const run = (...texts: string[]) => runLanes(lanes(...texts));
  return { run, runLanes, posts, timeouts, clock, sender };
}
