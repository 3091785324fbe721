// What is kept of a batch's shard outside the container. A store that is away holds up no record.
import { isFailure } from '../failure.ts';
import { streamNameOf } from '../published.ts';
import type { ForwardRuntime, ShardMarks, ShardName } from '../runtime.ts';
import { within } from '../within.ts';
import type { Invocation } from './invocation.ts';
import type { Received } from './read/event.ts';

/** Of a call to the store of marks, in ms: without an answer, records are forwarded as without marks. */
const ANSWER_MS = 3_000;

/** What an invocation keeps of its shard. */
export interface ShardStore {
  readonly shard: ShardName;
  /** As it was when the invocation began. */
  readonly kept: ShardMarks;
  /** The call's answer; `undefined` where the store is away, which is logged. */
  ask<T>(what: string, call: () => Promise<T>): Promise<T | undefined>;
}

/** Reads what is kept. What fails is logged, and counts as nothing. */
export async function readShard(
  { marks, log }: Pick<ForwardRuntime, 'marks' | 'log'>,
  { streamArn, shardId }: Pick<Received, 'streamArn' | 'shardId'>,
  { remainingMs }: Pick<Invocation, 'remainingMs'>,
): Promise<ShardStore> {
  const shard = { stream: streamNameOf(streamArn), shardId };
  const ask: ShardStore['ask'] = async (what, call) => {
    try {
      const answer = await within(Math.min(ANSWER_MS, remainingMs() / 4), call());
      if (answer !== 'late') return answer;
      log.warn(what, { ...shard, reason: 'no answer in time' });
    } catch (error) {
      const reason = isFailure(error) ? error.what : error instanceof Error ? error.name : 'unknown';
      log.warn(what, { ...shard, reason });
    }
    return undefined;
  };
  const none = { marks: new Map(), outages: new Map() };
  const kept = (await ask('the marks of a shard could not be read', () => marks.read(shard))) ?? none;
  return { shard, kept, ask };
}
