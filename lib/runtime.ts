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
export interface Trigger {
  readonly id: string;
  readonly streamArn: string;
  readonly state: 'on' | 'off' | 'changing';
  /** What Lambda says of its last read: `OK`, `No records processed`, `PROBLEM: …`. */
  readonly lastResult?: string;
  /** Whether that was a problem. */
  readonly lastFailed?: boolean;
  /** When it was changed last, ms since the epoch. */
  readonly changedAt?: number;
  /** What is older is given up, in seconds; -1 where nothing is. */
  readonly maximumRecordAgeSeconds?: number;
}

/** Lambda's event source mappings, as far as they are needed. */
export interface Triggers {
  /** The forwarder's mapping of this stream. */
  find(streamArn: string): Promise<Trigger | undefined>;
  /** Makes one, switched off. `startAt`: the oldest record there is, or from a moment on. */
  create(streamArn: string, startAt: 'earliest' | Date): Promise<Trigger>;
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

/** Kinesis, as far as a pipeline is looked at. */
export interface DescribedStreams extends Streams {
  /** @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  describe(streamArn: string): Promise<StreamDescription>;
}

/** What Kinesis says of a stream, in its own words. */
export interface StreamDescription {
  /** Such as `ACTIVE`. */
  readonly state: string;
  readonly retentionHours: number;
  /** `ON_DEMAND` or `PROVISIONED`, where it says so. */
  readonly mode?: string | undefined;
  /** `AUTO`: Kinesis distributes the records by itself. Only an on-demand stream has one. */
  readonly distribution?: string | undefined;
  /** How large a record may be, where it says so. */
  readonly maxRecordKiB?: number | undefined;
}

/** One record that could not be delivered, as kept. */
export interface DeadLetter {
  /** Short, fixed word, e.g. `not-json`. */
  readonly reason: string;
  /** What Penstock or AEP said about it. */
  readonly message: string;
  readonly sequenceNumber: string;
  /** Position in a KPL aggregate; absent for a plain record. */
  readonly subSequenceNumber?: number;
  /** Absent where the record was written without one, or nobody knows it. */
  readonly partitionKey?: string;
  /** Seconds since the epoch, as Kinesis gave it. */
  readonly arrivedAt?: number;
  /** The producer's bytes, base64. Where the pipeline redacts: the redacted record, or nothing. */
  readonly data: string;
  /** `data` is the record as redacted, and `partitionKey` the SHA-256 of its key. */
  readonly redacted?: true;
  /** Under which rules: a name in the document's `rules`. Absent where nobody knows. */
  readonly rules?: string;
  /** `data` is what Experience Platform had of the record: in which form, and under which rules it was sent, nobody knows. */
  readonly asReceived?: true;
  /** It could not be redacted, so `data` is empty and `partitionKey` as above: it can be read from the stream alone. */
  readonly withheld?: true;
  /**
   * `data` is what the pipeline, or Experience Platform's mapping, has made of the record, as far as that came: something to
   * look at, and nothing to send through the same pipeline again.
   */
  readonly processed?: true;
  /** How many bytes were withheld, and their SHA-256 in hex. */
  readonly length?: number;
  readonly sha256?: string;
}

/** What one invocation could not deliver: one object in the store. */
export interface DeadLetterDocument {
  readonly version: 1;
  readonly pipeline: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly invocationId: string;
  readonly storedAt: string;
  /** The rules that entries were redacted under, by the name that those have for them. Salts are told apart, and not kept. */
  readonly rules?: Readonly<
    Record<
      string,
      readonly { readonly field: string; readonly action: string; readonly salt?: string | undefined }[]
    >
  >;
  readonly entries: readonly DeadLetter[];
}

/** The store of rejected records. */
export interface DeadLetters {
  /**
   * Writes the document durably and says how many entries the store now holds of it, counted from what was written.
   * @throws Failure `STORE_UNAVAILABLE`
   */
  put(document: DeadLetterDocument): Promise<{ key: string; entries: number }>;
}

/** The store of rejected records, for whoever may come with the same document again. */
export interface DeadLettersOnce {
  /**
   * Writes the document durably under this key, unless there is one under it already: that one stays as it is.
   * @throws Failure `STORE_UNAVAILABLE`
   */
  putOnce(key: string, document: DeadLetterDocument): Promise<'stored' | 'already there'>;
}

/** How far it has been read what AEP refused of a pipeline's records. All methods throw `AWS_*`, `TOO_LARGE`. */
export interface Progress {
  /** As it was kept, `undefined` at first; to be checked like anything that comes from outside. And its version. */
  read(pipeline: string): Promise<{ readonly value: unknown; readonly version: number }>;
  /** Keeps it. `false`, and nothing kept, where somebody else has kept something since that version. */
  write(pipeline: string, value: unknown, version: number): Promise<boolean>;
  /** The marks that were set for a day (ISO 8601). They are kept for as long as anybody looks back. */
  marks(pipeline: string, day: string): Promise<ReadonlySet<string>>;
  /** Sets marks besides those there are. Whoever does so at the same time takes none of them away. */
  mark(pipeline: string, day: string, marks: readonly string[]): Promise<void>;
  /** The text that version 0.1.0 kept, in the pipeline's own item of the ledger; `undefined` where there is none. */
  old(pipeline: string): Promise<string | undefined>;
  forgetOld(pipeline: string): Promise<void>;
}

/** An object of the dead-letter store, as its list shows it. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

/** Which objects: what the forwarder stored of a pipeline, or Lambda's documents of the batches that it discarded. */
export type StoredKind =
  /** `since` (ISO 8601): not what was stored on days before it. */
  | { readonly kind: 'rejected'; readonly pipeline: string; readonly since?: string }
  | { readonly kind: 'on-failure' };

/** The store as those see it who take things out of it again. All methods throw `STORE_UNAVAILABLE`. */
export interface DeadLetterStore extends DeadLetters {
  /** Objects in the order of their keys, from behind `after` on; as many as the store gives at once. */
  list(what: StoredKind, after?: string): Promise<{ objects: readonly StoredObject[]; more: boolean }>;
  /** The text and which version of it this is; `undefined` where there is no such object. */
  read(key: string): Promise<{ text: string; version: string } | undefined>;
  /** Writes another text in the place of this version; `false` where another version is there, or none. */
  replace(key: string, version: string, text: string): Promise<boolean>;
  /** Removes this version; `false` where another is there. What is not there counts as removed. */
  remove(key: string, version: string): Promise<boolean>;
  /** Takes the object for `owner` until a moment (ms since the epoch); `false` while somebody else has it. */
  claim(key: string, owner: string, now: number, until: number): Promise<boolean>;
  /** Gives back what `owner` took. What has run out is somebody else's to take, and stays. */
  release(key: string, owner: string, now: number): Promise<void>;
  /** Keeps a text beside the object, about what of it can never be had again. */
  noteLoss(key: string, text: string): Promise<void>;
}

/** A record as read from a stream. */
export interface StreamRecord {
  readonly sequenceNumber: string;
  /** None for a record that was written without one. */
  readonly partitionKey: string | undefined;
  readonly data: Uint8Array;
  /** Seconds since the epoch. */
  readonly arrivedAt: number | undefined;
}

/** Where in a shard reading begins. `time` in ms since the epoch. What is trimmed already is passed over. */
export type StreamPosition =
  | { readonly kind: 'at' | 'after'; readonly sequenceNumber: string }
  | { readonly kind: 'time'; readonly time: number };

export interface StreamPage {
  readonly records: readonly StreamRecord[];
  /** Whether there is nothing behind it: the shard is at its end, or read up to now. */
  readonly last: boolean;
}

/** Kinesis, as far as it is read by hand. All methods throw `AWS_UNAVAILABLE`, `AWS_REFUSED`. */
export interface StreamRange {
  /** The shards there still are, by id. */
  shards(streamArn: string): Promise<readonly string[]>;
  /** The oldest moment (ms since the epoch) from which on the stream still has everything. */
  keptSince(streamArn: string): Promise<number>;
  pages(streamArn: string, shardId: string, from: StreamPosition): AsyncIterable<StreamPage>;
}

/** Lambda, as far as a function calls itself. */
export interface Functions {
  /** Starts an invocation and does not wait for it. @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  start(functionArn: string, event: unknown): Promise<void>;
}

/** What an invocation of the forwarder said about its batch. */
export interface ForwardedBatch {
  /** When it said so (ISO 8601). */
  readonly at: string;
  readonly invocationId: string;
  /** Sequence numbers of the first and the last record. */
  readonly first: string;
  readonly last: string;
  /** The lowest sequence number that was not settled; absent where all were. */
  readonly checkpoint?: string | undefined;
  /** Messages in the whole batch. */
  readonly acknowledged: number;
  readonly filtered: number;
  readonly rejected: number;
  /** Whether the record that was asked for was settled with it. */
  readonly settled?: boolean;
}

/** The forwarder's own log, as far as it is read. */
export interface ForwardLog {
  /**
   * What was said of the batches of a shard from a moment on (ms since the epoch), in order, page by page.
   * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
   */
  batches(shardId: string, from: number): AsyncIterable<readonly ForwardedBatch[]>;
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
  /** The last execution that succeeded: `id`, its ARN, and `startedAt`. */
  readonly succeeded?: unknown;
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
  /** Where all of this is; absent where there is nothing that would have to go. */
  readonly sandbox?: string;
}

/** What goes into the ledger when something was done to a pipeline. */
export interface LedgerEntry {
  /** Left out: the one there stays; `null`: it is removed. */
  readonly manifest?: unknown;
  /** Where things are. Left out: what was known stays. */
  readonly known?: Known | undefined;
  /** Left out: the last one stays. */
  readonly report?: unknown;
  /** The execution that has succeeded. Left out: the last one stays. */
  readonly succeeded?: { readonly id: string; readonly startedAt: string };
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
  check(pipeline: string, owner: string, fencingToken: number): Promise<void>;
  /** Keeps the entry. Does nothing and returns `false` where another execution holds the pipeline, or a newer version keeps something of it. */
  write(pipeline: string, owner: string, entry: LedgerEntry): Promise<boolean>;
  /** What is kept of a pipeline, as of now; `undefined` where nothing is. */
  read(pipeline: string): Promise<LedgerRecord | undefined>;
  /** Names of all pipelines known, sorted. */
  names(): Promise<string[]>;
}

/** CloudWatch counters of one invocation; e.g. `RecordsReceived`. */
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

export interface BeginRuntime extends Runtime {
  readonly streams: DescribedStreams;
}

export interface ProvisionRuntime extends LedgerRuntime {
  readonly triggers: Triggers;
}

/** Drift begins as an execution does, and then plans. */
export interface DriftRuntime extends ProvisionRuntime, BeginRuntime {}

export interface ForwardRuntime extends Runtime {
  readonly deadLetters: DeadLetters;
  readonly metrics: Metrics;
}

export interface RedriveRuntime extends ForwardRuntime {
  readonly deadLetters: DeadLetterStore;
  readonly stream: StreamRange;
  readonly functions: Functions;
}

export interface WhereRuntime extends LedgerRuntime {
  readonly streams: Streams;
  readonly stream: Pick<StreamRange, 'pages'>;
  readonly deadLetters: Pick<DeadLetterStore, 'list' | 'read'>;
  readonly forwardLog: ForwardLog;
}

export interface DoctorRuntime extends WhereRuntime {
  readonly streams: DescribedStreams;
  readonly triggers: Pick<Triggers, 'find'>;
}

export interface ReconcileRuntime extends Runtime {
  readonly ledger: Pick<Ledger, 'names' | 'read'>;
  readonly deadLetters: DeadLettersOnce;
  readonly stream: Pick<StreamRange, 'pages' | 'shards'>;
  readonly progress: Progress;
  readonly metrics: Pick<Metrics, 'count' | 'flush'>;
}
