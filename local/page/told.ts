// What the server tells the page: types alone, for both sides.
import type { FaultSpec } from '../aep/fault-kinds.ts';

/** How a part fares. Each has a word and a sign on the page: colour alone tells nothing. */
export type Health = 'good' | 'busy' | 'bad' | 'off';

/** One line of the list of pipelines. */
export interface PipelineLine {
  readonly name: string;
  /** The stream, or what else it reads from. */
  readonly source: string;
  readonly sandbox: string;
  readonly health: Health;
  /** In words. */
  readonly says: string;
  /** The execution that was the last to change something. */
  readonly run: string;
  /** Messages that the inlet took in. */
  readonly received: number;
  /** Rows in the dataset. */
  readonly landed: number;
  /** Rows that were refused after they had been received. */
  readonly refused: number;
  /** Messages in the dead-letter store. */
  readonly rejected: number;
}

/** One run of the state machine: an execution. */
export interface RunLine {
  /** Of the execution. */
  readonly name: string;
  /** Empty where the manifest has no name; of a stage, where nobody has learnt it. */
  readonly pipeline: string;
  /** `apply`, `plan` or `retire`; empty where nobody has looked at it. */
  readonly mode: string;
  /** In ms since the epoch. */
  readonly startedAt: number;
  /** Absent while it runs. */
  readonly endedAt?: number;
  readonly health: Health;
  /** In words. */
  readonly says: string;
}

/** One run, whole. */
export interface RunDetail extends RunLine, ToldReport {
  /** In the order in which they were entered. */
  readonly states: readonly RunState[];
}

/** What a plan or a report says, for people. */
export interface ToldReport {
  readonly failure?: ToldFailure;
  /** What the plan says of each resource, and what became of it so far. Empty before there is a plan. */
  readonly resources: readonly RunResource[];
  /** What is not needed any more: resource and id. */
  readonly old: readonly string[];
  readonly warnings: readonly string[];
  readonly verified: readonly string[];
  readonly summary?: string;
  readonly next: readonly string[];
  /** Of a plan. */
  readonly token?: string;
}

/** What AWS, a function or an execution does not do, and what to do about it. */
export interface Obstacle {
  readonly code: string;
  readonly what: string;
  readonly next?: string;
}

export interface ToldFailure extends Obstacle {
  /** The state in which it began; empty where the machine itself ended it, or nothing tells it. */
  readonly state: string;
}

/** A state from when it was entered to when the next one was. */
export interface RunState {
  readonly state: string;
  /** In ms since the epoch. */
  readonly at: number;
  /** Absent while the run is in it. */
  readonly ms?: number;
  readonly health: Health;
  /** How often it was tried; left out where the history does not tell it. */
  readonly tries?: number;
  /** Each error in it: a state can fail several times, and go on. */
  readonly failures: readonly string[];
  /** When a wait ends, in ms since the epoch. */
  readonly until?: number;
  /** What AEP was asked meanwhile; left out where nobody has seen it. */
  readonly requests?: readonly RunRequest[];
}

export interface RunRequest extends RequestLine {
  /** Whether the report counts it among the changes. */
  readonly isChange: boolean;
}

export interface RunResource {
  readonly resource: string;
  /** `create`, `replace`, … */
  readonly planned: string;
  /** The same in words. */
  readonly plan: string;
  /** What became of it. */
  readonly done: string;
  readonly name: string;
  readonly id?: string;
  readonly why: string;
  readonly differences: readonly {
    readonly field: string;
    readonly found: string;
    readonly wanted: string;
  }[];
  /** What AEP cannot undo about it. */
  readonly irreversible?: string;
  /** Whether records are read or ingested twice because of it. */
  readonly isReadTwice: boolean;
}

/** A row of a mapping, as the page shows and changes it. */
export interface MappingLine {
  readonly kind: 'field' | 'expression';
  /** A path in the record, or a calculated field. */
  readonly from: string;
  readonly destination: string;
  /** Its place in the manifest, from 0. Absent of one that was added. */
  readonly row?: number;
}

/** A pipeline's mapping, and records to try it with. */
export interface MappingDetail {
  readonly pipeline: string;
  /** Records of XDM are not mapped. */
  readonly isRaw: boolean;
  /** Whether its schema is there: without it nothing can be tried. */
  readonly isMade: boolean;
  /** Of its file, where that can be saved; else those in force. */
  readonly rows: readonly MappingLine[];
  /** Samples, and the newest of the stream. */
  readonly records: readonly { readonly name: string; readonly text: string }[];
  readonly saving: Saving;
}

