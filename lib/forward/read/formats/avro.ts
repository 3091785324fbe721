// The format `avro`: records in Avro's binary encoding, or whole object container files.
// With what it imports this is a file of its own in the bundle, which only pipelines of this format load.

import type { RegisteredSchema } from '../../../runtime.ts';
import type { SchemaFormat } from '../../../schema-formats.ts';
import { avroSchema } from '../../../schemas/avro.ts';
import { MAX_DEPTH } from '../../json/check.ts';
import { type Rejected, rejected } from '../../verdict.ts';
import { MAX_UNPACKED_BYTES } from '../unpack.ts';
import { containerJson } from './avro-container.ts';
import { AvroProblem, avroJson } from './avro-json.ts';
import type { Piece } from './expander.ts';
import type { Expand, SchemaReader } from './schema-reader.ts';

type AvroFormat = Extract<SchemaFormat, { kind: 'avro' }>;

const AVRO_BOUNDS = { most: MAX_UNPACKED_BYTES, depth: MAX_DEPTH };

/** @param registered the schema that a record names; otherwise it is the manifest's, or in the record itself */
export function avroReader(format: AvroFormat, registered?: RegisteredSchema): SchemaReader {
  const { unions } = format;
  if (format.schemaIn === 'container')
    return {
      expand: verdictFor((bytes, { bytes: all, messages: data }) =>
        containerJson(bytes, { ...AVRO_BOUNDS, block: MAX_UNPACKED_BYTES, all, data }, unions),
      ),
    };
  if (registered !== undefined && registered.dataFormat !== 'AVRO')
    return { problem: `it is one of ${registered.dataFormat}, and source.format says avro` };
  const schema = avroSchema(registered?.definition ?? format.schema);
  if ('problem' in schema) return schema;
  return {
    expand: verdictFor((bytes) => {
      const { json, end } = avroJson(bytes, schema.node, AVRO_BOUNDS, unions);
      if (end !== bytes.length)
        throw new AvroProblem('not-avro', `it has ${bytes.length - end} bytes too many`);
      return [json];
    }),
  };
}

function verdictFor(read: (...args: Parameters<Expand>) => readonly string[]): Expand {
  return (bytes, bounds): readonly Piece[] | Rejected => {
    try {
      return read(bytes, bounds).map((json) => Buffer.from(json, 'utf8'));
    } catch (error) {
      if (error instanceof AvroProblem) return rejected(error.kind, error.message);
      throw error;
    }
  };
}
