// A message ready to send, and what stands around it.
import type { Message } from '../read/message.ts';
import type { Place } from './slab.ts';

/** A message ready to send: in its place lies the producer's JSON object, with its frame. */
export interface Framed extends Place {
  readonly message: Message;
  /** Bytes it adds to a request, frame and comma included. */
  readonly size: number;
}

/** What stands around an object in a request. */
export interface Frame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}
