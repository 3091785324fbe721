// The main job from one end to the other: provision, produce, forward until everything is settled.
import { readFile } from 'node:fs/promises';
import { messageInCause } from '../lib/failure.ts';
import type { Manifest } from '../lib/manifest.ts';
import { Pipeline } from '../lib/pipeline.ts';
import { streamNameOf } from '../lib/published.ts';
import type { Written } from './account.ts';
import type { InvocationReport } from './aws/shard-reader.ts';
import { runStateMachine, type StateEvent } from './aws/state-machine.ts';
import { produce } from './producer.ts';
import type { Line } from './records.ts';
import { ensureStream, type Stack } from './stack.ts';
import { identityOfLine } from './witness.ts';

const DEFINITION = new URL('../functions/provision/states.asl.json', import.meta.url);

/** Forwarding that makes no progress for so long is given up, in ms. */
const PATIENCE_MS = 60_000;

/** A journey that did not end well; what is known is in the message. */
export class JourneyError extends Error {
  override readonly name = 'JourneyError';
}

/**
 * Runs the state machine for a manifest.
 * @throws JourneyError with the step's own words
 */
export async function provision(
  stack: Stack,
  manifest: unknown,
  options: { warmUpSeconds: number; onState?: (event: StateEvent) => void; mode?: 'apply' | 'plan' },
): Promise<Pipeline> {
  const result = await runStateMachine({
    definition: JSON.parse(await readFile(DEFINITION, 'utf8')) as unknown,
    input: { manifest, warmUpSeconds: options.warmUpSeconds, mode: options.mode ?? 'apply' },
    functions: stack.aws.functions.names,
    tasks: ({ functionKey }, input) => stack.aws.functions.invoke(functionKey, input),
    ...(options.onState && { onState: options.onState }),
  });
  if (result.status === 'SUCCEEDED') return Pipeline.parse(result.output);
  throw new JourneyError(`${result.error ?? result.status}: ${messageInCause(result.cause ?? '')}`);
}

export interface Forwarded {
  readonly invocations: number;
  readonly redelivered: number;
  /** While at least one invocation was under way, in ms: without Lambda's window and the pauses between its polls. */
  readonly workingMs: number;
  /** From the first invocation's start to the last one's end, in ms. */
  readonly wholeMs: number;
  readonly peakMemoryBytes: number;
}

/** Watches the forwarder's invocations; hand `report` to the stack. */
export function watchForwarding() {
  const seen: InvocationReport[] = [];
  return {
    seen,
    report: (one: InvocationReport) => void seen.push(one),
  };
}

/** Puts the lines and waits until the forwarder has settled all of them. @throws JourneyError where it stands still */
export async function carry(
  stack: Stack,
  { streamArn, manifest }: Pick<Pipeline, 'streamArn' | 'manifest'>,
  lines: AsyncIterable<Line> | Iterable<Line>,
  watch: ReturnType<typeof watchForwarding>,
  onSettled: (count: number) => void,
): Promise<{ written: Written; forwarded: Forwarded }> {
  const streamName = streamNameOf(streamArn);
  const identities = new Map<number, string>();
  const produced = await produce(stack.kinesis, streamName, remembered(lines, manifest, identities));
  await drained(stack, streamName, watch, onSettled);
  await stack.platform.platform.idle();
  const { invocations, redelivered } = stack.aws.mappings.progress(streamName);
  const peakMemoryBytes = stack.aws.functions.memory('forward');
  return {
    written: { ...produced, identities },
    forwarded: { invocations, redelivered, ...spans(watch.seen), peakMemoryBytes },
  };
}

/** How long the invocations took together, overlaps counted once, and from first to last. */
export function spans(seen: readonly Pick<InvocationReport, 'startedAt' | 'durationMs'>[]) {
  const inOrder = [...seen].sort((a, b) => a.startedAt - b.startedAt);
  const from = inOrder[0]?.startedAt ?? 0;
  let workingMs = 0;
  let end = from;
  for (const { startedAt, durationMs } of inOrder) {
    const until = startedAt + durationMs;
    workingMs += Math.max(0, until - Math.max(startedAt, end));
    end = Math.max(end, until);
  }
  return { workingMs, wholeMs: end - from };
}

async function drained(
  stack: Stack,
  streamName: string,
  watch: ReturnType<typeof watchForwarding>,
  onSettled: (count: number) => void,
): Promise<void> {
  let done = false;
  const draining = stack.aws.mappings.drained(streamName).then(() => {
    done = true;
  });
  let last = '';
  let since = Date.now();
  while (!done) {
    await Promise.race([draining, new Promise((resolve) => setTimeout(resolve, 200))]);
    const { records, redelivered, shards } = stack.aws.mappings.progress(streamName);
    const position = JSON.stringify(shards);
    if (position !== last) {
      last = position;
      since = Date.now();
      onSettled(records - redelivered);
    }
    if (!done && Date.now() - since > PATIENCE_MS) {
      const reason =
        watch.seen.findLast(({ outcome }) => outcome !== 'delivered')?.reason ?? 'no reason given';
      throw new JourneyError(`forwarding stands still; the records are still in the stream: ${reason}`);
    }
  }
}

async function* remembered(
  lines: AsyncIterable<Line> | Iterable<Line>,
  { source }: Manifest,
  identities: Map<number, string>,
): AsyncGenerator<Line> {
  for await (const line of lines) {
    const identity = identityOfLine(line.bytes, source.data);
    if (identity !== undefined) identities.set(line.number, identity);
    yield line;
  }
}

/** Makes the manifest's stream. */
export function prepareStream(stack: Stack, manifest: Manifest, shards: number): Promise<string> {
  const { stream } = manifest.source;
  return ensureStream(stack, stream.startsWith('arn:') ? streamNameOf(stream) : stream, shards);
}
