// A state machine run in virtual time: exactly the part of Amazon States Language that provisioning uses, no timers, no dice of its own.
import type { InvocationFailure, InvocationResult } from '../../local/aws/function-errors.ts';
import { DefinitionError, lookUp, PathError, placement, read, type Scope, template } from './paths.ts';

type Json = Record<string, unknown>;

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxAttempts?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface MachineEvent {
  readonly type: 'entered' | 'exited' | 'failed' | 'retried' | 'caught';
  readonly state: string;
  readonly at: number;
  readonly error?: string;
}

/** The Task that asks for something. */
export interface Asking {
  readonly state: string;
  /** The state's own TimeoutSeconds: whoever plays a function that hangs ends it then. */
  readonly timeoutSeconds: number;
}

export interface MachineRun {
  readonly input: unknown;
  readonly name: string;
  /** Runs a function, by the name in its `Fn::GetAtt`. */
  tasks(functionKey: string, input: unknown, asking: Asking): Promise<InvocationResult>;
  /** Service integrations by their Resource; an error's name is matched. One that is missing here is refused at once. */
  readonly integrations?: Readonly<Record<string, (parameters: unknown, asking: Asking) => Promise<unknown>>>;
  now(): number;
  /** Waits and retry intervals pass here. */
  sleep(ms: number, state: string): Promise<void>;
  /** Jitter is drawn from it. */
  random(): number;
  onState?(event: MachineEvent): void;
  /** Told before a state does anything. */
  onEnter?(state: string, input: unknown): void;
  /** Goes on at the beginning of a state instead of at that of the execution. */
  readonly from?: { readonly state: string; readonly input: unknown; readonly startedAt: number };
  readonly signal?: AbortSignal;
}

export interface MachineResult {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

export interface Machine {
  run(options: MachineRun): Promise<MachineResult>;
  /** The service integrations it asks for. */
  readonly integrations: readonly string[];
}

/** What a state came to: its output, and the state that follows unless it was the last. */
interface Step {
  readonly output: unknown;
  readonly next: string | undefined;
}

interface Running extends MachineRun {
  readonly context: { State: { Name: string; EnteredTime: string; RetryCount: number } } & Json;
  readonly stopped: Promise<never>;
  readonly until: number;
}

type State = (run: Running, input: unknown) => Promise<Step> | Step;
type Compile = (name: string, source: Json) => State;

/** An error by the name that Retry and Catch match. */
class StateError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

class Aborted extends Error {}
class TimedOut extends Error {}

const FUNCTION_ERRORS = { timeout: 'Sandbox.Timedout', exit: 'Lambda.Unknown' } as const;
/** No Retry and no Catch sees these. */
const FINAL = new Set(['States.Runtime', 'States.DataLimitExceeded']);
const MOST_BYTES = 262_144;
const MOST_TRANSITIONS = 2_000;
const STATES = 'arn:aws:states:eu-west-1:123456789012';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pass: ['Parameters', 'Result', 'ResultPath', 'Next', 'End'],
  Task: [
    'Resource',
    'Parameters',
    'ResultSelector',
    'ResultPath',
    'TimeoutSeconds',
    'Retry',
    'Catch',
    'Next',
    'End',
  ],
  Choice: ['Choices', 'Default'],
  Wait: ['Seconds', 'SecondsPath', 'Next', 'End'],
  Succeed: [],
  Fail: ['Error', 'Cause', 'ErrorPath', 'CausePath'],
};
const RETRIER = [
  'ErrorEquals',
  'IntervalSeconds',
  'BackoffRate',
  'MaxAttempts',
  'MaxDelaySeconds',
  'JitterStrategy',
];

const COMPILE: Readonly<Record<string, Compile>> = {
  Pass: pass,
  Task: task,
  Choice: choice,
  Wait: wait,
  Succeed: succeed,
  Fail: fail,
};

/**
 * A machine that can be run any number of times. `refs`: what `{"Ref": "<name>"}` in Parameters stands for.
 * @throws DefinitionError for every field, path, function or Ref that it does not know: nothing is passed over in silence
 */
export function machine(source: unknown, refs: Readonly<Record<string, string>> = {}): Machine {
  const definition = withRefs(source, refs) as Json & { States: Record<string, Json> };
  only(definition, ['Comment', 'StartAt', 'TimeoutSeconds', 'States'], 'the definition');
  const states = new Map<string, State>();
  for (const [name, state] of Object.entries(definition.States)) states.set(name, compile(name, state));
  const start = String(definition.StartAt);
  for (const name of [start, ...nextsIn(definition.States)])
    if (!states.has(name)) throw new DefinitionError(`There is no state ${name}.`);
  const resources = Object.values(definition.States).map(({ Resource }) => Resource);
  const seconds = Number(definition.TimeoutSeconds ?? Number.POSITIVE_INFINITY);
  return {
    integrations: [...new Set(resources.filter((one) => typeof one === 'string'))],
    run: (options) => execute(states, start, seconds, options),
  };
}

