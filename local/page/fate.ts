// What became of a message that was sent: the row that it is, or why it is none.
import type { PublishedRoute } from '../../lib/published.ts';
import { recordIn } from '../start/witness.ts';
import { shownJson } from './shown.ts';
import type { Stored } from './store.ts';
import type { Fate } from './told.ts';
import type { Watched } from './watched.ts';

/**
 * By its `_id`, which Experience Platform keeps from the message to the row.
 * @param sends the message, as JSON
 * @param stored what the dead-letter store has of its record
 */
export function fateOf(
  { platform }: Pick<Watched, 'platform'>,
  { pipeline, sandbox, datasetId, data }: PublishedRoute,
  sends: string,
  stored: readonly Stored[],
): Fate {
  const rejected = stored.find((one) => one.pipeline === pipeline);
  if (rejected !== undefined) {
    const { reason, message } = rejected.entry;
    return {
      health: 'bad',
      says: `It was rejected, and the dead-letter store keeps it. ${reason}: ${message}`,
    };
  }
  const id = idIn(recordIn(JSON.parse(sends), data));
  if (id === undefined)
    return { health: 'off', says: 'It has no _id, so its row cannot be told from others.' };
  const batches = [...(platform.platform.state.sandboxes.get(sandbox)?.batches.values() ?? [])].filter(
    ({ dataSetId }) => dataSetId === datasetId,
  );
  const row = batches.flatMap(({ rows }) => rows).findLast((one) => idIn(one) === id);
  if (row !== undefined)
    return { health: 'good', says: 'It has landed: this is its row.', row: shownJson(row) };
  const refused = batches.flatMap((batch) => batch.refused).findLast(({ source }) => idIn(source) === id);
  if (refused === undefined)
    return {
      health: 'busy',
      says: 'No row of it is in the dataset. It may be on its way, or is not kept any more.',
    };
  const why = refused.violations.map((one) => `${one.pointerToViolation}: ${one.message}`).join('; ');
  return {
    health: 'bad',
    says: `AEP received it, and refused its row later. ${why}`,
    row: shownJson(refused.body),
  };
}

function idIn(value: unknown): string | undefined {
  const { _id } = { ...(value as { readonly _id?: unknown } | null) };
  return typeof _id === 'string' && _id !== '' ? _id : undefined;
}
