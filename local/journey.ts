// The main job from one end to the other: provision, produce, forward, count what became of every record.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../lib/manifest.ts';
import { Pipeline } from '../lib/pipeline.ts';
import { streamNameOf } from '../lib/published.ts';
import type { UndeliveredDocument } from '../lib/runtime.ts';
import type { InvocationReport } from './aws/shard-reader.ts';
import { runStateMachine, type StateEvent } from './aws/state-machine.ts';
import { type Produced, produce } from './producer.ts';
import type { Line } from './records.ts';
import { ensureStream, type Stack } from './stack.ts';

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
  throw new JourneyError(`${result.error ?? result.status}: ${plain(result.cause ?? '')}`);
}

/** A Cause as Lambda gives it is JSON with the message in it. */
function plain(cause: string): string {
  try {
    return (JSON.parse(cause) as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    return cause;
  }
}

export interface Rejected {
  readonly line: number;
  readonly reason: string;
  readonly message: string;
}

/** What became of the records; every number from a witness of its own. */
export interface Account {
  /** What the producer wrote, and Kinesis took. */
  readonly produced: number;
  /** What the platform says it received. */
  readonly received: number;
  /** What is in the undelivered store, and what Kinesis itself refused, by line. */
  readonly rejected: readonly Rejected[];
  /** What the platform says became of what it received. */
  readonly landed: number;
  readonly refusedLater: number;
  readonly lost: number;
  /** Whether all of it adds up. */
  readonly complete: boolean;
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
  streamArn: string,
  lines: AsyncIterable<Line> | Iterable<Line>,
  watch: ReturnType<typeof watchForwarding>,
  on: { put(count: number): void; settled(count: number): void },
): Promise<{ produced: Produced; forwarded: Forwarded }> {
  const streamName = streamNameOf(streamArn);
  const produced = await produce(stack.kinesis, streamName, lines, on.put);
  await drained(stack, streamName, watch, on.settled);
  await stack.platform.platform.idle();
  const { invocations, redelivered } = stack.aws.mappings.progress(streamName);
  const peakMemoryBytes = stack.aws.functions.memory('forward');
  return { produced, forwarded: { invocations, redelivered, ...spans(watch.seen), peakMemoryBytes } };
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
  let settled = -1;
  let since = Date.now();
  while (!done) {
    await Promise.race([draining, new Promise((resolve) => setTimeout(resolve, 200))]);
    const { records, redelivered } = stack.aws.mappings.progress(streamName);
    const now = records - redelivered;
    if (now !== settled) {
      settled = now;
      since = Date.now();
      onSettled(now);
    }
    if (!done && Date.now() - since > PATIENCE_MS) {
      const reason =
        watch.seen.findLast(({ outcome }) => outcome !== 'delivered')?.reason ?? 'no reason given';
      throw new JourneyError(`forwarding stands still; the records are still in the stream: ${reason}`);
    }
  }
}

/** Counts what became of the records. */
export async function account(
  stack: Stack,
  produced: Produced,
  { redelivered }: Forwarded,
): Promise<Account> {
  const { received, landed, refused, lost } = stack.platform.platform.state.counts;
  const rejected = [...(await undelivered(stack.undeliveredFolder))]
    .map(([sequenceNumber, { reason, message }]) => ({
      line: produced.lineOf.get(sequenceNumber) ?? 0,
      reason,
      message,
    }))
    .sort((a, b) => a.line - b.line);
  const unsendable = produced.refused.map(({ line, reason }) => ({
    line,
    reason: 'not-sent',
    message: reason,
  }));
  const total = produced.lineOf.size;
  const surplus = received + rejected.length - total;
  return {
    produced: total + unsendable.length,
    received,
    rejected: [...unsendable, ...rejected],
    landed,
    refusedLater: refused,
    lost,
    // What Lambda delivers again can be received again; nothing else can, and nothing may be missing.
    complete:
      surplus >= 0 &&
      surplus <= redelivered &&
      received === landed + refused &&
      lost === 0 &&
      rejected.every(({ line }) => line > 0),
  };
}

/** What is in the undelivered store, by sequence number: an invocation that is repeated stores its rejects again. */
async function undelivered(folder: string): Promise<Map<string, UndeliveredDocument['entries'][number]>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = new Map<string, UndeliveredDocument['entries'][number]>();
  for (const file of files) {
    if (!file.isFile() || !file.name.endsWith('.json')) continue;
    const document = JSON.parse(
      await readFile(join(file.parentPath, file.name), 'utf8'),
    ) as UndeliveredDocument;
    for (const entry of document.entries) entries.set(entry.sequenceNumber, entry);
  }
  return entries;
}

/** Makes the manifest's stream. */
export function prepareStream(stack: Stack, manifest: Manifest, shards: number): Promise<string> {
  const { stream } = manifest.source;
  return ensureStream(stack, stream.startsWith('arn:') ? streamNameOf(stream) : stream, shards);
}
