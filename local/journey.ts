// The main job from one end to the other: provision, produce, forward, count what became of every record.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../lib/manifest.ts';
import { Pipeline } from '../lib/pipeline.ts';
import { streamNameOf } from '../lib/published.ts';
import type { UndeliveredDocument } from '../lib/runtime.ts';
import type { InvocationReport } from './aws/shard-reader.ts';
import { runStateMachine, type StateEvent } from './aws/state-machine.ts';
import { type Produced, produce } from './producer.ts';
import type { Line } from './records.ts';
import { ensureStream, type Refusal, type Stack } from './stack.ts';
import { identityOf, identityOfLine } from './witness.ts';

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
  /** Lines the producer wrote. */
  readonly produced: number;
  /** Records the platform says it received, copies included. */
  readonly received: number;
  /** Copies among them: delivery is at least once. */
  readonly copies: number;
  /** What is in the undelivered store, by line. */
  readonly rejected: readonly Rejected[];
  /** What Kinesis itself cannot take, and so is nowhere but in its file. */
  readonly unsent: readonly Rejected[];
  /** What the platform says became of what it received. */
  readonly landed: number;
  readonly refusedLater: number;
  readonly lost: number;
  /** Lines that are nowhere: neither was their record received, nor are they in the undelivered store. */
  readonly missing: readonly number[];
  /** Whether all of it adds up. */
  readonly complete: boolean;
}

/** What the producer wrote, as its witness remembers it. */
export interface Written extends Produced {
  /** What tells the records apart, by line; a line without a record in it has none. */
  readonly identities: ReadonlyMap<number, string>;
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

/** Compares what the producer wrote with what the platform took in and what the store holds. */
export async function account(stack: Stack, written: Written): Promise<Account> {
  const { received, landed, refused, lost } = stack.platform.platform.state.counts;
  const stored = [...(await undelivered(stack.undeliveredFolder))]
    .map(([sequenceNumber, { reason, message }]) => ({
      line: written.lineOf.get(sequenceNumber) ?? 0,
      reason,
      message,
    }))
    .sort((a, b) => a.line - b.line);
  const unsent = written.refused.map(({ line, reason }) => ({ line, reason: 'not-sent', message: reason }));
  const missing = missingLines(written, stored, stack.witness.received);
  return {
    produced: written.lineOf.size + unsent.length,
    received,
    copies: Math.max(0, received + stored.length + missing.length - written.lineOf.size),
    rejected: stored,
    unsent,
    landed,
    refusedLater: refused,
    lost,
    missing,
    complete:
      missing.length === 0 &&
      received === landed + refused &&
      lost === 0 &&
      stored.every(({ line }) => line > 0),
  };
}

/** What was refused later, by line: told from its record; 0 where that is not one line's alone. */
export function refusedLines(refusals: readonly Refusal[], written: Written): Rejected[] {
  const lines = new Map<string, number[]>();
  for (const [line, identity] of written.identities)
    lines.set(identity, [...(lines.get(identity) ?? []), line]);
  return refusals
    .map(({ record, why }) => ({
      line: lines.get(identityOf(record))?.shift() ?? 0,
      reason: 'refused-later',
      message: why,
    }))
    .sort((a, b) => a.line - b.line);
}

/** Writes every line that did not land, with its reason, as NDJSON beside the store; returns the file, if there is one. */
export async function writeLists(
  folder: string,
  { rejected, unsent }: Account,
  later: readonly Rejected[],
): Promise<string | undefined> {
  const all = [...unsent, ...rejected, ...later].sort((a, b) => a.line - b.line);
  if (all.length === 0) return undefined;
  const file = join(folder, 'not-landed.ndjson');
  await writeFile(file, all.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return file;
}

/** Equal lines are told apart by number alone: each needs a record of its own. */
function missingLines(
  written: Written,
  stored: readonly Rejected[],
  received: ReadonlyMap<string, number>,
): number[] {
  const kept = new Set(stored.map(({ line }) => line));
  const left = new Map(received);
  const missing: number[] = [];
  const unknown: number[] = [];
  for (const line of written.lineOf.values()) {
    if (kept.has(line)) continue;
    const identity = written.identities.get(line);
    const count = left.get(identity ?? '') ?? 0;
    if (identity === undefined) unknown.push(line);
    else if (count === 0) missing.push(line);
    else left.set(identity, count - 1);
  }
  // Lines only the forwarder can read (compressed, aggregated) cannot be recognised: for each something must be left over.
  const over = [...left.values()].reduce((sum, count) => sum + count, 0);
  missing.push(...unknown.slice(over));
  return missing.sort((a, b) => a - b);
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
