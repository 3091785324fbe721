// Checks in WebAssembly whether bytes are one JSON object: several times as fast as parsing, and it allocates
// nothing.
import { WASM } from './wasm/json-check.wasm.ts';

/**
 * - `object`: one JSON object, and nothing behind it
 * - `envelope`: the same, and its top level may have a `header` and a `body`, or one of them twice: parse it to know
 * - `too-deep`: more levels of arrays and objects than are allowed, as far as it was read
 */
export type JsonVerdict = 'object' | 'envelope' | 'not-an-object' | 'too-deep' | 'not-json';

interface Exports {
  readonly check: (length: number, most: number) => number;
  readonly checkEach: TextMemory['checkEach'];
  readonly count: () => number;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

interface Instance extends Exports {
  /** The places of the members of the object that was checked last. */
  readonly members: Uint32Array;
  /** The memory's bytes. The memory does not grow while this is in use. */
  readonly bytes: Buffer;
}

/** As in `wasm/assembly/json-check.ts`. */
const TEXT = 65_536;
const MEMBERS = 61_440;
const MAX_MEMBERS = 255;
const ENDS = 1_065_536;
/** The texts between `TEXT` and `ENDS` that can be checked in place. */
const MAX_TEXTS = 2_000;
const NUMBERS_PER_MEMBER = 4;
const BEHIND = 16;
const WASM_PAGE = 65_536;
const [OBJECT, HEADER, BODY, TWICE] = [4, 8, 16, 32];
/** It may be one envelope or more. */
const isEnvelope = (flags: number) => flags >= OBJECT + TWICE || flags === OBJECT + HEADER + BODY;
/** The caller never allows more levels than its stack has. */
const MAX_LEVELS = 60_000;

/** The part of the global `WebAssembly` that is used. Node's types leave it to the types of browsers. */
const { Module, Instance } = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    };
  }
).WebAssembly;

/**
 * Memory in which texts are checked where they lie. There is one, and it is used again: copy out what is to stay, before
 * anybody else can ask for it.
 */
export interface TextMemory {
  readonly bytes: Buffer;
  /** Where texts may begin. There is room for 1,000,000 bytes. */
  readonly start: number;
  /** Where each text ends; has to be written before it is checked. */
  readonly ends: Uint32Array;
  /**
   * Checks the texts from number `from` on, up to `to`, as `checkJson` does. The first of all begins at `first`.
   * Between two of them are `between` bytes, and none of these is whitespace. Overwrites 16 bytes that are so far behind
   * the last one.
   * @returns the number of the first one that is not an `object`; otherwise `to`
   */
  checkEach(first: number, from: number, to: number, between: number, maxDepth: number): number;
  /** Checks one text of so many bytes at `start`, as `checkJson` does. `lastMembers` then tells of it. */
  checkFirst(length: number, maxDepth: number): JsonVerdict;
}

let shared: TextMemory | undefined;

export function textMemory(): TextMemory {
  if (shared !== undefined) return shared;
  const own = instantiate(0);
  const { bytes, memory, checkEach } = own;
  const ends = new Uint32Array(memory.buffer, ENDS, MAX_TEXTS);
  shared = {
    bytes,
    start: TEXT,
    ends,
    checkEach,
    checkFirst(length, maxDepth) {
      last = own;
      return verdictOf(own.check(length, Math.min(maxDepth, MAX_LEVELS)));
    },
  };
  return shared;
}

let compiled: object | undefined;
let instance: Instance | undefined;
/** The one that checked last. */
let last: Instance | undefined;

function instantiate(bytesOfText: number): Instance {
  compiled ??= new Module(Buffer.from(WASM, 'base64'));
  const { check, checkEach, count, memory } = new Instance(compiled).exports as Exports;
  const missing = TEXT + bytesOfText + BEHIND - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
  const members = new Uint32Array(memory.buffer, MEMBERS, MAX_MEMBERS * NUMBERS_PER_MEMBER);
  return { check, checkEach, count, memory, members, bytes: Buffer.from(memory.buffer) };
}

function instanceFor(length: number): Instance {
  instance ??= instantiate(0);
  // A text larger than any message that can be sent gets an instance of its own, which is freed afterwards.
  return TEXT + length + BEHIND <= instance.bytes.length ? instance : instantiate(length);
}

/**
 * What `json` is from `start` to `end`, by the grammar of RFC 8259 and with the same result as `JSON.parse`. It must
 * be UTF-8; that is not checked here.
 * @param maxDepth allowed levels of arrays and objects, at most 60,000
 */
export function checkJson(json: Buffer, maxDepth: number, start = 0, end = json.length): JsonVerdict {
  const length = end - start;
  last = instanceFor(length);
  const { bytes, check } = last;
  json.copy(bytes, TEXT, start, end);
  return verdictOf(check(length, Math.min(maxDepth, MAX_LEVELS)));
}

function verdictOf(result: number): JsonVerdict {
  if (result >= OBJECT) return isEnvelope(result) ? 'envelope' : 'object';
  return result === 2 ? 'too-deep' : result === 1 ? 'not-an-object' : 'not-json';
}

/** The members of an object at its top, in the order of the text. Places are counted from its first byte. */
export interface MemberPlaces {
  readonly count: number;
  /**
   * Four numbers for each member: where its name begins and ends, where its value begins, and where its text ends. The
   * last is `NO_TEXT` or `ESCAPED_TEXT` for a value that is no text, or one with an escape.
   */
  readonly places: Uint32Array;
}

export const NO_TEXT = 0;
export const ESCAPED_TEXT = 1;

/** Of the `object` that was checked last; valid until the next check. `undefined` if it has too many members. */
export function lastMembers(): MemberPlaces | undefined {
  const count = last?.count() ?? 0;
  return last === undefined || count > MAX_MEMBERS ? undefined : { count, places: last.members };
}
