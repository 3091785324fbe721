// An Avro schema, as whoever reads data by it needs it. avsc reads the schema: its names, references and logical types.
// Avro specification 1.12.
import type { Schema, Type } from 'avsc';
import avsc from 'avsc/lib/types.js';

/** What the bytes of a value mean besides their type. Any other logical type is ignored, as the specification asks. */
export type AvroLogical =
  | { readonly name: 'decimal'; readonly scale: number }
  | {
      readonly name:
        | 'date'
        | 'time-millis'
        | 'time-micros'
        | 'timestamp-millis'
        | 'timestamp-micros'
        | 'timestamp-nanos'
        | 'local-timestamp-millis'
        | 'local-timestamp-micros'
        | 'local-timestamp-nanos'
        | 'uuid'
        | 'duration';
    };

/** A type with all its names resolved; one that names itself is a circle. */
export type AvroNode = { logical?: AvroLogical | undefined } & (
  | { kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string' }
  | { kind: 'fixed'; size: number }
  /** As JSON texts. */
  | { kind: 'enum'; symbols: readonly string[] }
  | { kind: 'array'; items: AvroNode }
  | { kind: 'map'; values: AvroNode }
  /** `names` are those of the branches, as JSON texts. */
  | { kind: 'union'; branches: readonly AvroNode[]; names: readonly string[] }
  /** The names are JSON texts. */
  | { kind: 'record'; fields: { readonly name: string; readonly node: AvroNode }[] }
);

export type AvroSchema = { readonly node: AvroNode } | { readonly problem: string };

/** More digits than any sender has. To write a number takes the square of its length. */
const MAX_PRECISION = 1_000;

/** For which types of the schema a logical type is one. Avro specification, "Logical Types". */
const LOGICAL: Readonly<Record<string, (attributes: Attributes) => boolean>> = {
  decimal: ({ type, precision, scale = 0 }) =>
    (type === 'bytes' || type === 'fixed') && isCount(precision) && isCount(scale) && scale <= precision,
  date: ({ type }) => type === 'int',
  'time-millis': ({ type }) => type === 'int',
  'time-micros': ({ type }) => type === 'long',
  'timestamp-millis': ({ type }) => type === 'long',
  'timestamp-micros': ({ type }) => type === 'long',
  'timestamp-nanos': ({ type }) => type === 'long',
  'local-timestamp-millis': ({ type }) => type === 'long',
  'local-timestamp-micros': ({ type }) => type === 'long',
  'local-timestamp-nanos': ({ type }) => type === 'long',
  uuid: ({ type, size }) => type === 'string' || (type === 'fixed' && size === 16),
  duration: ({ type, size }) => type === 'fixed' && size === 12,
};

interface Attributes {
  readonly type?: unknown;
  readonly logicalType?: unknown;
  readonly size?: unknown;
  readonly precision?: unknown;
  readonly scale?: unknown;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Keeps what the schema says of the logical type; avsc hands values through it unchanged. */
class Logical extends avsc.builtins.LogicalType {
  readonly attributes: Attributes;
  constructor(schema: Schema, options?: object) {
    super(schema, options);
    this.attributes = schema as Attributes;
  }
  protected override _fromValue(value: unknown): unknown {
    return value;
  }
  protected override _toValue(value: unknown): unknown {
    return value;
  }
}

const LOGICAL_TYPES = Object.fromEntries(Object.keys(LOGICAL).map((name) => [name, Logical]));

/** The schema in a text or in JSON that was read already; `problem` says in words why it is none. */
export function avroSchema(schema: unknown): AvroSchema {
  try {
    const value = typeof schema === 'string' ? textual(schema) : schema;
    const type = avsc.Type.forSchema(withoutDefaults(value) as Schema, {
      logicalTypes: LOGICAL_TYPES,
      wrapUnions: true,
      omitRecordMethods: true,
    });
    return { node: nodeOf(type, new Map()) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A schema may be the bare name of a type, which is no JSON. */
function textual(text: string): unknown {
  return /^\s*[[{"]/.test(text) ? (JSON.parse(text) as unknown) : text.trim();
}

/**
 * The schema without its defaults: they are for readers of another version. One that does not fit its type, as older
 * libraries let pass, is no reason to refuse what was written by the schema.
 */
function withoutDefaults(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDefaults);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { default: _, ...rest } = schema as Record<string, unknown>;
  for (const name of ['type', 'items', 'values', 'fields'])
    if (rest[name] !== undefined) rest[name] = withoutDefaults(rest[name]);
  return rest;
}

function nodeOf(type: Type, known: Map<Type, AvroNode>): AvroNode {
  const before = known.get(type);
  if (before !== undefined) return before;
  if (type instanceof Logical) {
    const node = { ...nodeOf(type.underlyingType, known) };
    const logical = logicalOf(type.attributes);
    // A named type may be met again by its name alone.
    known.set(type, Object.assign(node, logical && { logical }));
    return node;
  }
  const { RecordType, ArrayType, MapType, EnumType, FixedType, WrappedUnionType } = avsc.builtins;
  if (type instanceof RecordType) {
    const node: AvroNode = { kind: 'record', fields: [] };
    known.set(type, node);
    for (const field of type.fields)
      node.fields.push({ name: JSON.stringify(field.name), node: nodeOf(field.type, known) });
    return node;
  }
  if (type instanceof ArrayType) return { kind: 'array', items: nodeOf(type.itemsType, known) };
  if (type instanceof MapType) return { kind: 'map', values: nodeOf(type.valuesType, known) };
  if (type instanceof EnumType)
    return { kind: 'enum', symbols: type.symbols.map((symbol) => JSON.stringify(symbol)) };
  if (type instanceof FixedType) return { kind: 'fixed', size: type.size };
  if (type instanceof WrappedUnionType)
    return {
      kind: 'union',
      branches: type.types.map((branch) => nodeOf(branch, known)),
      names: type.types.map((branch) => JSON.stringify(branch.branchName)),
    };
  return { kind: type.typeName } as AvroNode;
}

function logicalOf(attributes: Attributes): AvroLogical | undefined {
  const { logicalType, precision, scale } = attributes;
  if (!LOGICAL[String(logicalType)]?.(attributes)) return undefined;
  if (logicalType !== 'decimal') return { name: logicalType } as AvroLogical;
  if ((precision as number) > MAX_PRECISION)
    throw new Error(`a decimal of ${precision} digits; at most ${MAX_PRECISION} are read`);
  return { name: 'decimal', scale: (scale as number | undefined) ?? 0 };
}
