// A manifest and the schema beside it: by its file where the manifest is one, else within it.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { publishedFormat } from '../../lib/formats.ts';
import { bundle } from '../../lib/hook/bundle.ts';
import { parseManifest } from '../../lib/manifest.ts';
import { checkSchemaOf } from '../../lib/schemas/check.ts';
import { manifestInFile } from '../../lib/schemas/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'penstock-schemas-'));
afterAll(() => rmSync(folder, { recursive: true }));

const AVSC = '{\n  "type": "record", "name": "R", "fields": [{ "name": "n", "type": "int" }]\n}\n';
writeFileSync(join(folder, 'r.avsc'), AVSC);
writeFileSync(join(folder, 'a.proto'), 'syntax = "proto3"; import "b.proto"; message A { B b = 1; }');
writeFileSync(join(folder, 'b.proto'), 'syntax = "proto3"; message B { int32 n = 1; }');

const manifestWith = (format: unknown, records?: unknown) => ({
  version: 1,
  name: 'orders',
  sandbox: 'dev1',
  source: { kind: 'inlet', stream: 'orders', data: 'raw', format, records },
  schema: { class: 'profile', fieldGroups: ['identitymap'] },
  mapping: [{ source: 'id', destination: '_id' }],
});
const inFile = (format: unknown) =>
  manifestInFile(JSON.stringify(manifestWith(format)), join(folder, 'orders.json'), 'orders.json');
const formatIn = (format: unknown) => {
  const { source } = inFile(format).manifest;
  return source.kind === 'inlet' ? publishedFormat(source.format) : undefined;
};
const mistakeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('14 B: a schema file beside the manifest', () => {
  it('becomes a part of the manifest, which so travels with hooks, the bundle and what is published', () => {
    const schema = '{"type":"record","name":"R","fields":[{"name":"n","type":"int"}]}';
    expect(formatIn({ kind: 'avro', schemaFile: 'r.avsc' })).toEqual({ kind: 'avro', schema });
    expect(formatIn({ kind: 'protobuf', schemaFile: ['a.proto', 'b.proto'], message: 'A' })).toEqual({
      kind: 'protobuf',
      schema: [expect.stringContaining('message A'), expect.stringContaining('message B')],
      message: 'A',
    });
    const { written } = inFile({ kind: 'avro', schemaFile: 'r.avsc' });
    expect(parseManifest(written).source).toMatchObject({ format: { kind: 'avro', schema } });
  });

  it('is read no further than such a file may have bytes', () => {
    writeFileSync(join(folder, 'large.avsc'), '');
    truncateSync(join(folder, 'large.avsc'), 2 ** 30);
    expect(mistakeOf(() => inFile({ kind: 'avro', schemaFile: 'large.avsc' }))).toContain(
      'source.format.schemaFile: large.avsc has more than 1000000 bytes',
    );
  });

  it('is in the bundle that hooks start', () => {
    const text = JSON.stringify(manifestWith({ kind: 'avro', schemaFile: 'r.avsc' }));
    writeFileSync(join(folder, 'orders.json'), text);
    expect(bundle(folder).orders?.manifest).toMatchObject({
      source: { format: { schema: expect.stringContaining('"R"') } },
    });
  });

  it('that is not there is told with its name, and none is read where the manifest is no file', () => {
    expect(mistakeOf(() => inFile({ kind: 'avro', schemaFile: 'other.avsc' }))).toContain(
      'source.format.schemaFile: other.avsc cannot be read (ENOENT)',
    );
    const event = manifestWith({ kind: 'avro', schemaFile: 'r.avsc' });
    expect(mistakeOf(() => parseManifest(event))).toContain('is read only where the manifest is a file');
  });

  it.each([
    ['no schema', { kind: 'avro' }, 'expected one of schema, schemaFile and schemaIn'],
    ['two schemas', { kind: 'avro', schema: '"int"', schemaIn: 'glue' }, 'expected one of schema'],
    [
      'a file and a schema',
      { kind: 'avro', schema: '"int"', schemaFile: 'r.avsc' },
      'expected one of schema',
    ],
    ['no message', { kind: 'protobuf', schema: 'message A {}' }, 'such as shop.Order'],
    ['a message for Glue', { kind: 'protobuf', schemaIn: 'glue', message: 'A' }, 'not allowed with schemaIn'],
    ['a file of records for protobuf', { kind: 'protobuf', schemaIn: 'container' }, 'schemaIn'],
    ['a schema that is too long', { kind: 'avro', schema: `"${'a'.repeat(60_000)}"` }, 'are published'],
  ])('%s is a mistake', (_, format, said) => {
    expect(mistakeOf(() => parseManifest(manifestWith(format)))).toContain(said);
  });
});

describe('14 B: a schema is looked at before anything is made', () => {
  it.each([
    [{ kind: 'avro', schema: { type: 'record' } }, 'source.format.schema: '],
    [{ kind: 'protobuf', schema: 'message A {}', message: 'B' }, 'no message B; it has A'],
    [{ kind: 'protobuf', schema: 'enum B { X = 0; }', message: 'B' }, 'no message B; it has none'],
  ])('%j', async (format, said) => {
    await expect(checkSchemaOf(parseManifest(manifestWith(format)))).rejects.toThrow(said);
  });

  it.each([
    'json',
    { kind: 'avro', schemaIn: 'glue' },
    { kind: 'avro', schema: ['null', 'string'] },
    { kind: 'protobuf', schema: 'message A {}', message: 'A' },
  ])('%j is right', async (format) => {
    await expect(checkSchemaOf(parseManifest(manifestWith(format)))).resolves.toBeUndefined();
  });
});
