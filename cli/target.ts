// Where a command's questions go: the functions and the state machine, on this machine or of a deployed stage.
import type { DeadLetterStore } from '../lib/runtime.ts';

/** What an execution of the state machine tells while it runs. */
export interface StateNews {
  /** As functions/provision/states.asl.json names it. */
  readonly state: string;
  readonly type: 'entered' | 'exited' | 'failed';
  /** `Task`, `Wait`, …; not known of one that failed. */
  readonly stateType?: string;
  /** Of one that failed. */
  readonly error?: string;
  readonly cause?: string;
  /** When it happened, in ms since 1970. */
  readonly at: number;
}

/** How an execution has ended, or stands. */
export interface ExecutionEnd {
  readonly executionArn: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | (string & {});
  /** The document that travels through the states, where it succeeded. */
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** An execution as a list has it. */
export interface ExecutionLine {
  readonly name: string;
  readonly status: ExecutionEnd['status'];
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly endedAt?: number;
}

export interface ExecutionsPage {
  /** The newest first. */
  readonly executions: readonly ExecutionLine[];
  /** Asks for those before; left out where there are none. */
  readonly next?: string;
}

/** An execution with all that AWS tells of it. */
export interface ExecutionSeen extends ExecutionLine {
  /** JSON, as it was sent. */
  readonly input: string;
  /** JSON, where it succeeded. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** In the order in which it happened. */
  readonly news: readonly StateNews[];
  /** Whether there was more before. */
  readonly isCut: boolean;
}

/** The dead-letter store, for reading. Each throws MistakeError where AWS refuses. */
export type DeadLettersSeen = Pick<DeadLetterStore, 'list' | 'read'>;

/** What CloudWatch is asked for. Times in ms since 1970. */
export interface MetricsAsked {
  /** As GetMetricData has them. */
  readonly queries: readonly { readonly Id: string; readonly [member: string]: unknown }[];
  readonly from: number;
  readonly to: number;
}

/** One series of a query: a search has several. */
export interface MetricSeen {
  readonly id: string;
  readonly label: string;
  /** Time and value, the oldest first. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Watching {
  /** Told as soon as the execution is started. */
  onStarted?(executionArn: string): void;
  onState?(news: StateNews): void;
  /** Stops watching, not the execution: it goes on. */
  readonly signal?: AbortSignal;
}

export interface LogLine {
  /** In ms since 1970. */
  readonly at: number;
  /** The function's name in `serverless.yml`. */
  readonly functionName: string;
  readonly text: string;
}

export interface LogsAsked {
  /** Names in `serverless.yml`. */
  readonly functions: readonly string[];
  /** Lines from then on, in ms since 1970. */
  readonly since: number;
  /** Only lines with this text. */
  readonly pipeline?: string;
  /** Goes on until the signal. */
  readonly isFollowed: boolean;
  readonly signal: AbortSignal;
}

export interface Target {
  /** For people: `this machine (penstock dev on http://…)`, `stage prod in eu-west-1`. */
  readonly name: string;
  readonly kind: 'local' | 'stage';
  /** What a command needs to ask the same: `--stage`, `prod`. */
  readonly words: readonly string[];
  /** How long a new flow warms up where a request says nothing of its own. */
  readonly warmUpSeconds: number;
  /** Whether an execution goes on when the command ends. */
  readonly outlives: boolean;
  /**
   * Makes what a manifest needs besides Experience Platform. On this machine a stream and a sandbox; nothing for a stage.
   * @param manifest as its file has it
   */
  prepare(manifest: unknown): Promise<void>;
  /**
   * Invokes a function and waits for its answer.
   * @param functionName as in `serverless.yml`: `status`, `plan`
   * @throws MistakeError with the function's own code, cause and advice where it fails
   */
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /**
   * Starts the provisioning state machine and follows it.
   * @returns how it has ended; `RUNNING` where the signal came first
   */
  execute(input: unknown, watching?: Watching): Promise<ExecutionEnd>;
  /** @param next of the page before; left out for the newest */
  executions(next?: string): Promise<ExecutionsPage>;
  /** @returns `undefined` where there is no execution of this name */
  execution(name: string): Promise<ExecutionSeen | undefined>;
  /** @throws MistakeError where nothing tells which bucket it is */
  deadLetters(): Promise<DeadLettersSeen>;
  /** @throws MistakeError where AWS refuses */
  metrics(asked: MetricsAsked): Promise<readonly MetricSeen[]>;
  /**
   * The oldest records of a stream, as they stand in it.
   * @param stream its name or its ARN
   * @param most so many at most
   * @throws MistakeError where there is no such stream
   */
  records(stream: string, most: number, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** What the functions have logged. */
  logs(asked: LogsAsked): AsyncIterable<LogLine>;
  /** Ends what was started for the command. */
  close(): Promise<void>;
}
