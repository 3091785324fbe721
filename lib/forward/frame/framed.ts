// A message ready to send, and its frame.
import type { Message } from '../read/message.ts';
import type { Place } from './slab.ts';

/** A message ready to send: its place holds the producer's JSON object. */
export interface Framed extends Place {
  readonly message: Message;
  /** Bytes it adds to a request, frame and comma included. */
  readonly size: number;
  /** The routes that take it, a bit for each, where that was looked up in its bytes. */
  readonly takers?: number | undefined;
}

/** The text before and after an object in a request. */
export interface Frame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}
