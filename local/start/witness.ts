// The witness: which records the platform took in, told apart by what is in them, to compare with what the producer wrote.
import { createHash } from 'node:crypto';

export interface Witness {
  /** How often each record was taken in, by any of these inlets; without them, by any at all. */
  received(inletIds?: ReadonlySet<string>): ReadonlyMap<string, number>;
  /** Hand this to the platform. */
  see(records: readonly object[], inletId: string): void;
}

export function createWitness(): Witness {
  const byInlet = new Map<string, Map<string, number>>();
  return {
    received(inletIds) {
      const wanted = [...byInlet].filter(([inletId]) => inletIds?.has(inletId) ?? true);
      const [only, ...others] = wanted.map(([, received]) => received);
      if (others.length === 0) return only ?? new Map();
      const all = new Map(only);
      for (const [identity, count] of others.flatMap((one) => [...one]))
        all.set(identity, (all.get(identity) ?? 0) + count);
      return all;
    },
    see(records, inletId) {
      const received = byInlet.get(inletId) ?? new Map<string, number>();
      byInlet.set(inletId, received);
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
