// Drift: has anything changed in AEP since a pipeline was applied? Looks at every pipeline, changes nothing,
// and writes a line for each.
import * as z from 'zod';
import { askedBy, notAccepted } from '../../accepted.ts';
import { isFailure } from '../../failure.ts';
import { streamIn } from '../../kept-manifest.ts';
import { didYouMean } from '../../nearest.ts';
import type { Pipeline } from '../../pipeline.ts';
import type { DriftRuntime } from '../../runtime.ts';
import { inFull, type StreamContext } from '../resources/resource.ts';
import { isStuck } from '../status.ts';
import { begin } from '../steps/begin.ts';
import { plan } from './plan.ts';

const Question = z.strictObject({ pipeline: z.string().min(1).optional() });

export interface Drift {
  readonly checked: number;
  readonly moved: number;
  /** One line for each pipeline that has changed or could not be looked at. */
  readonly lines: readonly string[];
}

/** @throws Failure `EVENT_INVALID` */
export async function drift(
  event: unknown,
  runtime: DriftRuntime,
  contextOf: (pipeline: Pipeline) => StreamContext,
): Promise<Drift> {
  const question = Question.safeParse(askedBy(event));
  if (!question.success) throw notAccepted('drift', 'this names no pipeline', question.error.issues);
  const { pipeline } = question.data;
  const names = pipeline === undefined ? await runtime.ledger.names() : [pipeline];
  const lines: string[] = [];
  let checked = 0;
  for (const name of names) {
    const record = await runtime.ledger.read(name);
    if (record === undefined && pipeline !== undefined)
      throw notAccepted(
        'drift',
        `no execution has worked on a pipeline ${pipeline}${didYouMean([pipeline], await runtime.ledger.names())}`,
      );
    // It is not applied, retired, or being changed now: there is nothing to compare.
    const stuck = record !== undefined && isStuck(record, runtime.clock.now());
    if (record?.manifest === undefined || (record.owner !== undefined && !stuck)) continue;
    checked++;
    const line = stuck
      ? `the execution ${record.owner} has held it since ${record.since} and seems dead: start another one, which takes over`
      : await lookForDrift(record.manifest, runtime, contextOf);
    if (line === undefined) continue;
    lines.push(`${name}: ${line}`);
    runtime.log.warn('drift', {
      event: 'drifted',
      pipeline: name,
      stream: streamIn(record.manifest),
      moved: line,
    });
  }
  return { checked, moved: lines.length, lines };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

async function lookForDrift(
  manifest: unknown,
  runtime: DriftRuntime,
  contextOf: (pipeline: Pipeline) => StreamContext,
): Promise<string | undefined> {
  try {
    const asked = await begin({ manifest, mode: 'plan' }, runtime);
    const planned = await plan(asked, contextOf(asked));
    const moved = planned.plan.filter(({ action }) => action !== 'keep' && action !== 'none');
    const texts = moved.map(
      ({ resource, action, reason, differences = [] }) =>
        `${resource}: ${action} (${inFull(reason, differences)})`,
    );
    return texts.length === 0 ? undefined : oneLine(texts.join('; '));
  } catch (error) {
    return oneLine(`could not be checked: ${isFailure(error) ? error.message : String(error)}`);
  }
}
