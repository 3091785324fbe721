// The datasets of the simulated platform: what landed in each, and what was refused, with the reason for each row.
import type { Batch, DataSet, RefusedRow, Sandbox } from '../../aep/state.ts';
import { changesFeed } from '../changes.ts';
import type { Feed } from '../events.ts';
import { shownJson } from '../shown.ts';
import type { DatasetDetail, DatasetLine, RefusedLine } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';

/** So many rows and refusals of a dataset are shown, the newest. */
const SHOWN = 50;

export function datasetsFeed({ watched }: Looked): Feed {
  return changesFeed<DatasetLine>(
    ({ id }) => id,
    () => allDatasets(watched).map(lineOf),
  );
}

/** `undefined` where there is none with this id. */
export function datasetDetail({ watched }: Looked, id: string): DatasetDetail | undefined {
  const found = allDatasets(watched).find(({ dataset }) => dataset.id === id);
  if (found === undefined) return undefined;
  const batches = [...found.sandbox.batches.values()].filter(({ dataSetId }) => dataSetId === id).reverse();
  const standing = batches.filter(({ revertedAt }) => revertedAt === undefined);
  return {
    ...lineOf(found),
    rows: newest(standing, ({ rows }) => rows).map((row) => shownJson(row)),
    refusals: newest(batches, (batch) => batch.refused.map((row) => refusedLine(batch, row))),
  };
}

interface Found {
  readonly sandbox: Sandbox;
  readonly dataset: DataSet;
}

function allDatasets({ platform }: Watched): Found[] {
  return [...platform.platform.state.sandboxes.values()].flatMap((sandbox) =>
    sandbox.dataSets.values().map((dataset) => ({ sandbox, dataset })),
  );
}

function lineOf({ sandbox, dataset: { id, body } }: Found): DatasetLine {
  const { landed = 0, refused = 0, profileOnly = 0 } = sandbox.tallies.get(id) ?? {};
  return { id, name: String(body.name ?? id), sandbox: sandbox.name, landed, refused, profileOnly };
}

/** @param batches newest first */
function newest<T>(batches: readonly Batch[], of: (batch: Batch) => readonly T[]): T[] {
  const found: T[] = [];
  for (const batch of batches) {
    if (found.length >= SHOWN) break;
    found.push(
      ...of(batch)
        .slice(-(SHOWN - found.length))
        .toReversed(),
    );
  }
  return found;
}

function refusedLine(batch: Batch, { stage, code, violations, source, body }: RefusedRow): RefusedLine {
  return {
    batch: batch.id,
    at: batch.created,
    stage: stage === 'mapper' ? 'the mapping' : 'the validation',
    code,
    reasons: violations.map(({ pointerToViolation, message }) => `${pointerToViolation}: ${message}`),
    source: shownJson(source),
    row: shownJson(body),
  };
}
