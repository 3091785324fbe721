// The format `protobuf`: a record is one message in protobuf's wire format.
// With what it imports this is a file of its own in the bundle, which only pipelines of this format load.

import type { RegisteredSchema } from '../../../runtime.ts';
import type { SchemaFormat } from '../../../schema-formats.ts';
import { type ProtobufType, protobufSchema } from '../../../schemas/protobuf.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import { MAX_UNPACKED_BYTES } from '../unpack.ts';
import type { Piece } from './expander.ts';
import { ProtobufProblem, protobufJson } from './protobuf-json.ts';
import type { Expand, SchemaReader } from './schema-reader.ts';

type ProtobufFormat = Extract<SchemaFormat, { kind: 'protobuf' }>;

/** Every value of a message that can be delivered, at most 1 MB, has a name and so three characters at least. */
const PROTOBUF_BOUNDS = { most: MAX_UNPACKED_BYTES, values: 500_000 };

/** @param registered the schema that a record names, whose message is named by an index before it */
export function protobufReader(format: ProtobufFormat, registered?: RegisteredSchema): SchemaReader {
  if (registered === undefined) {
    const { schema = '', message = '' } = format;
    const found = protobufSchema(typeof schema === 'string' ? [schema] : schema, message);
    return 'problem' in found ? found : { expand: (bytes) => messagePieces(bytes, found.type) };
  }
  if (registered.dataFormat !== 'PROTOBUF')
    return { problem: `it is one of ${registered.dataFormat}, and source.format says protobuf` };
  const first = protobufSchema([registered.definition], 0);
  if ('problem' in first) return first;
  const types = new Map([[0, first.type]]);
  return { expand: byIndex(registered.definition, types) };
}

/** The message types of a schema, each looked up when a record first names it. */
function byIndex(definition: string, types: Map<number, ProtobufType>): Expand {
  return (bytes) => {
    const index = messageIndexOf(bytes);
    if (index === undefined) return rejected('not-protobuf', 'no index of a message follows the header');
    const known = types.get(index.value);
    if (known !== undefined) return messagePieces(bytes.subarray(index.end), known);
    const found = protobufSchema([definition], index.value);
    if ('problem' in found) return rejected('unknown-schema', found.problem);
    types.set(index.value, found.type);
    return messagePieces(bytes.subarray(index.end), found.type);
  };
}

/** A number of 32 bits, as protobuf writes it. awslabs/aws-glue-schema-registry, `ProtobufWireFormatDecoder`. */
function messageIndexOf(bytes: Buffer): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function messagePieces(bytes: Buffer, type: ProtobufType): readonly Piece[] | Rejected {
  try {
    return [Buffer.from(protobufJson(bytes, type, PROTOBUF_BOUNDS), 'utf8')];
  } catch (error) {
    if (error instanceof ProtobufProblem) return rejected(error.kind, error.message);
    throw error;
  }
}
