// What became of a message that was sent: the row that it is, or why it is none.
import type { PublishedRoute } from '../../lib/published.ts';
import { originOf, type Try } from '../aep/inlet/tries.ts';
import type { Batch, RefusedRow } from '../aep/state.ts';
import { recordIn } from '../start/witness.ts';
import { shownJson } from './shown.ts';
import type { Stored } from './store.ts';
import type { Fate } from './told.ts';
import type { Watched } from './watched.ts';

export interface Sent {
  /** The message, as JSON. */
  readonly sends: string;
  /** The requests that had it. */
  readonly tries: readonly Try[];
}

/**
 * By the link from a row to the request that it came with. Of requests that are forgotten by the `_id` of the message,
 * where a mapping has kept that.
 * @param stored what the dead-letter store has of its record
 */
export function fateOf(
  { platform }: Pick<Watched, 'platform'>,
  { pipeline, sandbox, datasetId, data }: PublishedRoute,
  { sends, tries }: Sent,
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
  const batches = [...(platform.platform.state.sandboxes.get(sandbox)?.batches.values() ?? [])].filter(
    ({ dataSetId }) => dataSetId === datasetId,
  );
  const linked = fateIn(batches, isFrom(tries), isFrom(tries), timesLanded);
  if (linked !== undefined) return linked;
  const id = idIn(recordIn(JSON.parse(sends), data));
  const hasId = (value: unknown) => idIn(value) === id;
  const byId =
    id === undefined
      ? undefined
      : fateIn(
          batches,
          hasId,
          ({ source }) => hasId(source),
          () => LANDED,
        );
  if (byId !== undefined) return byId;
  if (id === undefined && tries.length === 0)
    return {
      health: 'off',
      says: 'No request that is still known had it, and without an _id its row cannot be told from others.',
    };
  return {
    health: 'busy',
    says: 'No row of it is in the dataset. It may be on its way, or is not kept any more.',
  };
}

function isFrom(tries: readonly Try[]): (row: object) => boolean {
  const places = Map.groupBy(tries, ({ request }) => request);
  return (row) => {
    const origin = originOf(row);
    return places.get(origin?.request ?? {})?.some(({ index }) => index === origin?.index) ?? false;
  };
}

const LANDED = 'It has landed: this is its row.';

const timesLanded = (times: number) =>
  times === 1 ? LANDED : `It has landed ${times} times: this is the last of its rows.`;

/** `undefined` where neither its row nor a refused one is there. */
function fateIn(
  batches: readonly Batch[],
  isRow: (row: object) => boolean,
  isRefused: (row: RefusedRow) => boolean,
  saysOf: (times: number) => string,
): Fate | undefined {
  const rows = batches.flatMap((batch) => batch.rows.filter(isRow));
  const row = rows.at(-1);
  if (row !== undefined) return { health: 'good', says: saysOf(rows.length), row: shownJson(row) };
  const refused = batches.flatMap((batch) => batch.refused).findLast(isRefused);
  if (refused === undefined) return undefined;
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
