// CloudEvents 1.0 in structured mode: one event as JSON, or a batch of them.
// github.com/cloudevents/spec: cloudevents/formats/json-format.md
import { soundJson, withoutBom } from '../../json/check.ts';
import { membersOf, skipSpace } from '../../json/json.ts';
import { rejected } from '../../verdict.ts';
import { expanderOf, type Piece } from './expander.ts';
import { createTextReader } from './json-text.ts';

const QUOTE = 0x22;

const readEvents = createTextReader({});

/**
 * Each event is a message by its own bytes. One whose data is base64 of a JSON object gets that as `data` in its place.
 * Other data in base64 is no JSON, and cannot be sent.
 */
export const cloudEventsExpander = expanderOf((bytes, add) => {
  const text = withoutBom(bytes);
  if (skipSpace(text, 0) === text.length) return rejected('empty', 'no data');
  return readEvents(text, (piece) => add(withOpenData(piece)));
});

const ENCODED = 'data_base64';

function withOpenData(piece: Piece): Piece {
  if (!Buffer.isBuffer(piece) || !piece.includes(ENCODED)) return piece;
  const looked = soundJson(piece);
  if ('kind' in looked || looked.verdict === 'not-an-object') return piece;
  const { json } = looked;
  const [member, ...others] = membersOf(json, [ENCODED, 'data']);
  if (member?.name !== ENCODED || others.length > 0 || json[member.span.start] !== QUOTE) return piece;
  const { span } = member;
  const encoded = JSON.parse(json.toString('utf8', span.start, span.end)) as string;
  const data = Buffer.from(encoded, 'base64');
  // Node decodes anything; only base64 comes back as it was.
  if (data.toString('base64') !== encoded) return piece;
  const inner = soundJson(data);
  if ('kind' in inner || inner.verdict === 'not-an-object') return piece;
  // Beside it the encoded text would still say what redaction hides.
  const name = json.lastIndexOf(QUOTE, json.lastIndexOf(QUOTE, span.start - 1) - 1);
  return Buffer.concat([json.subarray(0, name), Buffer.from('"data":'), inner.json, json.subarray(span.end)]);
}
