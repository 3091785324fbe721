// Runs a state machine's source file on a local engine, with Lambda and Step Functions behaving as they do on AWS.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ExecutionAbortedError,
  ExecutionError,
  ExecutionTimeoutError,
  StateMachine,
} from 'aws-local-stepfunctions';
import { DefinitionError, type Prepared, prepare, type TaskBinding } from './definition.ts';
import type { InvocationFailure, InvocationResult } from './function-errors.ts';
import { type Account, LOCAL_ACCOUNT } from './server.ts';

export interface StateEvent {
  type: 'entered' | 'exited' | 'failed' | 'retried' | 'caught';
  state: string;
  stateType: string;
  /** Of a Task that asks a service and no function: `arn:aws:states:::dynamodb:putItem`. */
  resource?: string;
  at: number;
  /** Since the state was last entered or retried. */
  durationMs: number;
  /** Of a retry: how many there were before, this one included. */
  attempt?: number;
  error?: string;
  cause?: string;
}

export interface RunOptions {
  definition: unknown;
  input: unknown;
  /** Runs a Task whose Resource is a function. */
  tasks(task: TaskBinding & { functionKey: string }, input: unknown): Promise<InvocationResult>;
  /** Service integrations by their Resource, for example `arn:aws:states:::dynamodb:putItem`; a thrown error's name is matched. */
  integrations?: Record<string, (parameters: unknown) => Promise<unknown>>;
  /** If given, a definition that names any other function is refused. */
  functions?: readonly string[];
  /** Names of resources by their `Ref`, for Parameters that name a table. */
  refs?: Readonly<Record<string, string>>;
  executionName?: string;
  stateMachineName?: string;
  account?: Account;
  /** For Execution.StartTime and the waits until a timestamp. */
  now?: () => number;
  /** 0.01 makes a 300 s wait take 3 s. 1 when left out. */
  waitScale?: number;
  /** How a wait passes; a caller with a clock of its own moves that. Gets the scaled time. */
  wait?(milliseconds: number, state: string): Promise<unknown>;
  onState?(event: StateEvent): void;
  /** Told what each state that ends gives on. */
  onDocument?(document: unknown): void;
  signal?: AbortSignal;
}

