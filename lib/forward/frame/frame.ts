// From a decoded message to one item of a request: checked, and framed without touching the producer's bytes.
import type { PublishedPipeline } from '../../published.ts';
import type { Operation } from '../../records.ts';
import { check } from '../json/check.ts';
import type { Decoded } from '../read/decode.ts';
import { createDeriver } from '../transform/derive.ts';
import { type Rejected, rejected, type Settled } from '../verdict.ts';
import { createBlockWriter, type WriteBlock } from './block.ts';
import { CLOSING, MAX_REQUEST_BYTES, OPENING, REQUEST_OVERHEAD } from './body.ts';
import { createDirect, type Direct } from './direct.ts';
import type { Frame, Framed } from './framed.ts';
import { createSlabs, gather, type Slabs } from './slab.ts';
import type { Takers } from './takers.ts';

/** More than any header that a producer writes around an entity; that header is left out. */
const OWN_HEADER_BYTES = 64 * 1024;

/** How the messages of one pipeline are framed. */
export interface Framer {
  frame(decoded: Decoded): Framed | Settled<Rejected>;
  /** For records that are neither packed nor transformed; `undefined` where the pipeline does more with each record. */
  readonly direct: Direct | undefined;
  /** The same for groups of records that one request takes. */
  readonly block: WriteBlock | undefined;
  /** Bytes that the frame of a message has, where all messages have the same. */
  readonly frameBytes: number;
  /** The frame of all messages, where the pipeline does no more with each record. */
  readonly only: Frame | undefined;
  /**
   * The same for a record that lies in memory without a frame: itself, or a framed copy. `undefined` for one that is
   * too large.
   */
  readonly around: ((bare: Framed) => Framed | undefined) | undefined;
  /** The body of a request with these messages. */
  body(messages: readonly Framed[]): Uint8Array<ArrayBuffer>;
}

/**
 * @param shardId of the messages; needed where the pipeline derives ids
 * @throws RangeError where it is needed and absent
 */
export function createFramer(pipeline: PublishedPipeline, shardId?: string): Framer {
  const { usual, byOperation } = framesOf(pipeline);
  const derive = createDeriver(pipeline, shardId);
  const only = derive === undefined ? usual : undefined;
  const slabs = createSlabs();
  const ownHeader = pipeline.data === 'xdm' ? OWN_HEADER_BYTES : 3;
  return {
    frame({ message, payload, operation, fields }) {
      const frame = operation === undefined ? usual : byOperation.get(operation);
      if (frame === undefined) throw new RangeError('the message has no operation of this pipeline');
      const largest = largestIn(frame);
      // The size is checked before parsing: parsing what cannot be sent wastes time. A whole XDM message also has a
      // header of its own.
      if (payload.length > largest + ownHeader)
        return { message, verdict: tooLargeVerdict(payload.length, largest) };
      const checked = check(payload, pipeline.data);
      if ('kind' in checked) return { message, verdict: checked };
      const json = derive === undefined ? checked : derive(checked, message, fields);
      if (json.length > largest) return { message, verdict: tooLargeVerdict(json.length, largest) };
      const { slab, start, end } = slabs.append(json.length + around(frame), (to, at) =>
        putBytes(to, putBytes(to, putBytes(to, at, frame.before), json), frame.after),
      );
      return { message, slab, start, end, size: end - start + 1 };
    },
    around: only && ((bare) => framedCopy(bare, only, slabs)),
    block: only && createBlockWriter(only),
    frameBytes: usual === undefined ? 0 : around(usual),
    only,
    direct: only && createDirect(only, slabs, largestIn(only)),
    body(messages) {
      const size = messages.reduce((sum, framed) => sum + framed.size, REQUEST_OVERHEAD - 1);
      const body = Buffer.allocUnsafe(size);
      putBytes(body, gather(messages, body, putBytes(body, 0, OPENING)), CLOSING);
      return body;
    },
  };
}

/** Decodes ordinary records for several routes, or for one that takes only some of them. */
export function createBareDirect(takers: Takers): Direct {
  return createDirect(NO_FRAME, createSlabs(), largestIn(NO_FRAME), takers);
}

function framedCopy(bare: Framed, frame: Frame, slabs: Slabs): Framed | undefined {
  if (bare.end - bare.start > largestIn(frame)) return undefined;
  if (around(frame) === 0) return bare;
  const { message, slab: from } = bare;
  const { slab, start, end } = slabs.append(bare.end - bare.start + around(frame), (to, at) => {
    const body = putBytes(to, at, frame.before);
    return putBytes(to, body + from.copy(to, body, bare.start, bare.end), frame.after);
  });
  return { message, slab, start, end, size: end - start + 1 };
}

/** The most bytes of an object in one request. */
function largestIn(frame: Frame): number {
  return MAX_REQUEST_BYTES - REQUEST_OVERHEAD - around(frame) - 1;
}

function around({ before, after }: Frame): number {
  return before.length + after.length;
}

function tooLargeVerdict(bytes: number, largest: number): Rejected {
  return rejected('too-large', `${bytes} bytes; one request takes ${largest} of a message`);
}

function putBytes(body: Buffer, at: number, bytes: Uint8Array): number {
  body.set(bytes, at);
  return at + bytes.length;
}

const NO_FRAME: Frame = { before: Buffer.alloc(0), after: Buffer.alloc(0) };

/** The frame of every message, or one for each operation that a record can choose. */
function framesOf(pipeline: PublishedPipeline): {
  usual: Frame | undefined;
  byOperation: Map<string, Frame>;
} {
  const operations = pipeline.records?.operations;
  const byOperation = new Map<string, Frame>();
  if (pipeline.data === 'xdm') return { usual: xdmFrame(pipeline), byOperation };
  if (operations === undefined) return { usual: NO_FRAME, byOperation };
  if ('data' in operations) return { usual: operationFrame(pipeline, operations), byOperation };
  for (const [value, operation] of Object.entries(operations.values))
    byOperation.set(value, operationFrame(pipeline, operation));
  return { usual: undefined, byOperation };
}

/** Raw data with an operation of Data Prep. Contract §6.2. */
function operationFrame(pipeline: PublishedPipeline, operation: Operation): Frame {
  const { identityDatasetId } = pipeline;
  const links = operation.identity !== undefined && identityDatasetId !== undefined;
  const operations = { ...operation, ...(links && { identityDatasetId }) };
  const header = JSON.stringify({
    flowId: pipeline.flowId,
    imsOrgId: pipeline.organizationId,
    datasetId: pipeline.datasetId,
    operations,
  });
  return { before: Buffer.from(`{"header":${header},"body":`), after: Buffer.from('}') };
}

/** Contract §6.2: every field that any of Adobe's pages asks for. */
function xdmFrame(pipeline: PublishedPipeline): Frame {
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