/** Whether rows can be saved, and where. */
export type Saving =
  /** `off`: it was started without `--edit`. `elsewhere`: its manifest is none that the stack was started with. */
  | { readonly state: 'off' | 'elsewhere' }
  | { readonly state: 'unreadable'; readonly why: string }
  | {
      readonly state: 'on';
      /** Its path, as it was typed. */
      readonly file: string;
      /** Of its text: who saves says which one was changed. */
      readonly version: string;
      /** Whether its rows are those in force. */
      readonly isInForce: boolean;
    };

/** What is in the file after it was saved. */
export type SavedMapping = Pick<MappingDetail, 'rows' | 'saving'>;

/** Why rows were not saved. */
export interface UnsavedMapping {
  readonly why: string;
  /** Whether the file has another text than the one that was changed. */
  readonly hasChanged: boolean;
  /** In the order of the rows: what is wrong with each; `null` for nothing. */
  readonly rows: readonly (string | null)[];
  /** All that the check says. */
  readonly mistakes: readonly string[];
}

/** What rows make of a record. */
export interface TriedMapping {
  /** In the order of the rows: what is wrong with each; `null` for nothing. */
  readonly rows: readonly (string | null)[];
  /** Fields that AEP requires, and that no row fills. */
  readonly lacking: readonly string[];
  /** Why the record does not come as far as the mapping. */
  readonly says?: string;
  readonly xdm?: Shown;
  /** What AEP would refuse of the result. */
  readonly violations: readonly string[];
  /** Fields of the record that no row reads. */
  readonly unread: readonly string[];
}

/** What of a list is new or another, and the keys of what is gone. */
export interface Changes<T> {
  readonly set: readonly T[];
  readonly gone: readonly string[];
}

/** One part of the picture. */
export interface Part {
  readonly id: string;
  /** `Stream`, `Trigger`, `Inlet`, … */
  readonly kind: string;
  readonly name: string;
  readonly health: Health;
  /** In words: `warm in 3 s`. */
  readonly says: string;
  /** What it counts: `received` 9,993. */
  readonly counts: readonly (readonly [string, number])[];
  /** More about it, for whoever asks: names and values. */
  readonly facts: readonly (readonly [string, string])[];
}

/** What is wrong, and what to do. */
export interface Trouble {
  readonly pipeline: string;
  readonly what: string;
  readonly next: string;
}

/** The tree of one source and of all pipelines that read it. */
export interface Picture {
  readonly source: string;
  readonly parts: readonly Part[];
  readonly links: readonly (readonly [string, string])[];
  readonly troubles: readonly Trouble[];
}

/** One line of the list of requests. */
export interface RequestLine {
  readonly number: number;
  /** In ms since the epoch, by the platform's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** 0 where the connection was cut. */
  readonly status: number;
  readonly ms: number;
  readonly faults: readonly string[];
}

export interface RequestsUpdate {
  readonly added: readonly RequestLine[];
  /** Requests that came and are not kept any more. */
  readonly forgotten: number;
  /** Set where the journal was emptied: the page forgets its own lines. */
  readonly again?: true;
}

/** One request, whole. */
export interface RequestDetail extends RequestLine {
  readonly curl: string;
  readonly requestHeaders: readonly (readonly [string, string])[];
  readonly requestBody: string;
  readonly replyHeaders: readonly (readonly [string, string])[];
  readonly reply: string;
}

/** Content, up to a size that a browser can show. */
export interface Shown {
  readonly text: string;
  /** Of all of it. */
  readonly bytes: number;
  /** `hex` where it is no text. */
  readonly form: 'text' | 'hex';
  /** Whether this is the beginning alone. */
  readonly isCut: boolean;
}

export interface DeadLetterLine {
  readonly id: string;
  readonly pipeline: string;
  readonly reason: string;
  readonly message: string;
  /** Its sequence number, and its place in the record where that has several messages. */
  readonly place: string;
  readonly partitionKey: string;
  /** ISO 8601. */
  readonly storedAt: string;
}

/** A message of the dead-letter store, whole. */
export interface DeadLetterDetail extends DeadLetterLine {
  readonly record: Shown;
  readonly notes: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
}

export interface DatasetLine {
  readonly id: string;
  readonly name: string;
  readonly sandbox: string;
  readonly landed: number;
  readonly refused: number;
  readonly profileOnly: number;
}

export interface DatasetDetail extends DatasetLine {
  /** The newest first. */
  readonly rows: readonly Shown[];
  readonly refusals: readonly RefusedLine[];
}

