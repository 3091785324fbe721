// Unpacks gzip, zlib and zstd, for pipelines that ask for it: one whole member or frame, up to a size.
import { isUtf8 } from 'node:buffer';
import {
  constants,
  gunzipSync,
  inflateSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompressSync,
} from 'node:zlib';
import type { PublishedPipeline } from '../../published.ts';
import { type Reason, type Rejected, rejected } from '../verdict.ts';

type Compression = PublishedPipeline['compression'];

/** Of a record that is one message. 50 MiB of zeros pack into 50 KB. No message that can be delivered, at most 1 MB, comes near this. */
export const MAX_UNPACKED_BYTES = 2 * 1024 * 1024;

interface Packing {
  readonly name: 'gzip' | 'zlib' | 'zstd';
  readonly begins: (bytes: Buffer) => boolean;
  readonly unpack: (bytes: Buffer, options: ZlibOptions & ZstdOptions) => Uint8Array;
  /** Whether `content` is all that the packed bytes hold; the library does not check that. */
  readonly isWhole: (packed: Buffer, content: Buffer) => boolean;
  readonly damaged: Reason;
  readonly tooLarge: Reason;
  /** Whether text may begin like it. Text that cannot be unpacked is taken as it is. */
  readonly mayBeText?: boolean;
}

const beginsWith = (magic: readonly number[]) => (bytes: Buffer) =>
  magic.every((byte, at) => bytes[at] === byte);

/** RFC 1952 §2.3.1. The trailer holds the member's length. Node joins members that follow one another. */
const GZIP: Packing = {
  name: 'gzip',
  begins: beginsWith([0x1f, 0x8b]),
  unpack: gunzipSync,
  isWhole: (packed, content) => packed.readUInt32LE(packed.length - 4) === content.length,
  damaged: 'not-gzip',
  tooLarge: 'gzip-too-large',
};

/** A decoder has to keep a whole window, and need not accept more than these 8 MiB. RFC 8878 §3.1.1.1.2. */
const ZSTD_WINDOW = { [constants.ZSTD_d_windowLogMax]: 23 };

/** RFC 8878 §3.1.1. A skippable frame has another magic, so data that opens with one is not taken for zstd. */
const ZSTD: Packing = {
  name: 'zstd',
  begins: beginsWith([0x28, 0xb5, 0x2f, 0xfd]),
  unpack: (bytes, options) => zstdDecompressSync(bytes, { ...options, params: ZSTD_WINDOW }),
  isWhole: () => true,
  damaged: 'not-zstd',
  tooLarge: 'zstd-too-large',
};

/**
 * RFC 1950 §2.2: deflate with a window of 32 KB at most, and without a dictionary; the two bytes are a multiple of 31.
 * No JSON begins so, but a text such as "x^2" does. The library checks the sum at the end.
 */
const ZLIB: Packing = {
  name: 'zlib',
  begins: (bytes) => {
    const [method = 0, flags = 0] = bytes;
    return (
      (method & 0x0f) === 8 && method >> 4 <= 7 && ((method << 8) | flags) % 31 === 0 && (flags & 0x20) === 0
    );
  },
  unpack: inflateSync,
  isWhole: () => true,
  damaged: 'not-zlib',
  tooLarge: 'zlib-too-large',
  mayBeText: true,
};

const LOOKED_FOR: Readonly<Record<Compression, readonly Packing[]>> = {
  none: [],
  gzip: [GZIP],
  zlib: [ZLIB],
  zstd: [ZSTD],
  auto: [GZIP, ZSTD, ZLIB],
};

/**
 * The content of `bytes`: unpacked if they begin like a format that is looked for, else unchanged.
 * @param most bytes of the content, if they are packed
 */
export function unpack(
  bytes: Buffer,
  compression: Compression,
  most = MAX_UNPACKED_BYTES,
): Buffer | Rejected {
  const format = LOOKED_FOR[compression].find(({ begins }) => begins(bytes));
  if (format === undefined) return bytes;
  const content = unpackAs(format, bytes, most);
  const isText =
    format.mayBeText === true && 'kind' in content && content.reason === format.damaged && isUtf8(bytes);
  return isText ? bytes : content;
}

/**
 * Why bytes that a format takes for text are none: they are packed, and nobody looked for that, or packed twice. `x^` of
 * a text is not taken for zlib.
 */
export function stillPacked(bytes: Buffer): Rejected | undefined {
  const format = LOOKED_FOR.auto.find(({ begins }) => begins(bytes));
  if (format === undefined) return undefined;
  const content = format.mayBeText === true ? unpackAs(format, bytes, MAX_UNPACKED_BYTES) : bytes;
  if ('kind' in content && content.reason === format.damaged) return undefined;
  return rejected('not-utf8', `it begins like ${format.name}, which source.compression does not say`);
}

function unpackAs(format: Packing, bytes: Buffer, most: number): Buffer | Rejected {
  const { name, damaged, tooLarge } = format;
  try {
    const result = format.unpack(bytes, { maxOutputLength: most, info: true });
    const { buffer, engine } = result as unknown as WithInfo;
    // Node ignores what stands behind the end, which would be lost.
    if (engine.bytesWritten === bytes.length && format.isWhole(bytes, buffer)) return buffer;
    return rejected(damaged, `there is more than one ${name} file in it, or something behind it`);
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return rejected(tooLarge, `unpacked it has more than ${most} bytes`);
    }
    if (code !== undefined && /^(Z|ZSTD)_/.test(code)) {
      return rejected(damaged, `it begins like ${name} but cannot be unpacked`);
    }
    throw error;
  }
}

/** What `info: true` returns. Node.js: zlib, `Class: Options`; `bytesWritten` is what was read of the input. */
interface WithInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
