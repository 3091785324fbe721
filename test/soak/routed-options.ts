// What a routed soak may be asked for, besides what any soak may.
import type { SoakOptions } from './options.ts';

export interface RoutedSoakOptions extends Omit<SoakOptions, 'batchSize' | 'batchSizeLater'> {
  /** Pipelines of the stream, from 3 to 8. */
  readonly routes: number;
  /** Records of a batch, as the trigger hands them over. */
  readonly batchSize: number;
  /** The same when half of all has landed. */
  readonly batchSizeLater: number;
  /** When one route begins to refuse: so many of all records have landed where all go, as shares of one. */
  readonly outagesAt: readonly number[];
  /** Requests that it refuses each time. */
  readonly refusals: number;
  /** When the inlet of another route, which parks, goes away: a share as above. */
  readonly parksAt: number;
  /** It answers again when so many documents are parked. */
  readonly parked: number;
}
