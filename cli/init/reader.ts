// Reads the messages out of a record of the stream, by the forwarder's own code, with all digits of their numbers.

import { check } from '../../lib/forward/json/check.ts';
import { canonicalNumber, withDigits } from '../../lib/json-text.ts';
import { parseManifest } from '../../lib/manifest.ts';
import { createFrames, standInFor } from '../../local/check/records-check.ts';
import { recordIn } from '../../local/start/witness.ts';
import { isDigit } from './dates.ts';
import { type FormatName, type Kind, kindIn } from './formats.ts';
import type { Line } from './lines.ts';

export type Message = Readonly<Record<string, unknown>>;

/** What is in a line: messages, and the reasons for which some are none. */
export interface Read {
  readonly number: number;
  readonly messages: readonly Message[];
  /** Reasons as the dead-letter store has them; docs/rejects.md explains each. */
  readonly rejected: readonly string[];
  /** Messages that the format passes over. */
  readonly filtered: number;
  /** What the format says of its one message. */
  readonly kind?: Kind | undefined;
}

/** Larger ones are judged by all of the forwarder: what a request takes depends on more than the record. */
const SMALL = 900_000;

/** An ordinary record is read at once. */
export type Reader = (line: Line) => Read | Promise<Read>;

/** @param format what a record holds, where it is not one object */
export function createReader(format: FormatName | undefined, stream: string, isPacked: boolean): Reader {
  const framesOf = createFrames(pipelineOf(format, stream, isPacked));
  const whole = async (number: number, bytes: Buffer): Promise<Read> => {
    const frames = await framesOf(bytes);
    return {
      kind: frames.length === 1 ? kindIn(format, bytes) : undefined,
      number,
      messages: frames.flatMap((one) =>
        typeof one === 'object' && 'text' in one ? [recordIn(parseExactly(one.text), 'raw') as Message] : [],
      ),
      rejected: frames.flatMap((one) => (typeof one === 'object' && 'rejected' in one ? [one.rejected] : [])),
      filtered: frames.filter((one) => one === 'filtered').length,
    };
  };
  return (line) => {
    const { number } = line;
    if ('tooLong' in line) return { number, messages: [], rejected: ['too-large'], filtered: 0 };
    if (format !== undefined || isPacked || line.bytes.length > SMALL) return whole(number, line.bytes);
    const json = check(line.bytes, 'raw');
    // An aggregate of the Kinesis Producer Library is no JSON, and still holds some.
    if ('kind' in json) return whole(number, line.bytes);
    return { number, messages: [parseExactly(json.toString())], rejected: [], filtered: 0 };
  };
}

/** What decides which messages a record holds. */
function pipelineOf(format: FormatName | undefined, stream: string, isPacked: boolean) {
  const manifest = parseManifest({
    version: 1,
    name: 'init',
    sandbox: 'init',
    source: {
      kind: 'inlet',
      stream,
      data: 'raw',
      ...(format !== undefined && { format }),
      ...(isPacked && { compression: 'auto' }),
    },
    schema: { class: 'profile' },
    mapping: [{ source: '_id', destination: '_id' }],
  });
  const pipeline = standInFor(manifest);
  if (pipeline === undefined) throw new RangeError('an inlet is always read');
  return pipeline;
}

/** A number of so many digits, or with such an exponent, that JavaScript's may be another. In a text it does no harm. */
const SUSPECT = /(?<=[:,[\s])-?\d(?:[\d.]{15,}(?:[eE][+-]?\d+)?|[\d.]*[eE][+-]?\d{3,})/g;

/** A number keeps its digits where JavaScript would change it, and is JavaScript's own everywhere else. */
export function parseExactly(text: string): Message {
  const isPlain = !mayBeLong(text) || (text.match(SUSPECT) ?? []).every(isSame);
  return (isPlain ? JSON.parse(text) : plain(withDigits(text))) as Message;
}

/** Quick, and true of every text in which `SUSPECT` finds something: many digits, or an exponent of three. */
function mayBeLong(text: string): boolean {
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isDigit(unit) || unit === POINT) {
      digits += 1;
      if (digits === 16) return true;
      continue;
    }
    if (digits > 0 && (unit === SMALL_E || unit === LARGE_E) && hasLongExponent(text, at + 1)) return true;
    digits = 0;
  }
  return false;
}

const [POINT, SMALL_E, LARGE_E, PLUS, MINUS] = Array.from('.eE+-', (one) => one.charCodeAt(0));

function hasLongExponent(text: string, from: number): boolean {
  const sign = text.charCodeAt(from);
  const at = sign === PLUS || sign === MINUS ? from + 1 : from;
  return [0, 1, 2].every((more) => isDigit(text.charCodeAt(at + more)));
}

/** Whether JavaScript's number is the one that is written. */
function isSame(written: string): boolean {
  const number = Number(written);
  if (!Number.isFinite(number)) return false;
  const text = String(number);
  return text === written || canonicalNumber(written) === canonicalNumber(text);
}

/** `withDigits` keeps every long number: those that a double holds are made plain. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const raw = (value as { readonly rawJSON?: unknown }).rawJSON;
  if (Object.isFrozen(value) && typeof raw === 'string') return isSame(raw) ? Number(raw) : value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
