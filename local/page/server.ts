// The page of a running stack on this machine: what it can follow, and what it can ask for.
import { chartsFeed } from './areas/charts.ts';
import { datasetDetail, datasetsFeed } from './areas/datasets.ts';
import { deadLetter, deadLettersFeed } from './areas/dead-letters.ts';
import { faultsFeed } from './areas/faults.ts';
import { mappingDetail, tryMapping } from './areas/mapping.ts';
import { pictureFeed } from './areas/picture.ts';
import { pipelinesFeed } from './areas/pipelines.ts';
import { recordDetail, recordsFeed } from './areas/records.ts';
import { requestDetail, requestsFeed } from './areas/requests.ts';
import { runFeed, runsFeed } from './areas/runs.ts';
import { schemaDetail } from './areas/schemas.ts';
import type { Feed } from './events.ts';
import { putByHand } from './put.ts';
import { redriveChosen } from './redrive.ts';
import { saveMapping } from './save.ts';
import { type Act, type Page, type PageOptions, type Query, type Source, servePage } from './serve.ts';
import { passToSimulator } from './simulator.ts';
import { createStore } from './store.ts';
import type { Looked, Watched } from './watched.ts';

export type { Page } from './serve.ts';

/** What can be followed, by its name. */
const FEEDS: Readonly<Record<string, (looked: Looked, query: Query) => Feed>> = {
  pipelines: pipelinesFeed,
  picture: (looked, query) => pictureFeed(looked, query.get('source') ?? ''),
  runs: runsFeed,
  run: (looked, query) => runFeed(looked, query.get('name') ?? ''),
  records: (looked, query) => recordsFeed(looked, query.get('stream') ?? ''),
  datasets: datasetsFeed,
  'dead-letters': deadLettersFeed,
  faults: faultsFeed,
  charts: chartsFeed,
  requests: ({ watched }, query) => requestsFeed(watched, Number(query.get('after') ?? 0)),
};

/** What can be asked for once. `undefined` is answered with 404. */
const ANSWERS: Readonly<Record<string, (looked: Looked, query: Query) => unknown>> = {
  record: (looked, query) =>
    recordDetail(looked, {
      stream: query.get('stream') ?? '',
      shardId: query.get('shard') ?? '',
      sequenceNumber: query.get('number') ?? '',
    }),
  schema: (looked, query) => schemaDetail(looked, query.get('dataset') ?? ''),
  dataset: (looked, query) => datasetDetail(looked, query.get('id') ?? ''),
  mapping: (looked, query) => mappingDetail(looked, query.get('pipeline') ?? ''),
  'dead-letter': (looked, query) => deadLetter(looked, query.get('id') ?? ''),
  request: ({ watched }, query) => requestDetail(watched, Number(query.get('number'))),
};

/** What can be changed. */
const actsOf = (looked: Looked): Readonly<Record<string, Act>> => ({
  simulator: (asked) => passToSimulator(looked.watched, asked),
  redrive: (asked) => redriveChosen(looked, asked),
  mapping: (asked) => tryMapping(looked, asked),
  save: (asked) => saveMapping(looked, asked),
  put: (asked) => putByHand(looked.watched, asked),
});

/** @throws the error of Node where nobody can listen on the port */
export function startPage(watched: Watched, options: PageOptions = {}): Promise<Page> {
  const looked = { watched, store: createStore(watched.deadLettersFolder) };
  const source: Source = {
    about: { kind: 'stack', platform: watched.platform.origin },
    feeds: bound(FEEDS, looked),
    answers: bound(ANSWERS, looked),
    acts: actsOf(looked),
  };
  return servePage(source, options);
}

type Table<T> = Readonly<Record<string, (looked: Looked, query: Query) => T>>;

function bound<T>(table: Table<T>, looked: Looked): Readonly<Record<string, (query: Query) => T>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, make]) => [name, (query: Query) => make(looked, query)]),
  );
}
