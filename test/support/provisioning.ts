// Provisioning in one process: the real state machine and steps, the simulated platform as `fetch`, a virtual clock.
import { readFileSync } from 'node:fs';
import type { Fields } from '../../lib/log.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { baseConnection } from '../../lib/provision/base-connection.ts';
import { dataset } from '../../lib/provision/dataset.ts';
import { ensure } from '../../lib/provision/ensure.ts';
import { flow } from '../../lib/provision/flow.ts';
import { intake } from '../../lib/provision/intake.ts';
import { mapping } from '../../lib/provision/mapping.ts';
import { publish } from '../../lib/provision/publish.ts';
import type { Resource } from '../../lib/provision/resource.ts';
import { rollback } from '../../lib/provision/rollback.ts';
import { schema } from '../../lib/provision/schema.ts';
import { sourceConnection } from '../../lib/provision/source-connection.ts';
import { begin, planStep, step } from '../../lib/provision/step.ts';
import { targetConnection } from '../../lib/provision/target-connection.ts';
import { verify, waitSeconds } from '../../lib/provision/verify.ts';
import type { Intake, ProvisionRuntime } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import type { PlatformOptions } from '../../local/aep/options.ts';
import { createPlatform, type Platform } from '../../local/aep/platform.ts';
import type { InvocationResult } from '../../local/aws/function-errors.ts';
import { runStateMachine } from '../../local/aws/state-machine.ts';
import { CREDENTIALS } from './scripted.ts';

const DEFINITION = readFileSync(
  new URL('../../functions/provision/states.asl.json', import.meta.url),
  'utf8',
);
export const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/customers';
const SCALE = 0.001;
export const ORIGIN = 'http://127.0.0.1:4010';

/** Secrets Manager as a map; also counts what is written. */
function memorySecrets(values: Map<string, string>) {
  let writes = 0;
  return {
    values,
    writes: () => writes,
    get: async (id: string) => values.get(id),
    put: async (id: string, value: string) => {
      writes++;
      values.set(id, value);
    },
    remove: async (id: string) => void values.delete(id),
  };
}

function memoryIntakes() {
  const all = new Map<string, Intake & { startAt: 'earliest' | Date }>();
  let writes = 0;
  return {
    all,
    writes: () => writes,
    find: async (streamArn: string) => [...all.values()].find((one) => one.streamArn === streamArn),
    create: async (streamArn: string, startAt: 'earliest' | Date) => {
      writes++;
      const made = { id: `intake-${all.size + 1}`, streamArn, state: 'off' as const, startAt };
      all.set(made.id, made);
      return made;
    },
    switchOn: async (id: string) => {
      writes++;
      const found = all.get(id);
      if (found !== undefined) all.set(id, { ...found, state: 'on' });
    },
    remove: async (id: string) => void all.delete(id),
  };
}

/** A world to provision in: everything outside replaced, everything inside real. */
export function world(options: PlatformOptions = {}) {
  const time = { now: Date.parse('2026-01-01T00:00:00Z') };
  const clock = {
    now: () => time.now,
    sleep: async (ms: number) => {
      time.now += ms;
    },
  };
  const platform: Platform = createPlatform({
    origin: ORIGIN,
    clock,
    credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets: [CREDENTIALS.clientSecret] }],
    ...options,
  });
  const logged: string[] = [];
  const write = (message: string, fields?: Fields) =>
    void logged.push(JSON.stringify({ message, ...fields }));
  const secrets = memorySecrets(new Map([['penstock/dev/credentials', JSON.stringify(CREDENTIALS)]]));
  const intakes = memoryIntakes();
  const runtime: ProvisionRuntime = {
    settings: settingsFrom({
      PENSTOCK_IMS_URL: ORIGIN,
      PENSTOCK_PLATFORM_URL: ORIGIN,
      PENSTOCK_INLET_ORIGINS: ORIGIN,
    }),
    clock,
    random: () => 0.5,
    fetch: (url, init) => platform.fetch(new Request(url, init as RequestInit)),
    log: { debug: write, info: write, warn: write, error: write },
    secrets,
    intakes,
    streams: {
      arn: async (stream) => (stream === 'customers' || stream === STREAM_ARN ? STREAM_ARN : undefined),
    },
  };
  const steps = stepsWith(runtime);
  let executions = 0;

  return {
    platform,
    runtime,
    secrets,
    intakes,
    logged,
    time,
    steps,
    /** Runs the state machine; waits move the clock. */
    async run(
      input: Record<string, unknown>,
      options: {
        /** A function that does its work and dies before it can say so, once. */
        kill?: string;
        /** A function that fails every time, with this error. */
        fail?: Readonly<Record<string, string>>;
      } = {},
    ) {
      const executionName = `run-${++executions}`;
      const states: string[] = [];
      let { kill } = options;
      const result = await runStateMachine({
        definition: JSON.parse(DEFINITION) as unknown,
        input,
        executionName,
        now: clock.now,
        // Retries of a state wait in real time: a thousandth of it keeps their order. Waits move the clock in full.
        waitScale: SCALE,
        wait: (ms) => clock.sleep(ms / SCALE),
        functions: Object.keys(steps),
        tasks: async ({ functionKey }, document) => {
          const error = options.fail?.[functionKey];
          if (error !== undefined) return failed(error);
          const result = await invoke(steps[functionKey], document);
          if (functionKey !== kill) return result;
          kill = undefined;
          // Step Functions waits before it tries again what died without a word.
          time.now += 25_000;
          return failed('Sandbox.Timedout');
        },
        onState: ({ type, state }) => void (type === 'entered' && states.push(state)),
      });
      return { ...result, states, document: result.output as Pipeline };
    },
    /** Calls that may change something, since the last time it was asked; the token aside. */
    mutations: mutationCounter(platform),
  };
}

type Step = (event: unknown) => Promise<Pipeline>;

function stepsWith(runtime: ProvisionRuntime): Record<string, Step> {
  const resource = (name: string, of: Resource) =>
    step(
      name,
      () => runtime,
      (pipeline, context) => ensure(of, pipeline, context),
    );
  return {
    plan: planStep(() => runtime, begin),
    schema: resource('schema', schema),
    dataset: resource('dataset', dataset),
    baseConnection: resource('base-connection', baseConnection),
    sourceConnection: resource('source-connection', sourceConnection),
    targetConnection: resource('target-connection', targetConnection),
    mapping: resource('mapping', mapping),
    flow: step(
      'flow',
      () => runtime,
      async (pipeline, context) => {
        const ensured = await ensure(flow, pipeline, context);
        return { ...ensured, waitSeconds: waitSeconds(ensured, runtime.clock.now()) };
      },
    ),
    verify: step('verify', () => runtime, verify),
    publish: step('publish', () => runtime, publish),
    intake: step('intake', () => runtime, intake),
    rollback: step('rollback', () => runtime, rollback),
  };
}

function failed(errorType: string): InvocationResult {
  return { kind: 'handled', error: { errorType, errorMessage: `${errorType} on purpose`, trace: [] } };
}

async function invoke(handler: Step | undefined, event: unknown): Promise<InvocationResult> {
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
    const all = platform.journal
      .entries()
      .filter(({ method, path }) => method !== 'GET' && !path.startsWith('/ims/'));
    const fresh = all.slice(seen).map(({ method, path }) => `${method} ${path}`);
    seen = all.length;
    return fresh;
  };
}
