// The consumer through which a stream's trigger reads with enhanced fan-out: made before the trigger, removed after it.
import { isOwnConsumer } from '../../consumer-name.ts';
import { Failure } from '../../failure.ts';
import type { Pipeline } from '../../pipeline.ts';
import type { Trigger } from '../../runtime.ts';
import type { StreamContext } from '../resources/resource.ts';

/** Kinesis takes some seconds to make a consumer, or to remove the one before. */
const CONSUMER_SETTLING_TRIES = 40;
const CONSUMER_SETTLING_MS = 1_000;

type ConsumerRuntime = Pick<StreamContext['runtime'], 'consumers' | 'triggers' | 'clock' | 'settings'>;

/** The manifest's own consumer, if it names one. */
function givenConsumer({ manifest: { source } }: Pick<Pipeline, 'manifest'>): string | undefined {
  return source.kind === 'inlet' && source.stream.includes('/consumer/') ? source.stream : undefined;
}

function wantsConsumer({ manifest: { source } }: Pick<Pipeline, 'manifest'>): boolean {
  return source.kind === 'inlet' && source.fanOut === true;
}

/**
 * What a new trigger of the stream is to read: the stream, or a consumer, which is registered where there is none.
 * @throws Failure `NOT_READY` if Kinesis is still busy with it
 */
export async function eventSourceOf(
  pipeline: Pick<Pipeline, 'manifest'>,
  streamArn: string,
  { consumers, clock }: ConsumerRuntime,
): Promise<string> {
  if (!wantsConsumer(pipeline)) return givenConsumer(pipeline) ?? streamArn;
  for (let attempt = 1; attempt <= CONSUMER_SETTLING_TRIES; attempt++) {
    const there = await consumers.find(streamArn);
    if (there?.state === 'active') return there.arn;
    if (there === undefined) await consumers.register(streamArn);
    await clock.sleep(CONSUMER_SETTLING_MS);
  }
  throw new Failure('NOT_READY', `the consumer of ${streamArn} is still changing`);
}

/**
 * Removes the stream's own consumer once no trigger reads the stream any more.
 * @param removed the trigger that was removed just now, if there was one
 */
export async function removeConsumer(
  pipeline: Pick<Pipeline, 'manifest' | 'streamArn'>,
  removed: Pick<Trigger, 'consumerArn'> | undefined,
  { consumers, triggers, settings }: ConsumerRuntime,
): Promise<void> {
  const { streamArn } = pipeline;
  const own = isOwnConsumer(removed?.consumerArn ?? '', settings.stage);
  if (streamArn === undefined || !(own || wantsConsumer(pipeline))) return;
  if ((await triggers.find(streamArn)) !== undefined) return;
  if ((await consumers.find(streamArn)) !== undefined) await consumers.remove(streamArn);
}

/** Why the trigger that there is cannot read as the manifest wants; nothing if it does. Lambda never changes a trigger's source. */
export function unfitTrigger(
  pipeline: Pick<Pipeline, 'manifest'>,
  { consumerArn }: Pick<Trigger, 'consumerArn'>,
  { settings }: Pick<ConsumerRuntime, 'settings'>,
): string | undefined {
  const given = givenConsumer(pipeline);
  const fits = wantsConsumer(pipeline)
    ? isOwnConsumer(consumerArn ?? '', settings.stage)
    : consumerArn === given;
  if (fits) return undefined;
  const wanted = wantsConsumer(pipeline) ? 'a consumer of its own' : (given ?? 'the stream');
  return `the trigger reads ${consumerArn ?? 'the stream'}, and source.stream with source.fanOut asks for ${wanted}: Lambda cannot change what a trigger reads, and another one does not know how far this one has come. Leave it as it is; or retire the stream's pipelines, and apply them again with startAt at a time before that`;
}
