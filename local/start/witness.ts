// The witness: which records the platform took in, told apart by what is in them, to compare with what the producer wrote.
import { createHash } from 'node:crypto';

export interface Witness {
  /** How often each record was taken in. */
  readonly received: ReadonlyMap<string, number>;
  /** Hand this to the platform. */
  see(records: readonly object[]): void;
}

export function createWitness(): Witness {
  const received = new Map<string, number>();
  return {
    received,
    see(records) {
      for (const record of records) {
        const identity = identityOf(record);
        received.set(identity, (received.get(identity) ?? 0) + 1);
      }
    },
  };
}

/** What tells one record from another. */
export function identityOf(record: object): string {
  return createHash('sha1').update(JSON.stringify(record)).digest('base64');
}

/** The record in a message to an inlet: an entity in its envelope, data that comes with operations, or all of it. */
export function recordIn(message: unknown, data: 'raw' | 'xdm'): unknown {
  if (!isObject(message) || !isObject(message.header) || !isObject(message.body)) return message;
  if (data === 'raw') return Object.hasOwn(message.header, 'flowId') ? message.body : message;
  return Object.hasOwn(message.body, 'xdmEntity') ? message.body.xdmEntity : message;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
