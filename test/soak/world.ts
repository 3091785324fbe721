// What the soak runs in: two pipelines on one machine, with the oracle between the forwarder and the simulated platform.
import { setTimeout as pause } from 'node:timers/promises';
import { parseManifest } from '../../lib/manifest.ts';
import { SCHEMA_CACHE_FACTOR } from '../../lib/waits.ts';
import type { Answer } from '../../local/aep/answer.ts';
import type { Call } from '../../local/aep/http.ts';
import { createPlatform, type Platform } from '../../local/aep/platform.ts';
import type { InvocationReport } from '../../local/aws/delivery.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource, provision } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import type { Inlets } from './faults.ts';
import type { SoakOptions } from './options.ts';
import { Oracle } from './oracle.ts';
import { POISON } from './records.ts';

export const WARM_UP_SECONDS = 1;

const manifest = (name: keyof Inlets, more: object, source: object) =>
  parseManifest({
    version: 1,
    name: `soak-${name}`,
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: `soak-${name}`, data: name, startAt: 'earliest', ...source },
    schema: { class: 'profile', fieldGroups: ['profile-person-details'] },
    ...more,
  });

const MANIFESTS = {
  raw: manifest(
    'raw',
    {
      mapping: [
        { source: 'id', destination: '_id' },
        { source: 'firstName', destination: 'person.name.firstName' },
      ],
    },
    {},
  ),
  xdm: manifest('xdm', {}, { compression: 'auto' }),
} as const;

export interface World {
  readonly stack: Stack;
  readonly oracle: Oracle;
  readonly inlets: Inlets;
  readonly kills: Kills;
  readonly traffic: Traffic;
  readonly invocations: readonly InvocationReport[];
  /** Lines in which the forwarder says that it has miscounted. */
  readonly miscounts: readonly string[];
}

export interface Kills {
  processes: number;
  /** Ends every process of the forwarder, if it may by now. */
  strike(): Promise<void>;
  armed: boolean;
}

export interface Traffic {
  requests: number;
  bytes: number;
}

export async function createWorld(options: SoakOptions, folder: string): Promise<World> {
  const oracle = new Oracle(options.records);
  const invocations: InvocationReport[] = [];
  const miscounts: string[] = [];
  const traffic: Traffic = { requests: 0, bytes: 0 };
  const kills: Kills = {
    processes: 0,
    armed: false,
    async strike() {
      if (kills.armed) kills.processes += await stack.aws.functions.kill(functionName('forward'));
    },
  };
  const platform = createPlatform({
    warmUpMs: WARM_UP_SECONDS * 1_000,
    schemaCacheMs: WARM_UP_SECONDS * SCHEMA_CACHE_FACTOR * 1_000,
    seed: options.seed,
    keepRequests: 100,
    // Rows are looked at as they land, so few need to be remembered.
    keepRows: 10_000,
    onLanded: (rows) => oracle.rows(rows),
  });
  const stack = await startStack({
    warmUpSeconds: WARM_UP_SECONDS,
    seed: options.seed,
    sandboxes: ['dev1'],
    folder,
    bundled: options.bundled,
    platform: watched(platform, { oracle, kills, traffic, killEvery: options.killEvery }),
    onInvocation: (report) => invocations.push(report),
    onLog: (name, line) => {
      if (name === functionName('forward') && line.includes('"event":"miscounted"')) miscounts.push(line);
    },
  });
  try {
    const inlets = await provisionBoth(stack, options);
    return { stack, oracle, inlets, kills, traffic, invocations, miscounts };
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** The platform, with the oracle looking at every request that comes in over the wire and at what goes out. */
function watched(
  platform: Platform,
  { oracle, kills, traffic, killEvery }: Pick<World, 'oracle' | 'kills' | 'traffic'> & { killEvery: number },
): Platform {
  const handle = async (call: Call): Promise<Answer> => {
    if (!call.path.startsWith('/collection/')) return platform.handle(call);
    const number = ++traffic.requests;
    traffic.bytes += call.body.length;
    const records = oracle.request(call.body);
    // Every other time AEP has taken the request already, and the one who asked never hears of it.
    if (number % (2 * killEvery) === killEvery) await kills.strike();
    const answer = call.body.includes(POISON) ? poisoned() : await platform.handle(call);
    if (number % (2 * killEvery) === 0) await kills.strike();
    if (answer.status === 207 && !answer.dropped && answer.breaksAfter === undefined)
      oracle.answer(records, responsesOf(answer));
    return answer;
  };
  return Object.create(platform, { handle: { value: handle } }) as Platform;
}

/** A request that is refused as a whole for what one message in it says: the culprit has to be looked for. */
export function poisoned(): Answer {
  return {
    status: 400,
    headers: { 'content-type': 'application/json' },
    text: '{"status":400,"title":"Bad Request"}',
  };
}

export function responsesOf({ text, body }: Answer): unknown {
  if (text === undefined) return (body as { responses?: unknown }).responses;
  try {
    return (JSON.parse(text) as { responses?: unknown }).responses;
  } catch {
    return undefined;
  }
}

export async function changeBatchSize(stack: Stack, name: keyof Inlets, size: number): Promise<void> {
  const mapping = stack.aws.mappings.all.find(({ eventSourceArn }) =>
    eventSourceArn.endsWith(`/soak-${name}`),
  );
  if (mapping === undefined) throw new Error('the stream has no mapping');
  while (mapping.state !== 'Enabled') await pause(50);
  stack.aws.mappings.update(mapping.uuid, { BatchSize: size });
}

async function provisionBoth(stack: Stack, { batchSize, shards }: SoakOptions): Promise<Inlets> {
  const one = async (name: keyof Inlets): Promise<string> => {
    await prepareSource(stack, MANIFESTS[name], shards);
    await provision(stack, MANIFESTS[name], { warmUpSeconds: WARM_UP_SECONDS });
    await changeBatchSize(stack, name, batchSize[name]);
    for (const [id, { sandbox, connectionId }] of stack.platform.platform.state.inlets) {
      if (sandbox.connections.get(connectionId)?.body.name === `soak-${name}-inlet`)
        return `/collection/batch/${id}`;
    }
    throw new Error('the pipeline has no inlet');
  };
  const [raw, xdm] = await Promise.all([one('raw'), one('xdm')]);
  return { raw, xdm };
}
