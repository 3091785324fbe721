// Provisioning in one process: the real state machine and steps, the simulated platform as `fetch`, a virtual clock.
import { readFileSync } from 'node:fs';
import type { FetchInit } from '../../lib/aep/transport.ts';
import { Failure } from '../../lib/failure.ts';
import { importing } from '../../lib/import/import.ts';
import type { LogFields } from '../../lib/log.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { drift } from '../../lib/provision/plan/drift.ts';
import { plan } from '../../lib/provision/plan/plan.ts';
import { STEPS } from '../../lib/provision/resources/resources.ts';
import { status } from '../../lib/provision/status.ts';
import { begin } from '../../lib/provision/steps/begin.ts';
import { publish } from '../../lib/provision/steps/publish.ts';
import { report } from '../../lib/provision/steps/report.ts';
import { retire, stop } from '../../lib/provision/steps/retire.ts';
import { rollback } from '../../lib/provision/steps/rollback.ts';
import { plainStep, readingStep, resourceStep, step } from '../../lib/provision/steps/step.ts';
import { trigger } from '../../lib/provision/steps/trigger.ts';
import { verify } from '../../lib/provision/steps/verify.ts';
import { streamArnIn } from '../../lib/published.ts';
import type { Consumer, DriftRuntime, Trigger } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import type { FaultSpec } from '../../local/aep/fault-kinds.ts';
import { seededRandom } from '../../local/aep/ids.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import { createPlatform, type Platform, wireText } from '../../local/aep/platform.ts';
import { failure, type InvocationResult } from '../../local/aws/function-errors.ts';
import { runStateMachine } from '../../local/aws/state-machine.ts';
import {
  Execution,
  type Fault,
  type Intercept,
  Invocation,
  type Made,
  type Spoil,
  type Time,
} from './chaos.ts';
import { type MemoryLedger, memoryLedger } from './ledger.ts';
import { executionArn, type MachineEvent, type MachineResult, machine } from './machine.ts';
import { noted, noteUse } from './port-uses.ts';
import { quirks } from './quirks.ts';
import { type MemoryRoutes, memoryRoutes } from './routes.ts';
import { CREDENTIALS } from './scripted.ts';

const DEFINITION = JSON.parse(
  readFileSync(new URL('../../functions/provision/states.asl.json', import.meta.url), 'utf8'),
) as { States: Record<string, { TimeoutSeconds?: number }> };
const REFS = memoryLedger().refs;
const MACHINE = machine(DEFINITION, REFS);
const START = Date.parse('2026-01-01T00:00:00Z');
export const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers';
const SCALE = 0.001;
export const ORIGIN = 'http://127.0.0.1:4010';

/** Secrets Manager as a map; also counts what is written. */
function memorySecrets(values: Map<string, string>, from?: Memory['secrets']) {
  let writes = from?.writes() ?? 0;
  const versions = new Map(from?.versions);
  const write = (id: string, value: string, version?: string) => {
    writes++;
    values.set(id, value);
    if (version !== undefined) versions.set(`${id} ${version}`, value);
  };
  return {
    values,
    /** By name and version: what was written with one. */
    versions,
    writes: () => writes,
    /** As if it had been written so, all versions of it. */
    rewrite: (id: string, value: string) => {
      values.set(id, value);
      for (const key of versions.keys()) if (key.startsWith(`${id} `)) versions.set(key, value);
    },
    get: async (id: string, version?: string) =>
      version === undefined || !values.has(id) ? values.get(id) : versions.get(`${id} ${version}`),
    create: async (id: string, value: string, _description: string, version?: string) => {
      if (values.has(id)) return false;
      write(id, value, version);
      return true;
    },
    put: async (id: string, value: string, _description: string, version?: string) =>
      write(id, value, version),
    remove: async (id: string) => void values.delete(id),
  };
}

