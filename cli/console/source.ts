// A deployed stage as a source of the page: what it can follow and ask for, and what can be done to it where that is allowed.
import { changesFeed } from '../../local/page/changes.ts';
import type { Query, Source } from '../../local/page/serve.ts';
import type { StagePipeline, StoreKind, ToldAction } from '../../local/page/told-stage.ts';
import type { Context } from '../context.ts';
import type { Target } from '../target.ts';
import { createActions } from './actions.ts';
import { manifestsIn } from './apply.ts';
import { actionsAct } from './asked-actions.ts';
import { askedOf, atMostEvery, feedOf, shownOf } from './asking.ts';
import { chartsOf } from './charts.ts';
import { type DocumentsAsked, documentOf, documentsOf, messageOf } from './dead-letters.ts';
import { createNamed } from './named.ts';
import { diagnosisOf, lineOf, pipelinesOf } from './pipelines.ts';
import { runOf, runsOf } from './runs.ts';

/** `status` is an invocation each time. In ms. */
const STATUS_MS = 30_000;
/** A list of executions costs nothing, and AWS limits its rate. In ms. */
const RUNS_MS = 10_000;
/** CloudWatch takes money for each metric that it is asked for. In ms. */
const CHARTS_MS = 60_000;

export type StageTarget = Pick<
  Target,
  'name' | 'invoke' | 'executions' | 'execution' | 'deadLetters' | 'metrics'
>;

export interface StageOptions {
  /** Its name alone. */
  readonly stage: string;
  /** Of the command, where the page may change something. */
  readonly acting?: Context | undefined;
  readonly now?: () => number;
}

export function stageSource(target: StageTarget, { stage, acting, now = Date.now }: StageOptions): Source {
  const named = createNamed();
  const look = async () => {
    const found = await pipelinesOf(target);
    named.learnFrom(found);
    return found;
  };
  const all = atMostEvery(STATUS_MS, look, now);
  const lines = atMostEvery(RUNS_MS, () => runsOf(target, named), now);
  const actions = acting && createActions(acting, stage, named);
  const charts = atMostEvery(CHARTS_MS, () => chartsOf(target, stage, now()), now);
  return {
    about: { kind: 'stage', stage, name: target.name, hasActions: acting !== undefined },
    feeds: {
      pipelines: () => feedOf(all, (found) => found.map(lineOf)),
      runs: () => feedOf(lines, (found) => found),
      charts: () => feedOf(charts, (found) => found),
      ...(actions !== undefined && {
        actions: () => changesFeed<ToldAction>(({ id }) => id, actions.all),
      }),
    },
    ...(actions !== undefined && { acts: { actions: actionsAct(actions) } }),
    answers: {
      ...(acting !== undefined && {
        manifests: () => askedOf(() => manifestsIn(acting.folder), now),
      }),
      pipeline: async (query) => shownOf(await all(), (found) => oneOf(found, query.get('name'))),
      doctor: (query) => askedOf(() => diagnosisOf(target, query.get('pipeline') ?? ''), now),
      runs: (query) => askedOf(() => runsOf(target, named, query.get('before') ?? undefined), now),
      documents: (query) => askedOf(() => documentsOf(target, documentsAsked(query)), now),
      document: (query) => askedOf(() => documentOf(target, query.get('key') ?? ''), now),
      message: (query) =>
        askedOf(() => messageOf(target, query.get('key') ?? '', Number(query.get('number'))), now),
      run: (query) => askedOf(async () => (await runOf(target, named, query.get('name') ?? '')) ?? null, now),
    },
  };
}

function oneOf(all: readonly StagePipeline[], wanted: string | null): StagePipeline | null {
  return all.find(({ name }) => name === wanted) ?? null;
}

const KINDS: readonly StoreKind[] = ['rejected', 'parked', 'on-failure'];

function documentsAsked(query: Query): DocumentsAsked {
  return {
    pipeline: query.get('pipeline') ?? '',
    kind: KINDS.find((kind) => kind === query.get('kind')) ?? 'rejected',
    since: query.get('since') ?? '',
    after: query.get('after') ?? '',
  };
}
