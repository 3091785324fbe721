// A message without its bytes: for the dead-letter store, which may not see what was not redacted.
import { hash } from 'node:crypto';
import type { Message } from './read/message.ts';

/** The same message with the length and the SHA-256 of its bytes in their place. */
export function withheld(message: Message): Message {
  const { bytes } = message;
  const about = { length: bytes.length, sha256: hash('sha256', bytes, 'hex') };
  return { ...message, bytes: Buffer.alloc(0), withheld: about };
}
