// What the console of a deployed stage tells the page: types alone, for both sides.
import type {
  DeadLetterLine,
  Health,
  Obstacle,
  RedriveTold,
  RunDetail,
  RunLine,
  Shown,
  ToldReport,
} from './told.ts';

/** What the page shows: it decides which areas there are. */
export type About =
  | {
      readonly kind: 'stack';
      /** Where the simulated platform answers. */
      readonly platform: string;
    }
  | {
      readonly kind: 'stage';
      /** `prod` */
      readonly stage: string;
      /** For people: `stage prod in eu-west-1`. */
      readonly name: string;
      /** Whether the page may change something of it. */
      readonly hasActions: boolean;
    };

/** What was asked of AWS: it has an answer, or there is an obstacle. */
export type Answered<T> = {
  /** When it was asked, in ms since the epoch. */
  readonly at: number;
} & ({ readonly found: T } | { readonly obstacle: Obstacle });

/** One line of the list of pipelines. */
export interface StagePipelineLine {
  readonly name: string;
  readonly health: Health;
  /** In words: `applied`. */
  readonly says: string;
  /** How the last execution has ended; empty where none is known. */
  readonly last: string;
  /** The name of an execution that works on it. */
  readonly runningNow?: string;
}

/** A pipeline with the report of its last execution that was to change something. */
export interface StagePipeline extends StagePipelineLine {
  readonly report?: StageReport;
}

/** The report of an execution, for people. */
export interface StageReport extends ToldReport {
  /** The name of the execution. */
  readonly execution: string;
  readonly mode: string;
  /** ISO 8601. */
  readonly endedAt: string;
}

/** One check of the health check. */
export interface ToldCheck {
  readonly check: string;
  readonly health: Health;
  readonly found: string;
  readonly next?: string;
}

/** What the health check of a pipeline has found. */
export interface ToldDiagnosis {
  readonly says: string;
  readonly isWell: boolean;
  readonly checks: readonly ToldCheck[];
}

/** Executions, the newest first. */
export interface RunLines {
  readonly lines: readonly RunLine[];
  /** Asks for those before; left out where there are none. */
  readonly next?: string;
}

/** An execution, whole. */
export interface StageRun extends RunDetail {
  /** Whether the states begin later than the execution: its history is too long. */
  readonly isCut: boolean;
  readonly input: Shown;
  readonly output?: Shown;
}

/** Something that somebody does to a stage: it is looked at first, and then agreed to. */
export interface ToldAction {
  readonly id: string;
  readonly kind: 'apply' | 'redrive';
  /** `pipelines/orders.json`; of a redrive, what was chosen. */
  readonly what: string;
  /** When it was begun, in ms since the epoch. */
  readonly at: number;
  /** It is looked at; waits for somebody who agrees; has nothing to do; is under way; is done; has failed. */
  readonly state: 'looking' | 'shown' | 'nothing' | 'acting' | 'done' | 'failed';
  /** Where it is, in words; empty where nothing is under way. */
  readonly says: string;
  readonly pipeline?: string;
  /** Whether its name must be typed: of production, or of a type that is not told. */
  readonly sandbox?: { readonly name: string; readonly type?: string; readonly isTyped: boolean };
  /** The name of the last execution that was started for it. */
  readonly execution?: string;
  readonly plan?: ToldReport;
  readonly report?: ToldReport;
  readonly dry?: RedriveTold;
  readonly sent?: RedriveTold;
  readonly obstacle?: Obstacle;
}

/** What is in the dead-letter store: `on-failure` are batches that Lambda has discarded, of all pipelines. */
export type StoreKind = 'rejected' | 'parked' | 'on-failure';

/** One document of the dead-letter store: what an invocation has kept, or Lambda of a batch. */
export interface DocumentLine {
  readonly key: string;
  /** The last part of the key. */
  readonly name: string;
  /** `2026-11-29`; empty where the key has none. */
  readonly day: string;
  readonly bytes: number;
}

/** Documents of a pipeline, the oldest first. */
export interface DocumentLines {
  readonly documents: readonly DocumentLine[];
  /** Asks for those behind; left out where there are none. */
  readonly next?: string;
}

/** A document with the first of its messages. */
export interface StageDocument {
  readonly key: string;
  /** Of a batch that was discarded, the name of its stream. */
  readonly of: string;
  /** ISO 8601. */
  readonly storedAt: string;
  /** Of its messages, also of those that are not listed. */
  readonly total: number;
  /** What has to be known of it; empty where that is nothing. */
  readonly note: string;
  /** Their ids count from 0. */
  readonly messages: readonly DeadLetterLine[];
}
