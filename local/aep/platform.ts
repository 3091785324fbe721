// Adobe Experience Platform, simulated: one function from a request to its answer, with a memory in between.

import { adminRoutes } from './admin.ts';
import { type Answer, json } from './answer.ts';
import { labelRoutes } from './catalog/labels.ts';
import { catalogRoutes } from './catalog/routes.ts';
import { advancing, type PlatformClock } from './clock.ts';
import { dataAccessRoutes } from './data-access.ts';
import { dataPrepRoutes } from './data-prep/routes.ts';
import { legacyProblem, Refusal } from './errors.ts';
import { exportRoutes } from './exports.ts';
import { refusedBefore, spoiled } from './fault-effects.ts';
import { createFaults, type Fault, type Faults } from './faults.ts';
import { disableFailing } from './flow-service/failing.ts';
import { flowServiceRoutes } from './flow-service/routes.ts';
import { admit, checkContentType } from './gateway.ts';
import type { AdmittedCall, Call } from './http.ts';
import { identityRoutes } from './identity.ts';
import { createIds, type Ids } from './ids.ts';
import { imsRoutes } from './ims.ts';
import { createInlets, type InletCall, type Inlets } from './inlet/inlet.ts';
import { createJournal, type Journal } from './journal.ts';
import { mappingRowRoutes } from './mapping-rows.ts';
import { namespaceRoutes } from './namespaces.ts';
import { notSimulatedRoutes, unanswered } from './not-simulated.ts';
import { countInletCall, observabilityRoutes } from './observability.ts';
import { type PlatformOptions, type Settings, settle } from './options.ts';
import type { Platform } from './platform-interface.ts';
import type { Endpoint } from './published.ts';
import { sourceStates } from './pulled/readers.ts';
import {
  createReading,
  type Reading,
  readHeld,
  readStreams,
  startReading,
  stopReading,
} from './pulled/reading.ts';
import { connectionTestRoutes, sourceRoutes } from './pulled/routes.ts';
import { registryRoutes } from './registry/routes.ts';
import { better, createRouter, type Found, type Route, type Router } from './router.ts';
import { sandboxRoutes } from './sandboxes.ts';
import { snapshotRoutes } from './snapshots.ts';
import { copyOfState, newState, type State, type World } from './state.ts';
import { unionRoutes } from './unions.ts';

interface Core {
  readonly world: World;
  readonly inlets: Inlets;
  readonly reading: Reading;
  readonly open: Router<Call>;
  readonly inlet: Router<InletCall>;
  readonly gated: Router<AdmittedCall>;
  readonly endpoints: readonly Pick<Endpoint, 'method' | 'pattern'>[];
  readonly absent: Absent;
}

/** What a platform remembers. */
interface Memory {
  readonly ids: Ids;
  readonly state: State;
  readonly origin: string;
  readonly kinesis: string;
  readonly journal: Journal;
  readonly faults: Faults;
}

export function createPlatform(options: PlatformOptions = {}): Platform {
  const settings = settle(options);
  const clock = advancing(settings.clock);
  return platformWith(settings, clock, {
    ...blank(settings, clock, settings.origin),
    kinesis: settings.kinesis,
    journal: createJournal(settings.keepRequests),
    faults: createFaults(settings.seed),
  });
}

function blank(settings: Settings, clock: PlatformClock, origin: string) {
  const ids = createIds(settings.seed);
  return { ids, state: newState(settings, ids, clock), origin };
}

