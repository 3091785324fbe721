// Lambda in virtual time: the polling of local/aws reads a stream in memory and calls forwarders that can die; an oracle watches.
import { failure, type InvocationResult } from '../../local/aws/function-errors.ts';
import type { StreamEvent } from '../../local/aws/kinesis-event.ts';
import { onFailureDocument } from '../../local/aws/on-failure.ts';
import { createPoller, type Poller } from '../../local/aws/polling.ts';
import type { Discarded } from '../../local/aws/retry-rules.ts';
import { LAMBDA_PACE, type ReaderSettings } from '../../local/aws/shard-reader.ts';
import { CheckpointOracle } from './checkpoint-oracle.ts';
import { Container, type Ended, type Mishap, type Outside } from './container.ts';
import { MemoryStream, type StreamRecord } from './memory-stream.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The mapping as `lib/aws/triggers.ts` makes it, but for its window: here all is produced before it is read. */
const MAPPING: ReaderSettings = {
  batchSize: 10_000,
  windowMs: 0,
  parallelization: 1,
  reportsItemFailures: true,
  bisects: true,
  maxRetryAttempts: -1,
  maxRecordAgeSeconds: 69_120,
};
const TIMEOUT_MS = 60_000;
/** By then every record there was is settled or too old. */
const MOST_MS = 86_400_000;

/** A record of the stream, known by the serial numbers of its messages. */
export type Carried = StreamRecord<readonly number[]>;

/** An invocation that is over, as Lambda sees it. */
export interface Invocation extends Ended {
  readonly container: Container;
  readonly batch: readonly Carried[];
  readonly timeoutMs: number;
  /** How many of them, from the front, need not come again. */
  readonly settled: number;
}

export interface LambdaOptions {
  readonly time: VirtualTime;
  readonly streamArn: string;
  readonly shards: number;
  readonly outside: Outside;
  count(what: string, by?: number): void;
  onInvocation?(invocation: Invocation): void;
  /** The records are behind the checkpoint, and so past for good. */
  onPassed(records: readonly Carried[]): void;
  /** Lambda has left a document of them, and goes on behind them. */
  onGivenUp(records: readonly Carried[]): void;
}

export interface Run {
  readonly batchSize?: number;
  readonly timeoutMs?: number | undefined;
  /** Of the first invocation of each shard. */
  readonly mishap?: Mishap;
}

export class VirtualLambda {
  readonly stream: MemoryStream<readonly number[]>;
  readonly #options: LambdaOptions;
  readonly #poller: Poller;
  readonly #oracle: CheckpointOracle<Carried>;
  readonly #containers = new Map<string, Container>();
  /** Shards that had an invocation in this run. */
  readonly #invoked = new Set<string>();
  /** Those of them whose last one failed with a batch that can be cut in two. */
  readonly #cut = new Set<string>();
  readonly #settled = new Map<string, number>();
  /** Lambda did what it does not: there is no use in going on. */
  readonly #broken = Promise.withResolvers<void>();
  #run: Run = {};

