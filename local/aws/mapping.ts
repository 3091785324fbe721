// An event source mapping of Lambda, and what it needs around it to read its stream.
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Clock } from './clock.ts';
import type { InvocationReport } from './delivery.ts';
import type { InvocationResult } from './function-errors.ts';
import type { MappingSettings } from './mapping-settings.ts';
import type { OnFailureDestinations } from './on-failure.ts';
import type { Account } from './server.ts';
import type { Pace } from './shard-reader.ts';
import type { StartingPosition } from './stream.ts';

export type MappingState =
  | 'Creating'
  | 'Enabling'
  | 'Enabled'
  | 'Disabling'
  | 'Disabled'
  | 'Updating'
  | 'Deleting';

export interface Mapping {
  uuid: string;
  eventSourceArn: string;
  functionName: string;
  start: StartingPosition;
  settings: MappingSettings;
  enabled: boolean;
  state: MappingState;
  lastModified: number;
  lastResult: string;
  tags: Map<string, string>;
}

export interface MappingPorts {
  account: Account;
  /** As the function whose role Lambda reads with; `kinesis` where it is left out. */
  kinesisAs?(functionName: string): KinesisClient;
  kinesis: KinesisClient;
  /** The functions a mapping may name. */
  functions: readonly string[];
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  onInvocation?(report: InvocationReport): void;
  /** Where records go that are discarded. */
  onFailure: OnFailureDestinations;
  /** The time polling goes by: ages, windows, pauses; and how long a mapping is in between two states. */
  clock?: Clock;
  pace?: Partial<Pace>;
  /** How long Creating, Enabling, Updating, … last; on AWS up to 90 s. */
  transitionMs?: number;
}