export interface ExecutionResult {
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  output?: unknown;
  error?: string;
  cause?: string;
  history: StateEvent[];
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: input or output of a task, state or execution. */
const MAX_STATE_BYTES = 262_144;
const MAX_CAUSE_LENGTH = 32_768;

type Handler = (input: unknown) => Promise<unknown>;

export async function runStateMachine(options: RunOptions): Promise<ExecutionResult> {
  const { region, accountId } = options.account ?? LOCAL_ACCOUNT;
  const stateMachineName = options.stateMachineName ?? 'local';
  const name = options.executionName ?? crypto.randomUUID();
  const started = new Date(options.now?.() ?? Date.now()).toISOString();
  const prepared = prepare(options.definition, {
    functionArn: (key) => `arn:aws:lambda:${region}:${accountId}:function:${key}`,
    waitScale: options.waitScale ?? 1,
    ...(options.refs && { refs: options.refs }),
  });
  const handlers = handlersFor(prepared, options);
  const states = `arn:aws:states:${region}:${accountId}`;
  const machine = new StateMachine(withStartTime(prepared) as never, {
    validationOptions: { noValidate: true },
  });
  const execution = machine.run(jsonTrip(options.input) as never, {
    overrides: { taskResourceLocalHandlers: handlers as never },
    context: {
      // The engine sets Execution.StartTime to the machine's own clock; see withStartTime.
      startTime: started,
      Execution: {
        Id: `${states}:execution:${stateMachineName}:${name}`,
        Name: name,
        RoleArn: `arn:aws:iam::${accountId}:role/${stateMachineName}`,
      },
      StateMachine: { Id: `${states}:stateMachine:${stateMachineName}`, Name: stateMachineName },
    },
  });
  options.signal?.addEventListener('abort', () => execution.abort(), { once: true });
  if (options.signal?.aborted) execution.abort();
  const result = settle(execution.result);
  const history = await follow(execution.eventLogs, prepared, options);
  return { ...(await result), history };
}

function withStartTime({ definition }: Prepared): unknown {
  return JSON.parse(JSON.stringify(definition).replaceAll('$$.Execution.StartTime', () => '$$.startTime'));
}

function handlersFor(prepared: Prepared, options: RunOptions): Record<string, Handler> {
  const handlers: Record<string, Handler> = {};
  for (const task of prepared.tasks) handlers[task.state] = taskHandler(task, options);
  for (const state of prepared.waits) handlers[state] = (input) => wait(state, input, options);
  return handlers;
}

function taskHandler(task: TaskBinding, options: RunOptions): Handler {
  const { functionKey } = task;
  if (functionKey === undefined) {
    const integration = options.integrations?.[task.resource];
    if (!integration) throw new DefinitionError(`${task.state}: nothing is bound to ${task.resource}.`);
    return async (input) => {
      checkSize(input, 'input', task.state);
      const result = jsonTrip(await integration(jsonTrip(input)));
      checkSize(result, 'output', task.state);
      return result;
    };
  }
  if (options.functions && !options.functions.includes(functionKey)) {
    throw new DefinitionError(`${task.state}: there is no function ${functionKey}.`);
  }
  return async (input) => {
    checkSize(input, 'input', task.state);
    const result = await options.tasks({ ...task, functionKey }, jsonTrip(input));
    if ('error' in result) throw taskError(result);
    checkSize(result.ok, 'output', task.state);
    return jsonTrip(result.ok);
  };
}

async function wait(state: string, parameters: unknown, options: RunOptions): Promise<null> {
  const { seconds, timestamp } = parameters as { seconds?: number; timestamp?: string };
  const until = timestamp === undefined ? 0 : Date.parse(timestamp) - (options.now?.() ?? Date.now());
  const milliseconds = Math.max(seconds === undefined ? until : seconds * 1000, 0) * (options.waitScale ?? 1);
  if (options.wait) await options.wait(milliseconds, state);
  else
    await sleep(milliseconds, undefined, options.signal && { signal: options.signal }).catch(() => undefined);
  return null;
}

/**
 * The error a Task fails with: its name is what Retry and Catch match, its message becomes the Cause.
 *
 * A function that times out is `Sandbox.Timedout` with current runtimes; `States.Timeout` is the state's own TimeoutSeconds.
 * One that ends without an answer is `Lambda.Unknown`. Service errors carry the prefix `Lambda.`:
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
function taskError({ error, kind }: InvocationFailure): Error {
  const names = {
    handled: error.errorType,
    timeout: 'Sandbox.Timedout',
    exit: 'Lambda.Unknown',
    throttled: `Lambda.${error.errorType}`,
    rejected: `Lambda.${error.errorType}`,
  };
  const { errorType, errorMessage, trace } = error;
  const cause = JSON.stringify({ errorType, errorMessage, trace }).slice(0, MAX_CAUSE_LENGTH);
  return Object.assign(new Error(cause), { name: names[kind] });
}

// Too much data ends an execution: neither Retry nor Catch sees States.DataLimitExceeded, States.ALL included.
function checkSize(value: unknown, which: string, state: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? 'null');
  if (bytes <= MAX_STATE_BYTES) return;
  const message = `The state/task '${state}' has an ${which} of ${bytes} bytes; the limit is ${MAX_STATE_BYTES}.`;
  throw Object.assign(new Error(message), {
    name: 'States.DataLimitExceeded',
    isRetryable: false,
    isCatchable: false,
  });
}

function jsonTrip(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}

async function settle(result: Promise<unknown>): Promise<Omit<ExecutionResult, 'history'>> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
    if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT', error: 'States.Timeout' };
    if (!(error instanceof ExecutionError) || !(error.cause instanceof Error)) throw error;
    return { status: 'FAILED', error: error.cause.name, cause: error.cause.message };
  }
}

const EVENT_TYPES = {
  StateEntered: 'entered',
  StateExited: 'exited',
  StateFailed: 'failed',
  StateRetried: 'retried',
  StateCaught: 'caught',
} as const;

type EngineEvents = ReturnType<StateMachine['run']>['eventLogs'];

async function follow(
  events: EngineEvents,
  { waits, tasks }: Prepared,
  { onState, onDocument }: Pick<RunOptions, 'onState' | 'onDocument'>,
): Promise<StateEvent[]> {
  const history: StateEvent[] = [];
  const began = new Map<string, number>();
  const services = new Map(
    tasks
      .filter(({ functionKey }) => functionKey === undefined)
      .map(({ state, resource }) => [state, resource]),
  );
  for await (const event of events) {
    if (!('state' in event) || !(event.type in EVENT_TYPES)) continue;
    const type = EVENT_TYPES[event.type as keyof typeof EVENT_TYPES];
    // States inside a Map run side by side under one name.
    const key = `${event.state.name}#${'index' in event ? event.index : ''}`;
    if (type === 'entered') began.set(key, event.timestamp);
    const told: StateEvent = {
      type,
      state: event.state.name,
      stateType: waits.has(event.state.name) ? 'Wait' : event.state.type,
      ...(services.has(event.state.name) && { resource: services.get(event.state.name) ?? '' }),
      at: event.timestamp,
      durationMs: event.timestamp - (began.get(key) ?? event.timestamp),
      ...('retry' in event ? { attempt: event.retry.attempt } : {}),
      ...('Error' in event ? { error: event.Error, cause: String(event.Cause) } : {}),
    };
    if (type === 'retried') began.set(key, event.timestamp);
    history.push(told);
    if (event.type === 'StateExited') onDocument?.(event.state.output);
    onState?.(told);
  }
  return history;
}
