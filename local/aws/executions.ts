// The executions of one state machine, with AWS's rules about names, and what happened in each.
import { AwsError } from './server.ts';
import type { ExecutionResult, StateEvent } from './state-machine.ts';

export interface Execution {
  executionArn: string;
  name: string;
  startDate: Date;
  input: unknown;
  status: 'RUNNING' | ExecutionResult['status'];
  /** When it closed. */
  stopDate?: Date;
  output?: unknown;
  /** Of one that failed: what the error is called, and what is said of it. */
  error?: string;
  cause?: string;
  /** What has happened so far. */
  readonly events: readonly StateEvent[];
  /** Resolves with the result when the execution has closed. */
  result: Promise<ExecutionResult>;
}

/** Runs the state machine once. */
export type RunExecution = (
  name: string,
  input: unknown,
  watched: { signal: AbortSignal; onState?: (event: StateEvent) => void },
) => Promise<ExecutionResult>;

// Letters, digits and most punctuation: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const VALID_NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** The executions of one state machine, in memory. Nothing is forgotten, so the 90 days after which AWS frees a name do not end. */
export class Executions {
  readonly #executions = new Map<string, Execution>();
  readonly #stateMachineArn: string;
  readonly #run: RunExecution;
  readonly #stops = new Map<Execution, AbortController>();
  readonly #now: () => number;

  constructor(stateMachineArn: string, run: RunExecution, now: () => number = Date.now) {
    this.#stateMachineArn = stateMachineArn;
    this.#run = run;
    this.#now = now;
  }

  /**
   * Starts one; the same name and input again while it runs is the same execution, else it is refused.
   * @throws {AwsError} ExecutionAlreadyExists, InvalidName
   */
  start(
    input: unknown,
    name: string = crypto.randomUUID(),
    onState?: (event: StateEvent) => void,
  ): Execution {
    if (!VALID_NAME.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    const executionArn = `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#executions.get(name);
    if (existing?.status === 'RUNNING' && JSON.stringify(existing.input) === JSON.stringify(input))
      return existing;
    if (existing) {
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const stop = new AbortController();
    const events: StateEvent[] = [];
    const watched = (event: StateEvent) => {
      events.push(event);
      onState?.(event);
    };
    const execution: Execution = {
      executionArn,
      name,
      startDate: new Date(this.#now()),
      input,
      status: 'RUNNING',
      events,
      result: this.#run(name, input, { signal: stop.signal, onState: watched }).then((result) => {
        this.#close(execution, result);
        return result;
      }),
    };
    // A definition the engine refuses rejects `result`; the execution must not stay RUNNING for ever.
    execution.result.catch(({ message }: Error) =>
      this.#close(execution, { status: 'FAILED', error: 'States.Runtime', cause: message }),
    );
    this.#executions.set(name, execution);
    this.#stops.set(execution, stop);
    return execution;
  }

  /**
   * Stops one that runs: ABORTED from now on. As on AWS, a function that is at work is not interrupted.
   * @throws {AwsError} ExecutionDoesNotExist
   */
  stop(executionArn: string): void {
    const execution = this.describe(executionArn);
    this.#stops.get(execution)?.abort();
    if (execution.status === 'RUNNING') this.#close(execution, { status: 'ABORTED' });
  }

  #close(execution: Execution, { status, output, error, cause }: Omit<ExecutionResult, 'history'>): void {
    this.#stops.delete(execution);
    if (execution.status !== 'RUNNING') return;
    execution.status = status;
    execution.stopDate = new Date(this.#now());
    if (output !== undefined) execution.output = output;
    if (error !== undefined) execution.error = error;
    if (cause !== undefined) execution.cause = cause;
  }

  find(executionArn: string): Execution | undefined {
    const execution = this.#executions.get(executionArn.slice(executionArn.lastIndexOf(':') + 1));
    return execution?.executionArn === executionArn ? execution : undefined;
  }

  /** @throws {AwsError} ExecutionDoesNotExist */
  describe(executionArn: string): Execution {
    const execution = this.find(executionArn);
    if (execution) return execution;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  }

  get all(): readonly Execution[] {
    return [...this.#executions.values()];
  }
}
