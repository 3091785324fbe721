// The short way of an ordinary record: it is decoded into the request's memory and checked there.
import { isUtf8 } from 'node:buffer';
import { MAX_DEPTH } from '../json/check.ts';
import { checkJson } from '../json/json-check.ts';
import { isWholeBase64 } from '../read/decode.ts';
import type { KinesisRecord } from '../read/event.ts';
import type { Message } from '../read/message.ts';
import type { Frame, Framed } from './framed.ts';
import { type Place, piecesOf, type Slabs } from './slab.ts';
import type { Takers } from './takers.ts';

/** One for each record. `undefined` for a record that is not ordinary: the long way decides what is wrong with it. */
export type Direct = (records: readonly KinesisRecord[]) => (Framed | undefined)[];

/** Its bytes are decoded again when they are asked for, which delivery never does. Do not spread this object. */
export class RecordMessage implements Message {
  readonly sequenceNumber: string;
  readonly partitionKey: string | undefined;
  readonly arrivedAt: number | undefined;
  readonly #data: string;

  constructor(kinesis: KinesisRecord['kinesis'], data: string) {
    this.sequenceNumber = kinesis.sequenceNumber;
    this.partitionKey = kinesis.partitionKey ?? undefined;
    this.arrivedAt = kinesis.approximateArrivalTimestamp ?? undefined;
    this.#data = data;
  }

  get bytes(): Uint8Array {
    return Buffer.from(this.#data, 'base64');
  }
}

/**
 * @param largest bytes of an object that one request takes
 * @param takers tells which routes take a record; absent where there is one that takes all
 */
export function createDirect(
  { before, after }: Frame,
  slabs: Slabs,
  largest: number,
  takers?: Takers,
): Direct {
  const around = before.length + after.length;

  const framed = ({ kinesis }: KinesisRecord): Framed | undefined => {
    const { data } = kinesis;
    if (typeof data !== 'string' || data.length * 0.75 > largest) return undefined;
    let taken: number | undefined;
    const place = slabs.append(data.length + around, (slab, at) => {
      const from = at + before.length;
      const to = from + slab.write(data, from, 'base64');
      if (!isWholeBase64(data, to - from)) return undefined;
      if (checkJson(slab, MAX_DEPTH, from, to) !== 'object') return undefined;
      if (takers !== undefined) {
        taken = takers.of(slab, from);
        if (taken === undefined) return undefined;
      }
      if (around > 0) {
        slab.set(before, at);
        slab.set(after, to);
      }
      return to + after.length;
    });
    if (place === undefined) return undefined;
    const { slab, start, end } = place;
    return {
      message: new RecordMessage(kinesis, data),
      slab,
      start,
      end,
      size: end - start + 1,
      takers: taken,
    };
  };

  return (records) => {
    const all = records.map(framed);
    const kept = all.filter((one) => one !== undefined);
    // Decoding all at once takes a tenth of the time. Between messages there is ASCII, so that bad UTF-8 in one
    // cannot merge with its neighbour.
    if ([...piecesOf(kept)].every(isText)) return all;
    return all.map((one) => (one !== undefined && isText(one) ? one : undefined));
  };
}

function isText({ slab, start, end }: Place): boolean {
  return isUtf8(slab.subarray(start, end));
}