/** CloudFormation puts the name of a resource in for `{"Ref": …}`. */
function withRefs(value: unknown, refs: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((one) => withRefs(one, refs));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, name] = []] = entries;
  if (entries.length !== 1 || key !== 'Ref')
    return Object.fromEntries(entries.map(([part, inner]) => [part, withRefs(inner, refs)]));
  const known = refs[String(name)];
  if (known === undefined) throw new DefinitionError(`Nothing is known of the Ref ${name}.`);
  return known;
}

function compile(name: string, source: Json): State {
  const type = String(source.Type);
  const fields = FIELDS[type];
  const make = COMPILE[type];
  if (fields === undefined || make === undefined)
    throw new DefinitionError(`${name}: ${type} does not run here.`);
  only(source, ['Type', 'Comment', ...fields], name);
  return make(name, source);
}

function only(source: Json, fields: readonly string[], where: string): void {
  const unknown = Object.keys(source).filter((field) => !fields.includes(field));
  if (unknown.length > 0) throw new DefinitionError(`${where}: ${unknown.join(', ')} does not run here.`);
}

function nextsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(nextsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'Next' || key === 'Default') && typeof inner === 'string' ? [inner] : nextsIn(inner),
  );
}

/** The ARN of an execution of this name. */
export function executionArn(name: string): string {
  return `${STATES}:execution:local:${name}`;
}

async function execute(
  states: Map<string, State>,
  start: string,
  seconds: number,
  options: MachineRun,
): Promise<MachineResult> {
  const run = begin(options, seconds);
  try {
    const { from } = options;
    let step: Step = from
      ? { output: trip(from.input), next: from.state }
      : { output: trip(options.input), next: start };
    for (let count = 0; step.next !== undefined; count++) {
      if (count > MOST_TRANSITIONS)
        throw new Error(`More than ${MOST_TRANSITIONS} states, lately ${step.next}.`);
      step = await enter(states, run, step.next, step.output);
    }
    return { status: 'SUCCEEDED', output: step.output };
  } catch (error) {
    return ended(error);
  }
}

function begin(options: MachineRun, seconds: number): Running {
  const started = options.from?.startedAt ?? options.now();
  const context = {
    Execution: {
      Id: executionArn(options.name),
      Name: options.name,
      Input: options.input,
      RoleArn: 'arn:aws:iam::123456789012:role/local',
      StartTime: new Date(started).toISOString(),
    },
    StateMachine: { Id: `${STATES}:stateMachine:local`, Name: 'local' },
    State: { Name: '', EnteredTime: '', RetryCount: 0 },
  };
  return { ...options, context, stopped: abortion(options.signal), until: started + seconds * 1_000 };
}

function abortion(signal: AbortSignal | undefined): Promise<never> {
  const stopped = new Promise<never>((_, reject) => {
    if (signal?.aborted) reject(new Aborted());
    signal?.addEventListener('abort', () => reject(new Aborted()), { once: true });
  });
  stopped.catch(() => undefined);
  return stopped;
}

function ended(error: unknown): MachineResult {
  if (error instanceof Aborted) return { status: 'ABORTED' };
  if (error instanceof TimedOut) return { status: 'TIMED_OUT', error: 'States.Timeout' };
  if (error instanceof StateError || error instanceof PathError)
    return { status: 'FAILED', error: error.name, cause: error.message };
  throw error;
}

async function enter(states: Map<string, State>, run: Running, name: string, input: unknown): Promise<Step> {
  Object.assign(run.context.State, {
    Name: name,
    EnteredTime: new Date(run.now()).toISOString(),
    RetryCount: 0,
  });
  run.onEnter?.(name, input);
  tell(run, 'entered', name);
  const step = await states.get(name)?.(run, input);
  if (step === undefined) throw new DefinitionError(`There is no state ${name}.`);
  inTime(run);
  tell(run, 'exited', name);
  return step;
}

function tell(run: Running, type: MachineEvent['type'], state: string, error?: string): void {
  run.onState?.({ type, state, at: run.now(), ...(error !== undefined && { error }) });
}

/** The time of the whole execution, and StopExecution. */
function inTime(run: Running): void {
  if (run.signal?.aborted) throw new Aborted();
  if (run.now() > run.until) throw new TimedOut();
}

async function pause(run: Running, seconds: number, state: string): Promise<void> {
  await Promise.race([run.sleep(seconds * 1_000, state), run.stopped]);
  inTime(run);
}