/** Consumers of streams, which take two looks to become active, as Kinesis's take seconds. */
function memoryConsumers(from?: Memory['consumers']) {
  const all = new Map(from?.all);
  return {
    all,
    find: async (streamArn: string): Promise<Consumer | undefined> => {
      const there = all.get(streamArn);
      if (there === undefined) return undefined;
      all.set(streamArn, { ...there, looks: there.looks + 1 });
      return { arn: there.arn, state: there.looks > 0 ? ('active' as const) : ('changing' as const) };
    },
    register: async (streamArn: string) => {
      if (!all.has(streamArn))
        all.set(streamArn, { arn: `${streamArn}/consumer/penstock-dev:1767225600`, looks: 0 });
    },
    remove: async (streamArn: string) => void all.delete(streamArn),
  };
}

function memoryTriggers(from?: Memory['triggers']) {
  const all = new Map(from?.all);
  let writes = from?.writes() ?? 0;
  return {
    all,
    writes: () => writes,
    find: async (streamArn: string) => [...all.values()].find((one) => one.streamArn === streamArn),
    create: async (eventSourceArn: string, startAt: 'earliest' | Date) => {
      writes++;
      const streamArn = streamArnIn(eventSourceArn);
      const through = eventSourceArn === streamArn ? {} : { consumerArn: eventSourceArn };
      const made = { id: `trigger-${all.size + 1}`, streamArn, ...through, state: 'off' as const, startAt };
      all.set(made.id, made);
      return made;
    },
    switchOn: async (id: string) => {
      writes++;
      const found = all.get(id);
      if (found !== undefined) all.set(id, { ...found, state: 'on' });
    },
    switchOff: async (id: string) => {
      writes++;
      const found = all.get(id);
      if (found !== undefined) all.set(id, { ...found, state: 'off' });
    },
    remove: async (id: string) => void all.delete(id),
  };
}

/** What an execution is started with besides its input. */
export interface RunOptions {
  /** A function that does its work and dies before it can say so, once. */
  readonly kill?: string;
  /** A function that fails every time, with this error. */
  readonly fail?: Readonly<Record<string, string>>;
  /** Trouble at exact calls. */
  readonly fault?: Fault | readonly Fault[];
  /** Stands between the execution and everything outside it. */
  readonly intercept?: Intercept;
  readonly name?: string;
  /** Of the jitter of the state machine's retries. */
  readonly seed?: number;
  /** Told of every state before it does anything. */
  readonly onEnter?: (entered: Entered) => void;
  /** Goes on at the beginning of that state, in a copy of the world as it was then. */
  readonly from?: Entered;
  /** Another state machine than the project's own. */
  readonly definition?: object;
  /** `local`: on aws-local-stepfunctions, to compare with; its retries wait in real time. */
  readonly engine?: 'local';
}

type TriggerKept = Trigger & { startAt: 'earliest' | Date };

/** An execution at the beginning of a state: with a copy of its world, all that is needed to go on from there. */
export interface Entered {
  readonly state: string;
  readonly input: unknown;
  readonly startedAt: number;
  /** Of the jitter of its retries from here on. */
  readonly seed: number;
  readonly name: string;
  readonly calls: readonly Made[];
  readonly logged: readonly string[];
  readonly events: readonly MachineEvent[];
}

/** What there is to remember of a world. */
interface Memory {
  readonly time: Time;
  readonly platform: Platform;
  readonly secrets: {
    readonly values: ReadonlyMap<string, string>;
    readonly versions: ReadonlyMap<string, string>;
    writes(): number;
  };
  readonly triggers: { readonly all: ReadonlyMap<string, TriggerKept>; writes(): number };
  readonly routes: Pick<MemoryRoutes, 'lists' | 'writes'>;
  readonly consumers: { readonly all: ReadonlyMap<string, { readonly arn: string; readonly looks: number }> };
  readonly ledger: MemoryLedger;
  readonly requests: { readonly sent: number };
  readonly executions: readonly Execution[];
  readonly logged: readonly string[];
}

/**
 * A world to provision in: everything outside replaced, everything inside real.
 *
 * @param from what it remembers at first: the world that this is a copy of; without it there is nothing yet
 */