function platformWith(settings: Settings, clock: PlatformClock, memory: Memory): Platform {
  let { journal, faults } = memory;
  let core: Core;
  let taken = 0;

  async function handle(given: Call): Promise<Answer> {
    const call: Call = { ...given, notes: {} };
    const admin = call.path.startsWith('/_simulator');
    const started = performance.now();
    const at = clock.now();
    disableFailing(core.world);
    readHeld(core.reading);
    const struck = admin ? [] : faults.strike(call.method, call.path);
    const answer = await answerTo(core, clock, call, struck);
    answer.headers['x-simulated'] = 'penstock';
    answer.headers['x-request-id'] ??= call.requestId;
    if (call.path.startsWith('/collection/')) countInletCall(core.world, call, answer);
    if (!admin) {
      core.world.state.counts.requests += 1;
      journal.record(
        call,
        answer,
        at,
        performance.now() - started,
        struck.map((fault) => fault.kind),
      );
    }
    return answer;
  }

  const platform: Platform = {
    fetch: async (request) => responseTo(await handle(await callFrom(request, core.world))),
    handle,
    get state() {
      return core.world.state;
    },
    get journal() {
      return journal;
    },
    get faults() {
      return faults;
    },
    clock,
    settings,
    credentials: settings.credentials,
    get endpoints() {
      return core.endpoints;
    },
    get notSimulated() {
      return core.absent.endpoints;
    },
    get origin() {
      return core.world.origin;
    },
    set origin(origin) {
      core.world.origin = origin;
    },
    get kinesis() {
      return core.world.kinesis;
    },
    set kinesis(endpoint) {
      core.world.kinesis = endpoint;
      if (endpoint !== '') startReading(core.reading);
    },
    sources: () => sourceStates(core.world),
    readStreams: () => readStreams(core.reading),
    readSources: () => readHeld(core.reading),
    close: () => stopReading(core.reading),
    idle: () => core.inlets.idle(),
    copy(more = {}) {
      const own = settle({ ...settings, ...more });
      const ownClock = advancing(own.clock);
      const { ids, state, origin, kinesis } = core.world;
      return platformWith(own, ownClock, {
        ids: createIds(ids.nextSeed),
        state: copyOfState(state, ownClock),
        origin: more.origin ?? origin,
        kinesis: more.kinesis ?? kinesis,
        journal: journal.copy(),
        faults: faults.copy(),
      });
    },
    snapshots: new Map(),
    snapshot() {
      const { ids, state } = core.world;
      return {
        id: `snapshot-${++taken}`,
        at: clock.now(),
        nextSeed: ids.nextSeed,
        state: copyOfState(state, clock),
        journal: journal.copy(),
        faults: faults.copy(),
      };
    },
    restore(snapshot) {
      const { origin, kinesis } = core.world;
      journal = snapshot.journal.copy();
      faults = snapshot.faults.copy();
      stopReading(core.reading);
      const ids = createIds(snapshot.nextSeed);
      const state = copyOfState(snapshot.state, clock);
      core = build({ settings, clock, ids, state, origin, kinesis }, platform);
    },
    reset() {
      const { kinesis } = core.world;
      platform.snapshots.clear();
      journal.clear();
      faults.clear();
      stopReading(core.reading);
      core = build({ settings, clock, kinesis, ...blank(settings, clock, core.world.origin) }, platform);
    },
  };
  const { ids, state, origin, kinesis } = memory;
  core = build({ settings, clock, ids, state, origin, kinesis }, platform);
  return platform;
}

/** Behind the gateway of `platform.adobe.io`; what is not simulated among it, too. */
const GATED = /^\/(data|ajo|journey|unifiedtags|unifiedfolders)\//;

interface Absent {
  readonly endpoints: readonly Endpoint[];
  readonly router: Router<Call>;
}

/** The same for every platform, as its services are: made once, for platforms are copied by the thousand. */
let absent: Absent | undefined;

function absentFrom(routes: readonly Pick<Endpoint, 'method' | 'pattern'>[]): Absent {
  const endpoints = unanswered(routes);
  return { endpoints, router: createRouter(notSimulatedRoutes(endpoints)) };
}

function build(world: World, platform: Platform): Core {
  const inlets = createInlets(world);
  const reading = createReading(world, (...taken) => inlets.takePulled(...taken));
  const simulated = services(world, reading);
  const ims = imsRoutes(world);
  const endpoints = endpointsOf([...ims, ...simulated, ...inlets.routes()]);
  absent ??= absentFrom(endpoints);
  if (world.kinesis !== '') startReading(reading);
  return {
    world,
    inlets,
    reading,
    open: createRouter<Call>([
      ...ims,
      ...adminRoutes(platform),
      ...sourceRoutes(platform),
      ...snapshotRoutes(platform),
    ]),
    inlet: createRouter<InletCall>(inlets.routes()),
    gated: createRouter<AdmittedCall>(simulated.map(takingJson)),
    endpoints,
    absent,
  };
}

function endpointsOf(routes: readonly Route<never>[]): Pick<Endpoint, 'method' | 'pattern'>[] {
  return routes.map(([method, pattern]) => ({ method, pattern }));
}

function services(world: World, reading: Reading): Route<AdmittedCall>[] {
  return [
    ...sandboxRoutes(world),
    ...registryRoutes(world),
    ...identityRoutes(world),
    ...catalogRoutes(world),
    ...labelRoutes(world),
    ...dataAccessRoutes(world),
    ...connectionTestRoutes(reading),
    ...flowServiceRoutes(world),
    ...dataPrepRoutes(world),
    ...unionRoutes(world),
    ...exportRoutes(world),
    ...namespaceRoutes(world),
    ...mappingRowRoutes(world),
    ...observabilityRoutes(world),
  ];
}

