// Takes an Avro Object Container File apart: its schema, and its data, each as JSON.
// Avro specification, "Object Container Files".
import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { type AvroNode, avroSchema } from '../../../schemas/avro.ts';
import { type AvroBounds, AvroProblem, avroJson, type Unions } from './avro-json.ts';

const FILE_MAGIC = Buffer.from('Obj\x01', 'latin1');
const SYNC = 16;

/** What the header holds: a map of bytes. Its values are read as base64, as all bytes are. */
const FILE_HEADER: AvroNode = { kind: 'map', values: { kind: 'bytes' } };
const LONG: AvroNode = { kind: 'long' };

export interface ContainerBounds extends AvroBounds {
  /** Bytes of one block, unpacked; characters of all data together, as JSON. */
  readonly block: number;
  readonly all: number;
  /** Data in one file. */
  readonly data: number;
}

/**
 * Its data as JSON texts, in their order.
 * @throws AvroProblem also where a later part of the file is damaged: it is taken whole or not at all
 */
export function containerJson(bytes: Buffer, bounds: ContainerBounds, unions: Unions = 'plain'): string[] {
  if (!bytes.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC))
    throw new AvroProblem('not-avro', 'it does not begin like an Avro object container file');
  const header = avroJson(bytes, FILE_HEADER, bounds, 'plain', FILE_MAGIC.length);
  const entries = JSON.parse(header.json) as Record<string, string>;
  const { node, unpack } = headerOf(new Map(Object.entries(entries)));
  const sync = bytes.subarray(header.end, header.end + SYNC);
  const found: string[] = [];
  let at = header.end + SYNC;
  let room = bounds.all;
  while (at < bytes.length) {
    const count = avroJson(bytes, LONG, bounds, 'plain', at);
    const size = avroJson(bytes, LONG, bounds, 'plain', count.end);
    const end = size.end + Number(size.json);
    if (!(end >= size.end) || !bytes.subarray(end, end + SYNC).equals(sync) || sync.length < SYNC)
      throw new AvroProblem('not-avro', 'a block of the file does not end where it says');
    const content = unpack(bytes.subarray(size.end, end), bounds.block);
    at = end + SYNC;
    let read = 0;
    for (let left = BigInt(count.json); left > 0n; left--) {
      if (found.length >= bounds.data)
        throw new AvroProblem('too-many-messages', `it holds more than ${bounds.data} messages`);
      const one = avroJson(content, node, bounds, unions, read);
      room -= one.json.length;
      if (room < 0)
        throw new AvroProblem(
          'aggregate-too-large',
          `its messages have more than ${bounds.all} characters together`,
        );
      found.push(one.json);
      read = one.end;
    }
    if (read !== content.length) throw new AvroProblem('not-avro', 'a block holds more than its data');
  }
  return found;
}

type Unpack = (packed: Buffer, most: number) => Buffer;

/** The codecs of the specification that Node has. */
const CODECS: Readonly<Record<string, Unpack>> = {
  null: (bytes) => bytes,
  deflate: (packed, most) => inflateRawSync(packed, { maxOutputLength: most }),
  zstandard: (packed, most) => zstdDecompressSync(packed, { maxOutputLength: most }),
};

function headerOf(entries: ReadonlyMap<string, string>): { node: AvroNode; unpack: Unpack } {
  const value = (name: string) => {
    const base64 = entries.get(name);
    return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
  };
  const schema = avroSchema(value('avro.schema') ?? '');
  if ('problem' in schema)
    throw new AvroProblem('not-avro', `the schema in the file cannot be read: ${schema.problem}`);
  const name = value('avro.codec') ?? 'null';
  const codec = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (codec === undefined)
    throw new AvroProblem(
      'not-avro',
      `the file is packed by a codec that is not read; those are ${Object.keys(CODECS).join(', ')}`,
    );
  return { node: schema.node, unpack: (packed, most) => unpacked(codec, packed, most) };
}

function unpacked(codec: Unpack, packed: Buffer, most: number): Buffer {
  try {
    return codec(packed, most);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new AvroProblem('too-large', `a block unpacks to more than ${most} bytes`);
    throw new AvroProblem('not-avro', 'a block of the file cannot be unpacked');
  }
}
