// Reads, for every flow that is warm, the source that Experience Platform reads by itself, and says of each how that goes.
import { disabled, FAILING_MS } from '../flow-service/failing.ts';
import { KINESIS } from '../flow-service/specs.ts';
import { runOf } from '../inlet/landing.ts';
import type { Message } from '../inlet/messages.ts';
import { objectAt, textAt } from '../json.ts';
import type { Entity, Flow, Sandbox, World } from '../state.ts';
import { createStreamClients, hasKey, type StreamClients } from './clients.ts';
import { forget, take } from './held.ts';
import { beginning, type Progress, REFUSALS, type SourceFailure } from './memory.ts';
import { messageIn } from './payload.ts';
import { type PulledSource, sourceBehind, sourceOf } from './source.ts';
import { describe, type Iterators, readable, readShard, type StreamReader } from './stream.ts';

/** Adobe: "Currently, maximum volume of data that you can bring from your Kinesis account to Platform is 4000 records per second." */
const RECORDS_PER_SECOND = 4_000;

/** Adobe: "Error encountered while copying data from a source." (sources/notifications.md, "Understand error messages") */
const NOT_COPIED = 'CONNECTOR-1001-500';

/** A shard that has no room, or a place in it that is too old: looked at again, and no failure. */
const PASSING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ExpiredIteratorException',
]);

/** Where what was read goes on. */
export type Take = (
  to: { readonly sandbox: Sandbox; readonly sourceId: string; readonly flowId: string },
  messages: readonly Message[],
  bytes: number,
) => void;

/** A flow with a source of its own. */
interface Reader {
  readonly sandbox: Sandbox;
  readonly flow: Flow;
  readonly source: PulledSource;
}

export interface SourceState {
  readonly sandbox: string;
  readonly flowId: string;
  readonly flow: string;
  readonly sourceConnectionId: string;
  readonly kind: PulledSource['kind'];
  readonly place: string;
  readonly state: 'reading' | 'idle' | 'failing';
  /** Why it is idle or failing. */
  readonly why?: string;
  readonly read: number;
  readonly dropped: number;
  readonly reads: number;
  readonly throttled: number;
  /** The last round of reading that found nothing more; below zero before there was one. */
  readonly caughtUpBy: number;
}

export class Reading {
  readonly #world: World;
  readonly #take: Take;
  readonly #clients: StreamClients;
  /** By flow. */
  readonly #iterators = new Map<string, Iterators>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #round = 0;
  /** Two rounds at once would read the same records twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(world: World, take: Take) {
    this.#world = world;
    this.#take = take;
    this.#clients = createStreamClients(world);
  }

  /** Reads streams from now on, until it is stopped. It keeps no process running. */
  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const again = () => {
      this.#timer = setTimeout(() => void this.round().finally(next), this.#world.settings.pullMs).unref();
    };
    const next = () => {
      if (!this.#stopped) again();
    };
    again();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#clients.close();
  }

  /** One look at every stream whose flow is warm, after those that are under way. @returns its number */
  round(): Promise<number> {
    const round = this.#last.then(() => this.#look());
    this.#last = round.catch(() => undefined);
    return round;
  }