export function world(options: PlatformOptions = {}, from?: Memory) {
  const time = { now: from?.time.now ?? START };
  const clock = {
    now: () => time.now,
    sleep: async (ms: number) => {
      time.now += ms;
    },
  };
  const platform: Platform =
    from?.platform.copy({ clock, ...options }) ??
    createPlatform({
      origin: ORIGIN,
      clock,
      credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets: [CREDENTIALS.clientSecret] }],
      quirks,
      ...options,
    });
  const logged = [...(from?.logged ?? [])];
  const secrets = memorySecrets(
    new Map(from?.secrets.values ?? [['penstock/dev/credentials', JSON.stringify(CREDENTIALS)]]),
    from?.secrets,
  );
  const triggers = memoryTriggers(from?.triggers);
  const routes = memoryRoutes(from?.routes);
  const consumers = memoryConsumers(from?.consumers);
  const ledger = memoryLedger(undefined, from?.ledger);
  const requests = { sent: from?.requests.sent ?? 0 };
  const send = wire(platform, requests);
  const runtime: DriftRuntime = {
    settings: settingsFrom({
      PENSTOCK_IMS_URL: ORIGIN,
      PENSTOCK_PLATFORM_URL: ORIGIN,
      PENSTOCK_INLET_ORIGINS: ORIGIN,
      PENSTOCK_SHORT_WAITS: 'yes',
    }),
    clock,
    random: () => 0.5,
    fetch: (url, init) => send(url, init),
    log: logInto(logged),
    secrets,
    triggers,
    routes,
    consumers,
    ledger: ledger.ledger,
    streams: {
      arn: async (stream) =>
        stream === 'customers' || streamArnIn(stream) === STREAM_ARN ? STREAM_ARN : undefined,
      describe: async () => ({ state: 'ACTIVE', retentionHours: 24 }),
    },
  };
  /** Service integrations of the state machine, by their Resource. */
  const integrations: Record<string, (parameters: unknown) => Promise<unknown>> = { ...ledger.integrations };
  const executions: Execution[] = [...(from?.executions ?? [])];
  const outside: Outside = { runtime, send, logged, integrations, executions: ledger.executions };

  return {
    platform,
    requests,
    runtime,
    secrets,
    triggers,
    routes,
    consumers,
    ledger,
    integrations,
    logged,
    time,
    /** Functions to call directly, each in a container of its own that no fault reaches. */
    steps: stepsWith((key) => noted(key, runtime)),
    /** Every execution there was, in the order in which they were started. */
    executions,
    /** Runs the state machine; time is virtual, retries and waits move it. */
    async run(input: Record<string, unknown>, more: RunOptions = {}) {
      const name = more.from?.name ?? more.name ?? `run-${executions.length + 1}`;
      const execution = new Execution(name, time, more);
      executions.push(execution);
      const functions = new Functions(execution, outside, more);
      const events: MachineEvent[] = [...(more.from?.events ?? [])];
      const result = await execute(more.engine, {
        input,
        execution,
        functions,
        outside,
        time,
        events,
        more,
      });
      return {
        ...result,
        execution,
        calls: execution.calls,
        states: events.filter(({ type }) => type === 'entered').map(({ state }) => state),
        document: result.output as Pipeline,
        paths: pathsOf(result, events, execution),
      };
    },
    /** Calls that may change something, since the last time it was asked; the token aside. */
    mutations: mutationCounter(platform),
  };
}

/** What is outside of every execution. */
interface Outside {
  readonly runtime: DriftRuntime;
  readonly send: Send;
  readonly logged: string[];
  readonly integrations: Readonly<Record<string, (parameters: unknown) => Promise<unknown>>>;
  /** What DescribeExecution knows. */
  readonly executions: MemoryLedger['executions'];
}

interface Start {
  readonly input: unknown;
  readonly execution: Execution;
  readonly functions: Functions;
  readonly outside: Outside;
  readonly time: Time;
  readonly events: MachineEvent[];
  readonly more: RunOptions;
}

/** Runs it where it is known to run for as long as it does. */
async function execute(engine: 'local' | undefined, start: Start): Promise<MachineResult> {
  const { executions } = start.outside;
  const arn = executionArn(start.execution.name);
  executions.running(arn);
  const result = await (engine === 'local' ? runLocally : runVirtually)(start);
  executions.ended(arn, result.status);
  return result;
}

