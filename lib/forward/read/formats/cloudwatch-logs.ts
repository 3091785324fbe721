// Documents of a CloudWatch Logs subscription. AWS: "Subscription filters with Amazon Kinesis Data Streams".
import { soundJson, withoutBom } from '../../json/check.ts';
import { memberSpan } from '../../json/json.ts';
import { FILTERED, type Rejected, rejected } from '../../verdict.ts';
import { type Expander, expanderOf, type Piece, type PieceReader } from './expander.ts';
import { textsIn } from './json-sequence.ts';
import { createTextReader } from './json-text.ts';

const OPENING_BRACE = 0x7b;
const QUOTE = 0x22;

/**
 * Each log event is a message: its own fields, and `owner`, `logGroup` and `logStream` of the document. Control
 * messages are passed over: AWS sends them to see whether the stream can be reached.
 * A record holds one document. Where it holds several, one that cannot be read harms no other.
 */
export function createCloudWatchLogs({ message }: { readonly message?: 'json' | undefined }): Expander {
  const readEvents = createTextReader({
    items: '/logEvents',
    envelope: ['/owner', '/logGroup', '/logStream'],
  });
  const readDocument: PieceReader = (text, add) => {
    const type = messageTypeOf(text);
    if (typeof type !== 'string') return type;
    if (type === 'CONTROL_MESSAGE') {
      add({ bytes: text, verdict: FILTERED });
      return undefined;
    }
    if (type !== 'DATA_MESSAGE') return notOne('it has another messageType than CloudWatch Logs writes');
    return readEvents(text, message === 'json' ? (piece) => add(withOpenMessage(piece)) : add);
  };
  return expanderOf((bytes, add) => {
    const texts = textsIn(withoutBom(bytes));
    const first = texts.next();
    if (first.done) return rejected('empty', 'no data');
    let text = texts.next();
    if (text.done) return readDocument(first.value, add);
    const readNext = (one: Buffer) => {
      const verdict = readDocument(one, add);
      if (verdict !== undefined) add({ bytes: one, verdict });
    };
    for (readNext(first.value); !text.done; text = texts.next()) readNext(text.value);
    return undefined;
  });
}

function messageTypeOf(text: Buffer): string | Rejected {
  const looked = soundJson(text);
  if ('kind' in looked) return looked;
  const span = text[0] === OPENING_BRACE ? memberSpan(text, 'messageType') : undefined;
  if (span === undefined || text[span.start] !== QUOTE) return notOne('it has no messageType');
  return JSON.parse(text.toString('utf8', span.start, span.end)) as string;
}

function notOne(why: string): Rejected {
  return rejected('not-cloudwatch-logs', why);
}

/** The event with the object that its message is the text of. Any other message stays a text. */
function withOpenMessage(piece: Piece): Piece {
  if (!Buffer.isBuffer(piece) || piece[0] !== OPENING_BRACE) return piece;
  const span = memberSpan(piece, 'message');
  if (span === undefined || piece[span.start] !== QUOTE) return piece;
  const text = JSON.parse(piece.toString('utf8', span.start, span.end)) as string;
  // Half of a surrogate pair has no bytes of its own.
  const looked = text.includes('{') && text.isWellFormed() ? soundJson(Buffer.from(text)) : undefined;
  if (looked === undefined || 'kind' in looked || looked.verdict === 'not-an-object') return piece;
  return Buffer.concat([piece.subarray(0, span.start), looked.json, piece.subarray(span.end)]);
}
