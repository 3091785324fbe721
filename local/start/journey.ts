// The main job from one end to the other: provision, produce, forward until everything is settled.
import { setTimeout as sleep } from 'node:timers/promises';
import { createStreams } from '../../lib/aws/streams.ts';
import type { Manifest } from '../../lib/manifest.ts';
import { Pipeline, Report } from '../../lib/pipeline.ts';
import { type PublishedRoute, type PublishedStream, streamArnIn, streamNameOf } from '../../lib/published.ts';
import type { Samples } from '../../lib/samples.ts';
import { runFailed } from '../../terminal/run-failed.ts';
import type { InvocationReport } from '../aws/delivery.ts';
import type { StateEvent } from '../aws/state-machine.ts';
import type { Written } from './account.ts';
import { type ExpectedByRoute, expectedIn, publishedNow } from './expected.ts';
import { functionName } from './functions.ts';
import { JourneyError } from './journey-error.ts';
import { sendParked } from './parked.ts';
import { type Produced, produce } from './producer.ts';
import { preparePulled } from './pulled.ts';
import type { Line } from './records.ts';
import { ensureStream, type Stack } from './stack.ts';

/** After so long without progress the forwarding has failed, in ms. */
const PATIENCE_MS = 60_000;

export interface ProvisionOptions {
  readonly warmUpSeconds: number;
  readonly drainSeconds?: number;
  readonly samples?: Samples | undefined;
  readonly mode?: Pipeline['mode'];
  readonly deleteData?: boolean;
  readonly onState?: (event: StateEvent) => void;
}

/**
 * Runs the state machine for a manifest.
 * @throws RunFailedError with the step's own words
 */
export async function provision(
  stack: Stack,
  manifest: Manifest | Record<string, unknown>,
  options: ProvisionOptions,
): Promise<Pipeline> {
  const { onState, ...request } = options;
  const input = { manifest, ...request };
  const started = stack.executions.start(input, undefined, onState);
  const result = await started.result;
  if (result.status === 'SUCCEEDED') return Pipeline.parse(result.output);
  const record = await stack.ledger.read(String(manifest.name)).catch(() => undefined);
  const kept = Report.safeParse(record?.report);
  const isOwn = kept.success && kept.data.execution.id === started.executionArn;
  throw runFailed(result, isOwn ? kept.data : undefined);
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

/**
 * Puts the lines and waits until the forwarder has settled all of them.
 * @returns what was written, for each of the stream's routes too, by its pipeline's name
 * @throws JourneyError where it makes no progress
 */
export async function carry(
  stack: Stack,
  { streamArn = '' }: Pick<Pipeline, 'streamArn'>,
  lines: AsyncIterable<Line> | Iterable<Line>,
  watch: ReturnType<typeof watchForwarding>,
  onSettled: (count: number) => void,
): Promise<{ written: Written; routes: ReadonlyMap<string, Written>; forwarded: Forwarded }> {
  const streamName = streamNameOf(streamArn);
  const before = await publishedNow(stack, streamArn);
  await begun(before?.routes ?? []);
  const { distribution } = await createStreams(stack.kinesis).describe(streamArn);
  const produced = await produce(stack.kinesis, streamName, lines, distribution !== 'AUTO');
  await drained(stack, streamName, watch, onSettled);
  await sendParked(
    stack,
    streamArn,
    (before?.routes ?? []).map(({ pipeline }) => pipeline),
  );
  await stack.platform.platform.idle();
  // Changed meanwhile, it may have made either of a record.
  const after = await publishedNow(stack, streamArn);
  const states = [before, after].filter((state) => state !== undefined);
  const routes = writtenByRoute(produced, states, await expectedIn(stack, streamArn, states));
  const { invocations, redelivered } = stack.aws.mappings.progress(streamName);
  const peakMemoryBytes = stack.aws.functions.memory(functionName('forward'));
  return {
    written: { ...produced, expected: [...routes.values()][0]?.expected ?? new Map() },
    routes,
    forwarded: { invocations, redelivered, ...spans(watch.seen), peakMemoryBytes },
  };
}

/** A route that has joined others takes what arrives from its start on. */
async function begun(routes: readonly PublishedRoute[]): Promise<void> {
  const from = Math.max(0, ...routes.map((route) => route.from ?? 0));
  await sleep(Math.max(0, from - Date.now()));
}

/** @param states what was published: before, and after a change that came meanwhile */
function writtenByRoute(
  produced: Produced,
  states: readonly PublishedStream[],
  expected: ExpectedByRoute,
): Map<string, Written> {
  const routes = new Map<string, Written>();
  for (const [pipeline, own] of Map.groupBy(
    states.flatMap((state) => state.routes),
    (route) => route.pipeline,
  )) {
    const route = {
      pipeline,
      inletIds: new Set(own.map(({ inletUrl }) => inletUrl.slice(inletUrl.lastIndexOf('/') + 1))),
      datasetIds: new Set(own.map(({ datasetId }) => datasetId)),
    };
    routes.set(pipeline, { ...produced, expected: expected.get(pipeline) ?? new Map(), route });
  }
  return routes;
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
      throw new JourneyError(`forwarding makes no progress; the records are still in the stream: ${reason}`);
    }
  }
}

/**
 * Makes what the manifest needs besides AEP: the stream, and for what AEP reads by itself a secret with credentials of this machine's.
 * @throws JourneyError for a consumer, which AWS names by when it was made
 */
export async function prepareSource(stack: Stack, { source }: Manifest, shards: number): Promise<void> {
  if (source.kind !== 'inlet') return preparePulled(stack, source, shards);
  const { stream } = source;
  if (streamArnIn(stream) !== stream)
    throw new JourneyError(
      `${stream} is a consumer in AWS, and not on this machine`,
      'Name its stream in the manifest, with "fanOut": true, to try it here.',
    );
  await ensureStream(stack, streamNameOf(stream), shards);
}
