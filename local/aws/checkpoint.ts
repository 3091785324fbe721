// What of a shard need not be delivered again: the checkpoint moves over records in the order in which they were read.
import type { EventRecord } from './kinesis-event.ts';

/** The part of a shard's progress that outlives a reader, so that a paused mapping resumes where it stopped. */
export interface CheckpointState {
  /** The last sequence number that need not be delivered again. */
  checkpoint?: string;
  /** Sequence numbers behind the checkpoint that the function has seen: when they come again, that is a redelivery. */
  readonly handedOver: Set<string>;
}

export class Checkpoint {
  readonly #state: CheckpointState;
  /** In the order of the shard. */
  #unsettled: EventRecord[] = [];
  /** Those of them that are settled while an earlier one is not, which happens between batches side by side. */
  readonly #ahead = new Set<EventRecord>();

  constructor(state: CheckpointState) {
    this.#state = state;
  }

  /** How many records were read that the checkpoint has not passed. */
  get unsettled(): number {
    return this.#unsettled.length;
  }

  /** The sequence number to read on after; undefined at the beginning. */
  get lastRead(): string | undefined {
    return this.#unsettled.at(-1)?.sequenceNumber ?? this.#state.checkpoint;
  }

  read(records: readonly EventRecord[]): void {
    this.#unsettled.push(...records);
  }

  /** Notes that the function is given these records; returns how many of them it was given before. */
  handOver(records: readonly EventRecord[]): number {
    const { handedOver } = this.#state;
    const before = handedOver.size;
    for (const { sequenceNumber } of records) handedOver.add(sequenceNumber);
    return records.length - (handedOver.size - before);
  }

  settle(records: readonly EventRecord[]): void {
    for (const record of records) this.#ahead.add(record);
    const open = this.#unsettled.findIndex((record) => !this.#ahead.has(record));
    const passed = this.#unsettled.splice(0, open === -1 ? this.#unsettled.length : open);
    for (const record of passed) {
      this.#ahead.delete(record);
      this.#state.handedOver.delete(record.sequenceNumber);
    }
    const last = passed.at(-1);
    if (last) this.#state.checkpoint = last.sequenceNumber;
  }
}
