// Everything outside, as handed to the steps and the forwarder: settings, clock, HTTP, log and the ports to AWS.
import type { Transport } from './aep/transport.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Secrets Manager, as far as it is needed. */
export interface Secrets {
  /** The current value as text; `undefined` where there is no such secret or it is about to be deleted. */
  get(id: string): Promise<string | undefined>;
  /** Creates the secret; `false` where somebody else has. One that waits for its deletion is restored, and then is new. */
  create(id: string, value: string, description: string): Promise<boolean>;
  /** Creates the secret or gives it a new value; one that waits for its deletion is restored first. */
  put(id: string, value: string, description: string): Promise<void>;
  /** Deletes it; a secret that is not there counts as deleted. */
  remove(id: string): Promise<void>;
}

/** One event source mapping: a stream and the forwarder that reads it. */
export interface Intake {
  readonly id: string;
  readonly streamArn: string;
  readonly state: 'on' | 'off' | 'changing';
}

/** Lambda's event source mappings, as far as they are needed. */
export interface Intakes {
  /** The forwarder's mapping of this stream. */
  find(streamArn: string): Promise<Intake | undefined>;
  /** Makes one, switched off. `startAt`: the oldest record there is, or from a moment on. */
  create(streamArn: string, startAt: 'earliest' | Date): Promise<Intake>;
  switchOn(id: string): Promise<void>;
  /** It keeps its place in the stream. */
  switchOff(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Kinesis, as far as provisioning needs it. */
export interface Streams {
  /** The ARN of a stream given by name or ARN; `undefined` where there is no such stream. */
  arn(stream: string): Promise<string | undefined>;
}

/** One record that could not be delivered, as kept. */
export interface UndeliveredEntry {
  /** Short, fixed word, e.g. `not-json`. */
  readonly reason: string;
  /** What Penstock or AEP said about it. */
  readonly message: string;
  readonly sequenceNumber: string;
  /** Position in a KPL aggregate; absent for a plain record. */
  readonly subSequenceNumber?: number;
  readonly partitionKey: string;
  /** Seconds since the epoch, as Kinesis gave it. */
  readonly arrivedAt?: number;
  /** The producer's bytes, base64. */
  readonly data: string;
}

/** What one invocation could not deliver: one object in the store. */
export interface UndeliveredDocument {
  readonly version: 1;
  readonly pipeline: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly invocationId: string;
  readonly storedAt: string;
  readonly entries: readonly UndeliveredEntry[];
}

/** The store of rejected records. */
export interface Undelivered {
  /**
   * Writes the document durably and says how many entries the store now holds of it, counted from what was written.
   * @throws Failure `STORE_UNAVAILABLE`
   */
  put(document: UndeliveredDocument): Promise<{ key: string; entries: number }>;
}

/** What is kept of a pipeline besides AEP itself: who works on it, what was applied last, and how that went. */
export interface LedgerRecord {
  readonly pipeline: string;
  /** ARN of the execution that holds the lease; absent where nobody does. */
  readonly owner?: string;
  /** When the lease was taken, as the owner wrote it. */
  readonly since?: string;
  /** As it was written; to be checked like anything that comes from outside. */
  readonly manifest?: unknown;
  readonly known?: unknown;
  readonly report?: unknown;
  readonly updatedAt?: string;
}

/** Where the resources of a pipeline are: of aid where names have changed, and never more than a hint. */
export interface Known {
  readonly ids: Readonly<Record<string, string>>;
  /** What is not needed any more, and not gone yet. */
  readonly old: readonly {
    readonly resource: string;
    readonly id: string;
    readonly running?: boolean | undefined;
  }[];
}

/** What goes into the ledger when something was done to a pipeline. */
export interface LedgerEntry {
  /** Left out: the one there stays; `null`: it is removed. */
  readonly manifest?: unknown;
  /** Where things are. Left out: what was known stays. */
  readonly known?: Known | undefined;
  /** Left out: the last one stays. */
  readonly report?: unknown;
  readonly updatedAt: string;
}

/** One entry per pipeline. The lease is taken and returned by the state machine; steps enter, check, write and read. */
export interface Ledger {
  /**
   * Says that this step works on the pipeline now and returns its number: whoever entered before changes nothing any
   * more. Never takes the lease; a pipeline that nobody holds may be entered.
   * @throws Failure `LEASE_LOST` naming the execution that holds it
   */
  enter(pipeline: string, owner: string): Promise<number>;
  /** @throws Failure `LEASE_LOST` where somebody entered since, or another execution holds it */
  check(pipeline: string, owner: string, entered: number): Promise<void>;
  /** Keeps the entry. Does nothing and returns `false` where another execution holds the pipeline. */
  write(pipeline: string, owner: string, entry: LedgerEntry): Promise<boolean>;
  /** What is kept of a pipeline, as of now; `undefined` where nothing is. */
  read(pipeline: string): Promise<LedgerRecord | undefined>;
  /** Names of all pipelines known, sorted. */
  names(): Promise<string[]>;
}

/** CloudWatch counters of one invocation; names as in reliability's table, e.g. `RecordsReceived`. */
export interface Metrics {
  /** Adds to a counter; with a reason, one of a fixed set of words, it is counted by that as well. */
  count(name: string, value: number, reason?: string): void;
  /** One value of a distribution. */
  measure(name: string, value: number, unit: 'Milliseconds' | 'Bytes' | 'Count'): void;
  /** Writes what was counted, once an invocation. */
  flush(dimensions: { pipeline: string }): void;
}

/** What every function is handed. */
export interface Runtime extends Transport {
  readonly settings: Settings;
  readonly log: Log;
  readonly secrets: Secrets;
}

export interface LedgerRuntime extends Runtime {
  readonly ledger: Ledger;
}

export interface ProvisionRuntime extends LedgerRuntime {
  readonly intakes: Intakes;
  readonly streams: Streams;
}

export interface ForwardRuntime extends Runtime {
  readonly undelivered: Undelivered;
  readonly metrics: Metrics;
}
