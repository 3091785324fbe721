// The stream's intake: made switched off, switched on last, when all that stands behind it is ready.
import { Failure } from '../failure.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Intake, Intakes } from '../runtime.ts';
import type { StreamContext } from './resource.ts';

/** Lambda takes some seconds to make a mapping; it refuses changes until then. */
const SETTLING_TRIES = 20;
const SETTLING_MS = 1_000;

/**
 * The pipeline with its intake on.
 * @throws Failure `NOT_READY` where Lambda is still busy with it
 */
export async function intake(pipeline: Pipeline, { runtime }: StreamContext): Promise<Pipeline> {
  const { intakes, clock } = runtime;
  const { streamArn } = pipeline;
  const there = await intakes.find(streamArn);
  const startAt = startOf(pipeline);
  const own = there ?? (await intakes.create(streamArn, startAt));
  for (let attempt = 1; ; attempt++) {
    const now: Intake | undefined = attempt === 1 ? own : await intakes.find(streamArn);
    if (now?.state === 'on') break;
    if (now?.state === 'off') {
      await intakes.switchOn(now.id);
      break;
    }
    if (attempt === SETTLING_TRIES) throw new Failure('NOT_READY', `the intake ${own.id} is still changing`);
    await clock.sleep(SETTLING_MS);
  }
  const how = made(there, pipeline);
  return {
    ...pipeline,
    intake: { id: own.id, how, startAt: how === 'created' ? shown(startAt) : 'where it stands' },
  };
}

function startOf({ manifest, execution }: Pipeline): Parameters<Intakes['create']>[1] {
  const { startAt } = manifest.source;
  if (startAt === 'earliest') return 'earliest';
  // "Now" is when the pipeline was asked for: what arrives while it is being made is not skipped.
  return new Date(startAt === 'now' ? execution.startedAt : startAt);
}

/** A step that is repeated after it made the intake finds its own. */
function made(there: Intake | undefined, { plan }: Pipeline): 'created' | 'kept' {
  const planned = plan.find(({ resource }) => resource === 'intake')?.action;
  return there === undefined || planned === 'create' ? 'created' : 'kept';
}

function shown(startAt: 'earliest' | Date): string {
  return startAt === 'earliest' ? startAt : startAt.toISOString();
}
