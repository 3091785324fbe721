// Whether records can be read by the schema of a manifest. What reads schemas is loaded only where there is one.
import { Failure } from '../failure.ts';
import type { Format } from '../formats.ts';

/** @throws Failure `MANIFEST_INVALID` */
export async function checkSchemaOf({
  source,
}: {
  readonly source: { readonly kind: string; readonly format?: Format | undefined };
}): Promise<void> {
  const { format } = source;
  if (format === undefined || (format.kind !== 'avro' && format.kind !== 'protobuf')) return;
  if (format.schema === undefined) return;
  const problem = await schemaProblem(format);
  if (problem !== undefined) throw new Failure('MANIFEST_INVALID', `source.format.schema: ${problem}`);
}

async function schemaProblem(
  format: Extract<Format, { kind: 'avro' | 'protobuf' }>,
): Promise<string | undefined> {
  if (format.kind === 'avro') {
    const { avroSchema } = await import('./avro.ts');
    const read = avroSchema(format.schema);
    return 'problem' in read ? read.problem : undefined;
  }
  const { protobufSchema } = await import('./protobuf.ts');
  const { schema = '', message = '' } = format;
  const read = protobufSchema(typeof schema === 'string' ? [schema] : schema, message);
  return 'problem' in read ? read.problem : undefined;
}
