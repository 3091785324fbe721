// Everything the simulated platform remembers, sandbox by sandbox.

import type { Clock, PlatformClock } from './clock.ts';
import type { Counters, DataSetCount, InletCount } from './counters.ts';
import type { Ids } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { SandboxOptions, Settings } from './options.ts';
import { copyOf as copyOfPulled, type PulledMemory, type SourceFailure } from './pulled/memory.ts';
import { Shelf } from './shelf.ts';
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
  /** Of `required`: the member that is not there. No answer has it. */
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
  /** What was to land. */
  readonly body: JsonObject;
  /** What had come in, before the mapping. */
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

/** Rows are not changed once they lie there: the copy has lists of its own, and the same rows. */
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

/** Messages that were answered for and went nowhere. */
export interface Loss {
  readonly reason: string;
  readonly inletId: string;
  readonly flowId: string | null;
  messages: number;
  lastAt: number;
}

export interface Tally {
  /** Rows that lie there: those of reverted batches are not among them. */
  landed: number;
  refused: number;
  lastBatchId: string | undefined;
}

export interface SandboxIdentity extends Required<SandboxOptions> {
  readonly id: string;
  /** What Adobe brings. */
  readonly standard: Standard;
}

/** Where a sandbox is in its life; `creating` and `resetting` end by themselves. */
interface Life {
  readonly state: string;
  readonly until: number;
  readonly etag: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export class Sandbox implements SandboxIdentity {
  readonly id: string;
  readonly name: string;
  title: string;
  readonly type: 'production' | 'development';
  readonly isDefault: boolean;
  readonly region: string;
  readonly standard: Standard;
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
  readonly openBatches = new Map<string, Batch>();
  /** Rows and refusals that are kept, by dataset. */
  readonly keptRows = new Map<string, number>();
  /** By the minute, for the observability service. */
  readonly inletCounts: Counters<InletCount>;
  readonly dataSetCounts: Counters<DataSetCount>;
  readonly #clock: Clock;
  #life: Life;

  /** @param from what it holds at first: the sandbox that this is a copy of */
  constructor(identity: SandboxIdentity, clock: Clock, from?: Sandbox) {
    const { id, name, title, type, state, isDefault, region, standard } = identity;
    this.id = id;
    this.name = name;
    this.title = title;
    this.type = type;
    this.isDefault = isDefault;
    this.region = region;
    this.standard = standard;
    this.#clock = clock;
    const now = clock.now();
    this.#life = from ? from.#life : { state, until: 0, etag: 1, createdAt: now, modifiedAt: now };
    const shelf = <T>(of: Shelf<T> | undefined) => of?.copy(clock) ?? new Shelf<T>(clock);
    const { registry } = from ?? {};
    this.registry = {
      schemas: shelf(registry?.schemas),
      mixins: shelf(registry?.mixins),
      classes: shelf(registry?.classes),
      datatypes: shelf(registry?.datatypes),
    };
    this.descriptors = shelf(from?.descriptors);
    this.namespaces = shelf(from?.namespaces);
    this.dataSets = shelf(from?.dataSets);
    this.connections = shelf(from?.connections);
    this.sourceConnections = shelf(from?.sourceConnections);
    this.targetConnections = shelf(from?.targetConnections);
    this.flows = shelf(from?.flows);
    this.mappingSets = shelf(from?.mappingSets);
    // These are edited in place.
    this.batches = new Map([...(from?.batches ?? [])].map(([id, batch]) => [id, copyOf(batch)]));
    this.runs = structuredClone(from?.runs) ?? new Map();
    this.tallies = structuredClone(from?.tallies) ?? new Map();
    this.inletCounts = structuredClone(from?.inletCounts) ?? new Map();
    this.dataSetCounts = structuredClone(from?.dataSetCounts) ?? new Map();
  }

  get state(): string {
    const { state, until } = this.#life;
    return until > 0 && this.#clock.now() >= until ? 'active' : state;
  }

  get life(): Life {
    return { ...this.#life, state: this.state };
  }

  changed(state: string): void {
    const { etag, createdAt } = this.#life;
    this.#life = { state, until: 0, etag: etag + 1, createdAt, modifiedAt: this.#clock.now() };
  }

  /** It is active by itself after that long. */
  lasts(ms: number): void {
    this.#life = { ...this.#life, until: this.#clock.now() + ms };
  }

  /** Forgets all that was made in it. What is still on its way finds its flow gone. */
  empty(): void {
    for (const shelf of Object.values(this.registry)) shelf.clear();
    this.descriptors.clear();
    this.namespaces.clear();
    this.dataSets.clear();
    this.connections.clear();
    this.sourceConnections.clear();
    this.targetConnections.clear();
    this.flows.clear();
    this.mappingSets.clear();
    this.batches.clear();
    this.runs.clear();
    this.tallies.clear();
    this.openBatches.clear();
    this.keptRows.clear();
    this.inletCounts.clear();
    this.dataSetCounts.clear();
  }
}

/** Field groups keep their old name, `mixins`, in ids and here. */
export type RegistryKind = 'schemas' | 'mixins' | 'classes' | 'datatypes';

export interface Inlet {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly connectionId: string;
}

/** Told apart by flow; beyond it, by reason and inlet only. */
const MAX_LOSSES = 1_000;

export class State {
  readonly sandboxes = new Map<string, Sandbox>();
  readonly tokens = new Map<string, Token>();
  readonly inlets = new Map<string, Inlet>();
  readonly losses = new Map<string, Loss>();
  /** Of the sources that the platform reads by itself. */
  pulled: PulledMemory = { progress: new Map(), held: new Map() };
  readonly counts = {
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
  /** Messages whose identities were to be linked and were not, by the reason. */
  readonly unlinked = new Map<string, number>();
  readonly startedAt: number;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  static begin(settings: Settings, ids: Ids, clock: PlatformClock): State {
    const state = new State(clock.now());
    for (const { name, title = name, type = 'development', ...more } of settings.sandboxes) {
      const usual = { state: 'active', isDefault: false, region: 'VA7' };
      const identity = { id: ids.uuid(), name, title, type, standard: settings.xdm, ...usual, ...more };
      state.sandboxes.set(name, new Sandbox(identity, clock));
    }
    return state;
  }

  copy(clock: PlatformClock): State {
    const copy = new State(this.startedAt);
    for (const [name, sandbox] of this.sandboxes)
      copy.sandboxes.set(name, new Sandbox(sandbox, clock, sandbox));
    for (const [id, token] of this.tokens) copy.tokens.set(id, token);
    for (const [id, inlet] of this.inlets)
      copy.inlets.set(id, { ...inlet, sandbox: copy.sandboxes.get(inlet.sandbox.name) ?? inlet.sandbox });
    for (const [key, loss] of this.losses) copy.losses.set(key, { ...loss });
    for (const [reason, messages] of this.unlinked) copy.unlinked.set(reason, messages);
    Object.assign(copy.counts, this.counts);
    copy.pulled = copyOfPulled(this.pulled);
    return copy;
  }

  get defaultSandbox(): Sandbox | undefined {
    const all = [...this.sandboxes.values()];
    return all.find((each) => each.isDefault) ?? all.find((each) => each.type === 'production') ?? all[0];
  }

  lose(reason: string, inletId: string, flowId: string | null, messages: number, now: number): void {
    const exact = `${reason}|${inletId}|${flowId}`;
    // A sender can make up as many flow ids as it likes.
    const folded = this.losses.size >= MAX_LOSSES && !this.losses.has(exact);
    const [key, named] = folded ? [`${reason}|${inletId}`, null] : [exact, flowId];
    const loss = this.losses.get(key) ?? { reason, inletId, flowId: named, messages: 0, lastAt: now };
    loss.messages += messages;
    loss.lastAt = now;
    this.losses.set(key, loss);
    this.counts.lost += messages;
  }
}
