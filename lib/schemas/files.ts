// Reads a manifest's file, and puts the schemas that lie beside it into it: from here on they travel with the manifest.
import { dirname, resolve } from 'node:path';
import { textWithinSync } from '../bounded-file.ts';
import { MAX_FILE_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';
import { jsonIn } from '../json-text.ts';
import { type Manifest, parseManifest } from '../manifest.ts';

/** A manifest, and the same as it was written, with its schemas. */
export interface ManifestInFile {
  readonly manifest: Manifest;
  readonly written: unknown;
}

/**
 * @param text the file's content
 * @param file its path; paths of schemas are relative to its folder
 * @param origin names it in messages
 * @throws Failure `MANIFEST_INVALID`, also if a schema's file cannot be read
 */
export function manifestInFile(text: string, file: string, origin = file): ManifestInFile {
  const written = writtenInFile(text, file, origin);
  return { manifest: parseManifest(written, origin), written };
}

/**
 * The same, as it was written: it need not be a manifest.
 * @throws Failure `MANIFEST_INVALID` if it is not JSON, or a schema's file cannot be read
 */
export function writtenInFile(text: string, file: string, origin = file): unknown {
  return withSchemas(jsonIn(text, origin), dirname(file), origin);
}

function withSchemas(value: unknown, folder: string, origin: string): unknown {
  const source = isObject(value) ? value.source : undefined;
  const format = isObject(source) ? source.format : undefined;
  if (!isObject(value) || !isObject(source) || !isObject(format)) return value;
  const { schemaFile, ...rest } = format;
  // Any other mistake is told with all the others.
  if (schemaFile === undefined || rest.schema !== undefined || rest.schemaIn !== undefined) return value;
  const read = (name: string) => schemaTextOf(resolve(folder, name), name, origin);
  const isList = Array.isArray(schemaFile) && schemaFile.every((one) => typeof one === 'string');
  if (typeof schemaFile !== 'string' && !isList) return value;
  const schema =
    typeof schemaFile === 'string'
      ? compact(read(schemaFile), rest.kind)
      : (schemaFile as string[]).map(read);
  return { ...value, source: { ...source, format: { ...rest, schema } } };
}

/** An Avro schema without the space that it has for people: what is published has a bound. */
function compact(text: string, kind: unknown): string {
  if (kind !== 'avro') return text;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    // Whoever reads it as a schema says what is wrong with it.
    return text;
  }
}

function schemaTextOf(path: string, name: string, origin: string): string {
  const refused = (why: string) =>
    new Failure('MANIFEST_INVALID', `${origin}: source.format.schemaFile: ${name} ${why}`);
  let text: string | undefined;
  try {
    text = textWithinSync(path, MAX_FILE_BYTES);
  } catch (error) {
    throw refused(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'an error'})`);
  }
  if (text === undefined) throw refused(`has more than ${MAX_FILE_BYTES} bytes`);
  return text.replace(/^\uFEFF/, '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
