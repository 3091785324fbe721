// The stream's trigger: created switched off, and switched on last, when everything behind it is ready.
import { Failure } from '../../failure.ts';
import type { Pipeline } from '../../pipeline.ts';
import { readRoute } from '../../published.ts';
import type { Trigger, Triggers } from '../../runtime.ts';
import type { StreamContext } from '../resources/resource.ts';
import { MAX_CLOSING_MS, readRouteList } from '../routes.ts';
import { eventSourceOf } from './consumer.ts';

/** Lambda takes some seconds to make a trigger; it refuses changes until then. */
const TRIGGER_SETTLING_TRIES = 22;
/** Before the second look; then twice as long each time, up to a second. */
const FIRST_SETTLING_MS = 250;
const LONGEST_SETTLING_MS = 1_000;

/**
 * The pipeline with its trigger on, and how long what is old stays in place.
 * @throws Failure `NOT_READY` if Lambda is still busy with the trigger, or if another pipeline is to make it
 */
export async function trigger(pipeline: Pipeline, { runtime }: StreamContext): Promise<Pipeline> {
  // Only a flow can still have records on their way. Nothing sends to other old resources.
  const drainSeconds = pipeline.old.some(({ resource }) => resource === 'flow') ? pipeline.drainSeconds : 0;
  const { streamArn } = pipeline;
  if (streamArn === undefined) return { ...pipeline, drainSeconds, inService: true };
  const there = await runtime.triggers.find(streamArn);
  if (there === undefined) await leaveToFirst(pipeline, streamArn, runtime);
  const startAt = startPosition(pipeline);
  const own =
    there ?? (await runtime.triggers.create(await eventSourceOf(pipeline, streamArn, runtime), startAt));
  await switchTo('on', own, runtime);
  const how = made(there, pipeline);
  return {
    ...pipeline,
    drainSeconds,
    inService: true,
    trigger: { id: own.id, how, startAt: how === 'created' ? startText(startAt) : 'where it stands' },
  };
}

/** Switches a trigger on or off once Lambda lets it be changed. @throws Failure `NOT_READY` */
export async function switchTo(
  state: 'on' | 'off',
  own: Trigger,
  { triggers, clock }: Pick<StreamContext['runtime'], 'triggers' | 'clock'>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const now: Trigger | undefined = attempt === 1 ? own : await triggers.find(own.streamArn);
    // AWS does not say how soon its list has what was made, so one that is missing there is waited for.
    if (now === undefined ? state === 'off' : now.state === state) return;
    if (now !== undefined && now.state !== 'changing')
      return state === 'on' ? triggers.switchOn(now.id) : triggers.switchOff(now.id);
    if (attempt === TRIGGER_SETTLING_TRIES)
      throw new Failure(
        'NOT_READY',
        `the trigger ${own.id} is still ${now === undefined ? 'missing in the list of triggers' : 'changing'}`,
      );
    await clock.sleep(Math.min(FIRST_SETTLING_MS * 2 ** (attempt - 1), LONGEST_SETTLING_MS));
  }
}

/**
 * Only the stream's first pipeline knows where the trigger is to start. Made by one that joined meanwhile, it would pass
 * over the first one's records. A publication so old that its execution has ended had a trigger, which is gone.
 */
async function leaveToFirst(
  { manifest, routeFrom }: Pipeline,
  streamArn: string,
  runtime: StreamContext['runtime'],
): Promise<void> {
  if (routeFrom === undefined) return;
  const { routes = {} } = (await readRouteList(runtime, streamArn)) ?? {};
  const first = Object.keys(routes).find(
    (name) => name !== manifest.name && routes[name]?.from === undefined,
  );
  if (first === undefined) return;
  const document = await readRoute(runtime, streamArn, first);
  if (document === undefined || runtime.clock.now() - Date.parse(document.publishedAt) >= MAX_CLOSING_MS)
    return;
  throw new Failure(
    'NOT_READY',
    `the stream has no trigger yet, and the pipeline ${first}, its first one, is to make it`,
    { next: `Wait until ${first} is applied, or apply or retire it; then start this one again.` },
  );
}

function startPosition({ manifest, execution, routeFrom }: Pipeline): Parameters<Triggers['create']>[1] {
  // A stream's first pipeline decides where its trigger starts. What another one asks for would reach that one, too.
  const { source } = manifest;
  const startAt = source.kind === 'inlet' && routeFrom === undefined ? source.startAt : 'now';
  if (startAt === 'earliest') return 'earliest';
  // "now" is the time of the request: what arrives while the pipeline is being made is not skipped.
  return new Date(startAt === 'now' ? execution.startedAt : startAt);
}

/** A repeated step finds the trigger that it made before. */
function made(there: Trigger | undefined, { plan }: Pipeline): 'created' | 'kept' {
  const planned = plan.find(({ resource }) => resource === 'trigger')?.action;
  return there === undefined || planned === 'create' ? 'created' : 'kept';
}

function startText(startAt: 'earliest' | Date): string {
  return startAt === 'earliest' ? startAt : startAt.toISOString();
}