function pass(_: string, source: Json): State {
  const result = 'Parameters' in source ? template(source.Parameters) : undefined;
  const put = placement(source.ResultPath as string | null | undefined);
  const next = nextOf(source);
  return (run, input) => {
    if (result !== undefined) return { output: put(input, result(scope(run, input))), next };
    return { output: put(input, 'Result' in source ? source.Result : input), next };
  };
}

function succeed(): State {
  return (_, input) => ({ output: input, next: undefined });
}

function fail(_: string, source: Json): State {
  const part = (literal: unknown, path: unknown) =>
    path === undefined ? () => literal ?? '' : read(String(path));
  const error = part(source.Error, source.ErrorPath);
  const cause = part(source.Cause, source.CausePath);
  return (run, input) => {
    throw new StateError(String(error(scope(run, input))), String(cause(scope(run, input))));
  };
}

function wait(name: string, source: Json): State {
  const seconds = source.SecondsPath === undefined ? () => source.Seconds : read(String(source.SecondsPath));
  const next = nextOf(source);
  return async (run, input) => {
    const length = seconds(scope(run, input));
    if (typeof length !== 'number' || length < 0)
      throw new StateError('States.Runtime', `${name}: ${String(length)} is no number of seconds.`);
    await pause(run, length, name);
    return { output: input, next };
  };
}

function choice(_: string, source: Json): State {
  const rules = (source.Choices as Json[]).map(({ Next, ...rule }) => ({
    next: String(Next),
    holds: test(rule),
  }));
  const otherwise = source.Default as string | undefined;
  return (run, input) => {
    const next = rules.find(({ holds }) => holds(scope(run, input)))?.next ?? otherwise;
    if (next === undefined)
      throw new StateError('States.NoChoiceMatched', 'No choice fits, and there is no Default.');
    return { output: input, next };
  };
}

type Test = (scope: Scope) => boolean;

const COMPARE: Readonly<Record<string, (value: unknown, wanted: never) => boolean>> = {
  StringEquals: (value, wanted: string) => value === wanted,
  BooleanEquals: (value, wanted: boolean) => value === wanted,
  NumericEquals: (value, wanted: number) => value === wanted,
  NumericGreaterThan: (value, wanted: number) => typeof value === 'number' && value > wanted,
  NumericGreaterThanEquals: (value, wanted: number) => typeof value === 'number' && value >= wanted,
  NumericLessThan: (value, wanted: number) => typeof value === 'number' && value < wanted,
};

function test(rule: Json): Test {
  const { Variable, Comment: _, ...rest } = rule;
  const [[operator = '', wanted] = [], ...more] = Object.entries(rest);
  if (more.length > 0) throw new DefinitionError(`${JSON.stringify(rule)}: one operator at a time.`);
  if (operator === 'Not') {
    const inner = test(wanted as Json);
    return (at) => !inner(at);
  }
  if (operator === 'And' || operator === 'Or') {
    const parts = (wanted as Json[]).map(test);
    return (at) => (operator === 'And' ? parts.every((part) => part(at)) : parts.some((part) => part(at)));
  }
  return comparison(operator, String(Variable), wanted);
}

function comparison(operator: string, variable: string, wanted: unknown): Test {
  if (operator === 'IsPresent') {
    const find = lookUp(variable);
    return (at) => (find(at) !== undefined) === wanted;
  }
  const compare = COMPARE[operator];
  if (compare === undefined) throw new DefinitionError(`${operator} does not run here.`);
  const value = read(variable);
  return (at) => compare(value(at), wanted as never);
}

function task(name: string, source: Json): State {
  const ask = resource(name, source);
  const parameters = 'Parameters' in source ? template(source.Parameters) : undefined;
  const select = 'ResultSelector' in source ? template(source.ResultSelector) : undefined;
  const put = placement(source.ResultPath as string | null | undefined);
  const retriers = (source.Retry ?? []) as (Retrier & Json)[];
  for (const retrier of retriers) only(retrier, RETRIER, name);
  const caught = catchers(name, source);
  const next = nextOf(source);

  const attempt = async (run: Running, input: unknown): Promise<Step> => {
    const given = parameters === undefined ? input : parameters(scope(run, input));
    const result = await ask(run, given);
    return { output: put(input, select === undefined ? result : select(scope(run, result))), next };
  };
  return async (run, input) => {
    const used = retriers.map(() => 0);
    for (;;) {
      try {
        return await attempt(run, input);
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        tell(run, 'failed', name, error.name);
        inTime(run);
        const seconds = retryAfter(retriers, used, error, run.random);
        if (seconds === undefined) return caught(run, input, error);
        await pause(run, seconds, name);
        run.context.State.RetryCount += 1;
        tell(run, 'retried', name, error.name);
      }
    }
  };
}

