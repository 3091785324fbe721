// What the platform remembers of the sources that it reads by itself: how far each flow is, and what a simulated source holds.

/** Why a source could not be read. */
export interface SourceFailure {
  /** Adobe's: `CONNECTOR-1001-500`. */
  readonly code: string;
  readonly message: string;
}

/** Where reading begins in a shard. */
export type ShardStart =
  | { readonly ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly ShardIteratorType: 'AT_TIMESTAMP'; readonly Timestamp: Date };

export interface ShardProgress {
  readonly parents: readonly string[];
  /** Its first sequence number. A stream that was deleted and made again has shards of the same id, with another one. */
  readonly first: string | undefined;
  start: ShardStart;
  /** Sequence number of the last record that was taken. */
  last: string | undefined;
  /** It was split or merged, and all of it was read. */
  ended: boolean;
  /** How many of its records make a page. */
  fits: number;
}

/** How far a flow is in its source. */
export interface Progress {
  readonly sourceId: string;
  /** Stream, start and the like, as they were when reading began: a live flow takes up no change of them (contract §4.6). */
  readonly params: Readonly<Record<string, unknown>>;
  /** From when on the flow took data, in ms since the epoch. */
  warmSince: number;
  /** Of a Kinesis stream; `undefined` before its shards are known. */
  shards: Map<string, ShardProgress> | undefined;
  /** One of them was split or merged, or could not be read: the stream has to be looked up again. */
  resharded: boolean;
  /** Of an event hub: how many of all its events were passed. */
  passed: number | undefined;
  /** Records that were taken, and that were dropped, because they are no JSON object. */
  read: number;
  dropped: number;
  /** Calls for records, and how many of them the shard had no room for. */
  reads: number;
  throttled: number;
  /** Number of the last round that found nothing more. */
  caughtUpBy: number;
  /** Why the last read failed, and since when every read has failed, in ms since the epoch. */
  failure: SourceFailure | undefined;
  failingSince: number | undefined;
}

export function beginning(sourceId: string, params: Progress['params'], warmSince: number): Progress {
  return {
    sourceId,
    params,
    warmSince,
    shards: undefined,
    resharded: false,
    passed: undefined,
    read: 0,
    dropped: 0,
    reads: 0,
    throttled: 0,
    caughtUpBy: -1,
    failure: undefined,
    failingSince: undefined,
  };
}

/** A record of an event hub, or a message of a subscription. */
export interface HeldRecord {
  readonly bytes: Buffer;
  /** When it came, in ms since the epoch. */
  readonly at: number;
}

export const REFUSALS = {
  credentials: 'the key is wrong or was taken back',
  permission: 'the key may not read it',
  gone: 'it is not there: it was deleted, or never made',
} as const;

/** A simulated event hub or subscription. */
export interface Held {
  /** Of an event hub the newest that are kept; of a subscription what was not acknowledged. */
  readonly records: HeldRecord[];
  /** How many events of a hub came before them, or how many messages of a subscription were dropped unread. */
  forgotten: number;
  refuses: keyof typeof REFUSALS | undefined;
}

export interface PulledMemory {
  /** By flow. */
  readonly progress: Map<string, Progress>;
  /** By place. */
  readonly held: Map<string, Held>;
}

/** A copy, independent of this one. */
export function copyOf({ progress, held }: PulledMemory): PulledMemory {
  return {
    progress: structuredClone(progress),
    held: new Map([...held].map(([place, one]) => [place, { ...one, records: [...one.records] }])),
  };
}

export function heldAt({ held }: PulledMemory, place: string): Held {
  const known = held.get(place);
  if (known !== undefined) return known;
  const fresh: Held = { records: [], forgotten: 0, refuses: undefined };
  held.set(place, fresh);
  return fresh;
}
