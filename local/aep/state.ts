// Everything the simulated platform remembers, sandbox by sandbox.

import type { Clock, PlatformClock } from './clock.ts';
import type { Counters, DataSetCount, InletCount } from './counters.ts';
import type { Ids } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { SandboxOptions, Settings } from './options.ts';
import { copyOf as copyOfPulled, type PulledMemory, type SourceFailure } from './pulled/memory.ts';
import { createShelf, type Shelf } from './shelf.ts';
import type { Standard } from './xdm/standard.ts';

/** What every service is handed: the settings, the time, fresh ids, and the memory. */
export interface World {
  readonly settings: Settings;
  readonly clock: PlatformClock;
  readonly ids: Ids;
  readonly state: State;
  /** Where inlets live: known only once a server listens. */
  origin: string;
  /** Where the Kinesis is that flows read; empty where there is none. */
  kinesis: string;
}

export interface Token {
  readonly clientId: string;
  readonly expiresAt: number;
}

/** A resource of Flow Service: `body` is what the caller sent; its secrets are left out whenever it is shown. */
export interface Entity {
  readonly id: string;
  readonly etag: string;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly createdBy: string;
  readonly body: JsonObject;
}

export interface Flow extends Entity {
  /** Data that comes before is lost (contract §4.6). */
  readonly acceptsFrom: number;
}

export interface DataSet {
  readonly id: string;
  readonly revision: number;
  readonly created: number;
  readonly updated: number;
  readonly body: JsonObject;
  /** Data usage labels, which have a version of their own; absent until somebody writes some. */
  readonly labels?: { readonly etag: string; readonly body: JsonObject };
}

export interface MappingSet {
  readonly id: string;
  readonly version: number;
  readonly createdDate: number;
  readonly modifiedDate: number;
  readonly createdBy: string;
  readonly body: JsonObject;
  /** Every version that ever was: a flow names the one it uses. */
  readonly versions: readonly JsonObject[];
}

export interface Violation {
  readonly keyword: string;
  /** For `required`: the member that is missing. No answer shows it. */
  readonly missing?: string;
  readonly message: string;
  readonly pointerToViolation: string;
  readonly schemaLocation: string;
}

export interface RefusedRow {
  /** `mapper` when a failed transformation took a required field, else the streaming validation. */
  readonly stage: 'mapper' | 'streamingValidation';
  readonly code: string;
  readonly violations: readonly Violation[];
  readonly header: JsonObject;
  /** The row as it should have landed. */
  readonly body: JsonObject;
  /** The record as it was sent, before the mapping. */
  readonly source: JsonObject;
}

export interface Batch {
  readonly id: string;
  readonly dataSetId: string;
  readonly flowId: string;
  readonly created: number;
  /** Rows may still be added until then; afterwards the batch has its final status. */
  readonly sealAt: number;
  updated: number;
  bytes: number;
  rowCount: number;
  rows: JsonObject[];
  refused: RefusedRow[];
  /** Since then its rows are in no dataset any more. */
  revertedAt?: number;
}

/** Rows never change once they are in a batch, so the copy shares them and has lists of its own. */
function copyOf(batch: Batch): Batch {
  return { ...batch, rows: [...batch.rows], refused: [...batch.refused] };
}

/** What one flow did in one hour (contract §4.7: streaming runs are hourly). */
export interface Run {
  readonly id: string;
  readonly flowId: string;
  readonly hour: number;
  input: number;
  output: number;
  failed: number;
  warnings: number;
  bytes: number;
  updatedAt: number;
  readonly batchIds: Set<string>;
  /** The last reason, by its code, why the source could not be read. */
  readonly failures: Map<string, SourceFailure>;
}

/** Messages that were accepted and went nowhere. */
export interface Loss {
  readonly reason: string;
  readonly inletId: string;
  readonly flowId: string | null;
  messages: number;
  lastAt: number;
}

export interface Tally {
  /** Rows in the dataset, without those of reverted batches. */
  landed: number;
  refused: number;
  /** Applied to Profile alone, so that no row lies there. */
  profileOnly: number;
  lastBatchId: string | undefined;
}

export interface SandboxIdentity extends Required<Omit<SandboxOptions, 'state'>> {
  readonly id: string;
  /** What Adobe brings. */
  readonly standard: Standard;
}

