// Everything outside, as passed to the steps and the forwarder: settings, clock, HTTP, log and the ports to
// AWS.
import type { Transport } from './aep/transport.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Secrets Manager, as far as it is needed. */
export interface Secrets {
  /**
   * The current value as text, or that of this version. `undefined` if there is no such secret or version, or the
   * secret is about to be deleted.
   */
  get(id: string, version?: string): Promise<string | undefined>;
  /**
   * Creates the secret; `false` if it exists. One that waits for its deletion is restored, and counts as new.
   */
  create(id: string, value: string, description: string, version?: string): Promise<boolean>;
  /**
   * Creates the secret or gives it a new value; one that waits for its deletion is restored first. The value that it
   * had stays readable by its version.
   * @param version the id of the new value, 32 to 64 characters; it must not have named another value
   */
  put(id: string, value: string, description: string, version?: string): Promise<void>;
  /** Deletes it; a secret that does not exist counts as deleted. */
  remove(id: string): Promise<void>;
}

/** Which routes each stream has: a list for each, that is read and written as a whole. All methods throw `AWS_*`. */
export interface Routes {
  /**
   * The stored list and its version, both `undefined` where there is none. The caller has to check the list like all
   * input from outside.
   */
  read(streamName: string): Promise<{ readonly value: unknown; readonly version: string | undefined }>;
  /** Stores the list. Returns `false`, and changes nothing, if another writer has changed it since that version. */
  write(streamName: string, value: unknown, version: string | undefined): Promise<boolean>;
  /** Removes the list, or returns `false` as `write` does. A list that is gone counts as removed. */
  remove(streamName: string, version: string | undefined): Promise<boolean>;
}

/** A shard of a stream, by their names. */
export interface ShardName {
  readonly stream: string;
  readonly shardId: string;
}

/** What AEP acknowledged of a route's messages in a shard, beyond the shard's checkpoint. */
export interface Mark {
  /** Another dataset still needs what this one has. */
  readonly datasetId: string;
  /** The highest sequence number among the messages. */
  readonly through: string;
  /** 8 bytes for each message: the beginning of the SHA-256 of what identifies it in its shard. */
  readonly keys: Uint8Array;
}

/** That messages of a route wait for its inlet, in a shard. Times in ms since the epoch. */
export interface Outage {
  readonly since: number;
  /** The lowest and the highest sequence number of those that waited then. */
  readonly waiting?: { readonly from: string; readonly through: string };
  /** From then on, new messages are parked behind those that are. Absent: they are still sent. */
  readonly parkedSince?: number;
}

/** What is kept of a shard's routes, by pipeline. */
export interface ShardMarks {
  readonly marks: ReadonlyMap<string, Mark>;
  readonly outages: ReadonlyMap<string, Outage>;
}

/**
 * The marks of a shard's routes and their outages, which outlive a container. All methods throw `AWS_UNAVAILABLE`,
 * `AWS_REFUSED`.
 */
export interface Marks {
  /** What cannot be understood counts as not there. */
  read(shard: ShardName): Promise<ShardMarks>;
  /** Stores a route's mark in the place of its last one. Marks of other routes stay. */
  write(shard: ShardName, pipeline: string, mark: Mark): Promise<void>;
  /** Removes the marks of these pipelines. Their outages stay. */
  clear(shard: ShardName, pipelines: readonly string[]): Promise<void>;
  /** Stores a route's outage in the place of what was stored. */
  outage(shard: ShardName, pipeline: string, outage: Outage): Promise<void>;
  /** Keeps an outage from expiring. `false`: it has ended. */
  outageLasts(shard: ShardName, pipeline: string): Promise<boolean>;
  /** Removes a route's outage; one that is not there is no error. */
  outageEnded(shard: ShardName, pipeline: string): Promise<void>;
}

/** One Lambda trigger (event source mapping): a stream and the forwarder that reads it. */
export interface Trigger {
  readonly id: string;
  readonly streamArn: string;
  /** The consumer through which it reads, with enhanced fan-out. Absent: it reads the stream like others do. */
  readonly consumerArn?: string;
  readonly state: 'on' | 'off' | 'changing';
  /** Lambda's result of the last read: `OK`, `No records processed`, `PROBLEM: …`. */
  readonly lastResult?: string;
  /** Whether that was a problem. */
  readonly lastFailed?: boolean;
  /** When it was last changed, ms since the epoch. */
  readonly changedAt?: number;
  /** Lambda discards records that are older, in seconds; -1 means none. */
  readonly maximumRecordAgeSeconds?: number;
}

