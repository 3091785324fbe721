// Makes a state machine's source file runnable here: refuses what the local engine cannot do, binds Tasks, scales waits.
import aslValidator from 'asl-validator';
import { PARAMETERS } from './integrations.ts';

export type State = Record<string, unknown> & { Type: string };
export interface Definition extends Record<string, unknown> {
  StartAt: string;
  States: Record<string, State>;
}

export interface TaskBinding {
  state: string;
  /** The function named by `{"Fn::GetAtt": ["<key>", "Arn"]}`; absent for a service integration. */
  functionKey?: string;
  /** What stands in `Resource`, or the local ARN of the function. */
  resource: string;
}

export interface Prepared {
  definition: Definition;
  tasks: TaskBinding[];
  /** Wait states run as Tasks, so that their length can be scaled whatever path it comes from. */
  waits: Set<string>;
}

export interface PrepareOptions {
  functionArn(functionKey: string): string;
  /** 0.01 makes a 300 s wait take 3 s; retry intervals scale alike. */
  waitScale: number;
  /** What `{"Ref": "<name>"}` in a state's Parameters stands for, by that name. */
  refs?: Readonly<Record<string, string>>;
}

// setTimeout counts in 32 bits; the engine's own default of 60 s would end long tasks, AWS's is 99,999,999 s.
const MAX_SECONDS = 2_147_483;

export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
}

export function prepare(source: unknown, options: PrepareOptions): Prepared {
  const text = JSON.stringify(source);
  const definition = JSON.parse(text) as Definition;
  refuseUnsupported(definition, text);
  const prepared: Prepared = { definition, tasks: [], waits: new Set() };
  const states = [...statesOf(definition)];
  const names = new Set<string>();
  for (const [name, state] of states) {
    if (names.has(name))
      throw new DefinitionError(`Two states are called ${name}; handlers are found by name.`);
    names.add(name);
    if (state.Type === 'Task') prepared.tasks.push(bindTask(name, state, options));
    if ('Parameters' in state) state.Parameters = resolveRefs(state.Parameters, name, options.refs ?? {});
  }
  validate(definition);
  if (definition.TimeoutSeconds !== undefined) {
    definition.TimeoutSeconds = Math.min(Number(definition.TimeoutSeconds), MAX_SECONDS);
  }
  // What follows is for the engine only and need not be valid Amazon States Language.
  for (const [name, state] of states) {
    scaleRetries(state, options.waitScale);
    if (state.Type === 'Task' && state.TimeoutSecondsPath === undefined) {
      state.TimeoutSeconds = Math.min(Number(state.TimeoutSeconds ?? MAX_SECONDS), MAX_SECONDS);
    }
    if (state.Type === 'Wait') {
      waitAsTask(name, state);
      prepared.waits.add(name);
    }
  }
  return prepared;
}

// JSONata and variables are worse than missing in the engine: it ignores the one and fails late on the other.
function refuseUnsupported(definition: Definition, text: string): void {
  const parts: [string, Record<string, unknown>][] = [
    ['the definition', definition],
    ...statesOf(definition),
  ];
  for (const [name, part] of parts) {
    if (part.QueryLanguage !== undefined && part.QueryLanguage !== 'JSONPath') {
      throw new DefinitionError(`${name}: QueryLanguage ${String(part.QueryLanguage)} does not run locally.`);
    }
    if ('Assign' in part) throw new DefinitionError(`${name}: Assign does not run locally.`);
  }
  const missing = /\$\$\.(State|Task)\b/.exec(text);
  if (missing) throw new DefinitionError(`The context object has no ${missing[0]} locally.`);
  if (text.includes('.waitForTaskToken')) throw new DefinitionError('Task tokens do not exist locally.');
}

function* statesOf(machine: Definition): Generator<[string, State]> {
  for (const [name, state] of Object.entries(machine.States ?? {})) {
    yield [name, state];
    const inner = [state.ItemProcessor, state.Iterator, ...((state.Branches as unknown[]) ?? [])];
    for (const branch of inner) if (branch !== undefined) yield* statesOf(branch as Definition);
  }
}

function bindTask(name: string, state: State, options: PrepareOptions): TaskBinding {
  const resource = state.Resource;
  if (typeof resource === 'string' && resource.startsWith('arn:')) {
    checkParameters(name, resource, state.Parameters);
    return { state: name, resource };
  }
  const attribute = (resource as { 'Fn::GetAtt'?: unknown } | undefined)?.['Fn::GetAtt'];
  if (Array.isArray(attribute) && typeof attribute[0] === 'string' && attribute[1] === 'Arn') {
    const arn = options.functionArn(attribute[0]);
    state.Resource = arn;
    return { state: name, functionKey: attribute[0], resource: arn };
  }
  throw new DefinitionError(`${name}: Resource must be {"Fn::GetAtt": ["<function>", "Arn"]} or an ARN.`);
}

/** As Step Functions does when the machine is made. */
function checkParameters(state: string, resource: string, parameters: unknown): void {
  const known = PARAMETERS[resource];
  const names = Object.keys((parameters ?? {}) as object).map((name) => name.replace(/\.\$$/, ''));
  const other = known && names.find((name) => !known.includes(name));
  if (other) throw new DefinitionError(`${state}: the field "${other}" is not supported by Step Functions.`);
}

/** CloudFormation puts the name of a resource in for `{"Ref": …}`; Amazon States Language knows nothing of it. */
function resolveRefs(value: unknown, state: string, refs: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((one) => resolveRefs(one, state, refs));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[key, name] = []] = entries;
  if (entries.length !== 1 || key !== 'Ref') {
    return Object.fromEntries(entries.map(([part, inner]) => [part, resolveRefs(inner, state, refs)]));
  }
  const resolved = refs[String(name)];
  if (resolved === undefined) throw new DefinitionError(`${state}: nothing is known of the Ref ${name}.`);
  return resolved;
}

/** Definitions found to be valid: looking takes longer than running most of them. */
const valid = new Set<string>();

function validate(definition: Definition): void {
  const text = JSON.stringify(definition);
  if (valid.has(text)) return;
  const { isValid, errorsText } = aslValidator(definition);
  if (!isValid) throw new DefinitionError(`The definition is not valid:\n${errorsText('\n')}`);
  valid.add(text);
}

function scaleRetries(state: State, scale: number): void {
  for (const retrier of (state.Retry as Record<string, unknown>[] | undefined) ?? []) {
    retrier.IntervalSeconds = Number(retrier.IntervalSeconds ?? 1) * scale;
    if (retrier.MaxDelaySeconds !== undefined) {
      retrier.MaxDelaySeconds = Number(retrier.MaxDelaySeconds) * scale;
    }
  }
}

/** A Wait passes its input on, as does a Task whose result is dropped (`ResultPath: null`). */
function waitAsTask(name: string, state: State): void {
  if (state.InputPath !== undefined || state.OutputPath !== undefined) {
    throw new DefinitionError(`${name}: InputPath and OutputPath of a Wait do not run locally.`);
  }
  const { Seconds, Timestamp, SecondsPath, TimestampPath } = state;
  state.Type = 'Task';
  state.Resource = 'arn:aws:states:::local:wait';
  state.ResultPath = null;
  state.TimeoutSeconds = MAX_SECONDS;
  state.Parameters = {
    ...(Seconds === undefined ? {} : { seconds: Seconds }),
    ...(Timestamp === undefined ? {} : { timestamp: Timestamp }),
    ...(SecondsPath === undefined ? {} : { 'seconds.$': SecondsPath }),
    ...(TimestampPath === undefined ? {} : { 'timestamp.$': TimestampPath }),
  };
}
