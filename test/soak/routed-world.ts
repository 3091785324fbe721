// What a routed soak runs in: one stream with several pipelines in two sandboxes, and a witness for each of them between
// the forwarder and the simulated platform.
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { parseManifest } from '../../lib/manifest.ts';
import { SCHEMA_CACHE_FACTOR } from '../../lib/waits.ts';
import type { Answer } from '../../local/aep/answer.ts';
import type { Call } from '../../local/aep/http.ts';
import { createPlatform, type Platform } from '../../local/aep/platform.ts';
import type { InvocationReport } from '../../local/aws/delivery.ts';
import { publishedNow } from '../../local/start/expected.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource, provision } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { Copies } from './copies.ts';
import type { InletPaths } from './faults.ts';
import { Oracle } from './oracle.ts';
import { POISON } from './records.ts';
import type { RoutedSoakOptions } from './routed-options.ts';
import { SANDBOXES, type SoakRoute, soakRoutes } from './routes.ts';
import { poisoned, responsesOf, type Traffic, WARM_UP_SECONDS } from './world.ts';

export const STREAM = 'soak-routed';

/** Which of the routes parks. */
export const PARKS = 2;
const PARK_AFTER_SECONDS = 2;

/** What the refusing route's inlet answers, by turns. */
const REFUSALS = [503, 429, 403] as const;

/** A route, and what its witness has seen. */
export interface Watched extends SoakRoute {
  readonly oracle: Oracle;
  readonly copies: Copies;
  readonly traffic: Traffic;
  /** Rows that landed. */
  landed: number;
}

export interface Outage {
  /** Its number from 1. */
  number: number;
  /** Requests that are still to be refused; 0 while there is none. */
  left: number;
  /** Requests that were refused, in all. */
  refused: number;
}

/** What becomes of the route that parks. */
export interface Parking {
  /** Whether its inlet is away. */
  isOut: boolean;
  /** Requests that were refused meanwhile. */
  refused: number;
  /** Messages of its own that a redrive has sent, or stored as rejects. */
  sent: number;
  /** Shards in which a redrive has ended its outage. */
  ended: number;
}

export interface RoutedWorld {
  readonly stack: Stack;
  readonly routes: readonly Watched[];
  readonly inlets: InletPaths;
  readonly kills: { processes: number; armed: boolean; strike(): Promise<void> };
  readonly outage: Outage;
  readonly parking: Parking;
  /** @returns the kills begun or ended until then, a time of `Date.now()` */
  killsUntil(time: number): number;
  readonly invocations: readonly InvocationReport[];
  /** Lines in which the forwarder says that it has miscounted. */
  readonly miscounts: readonly string[];
}

/** Kills begun or ended, and when. */
class Epoch {
  readonly #times: number[] = [];

  get kills(): number {
    return this.#times.length;
  }

  advance(): void {
    this.#times.push(Date.now());
  }

  at(time: number): number {
    const later = this.#times.findIndex((one) => one > time);
    return later === -1 ? this.kills : later;
  }
}

