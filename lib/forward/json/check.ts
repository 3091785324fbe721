// Checks that a payload is one JSON object that may be sent, and finds the object's bytes.
import { isUtf8 } from 'node:buffer';
import type { PublishedPipeline } from '../../published.ts';
import { type Rejected, rejected } from '../verdict.ts';
import { type Member, memberSpan, membersOf } from './json.ts';
import { checkJson, type JsonVerdict } from './json-check.ts';

/** Real records have a dozen levels. Other parsers may not survive 200,000. */
export const MAX_DEPTH = 512;

/**
 * The object's bytes in `payload`. The whole text is checked, so that no record can smuggle a second message into the
 * request (`{},{}`). Only a possible envelope is parsed. The text is never rewritten, so numbers keep their digits.
 */
export function check(payload: Buffer, data: PublishedPipeline['data']): Buffer | Rejected {
  const looked = soundJson(payload);
  if ('kind' in looked) return looked;
  const { json, verdict } = looked;
  if (verdict === 'not-an-object') return rejected(verdict, TEXTS[verdict]);
  return verdict === 'envelope' ? checkEnvelope(json, data) : json;
}

/**
 * Any JSON in `payload`, for pipelines that use fields of their records.
 * @returns its bytes without a byte order mark and its value; or why it cannot be used
 */
export function parseJson(payload: Buffer): { readonly json: Buffer; readonly value: unknown } | Rejected {
  const looked = soundJson(payload);
  return 'kind' in looked ? looked : { json: looked.json, value: JSON.parse(looked.json.toString('utf8')) };
}

type Sound = Exclude<JsonVerdict, 'not-json' | 'too-deep'>;

/** JSON that is not nested too deeply, without a byte order mark. */
export function soundJson(payload: Buffer): { readonly json: Buffer; readonly verdict: Sound } | Rejected {
  const json = withoutBom(payload);
  if (json.length === 0) return rejected('empty', 'no data');
  if (!isUtf8(json)) return rejected('not-utf8', 'not UTF-8');
  const verdict = checkJson(json, MAX_DEPTH);
  if (verdict === 'not-json' || verdict === 'too-deep') return rejected(verdict, TEXTS[verdict]);
  return { json, verdict };
}

/** The parser's own message quotes the record. */
const TEXTS = {
  'too-deep': `more than ${MAX_DEPTH} levels`,
  'not-json': 'not JSON',
  'not-an-object': 'JSON, but not an object',
} as const;

function checkEnvelope(json: Buffer, data: PublishedPipeline['data']): Buffer | Rejected {
  if (data === 'raw') return instructionIn(json) ?? json;
  const value = JSON.parse(json.toString('utf8')) as Record<string, unknown>;
  return isWholeMessage(value) ? entityOf(value, json) : json;
}

const OPENING_BRACE = 0x7b;

/** The members of a header that AEP acts on. Contract §6.2. */
const SAYINGS = ['schemaRef', 'imsOrgId', 'datasetId', 'flowId', 'source', 'operations', 'createdAt'];
const INSTRUCTIONS = new Set(['flowId', 'operations']);

/**
 * Raw data that AEP would take for an envelope. AEP follows a header with a flow or with operations: to another flow,
 * or to the deletion of a profile. A producer may write data, not instructions. Contract §6.2.
 * Where a name is there twice, one parser uses the first and another the last (RFC 8259 §4). No source says which AEP
 * uses.
 */
function instructionIn(json: Buffer): Rejected | undefined {
  const parts = membersOf(json, ['header', 'body']);
  if (hasTwice(parts)) return rejected('envelope', 'it has more than one header, or more than one body');
  if (parts.length < 2 || parts.some(({ span }) => json[span.start] !== OPENING_BRACE)) return undefined;
  const header = parts.find(({ name }) => name === 'header');
  const sayings = membersOf(json, SAYINGS, header?.span.start);
  if (sayings.some(({ name }) => INSTRUCTIONS.has(name)))
    return rejected('envelope', 'AEP would follow its header instead of mapping it');
  return hasTwice(sayings) ? rejected('envelope', 'its header says something twice') : undefined;
}

function hasTwice(members: readonly Member[]): boolean {
  return new Set(members.map(({ name }) => name)).size < members.length;
}

/** An XDM message as in Adobe's tutorial: header and body. */
function isWholeMessage(value: Record<string, unknown>): value is { body: { xdmEntity: unknown } } {
  return (
    Object.hasOwn(value, 'header') &&
    Object.hasOwn(value, 'body') &&
    isObject(value.body) &&
    Object.hasOwn(value.body, 'xdmEntity')
  );
}

/** The entity's own bytes. We write the header. Parsing and rewriting the entity would change its numbers. */
function entityOf(value: { body: { xdmEntity: unknown } }, json: Buffer): Buffer | Rejected {
  if (!isObject(value.body.xdmEntity)) {
    return rejected('not-an-object', 'body.xdmEntity is not an object');
  }
  const body = memberSpan(json, 'body');
  const entity = body && memberSpan(json, 'xdmEntity', body.start);
  if (entity === undefined) throw new RangeError('body.xdmEntity was parsed but not found in the bytes');
  return json.subarray(entity.start, entity.end);
}

/** The bytes behind a byte order mark, which a reader may ignore. RFC 8259 §8.1. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
