// A stream in memory: its shards are written to, split, merged and read as those of Kinesis are.
import type { Page, ReadFrom, Stream } from '../../local/aws/stream.ts';

const FIRST = 49590338271490256608559692538361571095921575989136588898n;

/** `of` is what the test knows it by. */
export interface StreamRecord<T> {
  readonly sequenceNumber: string;
  readonly key: string;
  readonly data: Uint8Array;
  readonly arrivedAt: number;
  readonly of: T;
}

export interface MemoryShard<T> {
  readonly id: string;
  readonly parents: readonly string[];
  readonly records: readonly StreamRecord<T>[];
  /** Open as long as it has none. */
  readonly children: readonly MemoryShard<T>[];
}

interface Writable<T> extends MemoryShard<T> {
  readonly records: StreamRecord<T>[];
  children: readonly Writable<T>[];
}

export class MemoryStream<T> implements Stream {
  /** How many records a page has at most; asked for each page. */
  pageSize: () => number = () => Number.POSITIVE_INFINITY;
  readonly #now: () => number;
  readonly #shards = new Map<string, Writable<T>>();
  readonly #roots: readonly Writable<T>[];
  #records = 0n;

  constructor(shards: number, now: () => number) {
    this.#now = now;
    this.#roots = Array.from({ length: shards }, () => this.#made([]));
  }

  get all(): readonly MemoryShard<T>[] {
    return [...this.#shards.values()];
  }

  get open(): readonly MemoryShard<T>[] {
    return this.all.filter(({ children }) => children.length === 0);
  }

  get(shardId: string): MemoryShard<T> {
    return this.#get(shardId);
  }

  /** Into the shard of its key. */
  put(key: string, data: Uint8Array, of: T): StreamRecord<T> {
    const sequenceNumber = String(FIRST + this.#records++);
    const record = { sequenceNumber, key, data, arrivedAt: this.#now(), of };
    this.#shardOf(key).records.push(record);
    return record;
  }

  split(shardId: string): void {
    const shard = this.#get(shardId);
    shard.children = [this.#made([shard]), this.#made([shard])];
  }

  merge(one: string, other: string): void {
    const parents = [this.#get(one), this.#get(other)];
    const child = this.#made(parents);
    for (const parent of parents) parent.children = [child];
  }

  async shards() {
    return this.all.map(({ id, parents, children }) => ({
      shardId: id,
      parents,
      closed: children.length > 0,
    }));
  }

  async iterator(shardId: string, from: ReadFrom): Promise<string> {
    return `${shardId} ${placeOf(this.#get(shardId).records, from)}`;
  }

  async read(iterator: string, limit: number): Promise<Page> {
    const [shardId = '', place] = iterator.split(' ');
    const { records, children } = this.#get(shardId);
    const from = Number(place);
    const to = Math.min(records.length, from + Math.min(limit, this.pageSize()));
    const atTip = to === records.length;
    return {
      records: records.slice(from, to).map((record) => ({
        SequenceNumber: record.sequenceNumber,
        PartitionKey: record.key,
        Data: record.data,
        ApproximateArrivalTimestamp: new Date(record.arrivedAt),
      })),
      next: atTip && children.length > 0 ? undefined : `${shardId} ${to}`,
      atTip,
    };
  }

  #made(parents: readonly Writable<T>[]): Writable<T> {
    const id = `shardId-${String(this.#shards.size).padStart(12, '0')}`;
    const shard = { id, parents: parents.map((parent) => parent.id), records: [], children: [] };
    this.#shards.set(id, shard);
    return shard;
  }

  #get(shardId: string): Writable<T> {
    const shard = this.#shards.get(shardId);
    if (shard === undefined) throw new Error(`there is no shard ${shardId}`);
    return shard;
  }

  #shardOf(key: string): Writable<T> {
    let hash = [...key].reduce((sum, one) => (sum * 31 + one.charCodeAt(0)) >>> 0, 7);
    let shard = this.#roots[hash % this.#roots.length] as Writable<T>;
    while (shard.children.length > 0) {
      hash = Math.floor(hash / 2);
      shard = shard.children[hash % shard.children.length] as Writable<T>;
    }
    return shard;
  }
}

function placeOf(records: readonly StreamRecord<unknown>[], from: ReadFrom): number {
  switch (from.type) {
    case 'TRIM_HORIZON':
      return 0;
    case 'LATEST':
      return records.length;
    case 'AFTER_SEQUENCE_NUMBER':
      return records.findLastIndex(({ sequenceNumber }) => sequenceNumber === from.sequenceNumber) + 1;
    case 'AT_TIMESTAMP': {
      const place = records.findIndex(({ arrivedAt }) => arrivedAt >= from.timestamp.getTime());
      return place < 0 ? records.length : place;
    }
  }
}
