// Glue's Schema Registry in memory, and records as AWS's serializers write them: awslabs/aws-glue-schema-registry,
// `SerializationDataEncoder`.
import { deflateSync } from 'node:zlib';
import type { RegisteredSchema, SchemaRegistry } from '../../lib/runtime.ts';

export interface FakeRegistry extends SchemaRegistry {
  readonly schemas: Map<string, RegisteredSchema>;
  /** Every id that was asked for, in order. */
  readonly asked: string[];
  /** What it fails with, while it does. */
  away: Error | undefined;
}

export function fakeRegistry(schemas: Readonly<Record<string, RegisteredSchema>>): FakeRegistry {
  const registry: FakeRegistry = {
    schemas: new Map(Object.entries(schemas)),
    asked: [],
    away: undefined,
    async version(id) {
      registry.asked.push(id);
      if (registry.away !== undefined) throw registry.away;
      return registry.schemas.get(id);
    },
  };
  return registry;
}

/** A record of that schema version: version byte, compression byte, the id's 16 bytes, what was serialized. */
export function withHeader(id: string, bytes: Uint8Array, compression: 'none' | 'zlib' = 'none'): Buffer {
  const head = [3, compression === 'zlib' ? 5 : 0];
  const body = compression === 'zlib' ? deflateSync(bytes) : bytes;
  return Buffer.concat([Buffer.from(head), Buffer.from(id.replaceAll('-', ''), 'hex'), body]);
}

export function idOf(number: number): string {
  return `b7b4a7f0-9c96-4e4a-a687-${number.toString(16).padStart(12, '0')}`;
}
