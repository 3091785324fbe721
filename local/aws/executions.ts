// StartExecution's rules about names: the same name and input again while it runs is the same execution, else it is refused.
import { AwsError } from './server.ts';
import type { ExecutionResult } from './state-machine.ts';

export interface Execution {
  executionArn: string;
  name: string;
  startDate: Date;
  input: unknown;
  status: 'RUNNING' | ExecutionResult['status'];
  /** Resolves with the result when the execution has closed. */
  result: Promise<ExecutionResult>;
}

// Letters, digits and most punctuation: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const validName = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** The executions of one state machine, in memory. Nothing is forgotten, so the 90 days after which AWS frees a name do not end. */
export class Executions {
  readonly #executions = new Map<string, Execution>();
  readonly #stateMachineArn: string;
  readonly #run: (name: string, input: unknown) => Promise<ExecutionResult>;
  readonly #now: () => number;

  constructor(
    stateMachineArn: string,
    run: (name: string, input: unknown) => Promise<ExecutionResult>,
    now: () => number = Date.now,
  ) {
    this.#stateMachineArn = stateMachineArn;
    this.#run = run;
    this.#now = now;
  }

  /** @throws {AwsError} ExecutionAlreadyExists, InvalidName */
  start(input: unknown, name: string = crypto.randomUUID()): Execution {
    if (!validName.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    const executionArn = `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#executions.get(name);
    if (existing?.status === 'RUNNING' && JSON.stringify(existing.input) === JSON.stringify(input))
      return existing;
    if (existing) {
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const execution: Execution = {
      executionArn,
      name,
      startDate: new Date(this.#now()),
      input,
      status: 'RUNNING',
      result: this.#run(name, input).then((result) => {
        execution.status = result.status;
        return result;
      }),
    };
    // A definition the engine refuses rejects `result`; the execution must not stay RUNNING for ever.
    execution.result.catch(() => {
      execution.status = 'FAILED';
    });
    this.#executions.set(name, execution);
    return execution;
  }

  /** @throws {AwsError} ExecutionDoesNotExist */
  describe(executionArn: string): Execution {
    const execution = this.#executions.get(executionArn.slice(executionArn.lastIndexOf(':') + 1));
    if (execution?.executionArn === executionArn) return execution;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  }

  get all(): readonly Execution[] {
    return [...this.#executions.values()];
  }
}