  constructor(options: LambdaOptions) {
    const { time, shards, streamArn, outside } = options;
    this.#options = options;
    this.stream = new MemoryStream(shards, () => time.now());
    this.#oracle = new CheckpointOracle((shardId) => this.stream.get(shardId), {
      maxAgeMs: MAPPING.maxRecordAgeSeconds * 1_000,
      wrong: (what) => {
        outside.wrong(what);
        this.#broken.resolve();
      },
    });
    this.#poller = createPoller(
      {
        stream: this.stream,
        streamName: 'customers',
        source: {
          eventSourceArn: streamArn,
          region: 'eu-west-1',
          roleArn: 'arn:aws:iam::123456789012:role/r',
        },
        clock: time,
        pace: LAMBDA_PACE,
        invoke: (event) => this.#invoke(event),
        onInvocation: ({ shardId, records, outcome }) =>
          this.#oracle.said(shardId, this.#settled.get(shardId) ?? 0, outcome, records),
        onDiscard: async (shardId, discarded) => this.#giveUp(shardId, discarded),
      },
      { type: 'TRIM_HORIZON' },
    );
  }

  get pending(): number {
    return this.stream.all.reduce(
      (sum, { id, records }) => sum + records.length - this.#oracle.passed(id),
      0,
    );
  }

  /** Polls until all of the stream is past, or for so long. */
  async run(run: Run = {}, forMs = MOST_MS): Promise<void> {
    const drained = this.#poller.drained();
    await this.#start(run);
    const over = new AbortController();
    await Promise.race([drained, this.#broken.promise, this.#options.time.sleep(forMs, over.signal)]);
    over.abort();
    await this.#stop();
  }

  /** Polls for no longer than every shard that has something takes for one invocation. */
  async once(run: Run = {}): Promise<void> {
    await this.#start(run);
    // Reading takes neither time nor a turn of the event loop: by now all of them have begun.
    await new Promise(setImmediate);
    await this.#stop();
  }

  async #start(run: Run): Promise<void> {
    this.#run = run;
    this.#invoked.clear();
    this.#cut.clear();
    await this.#poller.start({
      ...MAPPING,
      ...(run.batchSize !== undefined && { batchSize: run.batchSize }),
    });
  }

  async #stop(): Promise<void> {
    await this.#poller.stop();
    this.#oracle.stopped(this.#poller.positions);
  }

  async #invoke(event: StreamEvent): Promise<InvocationResult> {
    const { time, outside, count } = this.#options;
    const numbers = event.Records.map(({ kinesis }) => kinesis.sequenceNumber);
    const shardId = event.Records[0]?.eventID.split(':')[0] ?? '';
    const began = time.now();
    const batch = this.#oracle.handed(shardId, numbers, began);
    const container = this.#containerOf(shardId);
    const mishap = this.#invoked.has(shardId) ? {} : (this.#run.mishap ?? {});
    this.#invoked.add(shardId);
    const { timeoutMs = TIMEOUT_MS } = this.#run;
    const deadline = began + timeoutMs;
    count('invocations');
    if (this.#cut.delete(shardId)) count('bisected');
    const heard = await container.invoke(event, deadline, mishap);
    count('billed ms', time.now() - began);
    // The wait for a token ends by the process's own timers, which virtual time does not move.
    if (time.now() > deadline && container.tokenRequests < 2)
      outside.wrong(`F10: ${time.now() - deadline} ms beyond the deadline`);
    const ended = this.#accounted(container, shardId, heard, mishap);
    this.#checkForm(ended, numbers);
    const settled = this.#oracle.answered(shardId, ended.text);
    this.#settled.set(shardId, settled.length);
    if (ended.text === undefined && batch.length > 1) this.#cut.add(shardId);
    this.#options.onInvocation?.({ ...ended, container, batch, timeoutMs, settled: settled.length });
    this.#options.onPassed(settled);
    return resultOf(ended);
  }

  /** What reaches Lambda of it; a container that is gone is replaced. */
  #accounted(container: Container, shardId: string, ended: Ended, { silent = false }: Mishap): Ended {
    const { count, outside } = this.#options;
    if (container.alive && !silent) {
      if (ended.error !== undefined) count(`threw ${codeOf(ended.error)}`);
      outside.onWritten?.(ended.text ?? `${ended.error?.stack} ${JSON.stringify(ended.error)}`, 'an answer');
      return ended;
    }
    count(container.alive ? 'answer lost' : 'killed');
    void container.die();
    this.#containers.delete(shardId);
    return {};
  }

  /** F4, F5: the literal answer is a batch response that names one record of the batch at most. */
  #checkForm({ text }: Ended, numbers: readonly string[]): void {
    if (text === undefined) return;
    const { count, outside } = this.#options;
    const form = /^\{"batchItemFailures":\[(?:\{"itemIdentifier":"(\d+)"\})?\]\}$/.exec(text);
    if (form === null) outside.wrong(`F5: the answer is ${text}`);
    const [, reported] = form ?? [];
    if (reported === undefined) return;
    if (!numbers.includes(reported)) outside.wrong(`F4: ${reported} is not in the batch`);
    count('checkpoint');
  }

  #giveUp(shardId: string, discarded: Discarded): void {
    const { time, streamArn, count, onGivenUp } = this.#options;
    const about = { functionArn: 'forward', streamArn, shardId, now: time.now() };
    const records = this.#oracle.givenUp(onFailureDocument(discarded, about), time.now());
    count('expired', records.length);
    onGivenUp(records);
  }

  #containerOf(shardId: string): Container {
    const known = this.#containers.get(shardId);
    if (known !== undefined) return known;
    const container = new Container(this.#options.time, this.#options.outside);
    this.#containers.set(shardId, container);
    return container;
  }
}

function codeOf({ message }: Error): string {
  return /^[A-Z_]+/.exec(message)?.[0] ?? message;
}

function resultOf({ text, error }: Ended): InvocationResult {
  if (text !== undefined) return { ok: JSON.parse(text) };
  if (error !== undefined) return failure('handled', error.name, error.message);
  return failure('exit', 'Runtime.ExitError', 'the container is gone');
}
