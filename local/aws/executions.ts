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
  /** What the last state that ended has given on, also where the execution has failed since. */
  readonly document?: unknown;
  /** Resolves with the result when the execution has closed. */
  result: Promise<ExecutionResult>;
}

/** Runs the state machine once. */
export type RunExecution = (
  name: string,
  input: unknown,
  watched: {
    signal: AbortSignal;
    onState?: (event: StateEvent) => void;
    onDocument?: (document: unknown) => void;
  },
) => Promise<ExecutionResult>;

// Letters, digits and most punctuation: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const VALID_NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** The executions of one state machine, in memory. Nothing is forgotten, so the 90 days after which AWS frees a name do not end. */
export interface Executions {
  readonly all: readonly Execution[];
  /**
   * Starts one; the same name and input again while it runs is the same execution, else it is refused.
   * @throws {AwsError} ExecutionAlreadyExists, InvalidName
   */
  start(input: unknown, name?: string, onState?: (event: StateEvent) => void): Execution;
  /**
   * Stops one that runs: ABORTED from now on. As on AWS, a function that is at work is not interrupted.
   * @throws {AwsError} ExecutionDoesNotExist
   */
  stop(executionArn: string): void;
  /** Stops all that run, and returns when their machines stand still: a wait or a retry that is due later keeps no process alive. */
  close(): Promise<void>;
  find(executionArn: string): Execution | undefined;
  /** @throws {AwsError} ExecutionDoesNotExist */
  describe(executionArn: string): Execution;
}

export function localExecutions(
  stateMachineArn: string,
  run: RunExecution,
  now: () => number = Date.now,
): Executions {
  const executions = new Map<string, Execution>();
  const stops = new Map<Execution, AbortController>();

  function begin(name: string, executionArn: string, input: unknown, onState?: (event: StateEvent) => void) {
    const stop = new AbortController();
    const events: StateEvent[] = [];
    const watched = (event: StateEvent) => {
      events.push(event);
      onState?.(event);
    };
    let last: unknown;
    const onDocument = (document: unknown) => {
      last = document;
    };
    const execution: Execution = {
      executionArn,
      name,
      startDate: new Date(now()),
      input,
      status: 'RUNNING',
      events,
      get document() {
        return last;
      },
      result: run(name, input, { signal: stop.signal, onState: watched, onDocument }).then((result) => {
        end(execution, result);
        return result;
      }),
    };
    // A definition the engine refuses rejects `result`; the execution must not stay RUNNING for ever.
    execution.result.catch(({ message }: Error) =>
      end(execution, { status: 'FAILED', error: 'States.Runtime', cause: message }),
    );
    executions.set(name, execution);
    stops.set(execution, stop);
    return execution;
  }

  function end(execution: Execution, { status, output, error, cause }: Omit<ExecutionResult, 'history'>) {
    stops.delete(execution);
    if (execution.status !== 'RUNNING') return;
    execution.status = status;
    execution.stopDate = new Date(now());
    if (output !== undefined) execution.output = output;
    if (error !== undefined) execution.error = error;
    if (cause !== undefined) execution.cause = cause;
  }

  function find(executionArn: string): Execution | undefined {
    const execution = executions.get(executionArn.slice(executionArn.lastIndexOf(':') + 1));
    return execution?.executionArn === executionArn ? execution : undefined;
  }

  function describe(executionArn: string): Execution {
    const execution = find(executionArn);
    if (execution) return execution;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  }

  function stop(executionArn: string): void {
    const execution = describe(executionArn);
    stops.get(execution)?.abort();
    if (execution.status === 'RUNNING') end(execution, { status: 'ABORTED' });
  }

  return {
    get all() {
      return [...executions.values()];
    },
    start(input, name = crypto.randomUUID(), onState) {
      if (!VALID_NAME.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
      const existing = executions.get(name);
      if (existing?.status === 'RUNNING' && JSON.stringify(existing.input) === JSON.stringify(input))
        return existing;
      if (existing)
        throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
      return begin(name, executionArn, input, onState);
    },
    stop,
    async close() {
      const running = [...executions.values()].filter(({ status }) => status === 'RUNNING');
      for (const { executionArn } of running) stop(executionArn);
      await Promise.allSettled(running.map(({ result }) => result));
    },
    find,
    describe,
  };
}
