// From a decoded message to one item of a request: checked, and framed without touching the producer's bytes.
import type { PublishedPipeline } from '../published.ts';
import { check } from './check.ts';
import type { Decoded } from './decode.ts';
import type { Message } from './message.ts';
import { type Rejected, rejected, type Settled } from './verdict.ts';

/** The inlet takes 1 MB, and whether that is 10^6 or 2^20 is unsaid. Contract §6.4. */
export const MAX_REQUEST_BYTES = 990_000;

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
