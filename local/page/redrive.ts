// Sends dead letters again that somebody has chosen on the page: by the function that the command line calls.
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import { redriveThroughout } from '../../lib/redrive/throughout.ts';
import type { Acted, Asked } from './serve.ts';
import type { Stored } from './store.ts';
import type { RedriveTold } from './told.ts';
import type { Looked } from './watched.ts';

/** What is chosen one by one needs a call for each. */
const MOST_ALONE = 100;

interface Wanted {
  readonly ids: readonly string[];
  readonly dryRun: boolean;
}

/** @returns 200 with what it came to, or 400 where it is not understood */
export async function redriveChosen({ watched, store }: Looked, asked: Asked): Promise<Acted | undefined> {
  if (asked.path !== '') return undefined;
  const wanted = wantedOf(asked.body);
  if (wanted === undefined) return { status: 400, body: { why: 'Expected {"ids": […], "dryRun": …}.' } };
  const requests = redriveRequests(await store.rejected(), wanted.ids);
  if (requests.length > MOST_ALONE)
    return {
      status: 400,
      body: { why: `Choose all of a reason, or no more than ${MOST_ALONE} messages one by one.` },
    };
  const answers: RedriveAnswer[] = [];
  for (const request of requests)
    answers.push(await redriveThroughout(watched.redrive, { ...request, dryRun: wanted.dryRun }));
  return { status: 200, body: toldRedrive(answers) };
}

function wantedOf(body: Buffer): Wanted | undefined {
  try {
    const { ids, dryRun } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    if (!Array.isArray(ids) || ids.length === 0 || typeof dryRun !== 'boolean') return undefined;
    return { ids: ids.map(String), dryRun };
  } catch {
    return undefined;
  }
}

export interface ChosenRequest {
  readonly stream: string;
  readonly pipeline: string;
  readonly source: 'rejected';
  readonly where: {
    readonly reasons: readonly string[];
    readonly stored: { readonly to: string };
    readonly sequence?: { readonly shardId: string; readonly from: string; readonly to: string };
  };
}

/** One request for what is chosen whole of a pipeline, by its reasons, and one for each other message, by its place. */
export function redriveRequests(stored: readonly Stored[], ids: readonly string[]): ChosenRequest[] {
  const chosen = new Set(ids);
  const requests = new Map<string, ChosenRequest>();
  for (const [, ofPipeline] of Map.groupBy(stored, ({ pipeline }) => pipeline)) {
    const picked = ofPipeline.filter(({ id }) => chosen.has(id));
    const [first] = picked;
    if (first === undefined) continue;
    // What was rejected since then is not meant.
    const to = picked.map(({ storedAt }) => storedAt).reduce((last, at) => (at > last ? at : last));
    const base = { stream: first.streamArn, pipeline: first.pipeline, source: 'rejected' } as const;
    const add = (where: Omit<ChosenRequest['where'], 'stored'>) => {
      const request = { ...base, where: { ...where, stored: { to } } };
      // Messages of one record are sent together.
      requests.set(JSON.stringify(request), request);
    };
    const reasons = [...Map.groupBy(ofPipeline, ({ entry }) => entry.reason)];
    const whole = reasons.filter(([, those]) => those.every(({ id }) => chosen.has(id)));
    if (whole.length > 0) add({ reasons: whole.map(([reason]) => reason) });
    const isWhole = new Set(whole.map(([reason]) => reason));
    for (const { shardId, entry } of picked) {
      const { reason, sequenceNumber } = entry;
      if (isWhole.has(reason)) continue;
      add({ reasons: [reason], sequence: { shardId, from: sequenceNumber, to: sequenceNumber } });
    }
  }
  return [...requests.values()];
}

/** What several redrives came to, together. */
export function toldRedrive(answers: readonly RedriveAnswer[]): RedriveTold {
  const sum = (count: (answer: RedriveAnswer) => number) =>
    answers.reduce((total, answer) => total + count(answer), 0);
  const stopped = answers.find((answer) => answer.stopped !== undefined)?.stopped;
  return {
    dryRun: answers.every(({ dryRun }) => dryRun),
    chosen: sum((answer) => answer.chosen),
    delivered: sum((answer) => answer.delivered),
    left: sum((answer) => answer.left),
    rejectedAgain: sum((answer) => answer.rejectedAgain),
    filtered: sum((answer) => answer.filtered),
    withheld: sum((answer) => answer.withheld),
    lost: sum(({ lost }) => lost.records),
    ...(stopped !== undefined && { stopped: [stopped.why, stopped.next].filter(Boolean).join('. ') }),
  };
}
