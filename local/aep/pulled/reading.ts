// Reads, for every flow that is warm, the source that Experience Platform reads by itself.
import { KINESIS } from '../flow-service/specs.ts';
import { objectAt, textAt } from '../json.ts';
import type { Entity, Sandbox, World } from '../state.ts';
import { createStreamClients, hasKey, type StreamClients } from './clients.ts';
import { forget, take } from './held.ts';
import { beginning, type Progress, REFUSALS } from './memory.ts';
import { fail, lose, type Take, took, wentWell } from './outcome.ts';
import { type Reader, readersOf, whyIdle, whyRefused } from './readers.ts';
import { sourceBehind } from './source.ts';
import { describe, type Iterators, readable, readShard, type StreamReader } from './stream.ts';

/** Adobe: "Currently, maximum volume of data that you can bring from your Kinesis account to Platform is 4000 records per second." */
const RECORDS_PER_SECOND = 4_000;

/** Errors of a throttled shard or an expired iterator. The next round reads again: they are no failure. */
const PASSING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ExpiredIteratorException',
]);

const BEFORE = 'it came before the flow was warm, and the flow starts at the latest';
const NOT_KEPT =
  'too much waited for the flow: of a source that is played here the newest records alone are kept';

export interface Reading {
  readonly world: World;
  readonly take: Take;
  readonly clients: StreamClients;
  /** By flow. */
  readonly iterators: Map<string, Iterators>;
  timer: NodeJS.Timeout | undefined;
  stopped: boolean;
  rounds: number;
  /** The last round. Two at once would read the same records twice. */
  last: Promise<unknown>;
}

export function createReading(world: World, take: Take): Reading {
  return {
    world,
    take,
    clients: createStreamClients(world),
    iterators: new Map(),
    timer: undefined,
    stopped: false,
    rounds: 0,
    last: Promise.resolve(),
  };
}

/** Reads streams from now on, until it is stopped. It keeps no process running. */
export function startReading(reading: Reading): void {
  if (reading.timer !== undefined || reading.stopped) return;
  const again = () => {
    const { pullMs } = reading.world.settings;
    reading.timer = setTimeout(() => void readStreams(reading).finally(next), pullMs).unref();
  };
  const next = () => {
    if (!reading.stopped) again();
  };
  again();
}

export function stopReading(reading: Reading): void {
  reading.stopped = true;
  clearTimeout(reading.timer);
  reading.clients.close();
}

/** One look at every stream whose flow is warm, after those that are under way. @returns its number */
export function readStreams(reading: Reading): Promise<number> {
  const round = reading.last.then(() => look(reading));
  reading.last = round.catch(() => undefined);
  return round;
}

async function look(reading: Reading): Promise<number> {
  const { world } = reading;
  const round = ++reading.rounds;
  // A round that was waiting for another one would call the Kinesis again, and keep the process running.
  if (reading.stopped) return round;
  forgetRemoved(reading);
  const open = readersOf(world).filter(
    (one) => one.source.kind === 'kinesis' && whyIdle(world, one) === undefined,
  );
  await Promise.all(open.map((one) => readStream(reading, one, round)));
  return round;
}

/** Takes what was put into simulated sources whose flows are warm. */
export function readHeld(reading: Reading): void {
  const { world } = reading;
  const { held } = world.state.pulled;
  if (held.size === 0) return;
  for (const one of readersOf(world)) {
    const place = held.get(one.source.place);
    if (place === undefined || whyIdle(world, one) !== undefined) continue;
    const progress = progressOf(reading, one);
    const refused = place.refuses === undefined ? whyRefused(world, one) : REFUSALS[place.refuses];
    if (refused !== undefined) {
      fail(world, one, progress, `${one.source.place}: ${refused}`);
      continue;
    }
    const { records, passedOver, forgotten } = take(one.source, place, progress);
    lose(world, one, BEFORE, passedOver);
    lose(world, one, NOT_KEPT, forgotten);
    took(reading, one, progress, records);
  }
  for (const place of held.values()) forget(place, world.settings.keepRows);
}

/** Whether the source accepts a base connection's key. An inlet has no source that could be asked. */
export async function passes({ world, clients }: Reading, sandbox: Sandbox, base: Entity): Promise<boolean> {
  const sources = sandbox.sourceConnections
    .values()
    .filter(({ body }) => body.baseConnectionId === base.id)
    .map((connection) => sourceBehind(sandbox, connection));
  const { held } = world.state.pulled;
  if (sources.some((one) => held.get(one?.place ?? '')?.refuses === 'credentials')) return false;
  const isKinesis = textAt(objectAt(base.body, 'connectionSpec'), 'id') === KINESIS;
  if (!isKinesis || world.kinesis === '') return true;
  return hasKey(await clients.with(objectAt(objectAt(base.body, 'auth'), 'params') ?? {}));
}

