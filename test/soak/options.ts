// What a soak may be asked for.
import type { Inlets } from './faults.ts';

export interface SoakOptions {
  readonly records: number;
  readonly seed: number;
  /** Of either stream: so many processes of the forwarder are at work on it. */
  readonly shards: number;
  /** Records of a batch, as the two mappings hand them over. */
  readonly batchSize: Readonly<Record<keyof Inlets, number>>;
  /** The same when half of all has landed: few records are one request, many are lanes side by side. */
  readonly batchSizeLater: Readonly<Record<keyof Inlets, number>>;
  /** Requests, of either kind, that get no answer before the forwarder gives them up. */
  readonly hangs: number;
  /** The share of requests that each class of fault strikes. */
  readonly share: number;
  /** The forwarder is killed at every so-manieth request to an inlet. */
  readonly killEvery: number;
  /** And once in so long besides, wherever it happens to be, if anything has landed since the last time; in ms. */
  readonly killEveryMs: number;
  /** Given up after so long, in ms. */
  readonly deadlineMs: number;
  /** Runs the bundles of `npm run build` instead of the sources. */
  readonly bundled: boolean;
  /** Told how it goes, about every five seconds. */
  readonly say: (line: string) => void;
}
