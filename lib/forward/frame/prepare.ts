// Decodes and frames records one by one, and stops before they need too much memory or time.
import { setImmediate as turn } from 'node:timers/promises';
import { type Failure, isFailure } from '../../failure.ts';
import { type Decoded, type DecodedPart, decode, partitionKeysOf, readyToDecode } from '../read/decode.ts';
import type { Decoding } from '../read/decoding.ts';
import type { KinesisRecord } from '../read/event.ts';
import type { Message } from '../read/message.ts';
import type { Transform } from '../transform/transform.ts';
import { DELIVERED, type Settled } from '../verdict.ts';
import type { Direct } from './direct.ts';
import type { Framed } from './framed.ts';

/**
 * An event has 6 MB, but compression and aggregation can make it a thousand times larger. Records beyond this limit
 * stay in the stream for the next invocation.
 */
const MAX_HELD_BYTES = 96 * 1024 * 1024;
/**
 * The same where a format takes messages out of records. The largest record needs up to 290 MiB more while it is taken
 * apart: measured, of the 512 MB that the function has.
 */
const MAX_HELD_BEFORE_EXPANDED = 32 * 1024 * 1024;
/** What a message costs besides its bytes, roughly. */
const MESSAGE_OVERHEAD = 256;

/** Node's zlib frees what it could not unpack between two turns of the event loop. Replies are read in them, too. */
const MESSAGES_PER_TURN = 500;

/** What happens to a record on its way to a request. */
export interface Stages {
  readonly decoding: Decoding;
  /** `undefined` where the pipeline does not transform its records. */
  readonly transform: Transform | undefined;
  readonly frame: (decoded: Decoded) => Framed | Settled;
  /**
   * Decodes and frames all records at once, where the pipeline does nothing else. It needs no more memory than the
   * records have.
   */
  readonly direct?: Direct | undefined;
  /** Whether AEP acknowledged it in an earlier invocation. */
  readonly isKnown: (message: Message) => boolean;
  /** Whether it is the message that may be sent once more. */
  readonly isWitness?: (message: Message) => boolean;
  /** Why a record cannot be decoded yet: it stays in the stream. */
  readonly onUnready?: (failure: Failure) => void;
}

/** The memory and the time that the records of one event may take, all together. */
export interface Room {
  isLeft(): boolean;
  take(bytes: number): void;
}

/** What may be held of an event before another of its records is prepared. */
export function mostHeld({ expander }: Decoding): number {
  return expander === undefined ? MAX_HELD_BYTES : MAX_HELD_BEFORE_EXPANDED;
}

export function createRoom(hasTime: () => boolean, maxHeldBytes = MAX_HELD_BYTES): Room {
  let held = 0;
  return {
    // At least one record is always prepared: otherwise Lambda would repeat the same batch without progress.
    isLeft: () => held === 0 || (held <= maxHeldBytes && hasTime()),
    take: (bytes) => {
      held += bytes;
    },
  };
}

export interface Prepared {
  readonly framed: readonly Framed[];
  /** Messages that are not sent: rejected, filtered, or acknowledged before. */
  readonly settled: readonly Settled[];
  /** Messages in the records, counted as the decoder gives them. */
  readonly decoded: number;
  /** Those of them that AEP acknowledged before. */
  readonly known: number;
  /** One of those, ready to be sent once more. */
  readonly witness: Framed | undefined;
  /** Sequence numbers of the records that were not prepared. */
  readonly left: readonly string[];
}

export async function prepare(
  records: readonly KinesisRecord[],
  stages: Stages,
  room: Room,
): Promise<Prepared> {
  const framed: Framed[] = [];
  const settled: Settled[] = [];
  const { isKnown, isWitness = () => false } = stages;
  let [decoded, known, looked] = [0, 0, 0];
  // What waits for its schema, and the keys whose later records may not pass it.
  const unready: string[] = [];
  const held = new Set<string>();
  const mayWait = stages.decoding.expander?.ready !== undefined;
  let witness: Framed | undefined;
  const directly = room.isLeft() ? (stages.direct?.(records) ?? []) : [];
  for (const record of records) {
    if (!room.isLeft()) break;
    const direct = directly[looked++];
    if (direct !== undefined) {
      decoded++;
      if (isKnown(direct.message)) {
        known++;
        if (isWitness(direct.message)) witness = direct;
        settled.push({ message: direct.message, verdict: DELIVERED });
      } else {
        room.take(direct.size + overheadOf(direct.message));
        framed.push(direct);
      }
      continue;
    }
    if (mayWait) {
      const keys = partitionKeysOf(record);
      if (keys.some((key) => held.has(key)) || !(await isReady(record, stages))) {
        for (const key of keys) held.add(key);
        unready.push(record.kinesis.sequenceNumber);
        continue;
      }
    }
    for (const part of decode(record, stages.decoding)) {
      if (++decoded % MESSAGES_PER_TURN === 0) await turn();
      if (isKnown(part.message)) {
        known++;
        settled.push({ message: part.message, verdict: DELIVERED });
        if (!isWitness(part.message)) continue;
        const again = shapedAndFramed(part, stages);
        if (!('verdict' in again)) witness = again;
        continue;
      }
      const result = shapedAndFramed(part, stages);
      room.take(result.message.bytes.length + overheadOf(result.message));
      if ('verdict' in result) settled.push(result);
      else {
        room.take(result.size);
        framed.push(result);
      }
    }
  }
  const left = [...unready, ...records.slice(looked).map(({ kinesis }) => kinesis.sequenceNumber)];
  return { framed, settled, decoded, known, witness, left };
}

/** Whether all is there that the record's format needs. A failure leaves it in the stream, and those of other keys go on. */
async function isReady(record: KinesisRecord, { decoding, onUnready }: Stages): Promise<boolean> {
  try {
    const waiting = readyToDecode(record, decoding);
    if (waiting !== undefined) await waiting;
    return true;
  } catch (error) {
    if (!isFailure(error)) throw error;
    onUnready?.(error);
    return false;
  }
}

function shapedAndFramed(part: DecodedPart, { transform, frame }: Stages): Framed | Settled {
  const transformed = transform === undefined ? part : transform(part);
  return 'payload' in transformed ? frame(transformed) : transformed;
}

function overheadOf({ partitionKey }: Message): number {
  return MESSAGE_OVERHEAD + (partitionKey?.length ?? 0);
}
