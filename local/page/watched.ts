// What the page looks at: the parts of a running stack, so that it can look at others too.
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { PublishedStream } from '../../lib/published.ts';
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import type { Platform } from '../aep/platform-interface.ts';
import type { Executions } from '../aws/executions.ts';
import type { Mappings } from '../aws/mappings.ts';
import type { LocalMetrics } from '../aws/metrics.ts';
import type { StateEvent } from '../aws/state-machine.ts';
import type { ManifestFiles } from './manifest-files.ts';
import type { Store } from './store.ts';

/** What an area of the page is made from. */
export interface Looked {
  readonly watched: Watched;
  readonly store: Store;
}

export interface Watched {
  /** The simulated platform, and where it answers. */
  readonly platform: {
    readonly origin: string;
    readonly platform: Pick<Platform, 'state' | 'journal' | 'clock' | 'faults' | 'handle' | 'settings'>;
  };
  readonly aws: { readonly mappings: Pick<Mappings, 'all' | 'progress'> };
  /** What the functions have counted. */
  readonly metrics: LocalMetrics;
  /** Of the provisioning state machine. */
  readonly executions: Pick<Executions, 'all'>;
  /** When an event of an execution was by the platform's clock, in ms since the epoch. */
  platformTimeOf(event: StateEvent): number;
  /** The streams, and what is published of them. */
  readonly streams: {
    readonly client: KinesisClient;
    arn(name: string): string;
    published(streamArn: string): Promise<PublishedStream | undefined>;
  };
  /** Calls the function that sends again, once. @throws Error with the function's own words */
  redrive(request: Readonly<Record<string, unknown>>): Promise<RedriveAnswer>;
  /** Where the dead-letter store is. */
  readonly deadLettersFolder: string;
  /** What of manifests can be saved; absent where nothing can. */
  readonly edit?: Edit;
}

export interface Edit {
  readonly files: ManifestFiles;
  /** What is wrong with a manifest that is to have this text. `file` says where its samples lie. */
  check(file: string, text: string): Promise<readonly string[]>;
}
