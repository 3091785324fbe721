// What of a shard need not be delivered again: the checkpoint moves over records in the order in which they were read.
import type { EventRecord } from './kinesis-event.ts';

/** The part of a shard's progress that outlives a reader, so that a paused mapping resumes where it stopped. */
export interface CheckpointState {
  /** The last sequence number that need not be delivered again. */
  checkpoint?: string;
  /** Sequence numbers behind the checkpoint that the function has seen: when they come again, that is a redelivery. */
  readonly handedOver: Set<string>;
}

export interface Checkpoint {
  /** How many records were read that the checkpoint has not passed. */
  readonly unsettled: number;
  /** The sequence number to read on after; undefined at the beginning. */
  readonly lastRead: string | undefined;
  read(records: readonly EventRecord[]): void;
  /** Notes that the function is given these records; returns how many of them it was given before. */
  handOver(records: readonly EventRecord[]): number;
  settle(records: readonly EventRecord[]): void;
}

export function createCheckpoint(state: CheckpointState): Checkpoint {
  /** In the order of the shard. */
  const unsettled: EventRecord[] = [];
  /** Those of them that are settled while an earlier one is not, which happens between batches side by side. */
  const ahead = new Set<EventRecord>();
  return {
    get unsettled() {
      return unsettled.length;
    },
    get lastRead() {
      return unsettled.at(-1)?.sequenceNumber ?? state.checkpoint;
    },
    read: (records) => void unsettled.push(...records),
    handOver(records) {
      const { handedOver } = state;
      const before = handedOver.size;
      for (const { sequenceNumber } of records) handedOver.add(sequenceNumber);
      return records.length - (handedOver.size - before);
    },
    settle(records) {
      for (const record of records) ahead.add(record);
      const open = unsettled.findIndex((record) => !ahead.has(record));
      const passed = unsettled.splice(0, open === -1 ? unsettled.length : open);
      for (const record of passed) {
        ahead.delete(record);
        state.handedOver.delete(record.sequenceNumber);
      }
      const last = passed.at(-1);
      if (last) state.checkpoint = last.sequenceNumber;
    },
  };
}
