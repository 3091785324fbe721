// From a decoded message to one item of a request: checked, and framed without touching the producer's bytes.
import { isUtf8 } from 'node:buffer';
import type { PublishedPipeline } from '../published.ts';
import type { Decoded } from './decode.ts';
import { isDeeperThan, memberSpan } from './json.ts';
import type { Message } from './message.ts';
import { type Rejected, rejected, type Settled } from './verdict.ts';

/** The inlet takes 1 MB, and whether that is 10^6 or 2^20 is unsaid. Contract §6.4. */
export const MAX_REQUEST_BYTES = 990_000;
/** Real records have a dozen levels; parsers beyond ours may not survive 200,000. */
export const MAX_DEPTH = 512;

/** More than any header that a producer writes around an entity, which is left off. */
const OWN_HEADER_BYTES = 64 * 1024;

const OPENING = Buffer.from('{"messages":[');
const CLOSING = Buffer.from(']}');
const COMMA = 0x2c;

/** A message ready to send. */
export interface Framed {
  readonly message: Message;
  /** The producer's JSON object. */
  readonly json: Uint8Array;
  /** Bytes it adds to a request, frame and comma included. */
  readonly size: number;
}

/** How the messages of one pipeline are framed. */
export interface Framer {
  frame(decoded: Decoded): Framed | Settled<Rejected>;
  /** The body of a request with these messages. */
  body(messages: readonly Framed[]): Uint8Array<ArrayBuffer>;
}

/** Bytes of a request beyond its messages. */
export const REQUEST_OVERHEAD = OPENING.length + CLOSING.length;

export function createFramer(pipeline: PublishedPipeline): Framer {
  const { before, after } = pipeline.data === 'xdm' ? xdmFrame(pipeline) : NO_FRAME;
  const around = before.length + after.length + 1;
  const largest = MAX_REQUEST_BYTES - REQUEST_OVERHEAD - around;
  return {
    frame({ message, payload }) {
      // Before it is parsed: what cannot be sent is not worth the time. A whole XDM message has a header of its own besides.
      const longest = largest + (pipeline.data === 'xdm' ? OWN_HEADER_BYTES : 3);
      if (payload.length > longest) return { message, verdict: tooLarge(payload.length, largest) };
      const json = check(payload, pipeline.data);
      if ('kind' in json) return { message, verdict: json };
      if (json.length > largest) return { message, verdict: tooLarge(json.length, largest) };
      return { message, json, size: json.length + around };
    },
    body(messages) {
      const size = messages.reduce((sum, framed) => sum + framed.size, REQUEST_OVERHEAD - 1);
      const body = Buffer.allocUnsafe(size);
      let at = put(body, 0, OPENING);
      for (const { json } of messages) {
        if (at > OPENING.length) body[at++] = COMMA;
        at = put(body, at, before);
        at = put(body, at, json);
        at = put(body, at, after);
      }
      put(body, at, CLOSING);
      return body;
    },
  };
}

function tooLarge(bytes: number, largest: number): Rejected {
  return rejected('too-large', `${bytes} bytes; one request takes ${largest} of a message`);
}

function put(body: Buffer, at: number, bytes: Uint8Array): number {
  body.set(bytes, at);
  return at + bytes.length;
}

/**
 * The object's bytes in `payload`. The whole text is parsed, so that no record can smuggle a second message into the
 * request (`{},{}`); what the parser made of it is looked at and dropped, so that numbers keep their digits.
 */
function check(payload: Buffer, data: PublishedPipeline['data']): Buffer | Rejected {
  const json = startsWithBom(payload) ? payload.subarray(3) : payload;
  if (json.length === 0) return rejected('empty', 'no data');
  if (!isUtf8(json)) return rejected('not-utf8', 'not UTF-8');
  if (isDeeperThan(json, MAX_DEPTH)) return rejected('too-deep', `more than ${MAX_DEPTH} levels`);
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch {
    // The parser's own message quotes the record.
    return rejected('not-json', 'not JSON');
  }
  if (!isObject(value)) return rejected('not-an-object', 'JSON, but not an object');
  if (data === 'xdm') return isWholeMessage(value) ? entityOf(value, json) : json;
  return isInstruction(value)
    ? rejected('envelope', 'AEP would follow its header instead of mapping it')
    : json;
}

/**
 * Raw data that AEP would take for an envelope: a header with a flow or with operations is followed, to another flow or to
 * the deletion of a profile. A producer may write data, not instructions. Contract §6.2.
 */
function isInstruction({ header, body }: Record<string, unknown>): boolean {
  if (!isObject(header) || !isObject(body)) return false;
  return Object.hasOwn(header, 'flowId') || Object.hasOwn(header, 'operations');
}

/** An XDM message as in Adobe's tutorial, header and body. */
function isWholeMessage(value: Record<string, unknown>): value is { body: { xdmEntity: unknown } } {
  return (
    Object.hasOwn(value, 'header') &&
    Object.hasOwn(value, 'body') &&
    isObject(value.body) &&
    Object.hasOwn(value.body, 'xdmEntity')
  );
}

/** Its entity's own bytes: the header is ours to write, and parsing and writing the entity would change numbers. */
function entityOf(value: { body: { xdmEntity: unknown } }, json: Buffer): Buffer | Rejected {
  if (!isObject(value.body.xdmEntity)) {
    return rejected('not-an-object', 'body.xdmEntity is not an object');
  }
  const body = memberSpan(json, 'body');
  const entity = body && memberSpan(json, 'xdmEntity', body.start);
  if (entity === undefined) throw new RangeError('body.xdmEntity was parsed but not found in the bytes');
  return json.subarray(entity.start, entity.end);
}

function startsWithBom(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NO_FRAME = { before: Buffer.alloc(0), after: Buffer.alloc(0) };

/** Contract §6.2: every field that any of Adobe's pages asks for. */
function xdmFrame(pipeline: PublishedPipeline): { before: Buffer; after: Buffer } {
  const schemaRef = {
    id: pipeline.schemaId,
    contentType: 'application/vnd.adobe.xed-full+json;version=1',
  };
  const header = JSON.stringify({
    schemaRef,
    imsOrgId: pipeline.organizationId,
    datasetId: pipeline.datasetId,
    flowId: pipeline.flowId,
    source: { name: pipeline.sourceName },
  });
  const meta = JSON.stringify({ schemaRef });
  return {
    before: Buffer.from(`{"header":${header},"body":{"xdmMeta":${meta},"xdmEntity":`),
    after: Buffer.from('}}'),
  };
}
