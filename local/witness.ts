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

/** The identity of a line as the platform would see its record; `undefined` where there is no record in it. */
export function identityOfLine(bytes: Buffer, data: 'raw' | 'xdm'): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const record = data === 'xdm' ? entityOf(value) : value;
    return isObject(record) ? identityOf(record) : undefined;
  } catch {
    return undefined;
  }
}

/** What tells one record from another. */
export function identityOf(record: object): string {
  return createHash('sha1').update(JSON.stringify(record)).digest('base64');
}

/** A whole XDM message holds its entity; anything else is one. */
function entityOf(value: unknown): unknown {
  if (!isObject(value) || !Object.hasOwn(value, 'header') || !isObject(value.body)) return value;
  return Object.hasOwn(value.body, 'xdmEntity') ? value.body.xdmEntity : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
