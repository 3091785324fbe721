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

export class Mappings {
  readonly #ports: MappingPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();

  constructor(ports: MappingPorts) {
    this.#ports = ports;
  }

  get all(): readonly Mapping[] {
    return [...this.#entries.values()];
  }

  get(uuid: string): Mapping {
    return this.#get(uuid);
  }

  async create(input: MappingInput): Promise<Mapping> {
    const eventSourceArn = String(input.EventSourceArn ?? '');
    const functionName = this.functionName(String(input.FunctionName ?? ''));
    const settings = this.#settings(input);
    const start = readStartingPosition(input);
    await this.#checkStream(eventSourceArn, functionName);
    const twin = this.all.find(
      (one) => one.eventSourceArn === eventSourceArn && one.functionName === functionName,
    );
    if (twin) {
      throw new AwsError(
        'ResourceConflictException',
        `The event source arn (" ${eventSourceArn} ") and function (" ${functionName} ") provided mapping already exists. ` +
          `Please update or delete the existing mapping with UUID ${twin.uuid}`,
        409,
      );
    }
    const mapping: Mapping = {
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
    const entry: Entry = Object.assign(mapping, {
      poller: pollerFor(mapping, streamNameOf(eventSourceArn), this.#ports),
      transition: Promise.resolve(),
    });
    this.#entries.set(entry.uuid, entry);
    this.#change(entry, 'Creating', async () => undefined);
    return entry;
  }

  update(uuid: string, input: MappingInput): Mapping {
    const entry = this.#settled(uuid, 'updated');
    const settings = this.#settings(input, entry.settings);
    if (
      input.FunctionName !== undefined &&
      this.functionName(String(input.FunctionName)) !== entry.functionName
    ) {
      throw invalid('Moving a mapping to another function is not available locally.');
    }
    const wasEnabled = entry.enabled;
    entry.enabled = typeof input.Enabled === 'boolean' ? input.Enabled : wasEnabled;
    entry.settings = settings;
    const state = entry.enabled === wasEnabled ? 'Updating' : entry.enabled ? 'Enabling' : 'Disabling';
    this.#change(entry, state, () => entry.poller.stop());
    return entry;
  }

  remove(uuid: string): Mapping {
    const entry = this.#settled(uuid, 'deleted');
    entry.enabled = false;
    this.#change(entry, 'Deleting', () => entry.poller.end());
    return entry;
  }

  /** Resolves when everything put to the stream before this call was delivered or discarded by every mapping on it. */
  async drained(streamName: string): Promise<void> {
    const entries = this.#onStream(streamName);
    if (entries.length === 0) throw new Error(`No event source mapping reads the stream ${streamName}.`);
    await Promise.all(entries.map(({ poller }) => poller.drained()));
  }

  /** What the mappings on a stream have done so far. */
  progress(streamName: string): StreamProgress {
    const pollers = this.#onStream(streamName).map(({ poller }) => poller);
    const sum = (key: keyof Totals) => pollers.reduce((total, { totals }) => total + totals[key], 0);
    return {
      invocations: sum('invocations'),
      records: sum('records'),
      redelivered: sum('redelivered'),
      discarded: sum('discarded'),
      shards: pollers.flatMap(({ positions }) => positions),
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const entries = [...this.#entries.values()];
    await Promise.all(entries.map(({ poller }) => poller.end()));
    await Promise.all(entries.map(({ transition }) => transition));
  }

  /** The name in a function name, an ARN, or an ARN with a version; the function has to exist. */
  functionName(nameOrArn: string): string {
    const name = /function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
    if (this.#ports.functions.includes(name)) return name;
    const { region, accountId } = this.#ports.account;
    throw new AwsError(
      'ResourceNotFoundException',
      `Function not found: arn:aws:lambda:${region}:${accountId}:function:${name}`,
      404,
    );
  }

  #get(uuid: string): Entry {
    const entry = this.#entries.get(uuid);
    if (entry) return entry;
    throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
  }

  /** A mapping that is Enabled or Disabled; in between Lambda refuses to touch it. */
  #settled(uuid: string, verb: string): Entry {
    const entry = this.#get(uuid);
    if (entry.state === 'Enabled' || entry.state === 'Disabled') return entry;
    throw new AwsError(
      'ResourceInUseException',
      `The event source mapping with UUID ${uuid} cannot be ${verb} because it is in the ${entry.state} state.`,
    );
  }

  #settings(input: MappingInput, before?: MappingSettings): MappingSettings {
    const settings = readSettings(input, before);
    const { Destination: destination } = settings.DestinationConfig.OnFailure;
    const refusal = destination ? this.#ports.onFailure.refusal(destination) : undefined;
    if (refusal !== undefined)
      throw invalid(`${destination} cannot be used as an on-failure destination: ${refusal}.`);
    return settings;
  }

  #onStream(streamName: string): Entry[] {
    return [...this.#entries.values()].filter(
      ({ eventSourceArn }) => streamNameOf(eventSourceArn) === streamName,
    );
  }

  // Polling stops at the beginning of a change and begins at its end, so settings never change under a reader.
  #change(entry: Entry, state: MappingState, work: () => Promise<void>): void {
    entry.state = state;
    entry.lastModified = Date.now();
    entry.transition = (async () => {
      const { clock = realClock, transitionMs = 100 } = this.#ports;
      const { signal } = this.#closing;
      await Promise.all([work(), clock.sleep(transitionMs, signal)]);
      if (state === 'Deleting') return void this.#entries.delete(entry.uuid);
      if (entry.enabled && !signal.aborted) await entry.poller.start(readerSettings(entry.settings));
      entry.state = entry.enabled ? 'Enabled' : 'Disabled';
    })();
  }

  async #checkStream(eventSourceArn: string, functionName: string): Promise<void> {
    const { account, kinesis, kinesisAs } = this.#ports;
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
}