export async function createRoutedWorld(options: RoutedSoakOptions, folder: string): Promise<RoutedWorld> {
  const routes = soakRoutes(options.routes).map(
    (route): Watched => ({
      ...route,
      oracle: new Oracle(options.records),
      copies: new Copies(options.records),
      traffic: { requests: 0, bytes: 0 },
      landed: 0,
    }),
  );
  const invocations: InvocationReport[] = [];
  const miscounts: string[] = [];
  const byInlet = new Map<string, Watched>();
  const byDataset = new Map<string, Watched>();
  const epoch = new Epoch();
  const kills = {
    processes: 0,
    armed: false,
    async strike() {
      if (!kills.armed) return;
      // What comes in while they die comes of neither those before nor those after.
      epoch.advance();
      kills.processes += await stack.aws.functions.kill(functionName('forward'));
      epoch.advance();
    },
  };
  const outage = { number: 0, left: 0, refused: 0 };
  const parking: Parking = { isOut: false, refused: 0, sent: 0, ended: 0 };
  const platform = createPlatform({
    warmUpMs: WARM_UP_SECONDS * 1_000,
    schemaCacheMs: WARM_UP_SECONDS * SCHEMA_CACHE_FACTOR * 1_000,
    seed: options.seed,
    sandboxes: [
      { name: 'prod', title: 'Production', type: 'production', isDefault: true },
      ...SANDBOXES.map((name) => ({ name, title: name })),
    ],
    keepRequests: 100,
    // Rows are looked at as they land, so few need to be remembered.
    keepRows: 10_000,
    onLanded(rows, dataSetId) {
      const route = byDataset.get(dataSetId);
      if (route === undefined) throw new Error(`rows landed in ${dataSetId}, which is no route's`);
      route.landed += rows.length;
      route.oracle.rows(rows);
    },
  });
  const stack = await startStack({
    warmUpSeconds: WARM_UP_SECONDS,
    seed: options.seed,
    sandboxes: SANDBOXES,
    folder,
    bundled: options.bundled,
    platform: watched(platform, { byInlet, routes, kills, epoch, outage, parking, options }),
    onInvocation: (report) => invocations.push(report),
    onLog: (name, line) => {
      if (name === functionName('forward') && line.includes('"event":"miscounted"')) miscounts.push(line);
      if (name === functionName('redrive')) noteRedrive(line, parking);
    },
  });
  try {
    await provisionAll(stack, routes, options, { byInlet, byDataset });
    const paths = [...byInlet.keys()];
    const inlets = { raw: paths.slice(0, 2), xdm: paths.slice(2) };
    const killsUntil = (time: number) => epoch.at(time);
    return { stack, routes, inlets, kills, outage, parking, killsUntil, invocations, miscounts };
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** Adds what a line of redrive's log says. */
function noteRedrive(line: string, parking: Parking): void {
  const at = line.indexOf('{');
  const found = JSON.parse(at === -1 ? '{}' : line.slice(at)) as Record<string, unknown>;
  if ('parkedSince' in found) parking.ended++;
  if (found.source === 'parked') parking.sent += Number(found.delivered) + Number(found.rejectedAgain);
}

interface Watch extends Pick<RoutedWorld, 'kills' | 'outage' | 'parking' | 'routes'> {
  readonly byInlet: ReadonlyMap<string, Watched>;
  readonly epoch: { readonly kills: number };
  readonly options: RoutedSoakOptions;
}

/** The platform, with the witnesses looking at every request that comes in over the wire and at what goes out. */
function watched(platform: Platform, given: Watch): Platform {
  const { byInlet, kills, epoch, outage, parking, options } = given;
  const [refusing, parks] = [given.routes[1], given.routes[PARKS]];
  const { killEvery } = options;
  let requests = 0;
  const handle = async (call: Call): Promise<Answer> => {
    if (!call.path.startsWith('/collection/')) return platform.handle(call);
    const route = byInlet.get(call.path);
    if (route === undefined) throw new Error(`a request came to ${call.path}, which is no route's`);
    const number = ++requests;
    const since = epoch.kills;
    const isOut = outage.left > 0;
    route.traffic.requests++;
    route.traffic.bytes += call.body.length;
    const records = route.oracle.request(call.body);
    // Every other time AEP has taken the request already, and the one who asked never hears of it.
    if (number % (2 * killEvery) === killEvery) await kills.strike();
    const answer =
      isOut && route === refusing
        ? refused(outage)
        : parking.isOut && route === parks
          ? away(parking)
          : call.body.includes(POISON)
            ? poisoned()
            : await platform.handle(call);
    if (number % (2 * killEvery) === 0) await kills.strike();
    // What a process had sent before it died is read after its death: only then does the end of its connection show.
    await nextTurn();
    const isHeard = call.signal?.aborted !== true && !answer.dropped && answer.breaksAfter === undefined;
    if (answer.status === 207 && isHeard) {
      const told = route.oracle.answer(records, responsesOf(answer));
      route.copies.taken(told, since, isOut && route !== refusing ? outage.number : 0);
    }
    return answer;
  };
  return Object.create(platform, { handle: { value: handle } }) as Platform;
}

function away(parking: Parking): Answer {
  parking.refused++;
  return { status: 503, headers: { 'content-type': 'application/json' }, text: '{"status":503}' };
}

function refused(outage: Outage): Answer {
  outage.left = Math.max(0, outage.left - 1);
  const status = REFUSALS[outage.refused++ % REFUSALS.length] as number;
  return { status, headers: { 'content-type': 'application/json' }, text: `{"status":${status}}` };
}

/** Publishes the first, and then the others at once, which join its stream. */
async function provisionAll(
  stack: Stack,
  routes: readonly Watched[],
  { batchSize, shards }: RoutedSoakOptions,
  found: { readonly byInlet: Map<string, Watched>; readonly byDataset: Map<string, Watched> },
): Promise<void> {
  const manifests = routes.map(({ name, sandbox, where }, index) =>
    parseManifest({
      version: 1,
      name,
      sandbox,
      source: {
        kind: 'inlet',
        stream: STREAM,
        data: 'raw',
        startAt: 'earliest',
        ...(where && { records: { where } }),
        ...(index === PARKS && { onOutage: 'park', parkAfterSeconds: PARK_AFTER_SECONDS }),
      },
      schema: { class: 'profile', fieldGroups: ['profile-person-details'] },
      mapping: [
        { source: 'id', destination: '_id' },
        { source: 'firstName', destination: 'person.name.firstName' },
      ],
    }),
  );
  const [first, ...others] = manifests;
  if (first === undefined) throw new RangeError('a stream has one route at least');
  await prepareSource(stack, first, shards);
  const { streamArn = '' } = await provision(stack, first, { warmUpSeconds: WARM_UP_SECONDS });
  await Promise.all(others.map((one) => provision(stack, one, { warmUpSeconds: WARM_UP_SECONDS })));
  await changeRoutedBatchSize(stack, batchSize);
  const published = (await publishedNow(stack, streamArn))?.routes ?? [];
  for (const route of routes) {
    const own = published.find(({ pipeline }) => pipeline === route.name);
    if (own === undefined) throw new Error(`${route.name} is not among the stream's routes`);
    found.byInlet.set(new URL(own.inletUrl).pathname.replace('/collection/', '/collection/batch/'), route);
    found.byDataset.set(own.datasetId, route);
  }
  // A route that joins takes what arrives from then on.
  const from = Math.max(0, ...published.map((route) => route.from ?? 0));
  await pause(Math.max(0, from - Date.now()));
}

export async function changeRoutedBatchSize(stack: Stack, size: number): Promise<void> {
  const mapping = stack.aws.mappings.all.find(({ eventSourceArn }) => eventSourceArn.endsWith(`/${STREAM}`));
  if (mapping === undefined) throw new Error('the stream has no trigger');
  while (mapping.state !== 'Enabled') await pause(50);
  stack.aws.mappings.update(mapping.uuid, { BatchSize: size });
}
