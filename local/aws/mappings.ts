// Lambda's event source mappings: their life from Creating to Deleting, and the poller each of them drives.
import { DescribeStreamConsumerCommand, DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { streamArnIn, streamNameOf } from '../../lib/published.ts';
import { realClock } from './clock.ts';
import type { Mapping, MappingPorts, MappingState } from './mapping.ts';
import { pollerFor, readerSettings } from './mapping-poller.ts';
import {
  invalid,
  type MappingInput,
  type MappingSettings,
  readSettings,
  readStartingPosition,
} from './mapping-settings.ts';
import type { Poller, ShardPosition, Totals } from './polling.ts';
import { AwsError } from './server.ts';

export interface StreamProgress extends Totals {
  shards: ShardPosition[];
}

interface Entry extends Mapping {
  poller: Poller;
  transition: Promise<void>;
}

export interface Mappings {
  readonly all: readonly Mapping[];
  get(uuid: string): Mapping;
  create(input: MappingInput): Promise<Mapping>;
  update(uuid: string, input: MappingInput): Mapping;
  remove(uuid: string): Mapping;
  /** Resolves when everything put to the stream before this call was delivered or discarded by every mapping on it. */
  drained(streamName: string): Promise<void>;
  /** What the mappings on a stream have done so far. */
  progress(streamName: string): StreamProgress;
  /** The name in a function name, an ARN, or an ARN with a version; the function has to exist. */
  functionName(nameOrArn: string): string;
  close(): Promise<void>;
}

export function createMappings(ports: MappingPorts): Mappings {
  const entries = new Map<string, Entry>();
  const closing = new AbortController();

  const onStream = (streamName: string) =>
    [...entries.values()].filter(({ eventSourceArn }) => streamNameOf(eventSourceArn) === streamName);

  function entryOf(uuid: string): Entry {
    const entry = entries.get(uuid);
    if (entry) return entry;
    throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
  }

  /** A mapping that is Enabled or Disabled; in between Lambda refuses to touch it. */
  function settled(uuid: string, verb: string): Entry {
    const entry = entryOf(uuid);
    if (entry.state === 'Enabled' || entry.state === 'Disabled') return entry;
    throw new AwsError(
      'ResourceInUseException',
      `The event source mapping with UUID ${uuid} cannot be ${verb} because it is in the ${entry.state} state.`,
    );
  }

  // Polling stops at the beginning of a change and begins at its end, so settings never change under a reader.
  function change(entry: Entry, state: MappingState, work: () => Promise<void>): void {
    entry.state = state;
    entry.lastModified = Date.now();
    entry.transition = (async () => {
      const { clock = realClock, transitionMs = 100 } = ports;
      const { signal } = closing;
      await Promise.all([work(), clock.sleep(transitionMs, signal)]);
      if (state === 'Deleting') return void entries.delete(entry.uuid);
      if (entry.enabled && !signal.aborted) await entry.poller.start(readerSettings(entry.settings));
      entry.state = entry.enabled ? 'Enabled' : 'Disabled';
    })();
  }

  return {
    get all() {
      return [...entries.values()];
    },
    get: entryOf,
    async create(input) {
      const mapping = await mappingFrom(input, ports);
      refuseTwin(mapping, entries.values());
      const entry: Entry = Object.assign(mapping, {
        poller: pollerFor(mapping, streamNameOf(mapping.eventSourceArn), ports),
        transition: Promise.resolve(),
      });
      entries.set(entry.uuid, entry);
      change(entry, 'Creating', async () => undefined);
      return entry;
    },
    update(uuid, input) {
      const entry = settled(uuid, 'updated');
      const settings = settingsFrom(input, ports, entry.settings);
      if (
        input.FunctionName !== undefined &&
        functionNameOf(String(input.FunctionName), ports) !== entry.functionName
      ) {
        throw invalid('Moving a mapping to another function is not available locally.');
      }
      const wasEnabled = entry.enabled;
      entry.enabled = typeof input.Enabled === 'boolean' ? input.Enabled : wasEnabled;
      entry.settings = settings;
      const state = entry.enabled === wasEnabled ? 'Updating' : entry.enabled ? 'Enabling' : 'Disabling';
      change(entry, state, () => entry.poller.stop());
      return entry;
    },
    remove(uuid) {
      const entry = settled(uuid, 'deleted');
      entry.enabled = false;
      change(entry, 'Deleting', () => entry.poller.end());
      return entry;
    },
    async drained(streamName) {
      const found = onStream(streamName);
      if (found.length === 0) throw new Error(`No event source mapping reads the stream ${streamName}.`);
      await Promise.all(found.map(({ poller }) => poller.drained()));
    },
    progress: (streamName) => progressOf(onStream(streamName).map(({ poller }) => poller)),
    functionName: (nameOrArn) => functionNameOf(nameOrArn, ports),
    async close() {
      closing.abort();
      const all = [...entries.values()];
      await Promise.all(all.map(({ poller }) => poller.end()));
      await Promise.all(all.map(({ transition }) => transition));
    },
  };
}

/** @throws AwsError where Lambda would refuse the request */
async function mappingFrom(input: MappingInput, ports: MappingPorts): Promise<Mapping> {
  const eventSourceArn = String(input.EventSourceArn ?? '');
  const functionName = functionNameOf(String(input.FunctionName ?? ''), ports);
  const settings = settingsFrom(input, ports);
  const start = readStartingPosition(input);
  await checkStream(eventSourceArn, functionName, ports);
  return {
    uuid: crypto.randomUUID(),
    eventSourceArn,
    functionName,
    start,
    settings,
    enabled: input.Enabled !== false,
    state: 'Creating',
    lastModified: Date.now(),
    lastResult: 'No records processed',
    tags: new Map(Object.entries((input.Tags ?? {}) as Record<string, string>)),
  };
}

function refuseTwin({ eventSourceArn, functionName }: Mapping, others: Iterable<Mapping>): void {
  for (const other of others) {
    if (other.eventSourceArn !== eventSourceArn || other.functionName !== functionName) continue;
    throw new AwsError(
      'ResourceConflictException',
      `The event source arn (" ${eventSourceArn} ") and function (" ${functionName} ") provided mapping already exists. ` +
        `Please update or delete the existing mapping with UUID ${other.uuid}`,
      409,
    );
  }
}

function functionNameOf(nameOrArn: string, { functions, account }: MappingPorts): string {
  const name = /function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
  if (functions.includes(name)) return name;
  throw new AwsError(
    'ResourceNotFoundException',
    `Function not found: arn:aws:lambda:${account.region}:${account.accountId}:function:${name}`,
    404,
  );
}

function settingsFrom(
  input: MappingInput,
  { onFailure }: MappingPorts,
  before?: MappingSettings,
): MappingSettings {
  const settings = readSettings(input, before);
  const { Destination: destination } = settings.DestinationConfig.OnFailure;
  const refusal = destination ? onFailure.refusal(destination) : undefined;
  if (refusal !== undefined)
    throw invalid(`${destination} cannot be used as an on-failure destination: ${refusal}.`);
  return settings;
}

async function checkStream(
  eventSourceArn: string,
  functionName: string,
  { account, kinesis, kinesisAs }: MappingPorts,
): Promise<void> {
  const { region, accountId } = account;
  const expected = `arn:aws:kinesis:${region}:${accountId}:stream/`;
  if (!eventSourceArn.startsWith(expected)) throw invalid(`Unrecognized event source: ${eventSourceArn}`);
  const StreamName = streamNameOf(eventSourceArn);
  const client = kinesisAs?.(functionName) ?? kinesis;
  await client
    .send(new DescribeStreamSummaryCommand({ StreamName }))
    .then(() => {
      if (streamArnIn(eventSourceArn) === eventSourceArn) return undefined;
      return client.send(new DescribeStreamConsumerCommand({ ConsumerARN: eventSourceArn }));
    })
    .catch((error: unknown) => {
      throw invalid(
        `Cannot access stream ${eventSourceArn}: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
}

function progressOf(pollers: readonly Poller[]): StreamProgress {
  const sum = (key: keyof Totals) => pollers.reduce((total, { totals }) => total + totals[key], 0);
  return {
    invocations: sum('invocations'),
    records: sum('records'),
    redelivered: sum('redelivered'),
    discarded: sum('discarded'),
    shards: pollers.flatMap(({ positions }) => positions),
  };
}