function runVirtually(start: Start): Promise<MachineResult> {
  const { execution, functions, time, events } = start;
  const { seed = 1, definition, from, onEnter } = start.more;
  const running = definition === undefined ? MACHINE : machine(definition, REFS);
  const startedAt = from?.startedAt ?? time.now;
  const random = seededRandom(from?.seed ?? seed);
  return running.run({
    input: start.input,
    name: execution.name,
    signal: execution.signal,
    now: () => time.now,
    sleep: (ms, state) => execution.wait(state, time.now + ms),
    random,
    ...(from && { from }),
    ...(onEnter && {
      onEnter: (state, input) =>
        onEnter({ state, input, startedAt, seed: random.nextSeed, ...standing(execution, events) }),
    }),
    tasks: (key, document, { timeoutSeconds }) => functions.invoke(key, document, timeoutSeconds),
    integrations: integrated(start),
    onState: (event) => void events.push(event),
  });
}

/** What an execution has done so far. */
function standing({ name, calls, logged }: Execution, events: readonly MachineEvent[]) {
  return { name, calls: calls.slice(), logged: logged.slice(), events: events.slice() };
}

function runLocally(start: Start): Promise<MachineResult> {
  const { execution, functions, time, events } = start;
  let lately: string | undefined;
  return runStateMachine({
    definition: start.more.definition ?? DEFINITION,
    input: start.input,
    executionName: execution.name,
    now: () => time.now,
    // Retries of a state wait in real time: a thousandth of it keeps their order. Waits move the clock in full.
    waitScale: SCALE,
    wait: (ms, state) => execution.wait(state, time.now + ms / SCALE),
    functions: functions.names,
    refs: REFS,
    tasks: ({ functionKey, state }, document) =>
      functions.invoke(functionKey, document, DEFINITION.States[state]?.TimeoutSeconds ?? 0),
    integrations: integrated(start),
    signal: execution.signal,
    onState: ({ type, state, error }) => {
      // The engine says what a state failed with, and not what it was retried or caught for: that is the same.
      if (error !== undefined) lately = error;
      const known = type === 'retried' || type === 'caught' ? lately : error;
      events.push({ type, state, at: time.now, ...(known !== undefined && { error: known }) });
    },
  });
}

/** The service integrations, each call of which passes through the execution. */
function integrated({ execution, outside: { integrations } }: Start) {
  return Object.fromEntries(
    Object.entries(integrations).map(([arn, act]) => {
      const label = arn.split(':::')[1] ?? arn;
      return [
        arn,
        (parameters: unknown, asking?: { state: string }) =>
          execution.integrate(asking?.state ?? label, { label, change: !READS.test(label) }, (spoil) =>
            spoiled(spoil, () => act(parameters), serviceError(label)),
          ),
      ];
    }),
  );
}

/** The functions of one execution: containers that stay warm until one of them dies. */
class Functions {
  readonly names: readonly string[];
  readonly #containers = new Map<string, Container>();
  readonly #execution: Execution;
  readonly #outside: Outside;
  readonly #fail: Readonly<Record<string, string>>;
  #kill: string | undefined;

  constructor(execution: Execution, outside: Outside, { kill, fail = {} }: RunOptions) {
    this.#execution = execution;
    this.#outside = outside;
    this.#kill = kill;
    this.#fail = fail;
    this.names = Object.keys(stepsWith(() => outside.runtime));
  }