/** Seconds until the next try: by the first retrier that names the error, while it has tries left. */
function retryAfter(retriers: readonly Retrier[], used: number[], error: StateError, random: () => number) {
  const index = retriers.findIndex(({ ErrorEquals }) => names(ErrorEquals, error));
  const retrier = retriers[index];
  const before = used[index] ?? 0;
  if (retrier === undefined || before >= (retrier.MaxAttempts ?? 3)) return undefined;
  used[index] = before + 1;
  const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** before;
  const capped = Math.min(grown, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return retrier.JitterStrategy === 'FULL' ? random() * capped : capped;
}

function names(list: readonly string[], { name }: StateError): boolean {
  if (FINAL.has(name)) return false;
  if (list.includes(name) || list.includes('States.ALL')) return true;
  return list.includes('States.TaskFailed') && name !== 'States.Timeout';
}

function catchers(name: string, source: Json) {
  const all = ((source.Catch ?? []) as Json[]).map((catcher) => {
    only(catcher, ['ErrorEquals', 'ResultPath', 'Next', 'Comment'], name);
    const put = placement(catcher.ResultPath as string | null | undefined);
    return { list: catcher.ErrorEquals as string[], put, next: String(catcher.Next) };
  });
  return (run: Running, input: unknown, error: StateError): Step => {
    const catcher = all.find(({ list }) => names(list, error));
    if (catcher === undefined) throw error;
    tell(run, 'caught', name, error.name);
    return { output: catcher.put(input, { Error: error.name, Cause: error.message }), next: catcher.next };
  };
}

type Ask = (run: Running, given: unknown) => Promise<unknown>;

function resource(name: string, { Resource, TimeoutSeconds }: Json): Ask {
  const timeoutSeconds = Number(TimeoutSeconds ?? 99_999_999);
  const asking = { state: name, timeoutSeconds };
  const key = (Resource as { 'Fn::GetAtt'?: unknown[] } | undefined)?.['Fn::GetAtt'];
  const ask = typeof Resource === 'string' ? integration(Resource, asking) : invocation(name, key, asking);
  return async (run, given) => {
    const began = run.now();
    const result = await Promise.race([ask(run, given), run.stopped]);
    if (run.now() - began > timeoutSeconds * 1_000) throw new StateError('States.Timeout', '');
    return result;
  };
}

function integration(arn: string, asking: Asking): Ask {
  if (!arn.startsWith('arn:aws:states:::'))
    throw new DefinitionError(`${asking.state}: ${arn} does not run here.`);
  return async (run, given) => {
    const act = run.integrations?.[arn];
    if (act === undefined) throw new DefinitionError(`${asking.state}: nothing is bound to ${arn}.`);
    try {
      return trip(await act(trip(given), asking));
    } catch (error) {
      // `DynamoDB.ConditionalCheckFailedException` is an answer; a TypeError is a mistake in a test.
      if (error instanceof Error && error.name.includes('.')) throw new StateError(error.name, error.message);
      throw error;
    }
  };
}

function invocation(name: string, attribute: unknown[] | undefined, asking: Asking): Ask {
  const [key, of] = attribute ?? [];
  if (typeof key !== 'string' || of !== 'Arn')
    throw new DefinitionError(`${name}: Resource must be {"Fn::GetAtt": ["<function>", "Arn"]} or an ARN.`);
  return async (run, given) => {
    const result = await run.tasks(key, bounded(given, 'input', name), asking);
    if ('error' in result) throw functionError(result);
    return bounded(result.ok, 'output', name);
  };
}

function functionError({ error, kind }: InvocationFailure): StateError {
  const { errorType, errorMessage, trace } = error;
  const name =
    kind === 'handled'
      ? errorType
      : kind in FUNCTION_ERRORS
        ? FUNCTION_ERRORS[kind as 'exit']
        : `Lambda.${errorType}`;
  return new StateError(name, JSON.stringify({ errorType, errorMessage, trace }).slice(0, 32_768));
}

/** A copy by way of JSON, as between Step Functions and Lambda, no larger than that allows. */
function bounded(value: unknown, which: string, state: string): unknown {
  const text = JSON.stringify(value) ?? 'null';
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_BYTES) return JSON.parse(text);
  const said = `The state/task '${state}' has an ${which} of ${bytes} bytes; the limit is ${MOST_BYTES}.`;
  throw new StateError('States.DataLimitExceeded', said);
}

function trip(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}

function scope(run: Running, input: unknown): Scope {
  return { $: input, $$: run.context };
}

function nextOf({ Next, End }: Json): string | undefined {
  if (typeof Next === 'string') return Next;
  if (End === true) return undefined;
  throw new DefinitionError('A state has neither Next nor End.');
}
