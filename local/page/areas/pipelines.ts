// The list of all pipelines: how each fares in words, and what it has counted.
import type { Refusals } from '../../aep/journal.ts';
import type { Sandbox, Tally } from '../../aep/state.ts';
import { changesFeed } from '../changes.ts';
import type { Feed } from '../events.ts';
import { type KnownPipeline, knownPipelines, stateOf } from '../known.ts';
import type { Stored } from '../store.ts';
import type { Health, PipelineLine } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';

export function pipelinesFeed({ watched, store }: Looked): Feed {
  return changesFeed<PipelineLine>(
    ({ name }) => name,
    async () => pipelineLines(watched, await store.rejected()),
  );
}

/** Of all pipelines that are known, each with what it has counted so far. */
export function pipelineLines(watched: Watched, stored: readonly Stored[]): PipelineLine[] {
  const rejected = Map.groupBy(stored, ({ pipeline }) => pipeline);
  const received = receivedByConnection(watched);
  return [...knownPipelines(watched.executions.all).values()].map((known) => {
    const { landed, refused } = tallyOf(watched, known);
    return {
      name: known.name,
      source: known.source,
      sandbox: known.sandbox,
      ...fares(watched, known),
      run: known.last.name,
      received: received.get(known.made?.['base-connection']?.id ?? '') ?? 0,
      landed,
      refused,
      rejected: rejected.get(known.name)?.length ?? 0,
    };
  });
}

/** How a pipeline fares as a whole, in a word for the eye and in words. */
export function fares(
  watched: Watched,
  known: KnownPipeline,
): { readonly health: Health; readonly says: string } {
  const { last, made, isRetired } = known;
  if (last.status === 'RUNNING') return { health: 'busy', says: `an execution is at ${stateOf(last)}` };
  if (last.status !== 'SUCCEEDED')
    return {
      health: 'bad',
      says:
        made === undefined ? 'its execution failed' : 'its last change failed; what was made before works',
    };
  if (isRetired) return { health: 'off', says: 'retired: its dataset and its data stay' };
  const trigger = triggerOf(watched, known);
  if (trigger !== undefined && trigger.state !== 'Enabled')
    return { health: 'busy', says: `its trigger is ${trigger.state}` };
  if (refusalsOf(watched, known) !== undefined)
    return { health: 'bad', says: 'its inlet refuses every request' };
  return { health: 'good', says: 'works' };
}

/** Fewer are tried again, and no news. */
const WORTH_A_WORD = 3;

/** Those of its inlet since it last took a request; none where that is nothing to worry about. */
export function refusalsOf({ platform }: Watched, { made }: KnownPipeline): Refusals | undefined {
  const { state, journal } = platform.platform;
  const connection = made?.['base-connection']?.id;
  return [...state.inlets.values()]
    .filter(({ connectionId }) => connectionId === connection)
    .map(({ id }) => journal.refusals(id))
    .find((refusals) => (refusals?.requests ?? 0) >= WORTH_A_WORD);
}

/** The trigger of its stream; none where AEP reads by itself. */
export function triggerOf({ aws }: Watched, { manifest, source }: KnownPipeline) {
  if (manifest?.source.kind !== 'inlet') return undefined;
  return aws.mappings.all.find(({ eventSourceArn }) => eventSourceArn.endsWith(`:stream/${source}`));
}

export function sandboxOf({ platform }: Watched, { sandbox }: KnownPipeline): Sandbox | undefined {
  return platform.platform.state.sandboxes.get(sandbox);
}

const NO_ROWS: Pick<Tally, 'landed' | 'refused' | 'profileOnly'> = { landed: 0, refused: 0, profileOnly: 0 };

/** Rows that its dataset has got. */
export function tallyOf(watched: Watched, known: KnownPipeline): typeof NO_ROWS {
  return sandboxOf(watched, known)?.tallies.get(known.made?.dataset?.id ?? '') ?? NO_ROWS;
}

/** Messages that were taken in, by the connection whose inlet did. */
export function receivedByConnection({ platform }: Watched): Map<string, number> {
  const received = new Map<string, number>();
  for (const { id, sandbox, connectionId } of platform.platform.state.inlets.values()) {
    const minutes = sandbox.inletCounts.get(id) ?? [];
    const messages = minutes.reduce((sum, { counts }) => sum + (counts.messages ?? 0), 0);
    received.set(connectionId, (received.get(connectionId) ?? 0) + messages);
  }
  return received;
}