/** Lambda's triggers (event source mappings), as far as they are needed. */
export interface Triggers {
  /** The forwarder's trigger of this stream, also one that reads through a consumer. */
  find(streamArn: string): Promise<Trigger | undefined>;
  /** Creates one, switched off, that reads a stream or through a consumer. `startAt`: the oldest record there is, or a time. */
  create(eventSourceArn: string, startAt: 'earliest' | Date): Promise<Trigger>;
  switchOn(id: string): Promise<void>;
  /** It keeps its place in the stream. */
  switchOff(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** A stream's consumer with enhanced fan-out. */
export interface Consumer {
  readonly arn: string;
  readonly state: 'active' | 'changing';
}

/** Penstock's own consumers of Kinesis streams: at most one for each stream, by its name. */
export interface Consumers {
  find(streamArn: string): Promise<Consumer | undefined>;
  /** Begins to make it. One that is there or is being removed is no error: look again. */
  register(streamArn: string): Promise<void>;
  /** Begins to remove it. One that is gone is no error. */
  remove(streamArn: string): Promise<void>;
}

/** Kinesis, as far as provisioning needs it. */
export interface Streams {
  /** The ARN of a stream given by name, ARN or a consumer's ARN; `undefined` if there is no such stream or consumer. */
  arn(stream: string): Promise<string | undefined>;
}

/** Kinesis, as far as the health check needs it. */
export interface DescribedStreams extends Streams {
  /** @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED` */
  describe(streamArn: string): Promise<StreamDescription>;
}

/** Kinesis's description of a stream. */
export interface StreamDescription {
  /** Such as `ACTIVE`. */
  readonly state: string;
  readonly retentionHours: number;
  /** `ON_DEMAND` or `PROVISIONED`, if Kinesis tells it. */
  readonly mode?: string | undefined;
  /** `AUTO`: Kinesis distributes the records by itself. Only an on-demand stream has this member. */
  readonly distribution?: string | undefined;
  /** The largest record, if Kinesis tells it. */
  readonly maxRecordKiB?: number | undefined;
}

/** One record that could not be delivered, as stored. */
export interface DeadLetter {
  /** One of a fixed set of words, e.g. `not-json`. */
  readonly reason: string;
  /** What Penstock or AEP said about it. */
  readonly message: string;
  readonly sequenceNumber: string;
  /** Position in a record of several messages; absent for a plain record. */
  readonly subSequenceNumber?: number;
  /** Absent if the record was written without one, or it is not known. */
  readonly partitionKey?: string;
  /** Seconds since the epoch, as Kinesis gave it. */
  readonly arrivedAt?: number;
  /** The producer's bytes, base64. If the pipeline redacts: the redacted record, or nothing. */
  readonly data: string;
  /** `data` is one message that the pipeline's format took out of the record. */
  readonly piece?: true;
  /** `data` is the redacted record, and `partitionKey` the SHA-256 of its key. */
  readonly redacted?: true;
  /** The rules of the redaction: a name in the document's `rules`. Absent if not known. */
  readonly rules?: string;
  /** `data` is Experience Platform's copy of the record: its format and its rules are not known. */
  readonly asReceived?: true;
  /**
   * It could not be redacted, so `data` is empty and `partitionKey` as above. Only the stream still has it.
   */
  readonly withheld?: true;
  /**
   * `data` is what the pipeline, or Experience Platform's mapping, made of the record so far. It is for
   * people, and the same pipeline must not send it again.
   */
  readonly processed?: true;
  /** Number of withheld bytes, and their SHA-256 in hex. */
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
  /** The rules of redaction, by the names in the entries. Salts are compared, but not stored. */
  readonly rules?: Readonly<
    Record<
      string,
      readonly { readonly field: string; readonly action: string; readonly salt?: string | undefined }[]
    >
  >;
  readonly entries: readonly DeadLetter[];
}

/**
 * Where a document belongs: `rejected` is what could not be sent as it is, `parked` what waits until an inlet answers
 * again.
 */
export type DocumentKind = 'rejected' | 'parked';

/** The store of undelivered records. */
export interface DeadLetters {
  /**
   * Writes the document durably, by default as one of rejects. Returns how many of its entries the store now holds,
   * counted from what was written.
   * @throws Failure `STORE_UNAVAILABLE`
   */
  put(document: DeadLetterDocument, kind?: DocumentKind): Promise<{ key: string; entries: number }>;
}

/** The store of rejected records, for a writer that may come with the same document again. */
export interface DeadLettersOnce {
  /**
   * Writes the document durably under this key, unless the key exists: then the existing object stays.
   * @throws Failure `STORE_UNAVAILABLE`
   */
  putOnce(key: string, document: DeadLetterDocument): Promise<'stored' | 'already there'>;
}

/**
 * How far reconcile has read what AEP refused of a pipeline's records. All methods throw `AWS_*`,
 * `TOO_LARGE`.
 */
export interface Progress {
  /**
   * The stored value and its version, `undefined` at first. The caller has to check it like all input from
   * outside.
   */
  read(pipeline: string): Promise<{ readonly value: unknown; readonly version: number }>;
  /**
   * Stores it. Returns `false`, and stores nothing, if another writer has stored something since that
   * version.
   */
  write(pipeline: string, value: unknown, version: number): Promise<boolean>;
  /** The marks of a day (ISO 8601). They are kept as long as reconcile looks back. */
  marks(pipeline: string, day: string): Promise<ReadonlySet<string>>;
  /** Adds marks to those there are. Another writer at the same time removes none of them. */
  mark(pipeline: string, day: string, marks: readonly string[]): Promise<void>;
  /**
   * The text that version 0.1.0 stored in the pipeline's own item of the ledger; `undefined` if there is
   * none.
   */
  old(pipeline: string): Promise<string | undefined>;
  forgetOld(pipeline: string): Promise<void>;
}

/** An object of the dead-letter store, as the store lists it. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

/** Which objects: the forwarder's of a pipeline, or Lambda's documents of the batches that it discarded. */
export type StoredKind =
  /** `since` (ISO 8601): leaves out earlier days. */
  | { readonly kind: DocumentKind; readonly pipeline: string; readonly since?: string }
  | { readonly kind: 'on-failure' };

/** The store for functions that take records out of it. All methods throw `STORE_UNAVAILABLE`. */
export interface DeadLetterStore extends DeadLetters {
  /** Objects in the order of their keys, after `after`; as many as the store returns at once. */
  list(what: StoredKind, after?: string): Promise<{ objects: readonly StoredObject[]; more: boolean }>;
  /** The text and its version; `undefined` if there is no such object. */
  read(key: string): Promise<{ text: string; version: string } | undefined>;
  /** Replaces this version by another text; `false` if another version is there, or none. */
  replace(key: string, version: string, text: string): Promise<boolean>;
  /** Removes this version; `false` if another one is there. A missing object counts as removed. */
  remove(key: string, version: string): Promise<boolean>;
  /**
   * Reserves the object for `owner` until a time (ms since the epoch); `false` while another owner has it.
   */
  claim(key: string, owner: string, now: number, until: number): Promise<boolean>;
  /** Returns what `owner` reserved. A reservation that has expired may be another owner's, and stays. */
  release(key: string, owner: string, now: number): Promise<void>;
  /** Stores a text beside the object about what can never be recovered. */
  noteLoss(key: string, text: string): Promise<void>;
}

/** A record as read from a stream. */
export interface StreamRecord {
  readonly sequenceNumber: string;
  /** Absent if the record was written without one. */
  readonly partitionKey: string | undefined;
  readonly data: Uint8Array;
  /** Seconds since the epoch. */
  readonly arrivedAt: number | undefined;
}

/** Where reading in a shard begins. `time` in ms since the epoch. What the stream has dropped is skipped. */
export type StreamPosition =
  | { readonly kind: 'at' | 'after'; readonly sequenceNumber: string }
  | { readonly kind: 'time'; readonly time: number };

export interface StreamPage {
  readonly records: readonly StreamRecord[];
  /** Whether nothing follows: the shard has ended, or is read up to now. */
  readonly last: boolean;
}

/** Kinesis, as far as functions read it directly. All methods throw `AWS_UNAVAILABLE`, `AWS_REFUSED`. */
export interface StreamRange {
  /** The shards that still exist, by id. */
  shards(streamArn: string): Promise<readonly string[]>;
  /** The earliest time (ms since the epoch) from which the stream still has everything. */
  keptSince(streamArn: string): Promise<number>;
  pages(streamArn: string, shardId: string, from: StreamPosition): AsyncIterable<StreamPage>;
}

/** Lambda, as far as a function starts another one, or itself again. */
export interface Functions {
  /**
   * Starts an invocation and does not wait for it.
   * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
   */
  start(functionArn: string, event: unknown): Promise<void>;
}

/** What an invocation of the forwarder logged about its batch. */
export interface ForwardedBatch {
  /** When it was logged (ISO 8601). */
  readonly at: string;
  /** Whose route the line is about; the stream's name where the pipeline was unknown. Old lines have none. */
  readonly pipeline?: string | undefined;
  readonly invocationId: string;
  /** Sequence numbers of the first and the last record. */
  readonly first: string;
  readonly last: string;
  /** The lowest sequence number that was not settled; absent if all were. */
  readonly checkpoint?: string | undefined;
  /** Of one of several routes, the lowest that this route had not settled; absent if it had settled all. */
  readonly ownCheckpoint?: string | undefined;
  /** Messages in the whole batch. */
  readonly acknowledged: number;
  readonly acknowledgedBefore?: number | undefined;
  readonly filtered: number;
  readonly rejected: number;
  /** Only of a route that parks: messages that wait in the store. */
  readonly parked?: number | undefined;
  /** Messages that stayed in the stream. */
  readonly returned?: number | undefined;
  /** Only where the stream had several routes: messages that none of them took. */
  readonly unrouted?: number | undefined;
  /**
   * Whether it settled the record in question. `by-route`: it did for this route, and another one held the shard.
   */
  readonly settled?: boolean | 'by-route';
}

/** A shard that an invocation of the forwarder did not settle to its end, because of one of several routes. */
export interface WaitingShard {
  /** When it was logged (ISO 8601). */
  readonly at: string;
  /** Whose route was not done. */
  readonly pipeline: string;
  readonly shardId: string;
  /** Whether no other route was behind it: the shard goes on once this one is done. */
  readonly holds: boolean;
  /** Of the failure that stopped the route. */
  readonly code?: string | undefined;
}

/** The forwarder's own log, as far as it is read. */
export interface ForwardLog {
  /**
   * Log lines about the batches of a shard from a time on (ms since the epoch), in order, page by page. A batch has one
   * for each route of its stream.
   * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
   */
  batches(
    shard: { readonly stream: string; readonly shardId: string },
    from: number,
  ): AsyncIterable<readonly ForwardedBatch[]>;
  /**
   * Routes that were not done with a batch, from a time on (ms since the epoch), in order, page by page. Only of a
   * stream that has several.
   * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
   */
  waiting(stream: string, from: number): AsyncIterable<readonly WaitingShard[]>;
}

/**
 * What is known of a pipeline besides AEP itself: which execution works on it, what was applied last, and its
 * report.
 */
export interface LedgerRecord {
  readonly pipeline: string;
  /** ARN of the execution that holds the lease; absent if none does. */
  readonly owner?: string;
  /** When the lease was taken, as the owner wrote it. */
  readonly since?: string;
  /** The last fencing token; who takes or returns the lease counts as well. */
  readonly entered?: number;
  /** As written; the caller has to check it like all input from outside. */
  readonly manifest?: unknown;
  readonly known?: unknown;
  readonly report?: unknown;
  /** The last execution that succeeded: `id`, its ARN, and `startedAt`. */
  readonly succeeded?: unknown;
  readonly updatedAt?: string;
}

/** Where the resources of a pipeline are. It helps if names have changed, and is only a hint. */
export interface Known {
  readonly ids: Readonly<Record<string, string>>;
  /** What is not needed any more, and not removed yet. */
  readonly old: readonly {
    readonly resource: string;
    readonly id: string;
    readonly running?: boolean | undefined;
  }[];
  /** The sandbox of all of this; absent if nothing would have to be removed. */
  readonly sandbox?: string;
  /** The samples that became what they must: a hash of them and of their mapping, and when (ISO 8601). */
  readonly tried?: { readonly digest: string; readonly at: string };
}

/** What goes into the ledger after a change of a pipeline. */
export interface LedgerEntry {
  /** Left out: the existing one stays; `null`: it is removed. */
  readonly manifest?: unknown;
  /** Where things are. Left out: the existing entry stays. */
  readonly known?: Known | undefined;
  /** Left out: the last one stays. */
  readonly report?: unknown;
  /** The execution that succeeded. Left out: the last one stays. */
  readonly succeeded?: { readonly id: string; readonly startedAt: string };
  readonly updatedAt: string;
}

/**
 * One entry per pipeline. The state machine takes and returns the lease; steps take a fencing token, check,
 * write and read.
 */
export interface Ledger {
  /**
   * Takes the next fencing token: steps with an earlier one can change nothing any more. Does not take the
   * lease; works on a pipeline that no execution holds.
   * @throws Failure `LEASE_LOST` naming the execution that holds it
   */
  takeFencingToken(pipeline: string, owner: string): Promise<number>;
  /** @throws Failure `LEASE_LOST` if a later step took a token, or another execution holds the pipeline */
  check(pipeline: string, owner: string, fencingToken: number): Promise<void>;
  /**
   * Writes the entry. Writes nothing and returns `false` if another execution holds the pipeline, or the
   * stored entry is of a newer version.
   */
  write(pipeline: string, owner: string, entry: LedgerEntry): Promise<boolean>;
  /** What is stored of a pipeline now; `undefined` if nothing is. */
  read(pipeline: string): Promise<LedgerRecord | undefined>;
  /** Names of all known pipelines, sorted. */
  names(): Promise<string[]>;
}

/** A schema as Glue's Schema Registry keeps it. */
export interface RegisteredSchema {
  /** `AVRO`, `JSON` or `PROTOBUF`. */
  readonly dataFormat: string;
  readonly definition: string;
}

/** Glue's Schema Registry, as far as records name its schemas. */
export interface SchemaRegistry {
  /**
   * The schema of this version, by its id; `undefined` if there is none that may be used.
   * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`
   */
  version(id: string): Promise<RegisteredSchema | undefined>;
}

/** CloudWatch counters of one invocation; e.g. `RecordsReceived`. */
export interface Metrics {
  /** Adds to a counter. With a reason, one of a fixed set of words, it is also counted by reason. */
  count(name: string, value: number, reason?: string): void;
  /** One value of a distribution. */
  measure(name: string, value: number, unit: 'Milliseconds' | 'Bytes' | 'Count'): void;
  /** Writes the counters, once an invocation. */
  flush(dimensions: { pipeline: string }): void;
}

/** What every function gets. */
export interface Runtime extends Transport {
  readonly settings: Settings;
  readonly log: Log;
  readonly secrets: Secrets;
}

export interface LedgerRuntime extends Runtime {
  readonly ledger: Ledger;
  readonly routes: Routes;
}

export interface BeginRuntime extends Runtime {
  readonly routes: Pick<Routes, 'read'>;
  readonly streams: DescribedStreams;
}

export interface ProvisionRuntime extends LedgerRuntime {
  readonly triggers: Triggers;
  readonly consumers: Consumers;
}

/** Drift begins like an execution, and then plans. */
export interface DriftRuntime extends ProvisionRuntime, BeginRuntime {
  readonly routes: Routes;
}

export interface ForwardRuntime extends Runtime {
  readonly routes: Pick<Routes, 'read'>;
  readonly marks: Marks;
  readonly deadLetters: DeadLetters;
  readonly metrics: Metrics;
  /** Absent where no record names a schema. */
  readonly schemas?: SchemaRegistry;
}

export interface RedriveRuntime extends Omit<ForwardRuntime, 'marks'> {
  readonly deadLetters: DeadLetterStore;
  /** Outages, which end when all that is parked is sent. */
  readonly marks: Pick<Marks, 'read' | 'outageEnded'>;
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
  readonly stream: Pick<StreamRange, 'pages' | 'shards'>;
  readonly marks: Pick<Marks, 'read'>;
  readonly triggers: Pick<Triggers, 'find'>;
}

/** For looking at the records of a stream: nothing here can send or store one. */
export interface TapRuntime extends Runtime {
  readonly routes: Pick<Routes, 'read'>;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly streams: Streams;
  readonly stream: Pick<StreamRange, 'pages' | 'shards'>;
  readonly schemas?: SchemaRegistry;
}

export interface ReconcileRuntime extends Runtime {
  readonly routes: Pick<Routes, 'read'>;
  readonly ledger: Pick<Ledger, 'names' | 'read'>;
  readonly deadLetters: DeadLettersOnce & Pick<DeadLetterStore, 'list'>;
  readonly functions: Functions;
  /** Outages, of which one may have been left without anything that is parked. */
  readonly marks: Pick<Marks, 'read'>;
  readonly stream: Pick<StreamRange, 'pages' | 'shards'>;
  readonly progress: Progress;
  readonly metrics: Pick<Metrics, 'count' | 'flush'>;
  /** Absent where no record names a schema. */
  readonly schemas?: SchemaRegistry;
}
