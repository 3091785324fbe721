// The load, a process for each candidate: hands its handler Lambda's events and measures time, processor and memory.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { eventText, ROUTED_STREAM_ARN, STREAM_ARN } from './event.ts';
import { linesOf } from './records.ts';

/** So many events, `concurrent` of them at the same time: a multiple of those. */
export interface Load {
  readonly records: number;
  /** Of each record. */
  readonly bytes: number;
  readonly events: number;
  readonly concurrent: number;
  /** Whether they come from the stream of several routes. */
  readonly routed?: boolean;
  /** A line among the records that is no record at all. */
  readonly spoil?: string | undefined;
  /** Garbage is collected first, so that the peak is that of these events; what is timed runs slower after it. */
  readonly fromRest?: boolean;
}

export interface Sample {
  readonly ms: number;
  /** User and system, all threads. */
  readonly cpuMs: number;
  /** Where the load was `fromRest`: the highest resident memory beyond that before the first event. The events were there already. */
  readonly peakBytes: number;
}

export type Handler = (
  event: unknown,
  context: object,
) => Promise<{ batchItemFailures?: unknown[] } | undefined>;

const [bundle = ''] = process.argv.slice(2);
const { handler } = createRequire(bundle)(bundle) as { handler: Handler };
const texts = new Map<string, string>();

function textFor({ records, bytes, spoil, routed }: Load): string {
  const key = `${records} × ${bytes} ${spoil ?? ''} ${routed ?? ''}`;
  const lines = () => [...linesOf(records, bytes), ...(spoil === undefined ? [] : [spoil])];
  const text = texts.get(key) ?? eventText(lines(), routed ? ROUTED_STREAM_ARN : STREAM_ARN);
  texts.set(key, text);
  return text;
}

/** What the events of the load take together; to parse them is not a part of it. */
async function run(load: Load): Promise<Sample> {
  const total = { ms: 0, cpuMs: 0, peakBytes: 0 };
  for (let done = 0; done < load.events; done += load.concurrent) {
    const { ms, cpuMs, peakBytes } = await runTogether(load);
    total.ms += ms;
    total.cpuMs += cpuMs;
    total.peakBytes = Math.max(total.peakBytes, peakBytes);
  }
  return total;
}

async function runTogether(load: Load): Promise<Sample> {
  const text = textFor(load);
  // Parsed anew each, as Lambda's runtime does before the function is called.
  const events = Array.from({ length: load.concurrent }, (): unknown => JSON.parse(text));
  const idle = load.fromRest ? residentAtRest() : highest();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(events.map(forward));
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1_000, peakBytes: highest() - idle };
}

async function forward(event: unknown): Promise<void> {
  const deadline = Date.now() + 60_000;
  const answer = await handler(event, {
    awsRequestId: crypto.randomUUID(),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
  if ((answer?.batchItemFailures ?? []).length > 0) throw new Error('the event was not settled');
}

/** The kernel's own high-water mark, set back to what is resident now. */
function residentAtRest(): number {
  if (process.platform !== 'linux') return process.memoryUsage.rss();
  globalThis.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  return highest();
}

function highest(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

process.on('disconnect', () => process.exit(0));
process.on('message', (load: Load) => {
  run(load).then(
    (sample) => process.send?.({ sample }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.send?.('ready');