  async #look(): Promise<number> {
    const number = ++this.#round;
    // A round that was waiting for another one would ask a Kinesis anew, and keep the process until that answers.
    if (this.#stopped) return number;
    this.#forgetRemoved();
    const open = this.#readers().filter((one) => one.source.kind === 'kinesis' && !this.#closed(one));
    await Promise.all(open.map((one) => this.#readStream(one, number)));
    return number;
  }

  /** Takes what was put into the sources that are played here, as far as their flows are warm. */
  readHeld(): void {
    const { held } = this.#world.state.pulled;
    if (held.size === 0) return;
    for (const one of this.#readers()) {
      const place = held.get(one.source.place);
      if (place === undefined || this.#closed(one)) continue;
      const progress = this.#progressOf(one);
      const refused = place.refuses === undefined ? this.#heldBy(one) : REFUSALS[place.refuses];
      if (refused !== undefined) {
        this.#fail(one, progress, `${one.source.place}: ${refused}`);
        continue;
      }
      const { records, passedOver, forgotten } = take(one.source, place, progress);
      this.#lose(one, BEFORE, passedOver);
      this.#lose(one, NOT_KEPT, forgotten);
      this.#took(
        one,
        progress,
        records.map(({ bytes }) => bytes),
      );
    }
    for (const place of held.values()) forget(place, this.#world.settings.keepRows);
  }

  #lose({ source, flow }: Reader, reason: string, count: number): void {
    if (count === 0) return;
    this.#world.state.lose(reason, source.connection.id, flow.id, count, this.#world.clock.now());
  }

  /** Whether a base connection's key is taken by what is behind it; of an inlet there is nothing to ask. */
  async passes(sandbox: Sandbox, base: Entity): Promise<boolean> {
    const sources = sandbox.sourceConnections
      .values()
      .filter(({ body }) => body.baseConnectionId === base.id)
      .map((connection) => sourceBehind(sandbox, connection));
    const { held } = this.#world.state.pulled;
    if (sources.some((one) => held.get(one?.place ?? '')?.refuses === 'credentials')) return false;
    const isKinesis = textAt(objectAt(base.body, 'connectionSpec'), 'id') === KINESIS;
    if (!isKinesis || this.#world.kinesis === '') return true;
    return hasKey(this.#clients.with(objectAt(objectAt(base.body, 'auth'), 'params') ?? {}));
  }

  /** Every flow whose source the platform reads by itself. */
  list(): SourceState[] {
    return this.#readers().map((one) => {
      const { sandbox, flow, source } = one;
      const progress = this.#world.state.pulled.progress.get(flow.id);
      const { read = 0, dropped = 0, reads = 0, throttled = 0, caughtUpBy = -1 } = progress ?? {};
      const closed = this.#closed(one);
      const why = closed ?? progress?.failure?.message;
      return {
        sandbox: sandbox.name,
        flowId: flow.id,
        flow: String(flow.body.name ?? ''),
        sourceConnectionId: source.connection.id,
        kind: source.kind,
        place: source.place,
        state: closed !== undefined ? 'idle' : why === undefined ? 'reading' : 'failing',
        ...(why !== undefined && { why }),
        read,
        dropped,
        reads,
        throttled,
        caughtUpBy,
      };
    });
  }

  /** A flow that was removed never comes back. */
  #forgetRemoved(): void {
    const { progress } = this.#world.state.pulled;
    const sandboxes = [...this.#world.state.sandboxes.values()];
    for (const id of progress.keys()) {
      if (sandboxes.some(({ flows }) => flows.get(id) !== undefined)) continue;
      progress.delete(id);
      this.#iterators.delete(id);
    }
  }

  #readers(): Reader[] {
    return [...this.#world.state.sandboxes.values()].flatMap((sandbox) =>
      sandbox.flows.values().flatMap((flow) => {
        const source = sourceOf(sandbox, flow);
        return source === undefined ? [] : [{ sandbox, flow, source }];
      }),
    );
  }

  /** Why nothing is read for the flow now. */
  #closed({ flow, source }: Reader): string | undefined {
    if (flow.state !== 'enabled') return `the flow is ${flow.state}`;
    if (source.base?.state !== 'enabled') return `the connection is ${source.base?.state ?? 'gone'}`;
    if (source.kind === 'kinesis' && this.#world.kinesis === '')
      return 'no Kinesis is named that could be read: start the simulator with --kinesis URL';
    return this.#world.clock.now() < flow.acceptsFrom ? 'the flow is not warm yet' : undefined;
  }

  /** A consumer group serves one flow at a time (contract §4.4). Which of two it serves is not said: here the older one. */
  #heldBy({ flow, source }: Reader): string | undefined {
    if (source.kind !== 'event-hubs') return undefined;
    const group = (other: PulledSource) => other.params.consumerGroup ?? '$Default';
    const other = this.#readers().find(
      (one) =>
        one.source.place === source.place &&
        group(one.source) === group(source) &&
        one.flow.state === 'enabled',
    );
    return other === undefined || other.flow.id === flow.id
      ? undefined
      : `the consumer group ${String(group(source))} serves the flow ${other.flow.id}`;
  }

  /**
   * How far the flow is. A flow that starts at the latest record starts there again each time it has warmed up. Records in between are
   * lost: Adobe warns of that for a created or updated flow (sources/tutorials/api/create/cloud-storage/kinesis.md). A flow that
   * starts at the earliest record goes on where it stopped: that is ours.
   */
  #progressOf({ flow, source }: Reader): Progress {
    const { progress } = this.#world.state.pulled;
    const known = progress.get(flow.id);
    if (known?.sourceId === source.connection.id) {
      if (known.warmSince === flow.acceptsFrom) return known;
      known.warmSince = flow.acceptsFrom;
      if (known.params.reset !== 'latest') return known;
      known.shards = undefined;
      known.passed = undefined;
      this.#iterators.delete(flow.id);
      return known;
    }
    const fresh = beginning(source.connection.id, source.params, flow.acceptsFrom);
    progress.set(flow.id, fresh);
    this.#iterators.delete(flow.id);
    return fresh;
  }

  async #readStream(one: Reader, round: number): Promise<void> {
    const progress = this.#progressOf(one);
    const iterators = this.#iterators.get(one.flow.id) ?? new Map<string, string>();
    this.#iterators.set(one.flow.id, iterators);
    const stream = String(progress.params.stream);
    try {
      const client = this.#clients.with(one.source.auth);
      const reader: StreamReader = { client, stream, progress, iterators };
      if (progress.shards === undefined || progress.resharded) await describe(reader, progress.params.reset);
      const isOver = await this.#readShards(one, reader, round);
      if (isOver) progress.caughtUpBy = round;
      wentWell(progress);
    } catch (error) {
      if (this.#stopped) return;
      iterators.clear();
      const { name } = error as Error;
      if (PASSING.has(name)) return;
      // It was looked up, and is gone: one that is made by its name is another one, and read from its start.
      if (progress.resharded && name === 'ResourceNotFoundException') progress.shards &&= new Map();
      progress.resharded = true;
      this.#fail(one, progress, `${one.source.place}: ${reasonOf(error as Error, this.#world.kinesis)}`);
    }
  }

  /** Each shard once, another one first each time, as what a flow gets has a limit. @returns whether nothing more is there */
  async #readShards(one: Reader, reader: StreamReader, round: number): Promise<boolean> {
    let left = Math.ceil((RECORDS_PER_SECOND * this.#world.settings.pullMs) / 1_000);
    let isOver = true;
    const shards = readable(reader.progress);
    const first = round % (shards.length || 1);
    for (const shard of [...shards.slice(first), ...shards.slice(0, first)]) {
      if (left <= 0) return false;
      const page = await this.#page(reader, shard, left);
      if (page === undefined) {
        isOver = false;
        continue;
      }
      // While it was asked, the flow may have been stopped: then the page is not its.
      if (this.#stopped || !this.#isStill(one)) return false;
      left -= page.records.length;
      isOver &&= page.atTip;
      page.took();
      this.#took(
        one,
        reader.progress,
        page.records.map(({ bytes }) => bytes),
      );
      if (!shard[1].ended) continue;
      // The shards that came of it are looked up and read in the next round.
      reader.progress.resharded = true;
      isOver = false;
    }
    return isOver;
  }

  /** `undefined` where the shard has no room now, or its place is too old: the next round reads it. */
  async #page(reader: StreamReader, shard: Parameters<typeof readShard>[1], limit: number) {
    try {
      return await readShard(reader, shard, limit);
    } catch (error) {
      const { name } = error as Error;
      if (!PASSING.has(name)) throw error;
      if (name === 'ExpiredIteratorException') reader.iterators.delete(shard[0]);
      else reader.progress.throttled += 1;
      return undefined;
    }
  }

  #isStill({ sandbox, flow }: Reader): boolean {
    return sandbox.flows.get(flow.id)?.etag === flow.etag;
  }

  #took({ sandbox, flow, source }: Reader, progress: Progress, records: readonly Uint8Array[]): void {
    wentWell(progress);
    if (records.length === 0) return;
    const { dataType } = progress.params;
    const to = { flowId: flow.id, kind: source.kind, dataType };
    const found = records.map((bytes) => messageIn(this.#world, to, bytes));
    const messages = found.filter((one) => one !== undefined);
    const dropped = records.length - messages.length;
    progress.read += messages.length;
    progress.dropped += dropped;
    if (dropped > 0) {
      this.#world.state.counts.dropped += dropped;
      const run = runOf(this.#world, { sandbox, flowId: flow.id });
      run.input += dropped;
      run.failed += dropped;
    }
    if (messages.length === 0) return;
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    this.#take({ sandbox, sourceId: source.connection.id, flowId: flow.id }, messages, bytes);
  }

  /** The flow stays enabled, and tries again: Adobe switches it off only after 30 days. */
  #fail({ sandbox, flow }: Reader, progress: Progress, reason: string): void {
    const failure: SourceFailure = {
      code: NOT_COPIED,
      message: `Error encountered while copying data from a source. ${reason}`,
    };
    progress.failure = failure;
    const run = runOf(this.#world, { sandbox, flowId: flow.id });
    run.failures.set(failure.code, failure);
    const now = this.#world.clock.now();
    run.updatedAt = now;
    progress.failingSince ??= now;
    if (now - progress.failingSince < FAILING_MS) return;
    progress.failingSince = undefined;
    sandbox.flows.put(flow.id, disabled(flow, now, this.#world));
  }
}

const BEFORE = 'it came before the flow was warm, and the flow starts at the latest';
const NOT_KEPT =
  'too much waited for the flow: of a source that is played here the newest records alone are kept';

/** Without an answer the error is HTTP/2's own, which tells nobody what is wrong. */
function reasonOf({ name, message, code }: NodeJS.ErrnoException, kinesis: string): string {
  const isUnanswered = code?.startsWith('ERR_HTTP2') === true;
  return isUnanswered
    ? `${kinesis} does not answer as a Kinesis does, by HTTP/2: ${message}`
    : `${name}: ${message}`;
}

function wentWell(progress: Progress): void {
  progress.failure = undefined;
  progress.failingSince = undefined;
}