  async invoke(key: string, event: unknown, timeoutSeconds: number): Promise<InvocationResult> {
    const error = this.#fail[key];
    if (error !== undefined) return failed(error);
    const at = new Invocation(key, timeoutSeconds, this.#outside.runtime.clock.now());
    const container = this.#containerFor(key);
    container.at = at;
    const result = await this.#execution.invoke(at, () => handled(container.handler, event));
    if (at.dead || at.zombie !== undefined) this.#containers.delete(key);
    if (key !== this.#kill) return result;
    this.#kill = undefined;
    this.#containers.delete(key);
    return failed('Sandbox.Timedout');
  }

  #containerFor(key: string): Container {
    const warm = this.#containers.get(key);
    if (warm !== undefined) return warm;
    const container: Container = { handler: undefined, at: undefined };
    const runtime = runtimeThrough(this.#execution, container, this.#outside);
    container.handler = stepsWith(() => runtime)[key];
    this.#containers.set(key, container);
    return container;
  }
}

interface Container {
  handler: Step | undefined;
  /** What runs in it. */
  at: Invocation | undefined;
}

/** The runtime as a container has it: each call to the outside passes through the execution. */
function runtimeThrough(execution: Execution, container: Container, outside: Outside): DriftRuntime {
  const { runtime, send } = outside;
  const at = () => container.at as Invocation;
  const own: Record<string, unknown> = {};
  // Whatever else there is in a runtime is a port to AWS.
  for (const [name, port] of Object.entries(runtime))
    own[name] = port !== null && typeof port === 'object' ? portThrough(execution, at, name, port) : port;
  return {
    ...(own as unknown as DriftRuntime),
    settings: runtime.settings,
    random: runtime.random,
    log: logInto(outside.logged, execution.logged),
    clock: { now: runtime.clock.now, sleep: (ms) => execution.sleep(at(), ms) },
    fetch: (url, init) => {
      const { pathname } = new URL(url);
      const change = changes(init.method, pathname);
      return execution.call(at(), { kind: 'aep', label: `${init.method} ${pathname}`, change }, (spoil) =>
        send(url, init, spoil),
      );
    },
  };
}

/** Methods that only look. */
const READS = /(^|[.:])(get|find|list|describe|read|query|arn|check|names)/;

/** Neither asking for a token nor trying out a mapping changes anything. */
function changes(method: string, path: string): boolean {
  return method !== 'GET' && !path.startsWith('/ims/') && !/\/(preview|validate)$/.test(path);
}

function portThrough(execution: Execution, at: () => Invocation, port: string, real: object): object {
  return new Proxy(real, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) => {
        const what = typeof given[0] === 'string' ? ` ${given[0]}` : '';
        const label = `${port}.${String(name)}${what}`;
        noteUse(at().step, port, String(name), given[0]);
        return execution.call(at(), { kind: 'aws', label, change: !READS.test(label) }, (spoil) =>
          spoiled(spoil, async () => method.apply(target, given) as unknown, awsError),
        );
      };
    },
  });
}

/** A call to AWS that goes wrong: before it is applied, or after. */
async function spoiled<T>(
  spoil: Spoil | undefined,
  act: () => Promise<T>,
  error: (throttled: boolean) => Error,
): Promise<T> {
  if (spoil === 'refused' || spoil === 'throttled') throw error(spoil === 'throttled');
  const value = await act();
  if (spoil !== undefined) throw error(false);
  return value;
}

function awsError(throttled: boolean): Error {
  const said = throttled ? 'ThrottlingException: on purpose' : 'ServiceUnavailableException: on purpose';
  return new Failure('AWS_UNAVAILABLE', said);
}

/** As Step Functions names the errors of a service that it calls itself. */
function serviceError(label: string): (throttled: boolean) => Error {
  const [service, trouble] = label.includes('sfn:')
    ? ['Sfn', 'InternalServerException']
    : ['DynamoDB', 'InternalServerError'];
  return (throttled) => {
    const name = `${service}.${throttled ? 'ThrottlingException' : trouble}`;
    return Object.assign(new Error(`${name} on purpose`), { name });
  };
}

type Send = (url: string, init: FetchInit, spoil?: Spoil) => Promise<Response>;

const SPOILS: Readonly<Record<Spoil, FaultSpec>> = {
  refused: { kind: 'dropBefore' },
  lost: { kind: 'dropAfter' },
  'error-after': { kind: 'failAfter' },
  truncated: { kind: 'truncate' },
  throttled: { kind: 'refuse', status: 429 },
};