/** Where a sandbox is in its life; `creating` and `resetting` end by themselves. */
interface Life {
  readonly state: string;
  /** From then on it is active, in ms since the epoch; 0 where its state lasts. */
  readonly until: number;
  readonly etag: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export interface Sandbox extends Readonly<Omit<SandboxIdentity, 'title'>> {
  title: string;
  life: Life;
  /** Schema Registry resources of the tenant, by kind and `$id`. */
  readonly registry: { readonly [kind in RegistryKind]: Shelf<JsonObject> };
  readonly descriptors: Shelf<JsonObject>;
  readonly namespaces: Shelf<JsonObject>;
  readonly dataSets: Shelf<DataSet>;
  readonly connections: Shelf<Entity>;
  readonly sourceConnections: Shelf<Entity>;
  readonly targetConnections: Shelf<Entity>;
  readonly flows: Shelf<Flow>;
  readonly mappingSets: Shelf<MappingSet>;
  readonly batches: Map<string, Batch>;
  readonly runs: Map<string, Run>;
  /** Exact counts per dataset, however many rows are kept. */
  readonly tallies: Map<string, Tally>;
  /** Batches that may still grow, by dataset, flow and outcome; a copy begins new ones. */
  readonly openBatches: Map<string, Batch>;
  /** Rows and refusals that are kept, by dataset. */
  readonly keptRows: Map<string, number>;
  /** By the minute, for the observability service. */
  readonly inletCounts: Counters<InletCount>;
  readonly dataSetCounts: Counters<DataSetCount>;
}

/** @param lastsMs after so long it is active by itself; without it, it stays in this state */
export function newSandbox(
  identity: SandboxIdentity,
  clock: Clock,
  state: string,
  lastsMs?: number,
): Sandbox {
  const now = clock.now();
  return {
    ...identity,
    life: { state, until: endOf(now, lastsMs), etag: 1, createdAt: now, modifiedAt: now },
    registry: {
      schemas: createShelf(clock),
      mixins: createShelf(clock),
      classes: createShelf(clock),
      datatypes: createShelf(clock),
    },
    descriptors: createShelf(clock),
    namespaces: createShelf(clock),
    dataSets: createShelf(clock),
    connections: createShelf(clock),
    sourceConnections: createShelf(clock),
    targetConnections: createShelf(clock),
    flows: createShelf(clock),
    mappingSets: createShelf(clock),
    batches: new Map(),
    runs: new Map(),
    tallies: new Map(),
    openBatches: new Map(),
    keptRows: new Map(),
    inletCounts: new Map(),
    dataSetCounts: new Map(),
  };
}

/** Another sandbox that holds the same at first. */
function copyOfSandbox(sandbox: Sandbox, clock: Clock): Sandbox {
  const { registry } = sandbox;
  return {
    ...sandbox,
    registry: {
      schemas: registry.schemas.copy(clock),
      mixins: registry.mixins.copy(clock),
      classes: registry.classes.copy(clock),
      datatypes: registry.datatypes.copy(clock),
    },
    descriptors: sandbox.descriptors.copy(clock),
    namespaces: sandbox.namespaces.copy(clock),
    dataSets: sandbox.dataSets.copy(clock),
    connections: sandbox.connections.copy(clock),
    sourceConnections: sandbox.sourceConnections.copy(clock),
    targetConnections: sandbox.targetConnections.copy(clock),
    flows: sandbox.flows.copy(clock),
    mappingSets: sandbox.mappingSets.copy(clock),
    // These are edited in place.
    batches: new Map([...sandbox.batches].map(([id, batch]) => [id, copyOf(batch)])),
    runs: structuredClone(sandbox.runs),
    tallies: structuredClone(sandbox.tallies),
    openBatches: new Map(),
    keptRows: new Map(),
    inletCounts: structuredClone(sandbox.inletCounts),
    dataSetCounts: structuredClone(sandbox.dataSetCounts),
  };
}

export function stateOf({ life }: Sandbox, clock: Clock): string {
  return life.until > 0 && clock.now() >= life.until ? 'active' : life.state;
}

/** @param lastsMs as of a new one */
export function changeState(sandbox: Sandbox, clock: Clock, state: string, lastsMs?: number): void {
  const { etag, createdAt } = sandbox.life;
  const now = clock.now();
  sandbox.life = { state, until: endOf(now, lastsMs), etag: etag + 1, createdAt, modifiedAt: now };
}

const endOf = (now: number, lastsMs: number | undefined) => (lastsMs === undefined ? 0 : now + lastsMs);

/** Forgets all that was made in it. What is still on its way finds its flow gone. */
export function emptySandbox(sandbox: Sandbox): void {
  for (const shelf of Object.values(sandbox.registry)) shelf.clear();
  sandbox.descriptors.clear();
  sandbox.namespaces.clear();
  sandbox.dataSets.clear();
  sandbox.connections.clear();
  sandbox.sourceConnections.clear();
  sandbox.targetConnections.clear();
  sandbox.flows.clear();
  sandbox.mappingSets.clear();
  sandbox.batches.clear();
  sandbox.runs.clear();
  sandbox.tallies.clear();
  sandbox.openBatches.clear();
  sandbox.keptRows.clear();
  sandbox.inletCounts.clear();
  sandbox.dataSetCounts.clear();
}

/** Field groups keep their old name, `mixins`, in ids and here. */
export type RegistryKind = 'schemas' | 'mixins' | 'classes' | 'datatypes';

export interface Inlet {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly connectionId: string;
}

/** So many losses are kept by flow. Further ones are kept by reason and inlet only. */
const MAX_LOSSES = 1_000;

const NO_COUNTS = {
  requests: 0,
  received: 0,
  landed: 0,
  refused: 0,
  lost: 0,
  dropped: 0,
  profileOnly: 0,
  linked: 0,
  warnings: 0,
  /** Rows and refusals that are not kept any more. */
  forgotten: 0,
};

export interface State {
  readonly sandboxes: Map<string, Sandbox>;
  readonly tokens: Map<string, Token>;
  readonly inlets: Map<string, Inlet>;
  readonly losses: Map<string, Loss>;
  /** Of the sources that the platform reads by itself. */
  readonly pulled: PulledMemory;
  readonly counts: typeof NO_COUNTS;
  /** Messages whose identities were to be linked and were not, by the reason. */
  readonly unlinked: Map<string, number>;
  readonly startedAt: number;
}

export function newState(settings: Settings, ids: Ids, clock: PlatformClock): State {
  const sandboxes = new Map<string, Sandbox>();
  for (const { name, title = name, type = 'development', ...more } of settings.sandboxes) {
    const { state = 'active', isDefault = false, region = 'VA7' } = more;
    const identity = { id: ids.uuid(), name, title, type, isDefault, region, standard: settings.xdm };
    sandboxes.set(name, newSandbox(identity, clock, state));
  }
  return {
    sandboxes,
    tokens: new Map(),
    inlets: new Map(),
    losses: new Map(),
    pulled: { progress: new Map(), held: new Map() },
    counts: { ...NO_COUNTS },
    unlinked: new Map(),
    startedAt: clock.now(),
  };
}

/** Another memory that holds the same at first. */
export function copyOfState(state: State, clock: PlatformClock): State {
  const sandboxes = new Map(
    [...state.sandboxes].map(([name, sandbox]) => [name, copyOfSandbox(sandbox, clock)]),
  );
  const inlets = [...state.inlets].map(([id, inlet]): [string, Inlet] => [
    id,
    { ...inlet, sandbox: sandboxes.get(inlet.sandbox.name) ?? inlet.sandbox },
  ]);
  return {
    sandboxes,
    tokens: new Map(state.tokens),
    inlets: new Map(inlets),
    losses: new Map([...state.losses].map(([key, loss]) => [key, { ...loss }])),
    pulled: copyOfPulled(state.pulled),
    counts: { ...state.counts },
    unlinked: new Map(state.unlinked),
    startedAt: state.startedAt,
  };
}

export function defaultSandbox({ sandboxes }: State): Sandbox | undefined {
  const all = [...sandboxes.values()];
  return all.find((each) => each.isDefault) ?? all.find((each) => each.type === 'production') ?? all[0];
}

/** Counts messages that were accepted and go nowhere. */
export function countLoss(
  { losses, counts }: State,
  { reason, inletId, flowId }: Pick<Loss, 'reason' | 'inletId' | 'flowId'>,
  messages: number,
  now: number,
): void {
  const exact = `${reason}|${inletId}|${flowId}`;
  // A sender can invent any number of flow ids.
  const folded = losses.size >= MAX_LOSSES && !losses.has(exact);
  const [key, named] = folded ? [`${reason}|${inletId}`, null] : [exact, flowId];
  const loss = losses.get(key) ?? { reason, inletId, flowId: named, messages: 0, lastAt: now };
  loss.messages += messages;
  loss.lastAt = now;
  losses.set(key, loss);
  counts.lost += messages;
}