/** A service that is here reads JSON alone; one that is not may take files. */
function takingJson([method, pattern, handler]: Route<AdmittedCall>): Route<AdmittedCall> {
  return [
    method,
    pattern,
    (call, ...parts) => {
      checkContentType(call);
      return handler(call, ...parts);
    },
  ];
}

async function answerTo(
  core: Core,
  clock: PlatformClock,
  call: Call,
  struck: readonly Fault[],
): Promise<Answer> {
  for (const fault of struck) {
    if (fault.latencyMs && fault.kind !== 'late') await abortable(clock.sleep(fault.latencyMs), call.signal);
    if (fault.kind === 'expireTokens') core.world.state.tokens.clear();
  }
  const refused = refusedBefore(struck);
  if (refused) return refused;
  const answer = await appliedOrRefused(core, call, struck);
  for (const { kind, latencyMs = 0 } of struck)
    if (kind === 'late') await abortable(clock.sleep(latencyMs), call.signal);
  return spoiled(struck, answer);
}

async function appliedOrRefused(core: Core, call: Call, struck: readonly Fault[]): Promise<Answer> {
  try {
    return await applied(core, call, struck);
  } catch (error) {
    if (error instanceof Refusal) return { ...error.answer, headers: { ...error.answer.headers } };
    // A fault of the simulator itself: an answer all the same, and one that says so.
    const detail = error instanceof Error ? error.message : String(error);
    return json(500, legacyProblem(500, 'Simulator error', detail));
  }
}

function applied(core: Core, call: Call, struck: readonly Fault[]): Answer | Promise<Answer> {
  if (call.path.startsWith('/collection/')) {
    return run(core.inlet(call.method, call.path), { ...call, faults: struck });
  }
  if (GATED.test(call.path)) {
    const stale = struck.find((fault) => fault.kind === 'stale');
    const admitted = admit(core.world, call, stale ? (stale.staleMs ?? 30_000) : core.world.settings.staleMs);
    const found = core.gated(call.method, call.path);
    return run(better(found, core.absent.router(call.method, call.path)), admitted);
  }
  const found = core.open(call.method, call.path);
  return run(better(found, core.absent.router(call.method, call.path)), call);
}

/** What the real gateway answers to a path that nobody has is UNKNOWN; the shape is that of its services. */
function run<C extends Call>(match: Found<C>, call: C): Answer | Promise<Answer> {
  if (match === undefined) {
    const next = call.path.startsWith('/_simulator') ? '; GET /_simulator/ lists the pages' : '';
    throw Refusal.problem(404, 'NotFoundError', `No such resource: ${call.method} ${call.path}${next}`);
  }
  if (match === 'method') {
    throw Refusal.problem(405, 'MethodNotAllowed', `${call.method} is not allowed on ${call.path}`);
  }
  return match.handler(call, ...match.parts);
}

async function callFrom(request: Request, world: World): Promise<Call> {
  const url = new URL(request.url);
  const body = request.body === null ? Buffer.alloc(0) : Buffer.from(await request.arrayBuffer());
  return {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(request.headers),
    body,
    requestId: request.headers.get('x-request-id') ?? world.ids.uuid(),
    signal: request.signal,
  };
}

/** How an answer looks on the wire; shared with the server. */
export function wireText(answer: Answer): string | undefined {
  return answer.text ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
}

function responseTo(answer: Answer): Response {
  if (answer.dropped)
    throw new TypeError('fetch failed', { cause: new Error('simulated: the connection was cut') });
  const whole = answer.status === 204 ? null : (wireText(answer) ?? null);
  const body = whole !== null && answer.breaksAfter !== undefined ? broken(whole, answer.breaksAfter) : whole;
  return new Response(body, { status: answer.status, headers: answer.headers });
}

/** A body that breaks off, as `fetch` sees it. */
function broken(whole: string, after: number): ReadableStream<Uint8Array> {
  const parts = [Buffer.from(whole).subarray(0, after)];
  return new ReadableStream({
    pull(controller) {
      const part = parts.pop();
      if (part === undefined) controller.error(new TypeError('terminated'));
      else controller.enqueue(part);
    },
  });
}

async function abortable(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return wait;
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export type { Credential, PlatformOptions } from './options.ts';
export type { Platform } from './platform-interface.ts';
