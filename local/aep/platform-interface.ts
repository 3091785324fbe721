// What a simulated platform offers to a server, to tests and to its own pages.

import type { Answer } from './answer.ts';
import type { PlatformClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Call } from './http.ts';
import type { Journal } from './journal.ts';
import type { Credential, PlatformOptions, Settings } from './options.ts';
import type { Endpoint } from './published.ts';
import type { SourceState } from './pulled/readers.ts';
import type { State } from './state.ts';

/** What a platform remembered at a moment. It never changes, and can be restored any number of times. */
export interface Snapshot {
  readonly id: string;
  /** The platform's time, in ms since the epoch. */
  readonly at: number;
  /** Ids made from this seed are those that came next. */
  readonly nextSeed: number;
  readonly state: State;
  readonly journal: Journal;
  readonly faults: Faults;
}

export interface Platform {
  /** Answers like the platform; rejects with `TypeError('fetch failed')` where a connection would break. */
  fetch(request: Request): Promise<Response>;
  /** The same without Request and Response around it. */
  handle(call: Call): Promise<Answer>;
  readonly state: State;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly clock: PlatformClock;
  readonly settings: Settings;
  readonly credentials: readonly Credential[];
  /** What it answers, as method and path; its own pages aside. */
  readonly endpoints: readonly Pick<Endpoint, 'method' | 'pattern'>[];
  /** What Experience Platform has and this has not: answered with 501. */
  readonly notSimulated: readonly Endpoint[];
  /** Base of the inlet URLs given from now on. */
  origin: string;
  /** Where the Kinesis is that flows read by themselves; empty where there is none. Named, it is read from now on. */
  kinesis: string;
  /** Flows whose source the platform reads by itself, and how each fares. */
  sources(): SourceState[];
  /** Reads each such stream once, besides the regular reads. @returns its number */
  readStreams(): Promise<number>;
  /** Takes what is in the simulated sources, as every request does. */
  readSources(): void;
  /** Stops reading streams. */
  close(): void;
  /** Resolves when everything taken in has landed, been refused or been lost. */
  idle(): Promise<void>;
  /**
   * Another platform that remembers all that this one does: each goes on by itself, and gives the same ids next. What is
   * still on its way to the lake is not in it: wait for `idle`.
   */
  copy(options?: PlatformOptions): Platform;
  /** What is still on its way to the lake is not in it: wait for `idle`. */
  snapshot(): Snapshot;
  /** Remembers what it did then, and nothing since; time goes on. */
  restore(snapshot: Snapshot): void;
  /** Those that were asked for over HTTP, by their ids. */
  readonly snapshots: Map<string, Snapshot>;
  /** Forgets everything, as if just created. */
  reset(): void;
}