/** The schema of a dataset. */
export interface SchemaDetail {
  readonly title: string;
  readonly fields: readonly SchemaField[];
}

export interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** The class, the field group, or the schema itself. */
  readonly from: string;
  /** What a mapping writes into it. */
  readonly filledBy: readonly string[];
  readonly fields: readonly SchemaField[];
}

/** A row that was refused after its message had been received. */
export interface RefusedLine {
  readonly batch: string;
  /** When its batch began, in ms since the epoch. */
  readonly at: number;
  /** What refused it. */
  readonly stage: string;
  readonly code: string;
  readonly reasons: readonly string[];
  /** As it was sent. */
  readonly source: Shown;
  /** As it should have landed. */
  readonly row: Shown;
}

export interface RecordLine {
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** Empty where the record has none. */
  readonly partitionKey: string;
  /** When it came to the stream, in ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
  /** Its beginning, as text. */
  readonly begins: string;
}

export interface RecordsUpdate {
  readonly added: readonly RecordLine[];
  /** More is there already: the next news comes at once. */
  readonly isMore?: true;
}

/** A record, followed on each route of its stream. */
export interface RecordDetail extends RecordLine {
  readonly came: Shown;
  /** Its messages without aggregation and compression, the first of them. Empty where it cannot be unpacked. */
  readonly unpacked: readonly Shown[];
  /** How many messages it has. */
  readonly messages: number;
  readonly routes: readonly {
    readonly pipeline: string;
    readonly messages: readonly FollowedMessage[];
  }[];
}

/** What a route makes of a message of the record. */
export interface FollowedMessage {
  readonly health: Health;
  readonly says: string;
  /** A reason, and a text. */
  readonly why: string;
  /** As a request has it. */
  readonly sent?: Shown;
  /** What the inlet answered, the oldest first. Empty where nothing was sent, or that is forgotten. */
  readonly tries: readonly ToldTry[];
  readonly fate?: Fate;
}

/** A message in one request to the inlet. */
export interface ToldTry {
  /** Among the requests; absent where that is not kept any more. */
  readonly number?: number;
  /** In ms since the epoch, by the platform's clock. */
  readonly at: number;
  /** Of the request. 0 where the connection was cut. */
  readonly status: number;
  readonly ms: number;
  readonly faults: readonly string[];
  readonly health: Health;
  readonly says: string;
  /** What the answer says of this message. */
  readonly reply?: Shown;
}

/** What became of a message that was sent. */
export interface Fate {
  readonly health: Health;
  readonly says: string;
  readonly row?: Shown;
}

/** The faults of the simulated platform, and its clock. */
export interface FaultsTold {
  /** How far the platform's clock is ahead of this machine's. */
  readonly aheadSeconds: number;
  /** With it the same calls are struck again. */
  readonly seed: number;
  readonly faults: readonly FaultLine[];
  /** Where a fault can strike, by name. */
  readonly places: readonly FaultPlace[];
  /** Requests that a fault struck, the newest first. */
  readonly struck: readonly RequestLine[];
}

export interface FaultLine {
  readonly id: string;
  /** Calls that it fitted. */
  readonly seen: number;
  /** Calls that it did something to. */
  readonly struck: number;
  readonly asked: FaultSpec;
}

export interface FaultPlace {
  readonly name: string;
  /** As a fault has it: `*` is one segment, `**` any number. */
  readonly path: string;
}

/** Charts over the same times. */
export interface ChartsTold {
  /** In s since the epoch, the oldest first. */
  readonly times: readonly number[];
  readonly charts: readonly ChartTold[];
}

export interface ChartTold {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** What it shows, in a sentence. */
  readonly says: string;
  readonly lines: readonly ChartLine[];
}

export interface ChartLine {
  readonly name: string;
  /** One for each time; `null` where there is none. */
  readonly values: readonly (number | null)[];
}

/** What a redrive came to, in messages; a dry run has sent nothing. */
export interface RedriveTold {
  readonly dryRun: boolean;
  readonly chosen: number;
  readonly delivered: number;
  /** In a dry run, what would be sent. */
  readonly left: number;
  readonly rejectedAgain: number;
  readonly filtered: number;
  readonly withheld: number;
  readonly lost: number;
  /** Why it ended early. */
  readonly stopped?: string;
}

/** What somebody has put into a stream by hand. */
export interface PutTold {
  readonly records: number;
  /** Lines that Kinesis cannot take, each with the reason. */
  readonly refused: readonly string[];
  /** Where the record is, if it is one alone. */
  readonly first?: { readonly shardId: string; readonly sequenceNumber: string };
}