/** The platform behind a wire that can be spoiled for one call. */
function wire(platform: Platform, requests: { sent: number }): Send {
  return async (url, init, spoil) => {
    const { pathname, searchParams } = new URL(url);
    const call = {
      method: init.method,
      path: pathname,
      query: searchParams,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: Buffer.from((init.body ?? '') as string),
      requestId: `request-${++requests.sent}`,
    };
    const fault = spoil === undefined ? undefined : platform.faults.add({ ...SPOILS[spoil], times: 1 });
    // Which faults strike is decided before `handle` waits for the first time: no other call can catch this one.
    const answering = platform.handle(call);
    if (fault !== undefined) platform.faults.remove(fault.id);
    return responseTo(await answering, spoil);
  };
}

function responseTo(answer: Awaited<ReturnType<Platform['handle']>>, spoil: Spoil | undefined): Response {
  const { status, headers, dropped } = answer;
  if (dropped) {
    const code = spoil === 'refused' ? 'ECONNREFUSED' : 'ECONNRESET';
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('simulated'), { code }) });
  }
  return answered(status, headers, status === 204 ? undefined : wireText(answer));
}

/** The part of a Response that is looked at: a whole one costs more than the platform behind it. */
function answered(
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string | undefined,
): Response {
  const part = {
    status,
    headers: { get: (name: string) => headers[name] ?? null },
    body: text === undefined ? null : [Buffer.from(text)],
    json: async () => JSON.parse(text ?? '') as unknown,
  };
  return part as unknown as Response;
}

function logInto(...logs: string[][]) {
  const write = (message: string, fields?: LogFields) => {
    const line = JSON.stringify({ message, ...fields });
    for (const log of logs) log.push(line);
  };
  return { debug: write, info: write, warn: write, error: write };
}

/** Where an execution went, in a few words each: for counting how often a sweep has been there. */
function pathsOf(result: MachineResult, events: readonly MachineEvent[], execution: Execution): Set<string> {
  const paths = new Set([`ended ${result.status} ${result.error ?? ''}`.trim()]);
  for (const { type, state, error } of events) {
    if (type === 'retried' || type === 'caught') paths.add(`${type} ${state} ${error ?? ''}`.trim());
  }
  for (const line of execution.logged) {
    if (line.startsWith('{"message":"aep answered"')) continue;
    const { message, how, resource, code } = JSON.parse(line) as Record<string, string>;
    const details = [resource, how, code].filter((one) => one !== undefined);
    paths.add(`said ${[message, ...details].join(' ')}`);
  }
  return paths;
}

type Step = (event: unknown) => Promise<Pipeline>;

/** Every function of `functions/provision`, by its key. */
function stepsWith(runtimeOf: (key: string) => DriftRuntime): Record<string, Step> {
  const of = (key: string) => () => runtimeOf(key);
  const resources = Object.keys(STEPS).map((name) => {
    const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [key, resourceStep(name as keyof typeof STEPS, of(key))];
  });
  return {
    begin: plainStep('begin', of('begin'), begin),
    plan: readingStep('plan', of('plan'), plan),
    ...Object.fromEntries(resources),
    verify: readingStep('verify', of('verify'), verify),
    publish: step('publish', of('publish'), publish),
    trigger: step('trigger', of('trigger'), trigger),
    stop: step('stop', of('stop'), stop),
    retire: step('retire', of('retire'), retire),
    rollback: step('rollback', of('rollback'), rollback),
    report: plainStep('report', of('report'), report),
    status: plainStep('status', of('status'), status),
    drift: plainStep('drift', of('drift'), drift),
    import: plainStep('import', of('import'), importing),
  } as Record<string, Step>;
}

function failed(errorType: string): InvocationResult {
  return failure('handled', errorType, `${errorType} on purpose`);
}

async function handled(handler: Step | undefined, event: unknown): Promise<InvocationResult> {
  try {
    return { ok: await handler?.(event) } as InvocationResult;
  } catch (error) {
    const { name, message, stack } = error as Error;
    return {
      kind: 'handled',
      error: { errorType: name, errorMessage: message, trace: (stack ?? '').split('\n') },
    } as InvocationResult;
  }
}

function mutationCounter(platform: Platform) {
  let seen = 0;
  return () => {
    const all = platform.journal.entries().filter(({ method, path }) => changes(method, path));
    const fresh = all.slice(seen).map(({ method, path }) => `${method} ${path}`);
    seen = all.length;
    return fresh;
  };
}
