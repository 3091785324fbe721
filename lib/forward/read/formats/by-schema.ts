// Formats that need a schema. What reads them is loaded with the first record, and a schema of Glue's Schema Registry
// when its id is first seen. Both stay for the life of a container.
import { inflateSync } from 'node:zlib';
import type { Clock } from '../../../aep/transport.ts';
import { Failure, isFailure } from '../../../failure.ts';
import type { RegisteredSchema, SchemaRegistry } from '../../../runtime.ts';
import type { SchemaFormat } from '../../../schema-formats.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import { MAX_UNPACKED_BYTES } from '../unpack.ts';
import type { Expander } from './expander.ts';
import type { Expand, SchemaReader } from './schema-reader.ts';

/** The expanders of a container, each made once. */
export interface Schemas {
  expander(format: SchemaFormat): Expander;
}

/** Far more versions than one stream has at a time. */
export const MAX_SCHEMAS = 200;
/** How long an id without a schema is believed to have none, and a registry that failed to be away. In ms. */
export const UNKNOWN_KEPT_MS = 60_000;
export const AWAY_KEPT_MS = 2_000;

/** @param registry absent where a function reads no schemas of Glue */
export function createSchemas(clock: Pick<Clock, 'now'>, registry?: SchemaRegistry): Schemas {
  const made = new Map<string, Expander>();
  return {
    expander(format) {
      const key = JSON.stringify(format);
      const expander =
        made.get(key) ??
        (format.schemaIn === 'glue' ? byRegistry(format, clock, registry) : byManifest(format));
      // An older version of the same pipeline is not asked for again.
      if (made.size >= MAX_SCHEMAS) made.clear();
      made.set(key, expander);
      return expander;
    },
  };
}

/** The part that is a file of its own, with the library that reads schemas. */
async function loaded(
  format: SchemaFormat,
): Promise<(registered?: RegisteredSchema, index?: number) => SchemaReader> {
  if (format.kind === 'avro') {
    const { avroReader } = await import('./avro.ts');
    return (registered) => avroReader(format, registered);
  }
  const { protobufReader } = await import('./protobuf.ts');
  return (registered) => protobufReader(format, registered);
}

function byManifest(format: SchemaFormat): Expander {
  let expand: Expand | undefined;
  return {
    isBinary: true,
    ready: () =>
      expand === undefined
        ? loaded(format).then((readerOf) => {
            const reader = readerOf();
            if ('problem' in reader)
              throw new Failure('MANIFEST_INVALID', `source.format.schema: ${reader.problem}`);
            expand = reader.expand;
          })
        : undefined,
    expand: (bytes, bounds) => (expand ?? notReady)(bytes, bounds),
  };
}

function notReady(): never {
  throw new Error('a record is expanded before its schema was looked for');
}

/** The header of Glue's serializers. awslabs/aws-glue-schema-registry, `AWSSchemaRegistryConstants`. */
const GLUE_HEADER = { version: 3, plain: 0, zlib: 5, bytes: 18 } as const;

/** The id of the schema version that a record names; `undefined` where it has no such header. */
export function schemaVersionOf(bytes: Buffer): string | undefined {
  if (bytes.length < GLUE_HEADER.bytes || bytes[0] !== GLUE_HEADER.version) return undefined;
  if (bytes[1] !== GLUE_HEADER.plain && bytes[1] !== GLUE_HEADER.zlib) return undefined;
  return bytes.toString('hex', 2, GLUE_HEADER.bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function withoutHeader(bytes: Buffer, damaged: 'not-avro' | 'not-protobuf'): Buffer | Rejected {
  const packed = bytes.subarray(GLUE_HEADER.bytes);
  if (bytes[1] === GLUE_HEADER.plain) return packed;
  try {
    return inflateSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? rejected('too-large', `unpacked it has more than ${MAX_UNPACKED_BYTES} bytes`)
      : rejected(damaged, 'its header says zlib, and what follows cannot be unpacked');
  }
}

/** What is known of an id: how to read by it, or that nothing can be. */
type KnownSchema = { readonly expand: Expand } | { readonly verdict: Rejected; readonly until: number };

function byRegistry(
  format: SchemaFormat,
  clock: Pick<Clock, 'now'>,
  registry: SchemaRegistry | undefined,
): Expander {
  const known = new Map<string, KnownSchema>();
  const asked = new Map<string, Promise<void>>();
  let away: { readonly failure: Failure; readonly since: number } | undefined;

  const knownOf = (id: string): KnownSchema | undefined => {
    const found = known.get(id);
    if (found !== undefined && 'until' in found && clock.now() >= found.until) return undefined;
    return found;
  };
  const keep = (id: string, what: KnownSchema) => {
    known.delete(id);
    if (known.size >= MAX_SCHEMAS) known.delete(known.keys().next().value as string);
    known.set(id, what);
  };
  const resolve = async (id: string): Promise<void> => {
    if (away !== undefined && clock.now() - away.since < AWAY_KEPT_MS) throw away.failure;
    const readerOf = await loaded(format);
    try {
      const registered = await asking(registry).version(id);
      keep(id, readBy(registered, readerOf, clock.now() + UNKNOWN_KEPT_MS));
      away = undefined;
    } catch (error) {
      if (isFailure(error)) away = { failure: error, since: clock.now() };
      throw error;
    }
  };

  return {
    isBinary: true,
    ready(bytes) {
      const id = schemaVersionOf(bytes);
      if (id === undefined || knownOf(id) !== undefined) return undefined;
      const before = asked.get(id);
      if (before !== undefined) return before;
      const call = resolve(id).finally(() => asked.delete(id));
      asked.set(id, call);
      return call;
    },
    expand(bytes, bounds) {
      const id = schemaVersionOf(bytes);
      if (id === undefined)
        return rejected('unknown-schema', "it does not begin with the header of Glue's Schema Registry");
      const found = known.get(id);
      // The first of them were forgotten for the last.
      if (found === undefined)
        return rejected('unknown-schema', `the record's messages name more than ${MAX_SCHEMAS} schemas`);
      if ('verdict' in found) return found.verdict;
      const payload = withoutHeader(bytes, `not-${format.kind}`);
      return 'kind' in payload ? payload : found.expand(payload, bounds);
    },
  };
}

function asking(registry: SchemaRegistry | undefined): SchemaRegistry {
  if (registry !== undefined) return registry;
  throw new Failure('SETTINGS_INVALID', "this deployment does not ask Glue's Schema Registry", {
    next: 'Deploy with --param glueSchemaRegistry=yes. docs/deploy.md',
  });
}

function readBy(
  registered: RegisteredSchema | undefined,
  readerOf: (registered: RegisteredSchema) => SchemaReader,
  until: number,
): KnownSchema {
  const unknown = (text: string) => ({ verdict: rejected('unknown-schema', text), until });
  if (registered === undefined)
    return unknown("Glue's Schema Registry has no schema of the id that it names");
  const reader = readerOf(registered);
  return 'problem' in reader ? unknown(`no record can be read by its schema: ${reader.problem}`) : reader;
}