/** A flow that was removed never comes back. */
function forgetRemoved({ world, iterators }: Reading): void {
  const { progress } = world.state.pulled;
  const sandboxes = [...world.state.sandboxes.values()];
  for (const id of progress.keys()) {
    if (sandboxes.some(({ flows }) => flows.get(id) !== undefined)) continue;
    progress.delete(id);
    iterators.delete(id);
  }
}

/**
 * How far the flow is. A flow that starts at the latest record starts there again each time it has warmed up. Records in between are
 * lost: Adobe warns of that for a created or updated flow (sources/tutorials/api/create/cloud-storage/kinesis.md). A flow that
 * starts at the earliest record goes on where it stopped: that is ours.
 */
function progressOf({ world, iterators }: Reading, { flow, source }: Reader): Progress {
  const { progress } = world.state.pulled;
  const known = progress.get(flow.id);
  if (known?.sourceId === source.connection.id) {
    if (known.warmSince === flow.acceptsFrom) return known;
    known.warmSince = flow.acceptsFrom;
    if (known.params.reset !== 'latest') return known;
    known.shards = undefined;
    known.passed = undefined;
    iterators.delete(flow.id);
    return known;
  }
  const fresh = beginning(source.connection.id, source.params, flow.acceptsFrom);
  progress.set(flow.id, fresh);
  iterators.delete(flow.id);
  return fresh;
}

async function readStream(reading: Reading, one: Reader, round: number): Promise<void> {
  const { world, clients } = reading;
  const progress = progressOf(reading, one);
  const iterators = reading.iterators.get(one.flow.id) ?? new Map<string, string>();
  reading.iterators.set(one.flow.id, iterators);
  const stream = String(progress.params.stream);
  try {
    const client = await clients.with(one.source.auth);
    const reader: StreamReader = { client, stream, progress, iterators };
    if (progress.shards === undefined || progress.resharded) await describe(reader, progress.params.reset);
    const isOver = await readShards(reading, one, reader, round);
    if (isOver) progress.caughtUpBy = round;
    wentWell(progress);
  } catch (error) {
    if (reading.stopped) return;
    iterators.clear();
    const { name } = error as Error;
    if (PASSING.has(name)) return;
    // The stream was looked up, and is gone. A later one of the same name is another stream, and is read from its start.
    if (progress.resharded && name === 'ResourceNotFoundException') progress.shards &&= new Map();
    progress.resharded = true;
    fail(world, one, progress, `${one.source.place}: ${reasonOf(error as Error, world.kinesis)}`);
  }
}

/**
 * Reads each shard once. As a flow gets a limited number of records, each round begins with another shard.
 * @returns whether nothing more is there
 */
async function readShards(
  reading: Reading,
  one: Reader,
  reader: StreamReader,
  round: number,
): Promise<boolean> {
  let left = Math.ceil((RECORDS_PER_SECOND * reading.world.settings.pullMs) / 1_000);
  let isOver = true;
  const shards = readable(reader.progress);
  const first = round % (shards.length || 1);
  for (const shard of [...shards.slice(first), ...shards.slice(0, first)]) {
    if (left <= 0) return false;
    const page = await pageOf(reader, shard, left);
    if (page === undefined) {
      isOver = false;
      continue;
    }
    // The flow may have been stopped during the read: then it gets no records of the page.
    if (reading.stopped || !isStill(one)) return false;
    left -= page.records.length;
    isOver &&= page.atTip;
    page.took();
    took(reading, one, reader.progress, page.records);
    if (!shard[1].ended) continue;
    // The shards that came of it are looked up and read in the next round.
    reader.progress.resharded = true;
    isOver = false;
  }
  return isOver;
}

/** `undefined` where the shard has no room now, or its place is too old: the next round reads it. */
async function pageOf(reader: StreamReader, shard: Parameters<typeof readShard>[1], limit: number) {
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

function isStill({ sandbox, flow }: Reader): boolean {
  return sandbox.flows.get(flow.id)?.etag === flow.etag;
}

/** Without an answer the error is one of HTTP/2, which does not say what is wrong. */
function reasonOf({ name, message, code }: NodeJS.ErrnoException, kinesis: string): string {
  const isUnanswered = code?.startsWith('ERR_HTTP2') === true;
  return isUnanswered
    ? `${kinesis} does not answer as a Kinesis does, by HTTP/2: ${message}`
    : `${name}: ${message}`;
}
