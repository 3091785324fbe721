// Whether bytes are one JSON object, told by a check in WebAssembly: several times as fast as parsing, and nothing is made.
import { WASM } from './wasm/json-check.wasm.ts';

/**
 * - `object`: one JSON object, and nothing behind it
 * - `envelope`: the same, and its top level may have both a `header` and a `body`, or one of them twice: who wants to know has to look
 * - `too-deep`: more levels of arrays and objects than are allowed, as far as it was read
 */
export type JsonVerdict = 'object' | 'envelope' | 'not-an-object' | 'too-deep' | 'not-json';

interface Exports {
  readonly check: (length: number, most: number) => number;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

interface Instance extends Exports {
  /** The memory's bytes; it never grows while this is in use. */
  readonly bytes: Buffer;
}

/** As in `wasm/assembly/json-check.ts`. */
const TEXT = 65_536;
const BEHIND = 16;
const WASM_PAGE = 65_536;
const [OBJECT, HEADER, BODY, TWICE] = [4, 8, 16, 32];
/** What may be an envelope, or more than one. */
const isEnvelope = (flags: number) => flags >= OBJECT + TWICE || flags === OBJECT + HEADER + BODY;
/** More levels than its stack has are not asked for. */
const MAX_LEVELS = 60_000;

/** The part of the global that is used: the types of Node leave it to those of browsers. */
const { Module, Instance } = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    };
  }
).WebAssembly;

let compiled: object | undefined;
let instance: Instance | undefined;

function instantiate(bytesOfText: number): Instance {
  compiled ??= new Module(Buffer.from(WASM, 'base64'));
  const { check, memory } = new Instance(compiled).exports as Exports;
  const missing = TEXT + bytesOfText + BEHIND - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
  return { check, memory, bytes: Buffer.from(memory.buffer) };
}

function instanceFor(length: number): Instance {
  instance ??= instantiate(0);
  // What is larger than any message that can be sent gets an instance of its own, which is let go again.
  return TEXT + length + BEHIND <= instance.bytes.length ? instance : instantiate(length);
}

/**
 * What `json` is from `start` to `end`, by the grammar of RFC 8259 and to the same end as `JSON.parse`. It has to be UTF-8,
 * which is not looked at here.
 * @param maxDepth levels of arrays and objects that are allowed, at most 60,000
 */
export function checkJson(json: Buffer, maxDepth: number, start = 0, end = json.length): JsonVerdict {
  const length = end - start;
  const { bytes, check } = instanceFor(length);
  json.copy(bytes, TEXT, start, end);
  const result = check(length, Math.min(maxDepth, MAX_LEVELS));
  if (result >= OBJECT) return isEnvelope(result) ? 'envelope' : 'object';
  return result === 2 ? 'too-deep' : result === 1 ? 'not-an-object' : 'not-json';
}
